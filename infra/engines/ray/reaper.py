"""A process that waits for the end of the one that started it, then ends what its cluster left.

Ray's own agents outlive a killed driver by more than a minute. Every process that has a file of the cluster's folder
open, except for the driver, belongs to the cluster and is killed; in the end the folder is removed. It needs Linux, and
nothing but the standard library.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_ROUNDS = 3
_PAUSE = 0.2


def holders(folder: Path) -> Iterator[int]:
    """Yield the processes that have a file below `folder` open."""
    for process in Path("/proc").glob("[0-9]*"):
        if any(path.is_relative_to(folder) for path in _open_files(process)):
            yield int(process.name)


def _open_files(process: Path) -> list[Path]:
    with suppress(OSError):
        return [Path(target) for target in map(_target, (process / "fd").iterdir()) if target]
    return []


def _target(link: Path) -> str:
    with suppress(OSError):
        return str(link.readlink())
    return ""


def main() -> None:
    """Wait until standard input ends, which the kernel sees to, then clean up."""
    folder, driver = Path(sys.argv[1]), int(sys.argv[2])
    sys.stdin.read()
    for _ in range(_ROUNDS):  # one that was just being started may come late
        for process in set(holders(folder)) - {driver}:
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        time.sleep(_PAUSE)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
