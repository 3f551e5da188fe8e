"""The run lock: two processes never drive one run."""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from experts.files import cannot_write
from swarm.errors import InputError

LOCK_FILE = ".lock"

PATIENCE = 0.1
"""Seconds: whoever only looks whether it is free holds it for a moment."""

_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
"""Seconds between two tries: at first, and after many."""


@contextmanager
def run_lock(folder: Path, patience: float = PATIENCE) -> Iterator[None]:
    """Hold the lock of the run in `folder` (RUNS/NAME; made if missing) for the length of the block.

    Who holds it is waited for, but not longer than `patience` seconds.

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
        _take(file, path, patience)
        yield


def require_free(folder: Path, patience: float = PATIENCE) -> None:
    """Check that nobody drives the run in `folder`, before anything is started for it; nothing is made or kept.

    Raises:
        InputError: as `run_lock` does, which has the last word.

    """
    try:
        file = (folder / LOCK_FILE).open(encoding="utf-8")
    except OSError:
        return  # no lock yet, or one that `run_lock` will complain about
    with file:
        _lock(file, folder / LOCK_FILE, fcntl.LOCK_SH, patience)


def _take(file: TextIO, path: Path, patience: float) -> None:
    _lock(file, path, fcntl.LOCK_EX, patience)
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
    except OSError as error:
        raise cannot_write(path, error) from error


def _lock(file: TextIO, path: Path, kind: int, patience: float) -> None:
    deadline, pause = time.monotonic() + patience, _PAUSE
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                name = path.parent.name
                raise InputError(
                    f"run {name!r} is driven by {_holder(file)}: wait for it, or end it with 'swarm stop {name}'"
                ) from error
        except OSError as error:
            raise cannot_write(path, error) from error
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE) if patience > PATIENCE else pause


def _holder(file: TextIO) -> str:
    # The holder writes its name just after it takes the lock, so for a moment there may be none.
    file.seek(0)
    return file.readline().strip() or "another process"
