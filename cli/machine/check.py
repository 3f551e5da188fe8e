"""What `swarm doctor` finds out: one thing that was looked at."""

from dataclasses import dataclass
from typing import Literal

GIB = 1 << 30

Status = Literal["ok", "optional", "missing"]


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        status: `optional`: absent or broken, but runs work without it; `missing`: runs don't work.
        found: what there is.
        remedy: what to do about it; empty where nothing is to be done.

    """

    name: str
    status: Status
    found: str
    remedy: str = ""


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
