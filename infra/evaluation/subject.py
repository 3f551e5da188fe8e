"""The subject of `swarm evaluate`, outside of a search: a model, or a system of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from data.examples import Split
from experts.base_models import BaseModel
from experts.bases import AnyBasis
from infra.evaluation.evaluator import Evaluable
from infra.evaluation.recipes import RecipeGroup
from swarm.recipes import Recipe


@dataclass(frozen=True)
class Subject:
    """The model or system that is evaluated.

    Attributes:
        name: what messages call it.
        record: what it is made of, as the records have it.
        basis: the experts that it is made of.
        base: their base model.
        group: returns it as a group of one member, asked a split.

    """

    name: str
    record: Mapping[str, Any]
    basis: AnyBasis
    base: BaseModel
    group: Callable[[Split], Evaluable]

    @classmethod
    def of_recipe(cls, name: str, recipe: Recipe, basis: AnyBasis, base: BaseModel) -> "Subject":
        """Return a model that answers alone."""
        return cls(name, recipe.to_json(), basis, base, lambda split: RecipeGroup.of([recipe], split))
