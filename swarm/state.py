"""The whole state of a Model Swarms search: coefficients over the initial experts (docs/algorithms.md §0)."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from swarm.arrays import Floats, read_only
from swarm.canonical import content_hash
from swarm.invariants import check_rows


@dataclass(frozen=True, eq=False)
class Extreme:
    """The best or the worst that was ever seen: global best g, global worst w.

    Attributes:
        coefficients: [n], read-only.
        utility: its utility.
        particle: who found it.
        iteration: when.

    """

    coefficients: Floats
    utility: float
    particle: int
    iteration: int

    def to_json(self) -> dict[str, Any]:
        """Return this as plain JSON."""
        return {
            "coefficients": self.coefficients.tolist(),
            "utility": self.utility,
            "particle": self.particle,
            "iteration": self.iteration,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Extreme":
        """Read what `to_json` wrote."""
        return cls(read_only(value["coefficients"]), float(value["utility"]), value["particle"], value["iteration"])


_PER_PARTICLE = (
    "personal_best_utilities",
    "personal_best_iterations",
    "utilities",
    "restarted",
    "last_restarts",
    "to_evaluate",
)


@dataclass(frozen=True, eq=False)
class State:
    """One iteration of a search of N particles from n experts; every array is read-only float64.

    A state that breaks an invariant of docs/algorithms.md §0 cannot be made: `check_rows` tells what is raised.

    Attributes:
        POSITION_SUM: what a row of positions, personal bests, g and w sums to; None: to anything.
        VELOCITY_SUM: what a row of velocities sums to; None: to anything.
        iteration: 0 is the initial population.
        step_length: λ of the move that made this iteration; at iteration 0, of the move to come.
        positions: X [N, n]; rows sum to 1.
        velocities: V [N, n]; rows sum to 0.
        personal_bests: P [N, n]; rows sum to 1.
        personal_best_utilities: [N]; None before iteration 0 is told.
        personal_best_iterations: [N], when each personal best was found.
        draws: r [N, 4] of the move that made this iteration, in the order (r_v, r_p, r_g, r_w); None at iteration 0.
        utilities: [N]; None where a particle is not evaluated (yet, or at all: drop-K and drop-N).
        restarted: [N], which particles restarted in the move that made this iteration.
        last_restarts: [N], the last iteration in which each particle restarted; None: never.
        to_evaluate: [N], which particles are evaluated in this iteration.
        told: whether the utilities of this iteration were told.
        global_best: g; None before iteration 0 is told.
        global_worst: w; None before iteration 0 is told.
        stale: evaluated iterations since g last became better.

    """

    POSITION_SUM: ClassVar[float | None] = 1.0
    VELOCITY_SUM: ClassVar[float | None] = 0.0

    iteration: int
    step_length: float
    positions: Floats
    velocities: Floats
    personal_bests: Floats
    personal_best_utilities: tuple[float | None, ...]
    personal_best_iterations: tuple[int, ...]
    draws: Floats | None
    utilities: tuple[float | None, ...]
    restarted: tuple[bool, ...]
    last_restarts: tuple[int | None, ...]
    to_evaluate: tuple[bool, ...]
    told: bool
    global_best: Extreme | None
    global_worst: Extreme | None
    stale: int

    def __post_init__(self) -> None:
        particles, experts = shape = self.positions.shape
        check_rows("positions", self.positions, shape, self.POSITION_SUM, self.iteration)
        check_rows("velocities", self.velocities, shape, self.VELOCITY_SUM, self.iteration)
        check_rows("personal_bests", self.personal_bests, shape, self.POSITION_SUM, self.iteration)
        for name, extreme in (("global_best", self.global_best), ("global_worst", self.global_worst)):
            if extreme is not None:
                check_rows(name, extreme.coefficients[None], (1, experts), self.POSITION_SUM, self.iteration)
        for name in _PER_PARTICLE:
            if len(getattr(self, name)) != particles:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {particles} particles")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, State) and self.sha256 == other.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    @cached_property
    def sha256(self) -> str:
        """The content hash of this state: equal for equal bits, and only for them."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return this state as plain JSON, from which `from_json` makes the same bits again."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError or ValueError: `value` is no state.

        """
        best, worst, draws = value["global_best"], value["global_worst"], value["draws"]
        return cls(
            iteration=value["iteration"],
            step_length=float(value["step_length"]),
            positions=read_only(value["positions"]),
            velocities=read_only(value["velocities"]),
            personal_bests=read_only(value["personal_bests"]),
            personal_best_utilities=_utilities(value["personal_best_utilities"]),
            personal_best_iterations=tuple(value["personal_best_iterations"]),
            draws=None if draws is None else read_only(draws),
            utilities=_utilities(value["utilities"]),
            restarted=tuple(value["restarted"]),
            last_restarts=tuple(value["last_restarts"]),
            to_evaluate=tuple(value["to_evaluate"]),
            told=value["told"],
            global_best=None if best is None else Extreme.from_json(best),
            global_worst=None if worst is None else Extreme.from_json(worst),
            stale=value["stale"],
        )


def _utilities(values: list[float | None]) -> tuple[float | None, ...]:
    return tuple(None if value is None else float(value) for value in values)


def _plain(value: Any) -> Any:
    if isinstance(value, Extreme):
        return value.to_json()
    if isinstance(value, np.ndarray):
        return value.tolist()
    return list(value) if isinstance(value, tuple) else value
