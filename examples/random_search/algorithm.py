"""The algorithm: pure functions on a frozen state, numpy only.

Iteration 0 evaluates the experts; every later one `candidates` points of the simplex, drawn uniformly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from swarm.canonical import content_hash
from swarm.draws import Draw, generator


@dataclass(frozen=True)
class State:
    """The whole state after an iteration.

    Attributes:
        iteration: its number; the first is 0.
        positions: [candidates][n], the coefficients that it evaluates.
        utilities: one a candidate; () before they are told.
        best: {"utility", "iteration", "coefficients"} of the best candidate so far; None before there is one.

    """

    iteration: int
    positions: tuple[tuple[float, ...], ...]
    utilities: tuple[float, ...] = ()
    best: dict[str, Any] | None = None

    @property
    def sha256(self) -> str:
        """The state's content hash."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the state as plain JSON."""
        return {
            "iteration": self.iteration,
            "positions": [list(row) for row in self.positions],
            "utilities": list(self.utilities),
            "best": self.best,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "State":
        """Read what `to_json` wrote."""
        positions = tuple(tuple(row) for row in value["positions"])
        return cls(value["iteration"], positions, tuple(value["utilities"]), value["best"])


def begin(experts: int) -> State:
    """Return iteration 0: each expert alone."""
    return State(0, tuple(tuple(float(i == j) for j in range(experts)) for i in range(experts)))


def ask(seed: int, candidates: int, state: State) -> State:
    """Return the next iteration, not yet evaluated; its draws are a function of the seed and its number."""
    number, size = state.iteration + 1, len(state.positions[0])
    rows = [generator(seed, number, i, Draw.MOVE).dirichlet([1.0] * size).tolist() for i in range(candidates)]
    return replace(state, iteration=number, positions=tuple(map(tuple, rows)), utilities=())


def tell(state: State, utilities: Sequence[float]) -> State:
    """Return the state that knows its utilities; the first of equal candidates is the best."""
    index = max(range(len(utilities)), key=lambda i: utilities[i])
    candidate = {
        "utility": utilities[index],
        "iteration": state.iteration,
        "coefficients": list(state.positions[index]),
    }
    better = state.best is None or utilities[index] > state.best["utility"]
    return replace(state, utilities=tuple(utilities), best=candidate if better else state.best)
