"""One process at a time, where the others wait: the kernel frees the lock of a process that dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from experts.files import cannot_write


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock file `path` for the length of the block, waiting for it first.

    Raises:
        InputError: the file can't be written.

    """
    try:
        file = path.open("a")
    except OSError as error:
        raise cannot_write(path, error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
