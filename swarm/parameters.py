"""The parameters of a Model Swarms search (arXiv 2410.11163; docs/algorithms.md §1)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from swarm.checked import Checked
from swarm.errors import InputError

InitialVelocity = Literal["random", "best", "zero"]

REFERENCE_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "inertia": 0.4,
        "cognitive": 0.3,
        "social": 0.3,
        "repulsion": 0.3,
        "step_length": 1.0,
        "min_step_length": 0.1,
        "patience": 10,
        "restart_patience": 5,
        "max_iterations": 200,
        "crossover_limit": 2.0,
    }
)
"""The public code's defaults, for a search with `reference`; the paper's values are the other defaults."""

SWEEP_GRIDS: Mapping[str, tuple[float, ...]] = MappingProxyType(
    {
        "inertia": (0.1, 0.2, 0.3),
        "cognitive": (0.1, 0.2, 0.3, 0.4, 0.5),
        "social": (0.2, 0.3, 0.4, 0.5, 0.6),
        "repulsion": (0.01, 0.05, 0.1),
        "step_length": (0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    }
)
"""The grids from which the paper's starter scripts draw each search's values uniformly."""


@dataclass(frozen=True)
class Parameters(Checked):
    """How a search moves, restarts, skips and stops. Any value out of range raises `InputError`, naming the field.

    Attributes:
        particles: N, the number of particles, ≥ 2.
        inertia: φ_v, the weight of a particle's own velocity, ≥ 0.
        cognitive: φ_p, the weight of the pull towards its personal best, ≥ 0.
        social: φ_g, the weight of the pull towards the global best, ≥ 0.
        repulsion: φ_w, the weight of the push away from the global worst, ≥ 0.
        step_length: λ of the first move, > 0.
        step_decay: φ_λ, by which λ is multiplied after each move, 0 < φ_λ ≤ 1.
        min_step_length: λ_min, below which λ never falls, 0 ≤ λ_min ≤ λ.
        max_iterations: moves at most, ≥ 1; the initial population's evaluation is not counted.
        patience: evaluated iterations without a better global best after which the search stops, ≥ 1.
        restart_patience: a particle whose personal best is so many iterations old restarts from it, ≥ 1.
        initial_velocity: `random`: towards another random particle; `best`: towards the best one; `zero`.
        crossover_limit: crossover draws t ~ U(0, crossover_limit), > 0; above 1 children also extrapolate.
        drop_iteration: the probability that an iteration's evaluation is skipped (drop-K), 0 ≤ probability < 1.
        drop_particle: the probability that a particle's evaluation is skipped (drop-N), 0 ≤ probability < 1.
        reference: behave as the public code does where docs/algorithms.md §1 tells the two apart.

    """

    particles: int = 20
    inertia: float = 0.2
    cognitive: float = 0.3
    social: float = 0.4
    repulsion: float = 0.05
    step_length: float = 0.8
    step_decay: float = 0.95
    min_step_length: float = 0.1
    max_iterations: int = 50
    patience: int = 10
    restart_patience: int = 5
    initial_velocity: InitialVelocity = "random"
    crossover_limit: float = 1.0
    drop_iteration: float = 0.0
    drop_particle: float = 0.0
    reference: bool = False

    def __post_init__(self) -> None:
        self._require_whole(particles=2, max_iterations=1, patience=1, restart_patience=1)
        for name in ("inertia", "cognitive", "social", "repulsion"):
            self._require(name, self._number(name) >= 0, "a finite number of at least 0")
        for name in ("step_length", "crossover_limit"):
            self._require(name, self._number(name) > 0, "a finite number above 0")
        for name in ("drop_iteration", "drop_particle"):
            self._require(name, 0 <= self._number(name) < 1, "a probability of at least 0 and below 1")
        self._require("step_decay", 0 < self._number("step_decay") <= 1, "above 0 and at most 1")
        reachable = 0 <= self._number("min_step_length") <= self.step_length
        self._require("min_step_length", reachable, f"at least 0 and at most step_length ({self.step_length})")
        directions = get_args(InitialVelocity)
        self._require("initial_velocity", self.initial_velocity in directions, f"one of {', '.join(directions)}")
        self._require("reference", isinstance(self.reference, bool), "true or false")
        self._require_usable_sum()

    def _require_usable_sum(self) -> None:
        """Refuse C = 0 (a division by zero in every move) before a search begins, and its neighbours in float64."""
        total = self.inertia + self.cognitive + self.social + self.repulsion
        if total == 0:
            raise InputError("inertia: inertia, cognitive, social and repulsion are all 0: give one a positive value")
        if not 1e-9 <= total <= 1e9:
            raise InputError(
                f"inertia: inertia + cognitive + social + repulsion is {total:g}: scale them to between 1e-09 and 1e+09"
            )


def with_reference_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a user gave, completed by the public code's defaults if they turn `reference` on.

    The public code counts its restart patience in patiences (.5): it follows a given `patience`.
    """
    if not values.get("reference", False):
        return dict(values)
    patience = values.get("patience", REFERENCE_DEFAULTS["patience"])
    restart_patience = max(1, math.ceil(0.5 * patience))
    return {**REFERENCE_DEFAULTS, "restart_patience": restart_patience, **values}
