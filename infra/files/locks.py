"""Locks between processes: the run lock, a lock that waits for its turn, and one that refuses where another has it.

The kernel holds a lock, not the file: it is free again the moment the process that holds it ends, however that happens.
The file stays: removing it would let two processes lock two files of one name.
"""

import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO

from experts.files import cannot_write
from infra.settings import DEFAULT_LOCK_PATIENCE
from swarm.errors import InputError

_RUN_LOCK = ".lock"

_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
"""Seconds between two tries: at first, and after many."""


@contextmanager
def run_lock(folder: Path, patience: float = DEFAULT_LOCK_PATIENCE) -> Iterator[None]:
    """Hold the lock of the run in `folder` (RUNS/NAME; made if missing) for the length of the block.

    Wait up to `patience` seconds for a process that holds it.

    Raises:
        InputError: another process, or this one, holds it; the message has its process id. Or the folder can't be
            written.

    """
    with open_lock_file(folder / _RUN_LOCK) as file:
        _wait_for_run(file, patience, shared=False)
        write_holder(file)
        yield


def require_free(folder: Path, patience: float = DEFAULT_LOCK_PATIENCE) -> None:
    """Check that nobody drives the run in `folder`, before anything is started for it; nothing is made or kept.

    Raises:
        InputError: as `run_lock` does, which has the last word.

    """
    try:
        file = (folder / _RUN_LOCK).open(encoding="utf-8")
    except OSError:
        return  # no lock yet, or one that `run_lock` will complain about
    with file:
        _wait_for_run(file, patience, shared=True)


def is_abandoned(folder: Path) -> bool:
    """Tell whether the run in `folder` has a lock that nobody holds; without one the run is driven elsewhere."""
    try:
        with (folder / _RUN_LOCK).open("rb") as file:
            return _flock(file, shared=True)  # two processes that only look do not see each other
    except OSError:
        return False


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, whose folder is there, for the length of the block, waiting for it first.

    Raises:
        InputError: the file can't be written.

    """
    try:
        file = path.open("a")
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        try:
            _flock(file, wait=True)
        except OSError as error:  # a file system without locks
            raise cannot_write(path, error) from error
        yield


def lock_or_refuse(file: IO[Any], refusal: InputError) -> None:
    """Lock the open file until it is closed; raise `refusal` if another process has it.

    A file that no longer lies where it was opened counts as another's: the process that had it published or removed it.

    Raises:
        OSError: the file system knows no locks.

    """
    if not _flock(file):
        raise refusal
    try:
        same = os.path.samestat(Path(file.name).stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        same = False
    if not same:
        raise refusal


def open_lock_file(path: Path) -> TextIO:
    """Open the lock file `path` for `try_lock`; it and its folder are made if missing.

    Raises:
        InputError: it can't be written.

    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a+", encoding="utf-8")
    except OSError as error:
        raise cannot_write(path, error) from error


def try_lock(file: TextIO) -> bool:
    """Lock the open lock file until it is closed or unlocked; return False, at once, if another process has it.

    Raises:
        InputError: the file system knows no locks.

    """
    try:
        return _flock(file)
    except OSError as error:
        raise cannot_write(Path(file.name), error) from error


def unlock(file: TextIO) -> None:
    """Give back the lock of `file`, which stays open."""
    fcntl.flock(file, fcntl.LOCK_UN)


def write_holder(file: TextIO) -> None:
    """Write into a lock file that this process holds it.

    Raises:
        InputError: it can't be written.

    """
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()  # a full disk is met here and not at closing
    except OSError as error:
        raise cannot_write(Path(file.name), error) from error


def read_holder(file: TextIO) -> str:
    """Return the process that a lock file names."""
    # A process writes its name just after it takes the lock, so for a moment there may be none.
    file.seek(0)
    return file.readline().strip() or "another process"


def _wait_for_run(file: TextIO, patience: float, shared: bool) -> None:
    path = Path(file.name)
    deadline, pause = time.monotonic() + patience, _PAUSE
    while True:
        try:
            if _flock(file, shared=shared):
                return
        except OSError as error:
            raise cannot_write(path, error) from error
        if time.monotonic() >= deadline:
            run = path.parent.name
            raise InputError(
                f"run {run!r} is driven by {read_holder(file)}: wait for it, or end it with 'swarm stop {run}'"
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE) if patience > DEFAULT_LOCK_PATIENCE else pause


def _flock(file: IO[Any], shared: bool = False, wait: bool = False) -> bool:
    """Take the lock of `file`; return False if another open file has it (never where it waits)."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
