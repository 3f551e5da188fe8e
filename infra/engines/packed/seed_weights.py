"""Members of an evolution strategies search in a resident model (docs/algorithms.md §3).

θ_t stays in memory and moves on with the journal; a member is θ_t and one more seed. With noise of low rank, and in an
adapter's space, members are adapters on shared weights and a whole population is one batch; else each member's weights
are written over the resident ones from a float32 copy of θ_t, so nothing has to be subtracted again.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from experts.evolved import EvolvedWeights
from experts.seed_basis import DOWN, UP, SeedBasis
from infra.engines.packed.population_weights import Members, place_of, resident_tensors
from infra.engines.packed.resident import ResidentModel
from infra.engines.packed.stacks import BareStack, FactorStack, Stack
from infra.engines.seed_recipes import at_one_journal, perturbed, seed_recipe
from swarm.recipes import Recipe
from swarm.seeds import Mode, SeedRecipe

Factors = tuple[torch.Tensor, torch.Tensor]


def seeded_members(basis: SeedBasis, resident: ResidentModel) -> Members:
    """Return the members of a search of `basis`; raises `InputError` where the base model lacks a target."""
    match basis.perturbation.mode:
        case Mode.LOW_RANK:
            return LowRankMembers(basis, resident)
        case Mode.ADAPTER:
            return AdapterSpaceMembers(basis, resident)
        case Mode.FULL:
            return FullSpaceMembers(basis, resident)


class LowRankMembers:
    """θ_t + scale · A Bᵀ / √r: adapters of rank r on the resident weights, which are θ_t."""

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        self.modules: Sequence[str] = basis.modules
        places = resident_tensors(resident.model)
        self._places = {name: place_of(places, name) for name in basis.tensor_names}
        self._rank, self._dtype, self._resident = basis.perturbation.rank, resident.model.dtype, resident
        own = self._dtype is torch.float32  # else θ_t is kept in float32 beside the rounded weights
        self._weights = EvolvedWeights(basis, dict(self._places) if own else {}, resident.device)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Members`."""
        return [len(run) for run in at_one_journal(population)]

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """See `Members`."""
        for run in at_one_journal(population):
            if self._weights.go_to(run[0].start, run[0].journal):
                self._write()
            if all(recipe.seed is None for recipe in run):
                yield BareStack(len(run))
            else:
                yield FactorStack(len(run), dict(self._factors(run)))

    def _write(self) -> None:
        if self._dtype is not torch.float32:
            for name, place in self._places.items():
                place.copy_(self._weights.tensors[name])
        self._resident.weights_are_set()

    def _factors(self, run: Sequence[SeedRecipe]) -> Iterator[tuple[str, Factors]]:
        """Yield module → B [P, in, r] and Aᵀ [P, r, out], scaled, as `FactorStack` has them; a mean's scale is 0."""
        scales = torch.tensor([recipe.scale / math.sqrt(self._rank) for recipe in run], device=self._weights.device)
        shapes = {name: place.shape for name, place in self._places.items()}
        seeds = [recipe.seed or 0 for recipe in run]
        for name, (left, right) in self._weights.perturbations.factors(shapes, seeds):
            up = (left * scales[:, None, None]).mT.contiguous()
            yield name.removesuffix(".weight"), (right.to(self._dtype), up.to(self._dtype))


class AdapterSpaceMembers:
    """A LoRA adapter whose factors are θ_t + scale · ε."""

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        self.modules: Sequence[str] = basis.modules
        self._dtype = resident.model.dtype
        self._weights = EvolvedWeights(basis, {}, resident.device)
        resident.weights_are_set(final=True)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Members`."""
        return [len(run) for run in at_one_journal(population)]

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """See `Members`."""
        for run in at_one_journal(population):
            self._weights.go_to(run[0].start, run[0].journal)
            yield FactorStack(len(run), {module: self._factors(module, run) for module in self.modules})

    def _factors(self, module: str, run: Sequence[SeedRecipe]) -> Factors:
        down, up = (
            torch.stack([perturbed(self._weights, module + factor, recipe) for recipe in run]).to(self._dtype)
            for factor in (DOWN, UP)
        )
        return down.mT, up.mT


class FullSpaceMembers:
    """All parameters are θ_t + scale · ε: one member after another, written over the resident weights."""

    modules: Sequence[str] = ()

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        places = resident_tensors(resident.model)
        self._places: Mapping[str, torch.Tensor] = {name: place_of(places, name) for name in basis.tensor_names}
        self._weights = EvolvedWeights(basis, {}, resident.device)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Members`."""
        return [1] * len(population)

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """See `Members`."""
        for recipe in map(seed_recipe, population):
            self._weights.go_to(recipe.start, recipe.journal)
            for name, place in self._places.items():
                place.copy_(perturbed(self._weights, name, recipe))
            yield BareStack()
