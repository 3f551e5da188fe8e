"""The inputs of a run: everything that its configuration names, read and checked."""

from dataclasses import dataclass

from data.objective import Objective
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from experts.seed_basis import SeedBasis


@dataclass(frozen=True)
class RunInputs:
    """A run's inputs.

    Attributes:
        base: the base model.
        basis: the n experts, or what recipes of seeds are made from.
        objective: data, prompts and scorers.
        bases: the ids that the search's coefficients belong to: the experts', then `BASE` if it is included.
        names: their names, for people.
        engine: the engine's identity.

    """

    base: BaseModel
    basis: Basis | FullBasis | SeedBasis
    objective: Objective
    bases: tuple[str, ...]
    names: tuple[str, ...]
    engine: str

    @property
    def identity(self) -> dict[str, str]:
        """The content hashes that decide a run besides its settings, by the name of the input."""
        experts = {f"expert {name}": key for name, key in zip(self.basis.names, self.basis.ids, strict=True)}
        return {"base model": self.base.sha256, **experts, "objective": self.objective.key, "engine": self.engine}
