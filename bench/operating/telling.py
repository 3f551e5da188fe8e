"""Waiting, and telling how long it took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE = 900.0
"""Seconds after which what is waited for is given up."""


def wait_for(what: str, happened: Callable[[], bool], pause: float = 0.5) -> None:
    """Wait until `happened`, but not for ever."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE:.0f} s in vain until {what}")
        time.sleep(pause)


@contextmanager
def took(what: str) -> Iterator[None]:
    """Say how long the block took."""
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
