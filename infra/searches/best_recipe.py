"""The best of a run that is one recipe of experts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.observing.views import BestSoFar
from infra.records.values import RunRecord
from swarm.recipes import Recipe

if TYPE_CHECKING:
    from experts.base_models import BaseModel
    from experts.basis import Basis, FullBasis


@dataclass(frozen=True)
class BestRecipe:
    """The best of a run, and the experts that it is made of.

    Attributes:
        run: the run.
        search: the title of its algorithm, and where that is described.
        iteration: the last saved iteration.
        best: the best as of then.
        recipe: its recipe.
        names: the names of the recipe's bases.
        base: the run's base model.
        basis: the run's experts.

    """

    run: RunRecord
    search: tuple[str, str]
    iteration: int
    best: BestSoFar
    recipe: Recipe
    names: tuple[str, ...]
    base: "BaseModel"
    basis: "Basis | FullBasis"
