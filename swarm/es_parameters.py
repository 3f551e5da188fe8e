"""The parameters of an evolution strategies search (arXiv 2509.24372; docs/algorithms.md §3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from swarm.checked import Checked

Shaping = Literal["z_score", "centred_ranks"]
"""How the rewards of a population become weights of its noises."""

REFERENCE_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "population": 30,
        "sigma": 0.001,
        "learning_rate": 0.0005,
        "antithetic": False,
        "shaping": "z_score",
        "weight_decay": 0.0,
    }
)
"""The values of the paper and its public code, for a search with `reference`."""


@dataclass(frozen=True)
class EsParameters(Checked):
    """How θ is perturbed and moved, and when the search stops. A value out of range raises `InputError`, naming it.

    Attributes:
        population: N, members an iteration, ≥ 2; even if `antithetic`.
        sigma: σ, the standard deviation of a perturbed number, > 0.
        learning_rate: α, > 0; 1/σ is absorbed in it.
        antithetic: members come in pairs θ ± σ ε.
        shaping: `z_score`: (R − mean) / (standard deviation + 1e-8); `centred_ranks`: ranks, evenly over [−½, ½].
        weight_decay: the share of the way from the start that each update takes back, 0 ≤ share < 1.
        max_iterations: updates at most, ≥ 1.
        batch: dev examples that an iteration's members are asked, drawn anew in each; None: all of them.
        held_out_every: the mean is measured on the held-out examples every so many iterations, ≥ 1.
        patience: measurements of the mean without a better one after which the search stops, ≥ 1; None: never.
        reference: behave as the public code does where docs/algorithms.md §3 tells the two apart.

    """

    population: int = 32
    sigma: float = 0.01
    learning_rate: float = 0.01
    antithetic: bool = True
    shaping: Shaping = "z_score"
    weight_decay: float = 0.0
    max_iterations: int = 100
    batch: int | None = None
    held_out_every: int = 10
    patience: int | None = None
    reference: bool = False

    def __post_init__(self) -> None:
        self._require_whole(population=2, max_iterations=1, held_out_every=1)
        for name in ("batch", "patience"):
            if getattr(self, name) is not None:
                self._require_whole(**{name: 1})
        for name in ("sigma", "learning_rate"):
            self._require(name, self._number(name) > 0, "a finite number above 0")
        self._require("weight_decay", 0 <= self._number("weight_decay") < 1, "at least 0 and below 1")
        self._require("shaping", self.shaping in get_args(Shaping), f"one of {', '.join(get_args(Shaping))}")
        has_pairs = not self.antithetic or self.population % 2 == 0
        self._require("population", has_pairs, "an even number with antithetic: true, whose members come in pairs")

    @property
    def seeds(self) -> int:
        """How many noises an iteration draws: one a member, or one a pair."""
        return self.population // 2 if self.antithetic else self.population


def with_reference_defaults(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that a user gave, completed by the public code's values if they turn `reference` on."""
    return {**REFERENCE_DEFAULTS, **values} if values.get("reference", False) else dict(values)
