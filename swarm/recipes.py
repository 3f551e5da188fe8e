"""A recipe: what every expert, particle, velocity and best of a search is (docs/algorithms.md, "Recipes").

Every operation of Model Swarms (arXiv 2410.11163) is a linear combination of tensors that already exist, so a
search's whole state is coefficients over its initial experts.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from swarm.canonical import content_hash

BASE = "base"
"""The id of the base model itself (the zero adapter) as a basis."""


class Space(StrEnum):
    """The space in which a recipe's bases are combined."""

    FACTORS = "factors"
    """LoRA A and B are combined separately: A = Σ c_j A_j, B = Σ c_j B_j (what the public code does)."""
    PRODUCT = "product"
    """The updates are combined: ΔW = Σ c_j B_j A_j."""


@dataclass(frozen=True)
class Recipe:
    """A linear combination of initial experts.

    Attributes:
        bases: content hashes (64 hexadecimal digits) of the n experts, or `BASE` for the base model itself.
        coefficients: n finite float64 numbers, one a basis.
        space: where the combination is made.

    """

    bases: tuple[str, ...]
    coefficients: tuple[float, ...]
    space: Space

    def __post_init__(self) -> None:
        if len(self.bases) != len(self.coefficients):
            raise ValueError(f"a recipe has {len(self.bases)} bases but {len(self.coefficients)} coefficients")

    @cached_property
    def key(self) -> str:
        """The content hash of this recipe."""
        return content_hash(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return this recipe as plain JSON."""
        return {"bases": list(self.bases), "coefficients": list(self.coefficients), "space": self.space.value}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Recipe":
        """Read what `to_json` wrote."""
        return cls(tuple(value["bases"]), tuple(map(float, value["coefficients"])), Space(value["space"]))
