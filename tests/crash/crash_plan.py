"""Which kills are tried, and when: a list that is the same every time."""

import random
import signal
from dataclasses import dataclass
from typing import Literal

Kind = Literal["sigkill", "sigint", "sigterm", "double"]
"""double: a SIGKILL, and another one while the run is being resumed."""

SIGNALS: dict[Kind, signal.Signals] = {
    "sigkill": signal.SIGKILL,
    "sigint": signal.SIGINT,
    "sigterm": signal.SIGTERM,
    "double": signal.SIGKILL,
}

FLOW_START = 0.15
"""The part of an uninterrupted run's time that a resumed one takes again, however late it was killed."""


@dataclass(frozen=True)
class Trial:
    """One run that is killed, and resumed until it ends.

    Attributes:
        number: from 0.
        kind: how it is killed.
        moments: when, each counted from the start of a process, as parts of the time of an uninterrupted run.
        by_command: it is started and resumed by the `swarm` command; else by calling the flow.

    """

    number: int
    kind: Kind
    moments: tuple[float, ...]
    by_command: bool


def plan(counts: dict[Kind, int], seed: int) -> list[Trial]:
    """Return `counts` trials of each kind, shuffled, each half of a kind resumed by the command."""
    draws = random.Random(seed)
    kinds = [(kind, place % 2 == 0) for kind, count in counts.items() for place in range(count)]
    draws.shuffle(kinds)
    return [Trial(number, kind, _moments(kind, draws), command) for number, (kind, command) in enumerate(kinds)]


def _moments(kind: Kind, draws: random.Random) -> tuple[float, ...]:
    first = draws.random()
    return (first, draws.uniform(0, 1 - first + FLOW_START)) if kind == "double" else (first,)
