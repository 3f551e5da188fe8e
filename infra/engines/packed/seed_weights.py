"""Weights of the members of an evolution strategies search in a resident model (docs/algorithms.md §3).

θ_t stays in memory and moves on with the journal; a member is θ_t and one more seed. With noise of low rank, and in an
adapter's space, members are adapters on shared weights and a whole population is one batch; else each member's weights
are written over the resident ones from a float32 copy of θ_t, so nothing has to be subtracted afterwards.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from experts.evolved import EvolvedWeights
from experts.seed_basis import DOWN, UP, SeedBasis
from infra.engines.packed.multi_lora import NoLoras, PopulationLoras, SeparateLoras
from infra.engines.packed.population_weights import PopulationWeights, resident_tensor, resident_tensors
from infra.engines.packed.resident_model import ResidentModel
from infra.engines.seed_recipes import at_one_journal, perturbed, seed_recipe
from swarm.recipes import Recipe
from swarm.seeds import Mode, SeedRecipe

Factors = tuple[torch.Tensor, torch.Tensor]


def seed_weights(basis: SeedBasis, resident: ResidentModel) -> PopulationWeights:
    """Return what turns recipes of `basis` into weights; raises `InputError` where the base model lacks a target."""
    match basis.perturbation.mode:
        case Mode.LOW_RANK:
            return LowRankWeights(basis, resident)
        case Mode.ADAPTER:
            return AdapterSpaceWeights(basis, resident)
        case Mode.FULL:
            return FullSpaceWeights(basis, resident)


class LowRankWeights:
    """θ_t + scale · A Bᵀ / √r: adapters of rank r on the resident weights, which are θ_t."""

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        self.modules: Sequence[str] = basis.modules
        tensors = resident_tensors(resident.model)
        self._tensors = {name: resident_tensor(tensors, name) for name in basis.tensor_names}
        self._rank, self._dtype, self._resident = basis.perturbation.rank, resident.model.dtype, resident
        own = self._dtype is torch.float32  # else θ_t is kept in float32 beside the rounded weights
        self._weights = EvolvedWeights(basis, dict(self._tensors) if own else {}, resident.device)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `PopulationWeights`."""
        return [len(run) for run in at_one_journal(population)]

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """See `PopulationWeights`."""
        for run in at_one_journal(population):
            if self._weights.go_to(run[0].start, run[0].journal):
                self._write()
            if all(recipe.seed is None for recipe in run):
                yield NoLoras(len(run))
            else:
                yield SeparateLoras(len(run), dict(self._factors(run)))

    def _write(self) -> None:
        if self._dtype is not torch.float32:
            for name, tensor in self._tensors.items():
                tensor.copy_(self._weights.tensors[name])
        self._resident.refresh_weights()

    def _factors(self, run: Sequence[SeedRecipe]) -> Iterator[tuple[str, Factors]]:
        """Yield module → B [P, in, r] and Aᵀ [P, r, out], scaled, as `SeparateLoras` has them; a mean's scale is 0."""
        scales = torch.tensor([recipe.scale / math.sqrt(self._rank) for recipe in run], device=self._weights.device)
        shapes = {name: tensor.shape for name, tensor in self._tensors.items()}
        seeds = [recipe.seed or 0 for recipe in run]
        for name, (left, right) in self._weights.perturbations.factors(shapes, seeds):
            up = (left * scales[:, None, None]).mT.contiguous()
            yield name.removesuffix(".weight"), (right.to(self._dtype), up.to(self._dtype))


class AdapterSpaceWeights:
    """A LoRA adapter whose factors are θ_t + scale · ε."""

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        self.modules: Sequence[str] = basis.modules
        self._dtype = resident.model.dtype
        self._weights = EvolvedWeights(basis, {}, resident.device)
        resident.refresh_weights(final=True)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `PopulationWeights`."""
        return [len(run) for run in at_one_journal(population)]

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """See `PopulationWeights`."""
        for run in at_one_journal(population):
            self._weights.go_to(run[0].start, run[0].journal)
            yield SeparateLoras(len(run), {module: self._factors(module, run) for module in self.modules})

    def _factors(self, module: str, run: Sequence[SeedRecipe]) -> Factors:
        down, up = (
            torch.stack([perturbed(self._weights, module + factor, recipe) for recipe in run]).to(self._dtype)
            for factor in (DOWN, UP)
        )
        return down.mT, up.mT


class FullSpaceWeights:
    """All parameters are θ_t + scale · ε: one member after another, written over the resident weights."""

    modules: Sequence[str] = ()

    def __init__(self, basis: SeedBasis, resident: ResidentModel) -> None:
        tensors = resident_tensors(resident.model)
        self._tensors: Mapping[str, torch.Tensor] = {
            name: resident_tensor(tensors, name) for name in basis.tensor_names
        }
        self._weights = EvolvedWeights(basis, {}, resident.device)

    @property
    def weights(self) -> EvolvedWeights:
        """θ_t."""
        return self._weights

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `PopulationWeights`."""
        return [1] * len(population)

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """See `PopulationWeights`."""
        for recipe in map(seed_recipe, population):
            self._weights.go_to(recipe.start, recipe.journal)
            for name, tensor in self._tensors.items():
                tensor.copy_(perturbed(self._weights, name, recipe))
            yield NoLoras()
