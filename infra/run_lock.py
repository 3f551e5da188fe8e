"""The run lock: two processes never drive one run."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from experts.files import cannot_write
from swarm.errors import InputError

LOCK_FILE = ".lock"


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the lock of the run in `folder` (RUNS/NAME; made if missing) for the length of the block.

    The kernel holds it, not the file: it is free again the moment its holder ends, however that happens, and the
    file stays (removing it would let two processes lock two files of one name).

    Raises:
        InputError: another process, or this one, holds it; the message has its process id. Or the folder can't be
            written.

    """
    path = folder / LOCK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        _take(file, path)
        yield


def _take(file: TextIO, path: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
    except BlockingIOError as error:
        name = path.parent.name
        raise InputError(
            f"run {name!r} is driven by {_holder(file)}: wait for it, or end it with 'swarm stop {name}'"
        ) from error
    except OSError as error:
        raise cannot_write(path, error) from error


def _holder(file: TextIO) -> str:
    # The holder writes its name just after it takes the lock, so for a moment there may be none.
    file.seek(0)
    return file.readline().strip() or "another process"
