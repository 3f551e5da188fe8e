"""What the particles of a population are made of in vLLM: adapters of its kernels, or whole weights in turn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import torch

from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full, population_space
from experts.seed_basis import SeedBasis
from infra.engines.config import EngineConfig
from infra.engines.identity import Resolved
from infra.engines.packed.members import AnyBasis
from infra.engines.vllm.adapters import Update, base_weights, merged_weights, population_adapters, room_for
from infra.engines.vllm.identity import adapter_mode
from infra.engines.vllm.resident import Slots
from swarm.recipes import BASE, Recipe, Space

Weights = Iterable[tuple[str, torch.Tensor]]
"""Names, as in the base model's safetensors, and tensors."""


class Particles(Protocol):
    """The basis of an engine's recipes, as vLLM takes them."""

    def slots(self, population: Sequence[Recipe] | None = None) -> Slots | None:
        """Return the room for adapters that `population` needs (None: what it is opened with), or None: merge.

        Raises `InputError` or `ValueError` where it can't be evaluated.
        """
        ...

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """Return the sizes of the runs of particles whose adapters are added to the same weights."""
        ...

    def shared(self, recipe: Recipe) -> Weights:
        """Yield the weights that the adapter of `recipe` is added to, where the resident ones are others."""
        ...

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """Return each particle's updates by module, in memory of their own; None for one without any."""
        ...

    def weights(self, recipe: Recipe) -> Weights:
        """Yield the weights that have to be written over the resident ones so that they are those of `recipe`."""
        ...


class ExpertParticles:
    """Combinations of LoRA experts."""

    def __init__(self, basis: Basis, base: BaseModel, config: EngineConfig, resolved: Resolved) -> None:
        self._basis, self._folder = basis.to(resolved.device), base.folder
        self._merged, self._room = adapter_mode(config, resolved) == "merged", config.group_size
        self._weights: dict[str, torch.Tensor] = {}

    def slots(self, population: Sequence[Recipe] | None = None) -> Slots | None:
        """See `Particles`: in the space of products an adapter has n times the rank."""
        if population is not None:
            coefficients((*self._basis.ids, BASE), population)
        product = population is not None and population_space(population) is Space.PRODUCT
        rank = self._basis.rank * (len(self._basis.ids) if product else 1)
        return None if self._merged else slots_for(rank, self._basis.modules, self._room)

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Particles`."""
        return [len(population)]

    def shared(self, recipe: Recipe) -> Weights:
        """See `Particles`: the base model's own."""
        return ()

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """See `Particles`."""
        return list(population_adapters(self._basis, part))

    def weights(self, recipe: Recipe) -> Weights:
        """See `Particles`."""
        if not self._weights:
            self._weights = base_weights(self._basis.modules, self._folder)
        return merged_weights(self._basis, recipe, self._weights)


class FullParticles:
    """Combinations of full models."""

    def __init__(self, basis: FullBasis) -> None:
        self._basis = basis

    def slots(self, population: Sequence[Recipe] | None = None) -> Slots | None:
        """See `Particles`."""
        if population is not None:
            population_space(population)
            coefficients((*self._basis.ids, BASE), population)
        return None

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Particles`."""
        return [1] * len(population)

    def shared(self, recipe: Recipe) -> Weights:
        """See `Particles`."""
        return ()

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """See `Particles`."""
        return [None] * len(part)

    def weights(self, recipe: Recipe) -> Weights:
        """See `Particles`."""
        return materialise_full(self._basis, recipe)


def slots_for(rank: int, modules: Iterable[str], count: int, movable: bool = False) -> Slots | None:
    """Return room for `count` adapters of `modules` of `rank`, or None where vLLM has no kernels for them.

    `movable`: the weights that they are added to will be overwritten, too.
    """
    names = sorted({module.rpartition(".")[2] for module in modules})
    room = room_for(rank)
    if room is None or "lm_head" in names:  # vLLM can't give a prompt's log-probabilities under such an adapter
        return None
    return Slots(count, room, tuple(names), movable)


def particles_of(basis: AnyBasis, base: BaseModel, config: EngineConfig, resolved: Resolved) -> Particles:
    """Return the particles whose recipes are made from `basis`."""
    if isinstance(basis, SeedBasis):
        from infra.engines.vllm.evolved import SeededParticles

        return SeededParticles(basis, config, resolved)
    return ExpertParticles(basis, base, config, resolved) if isinstance(basis, Basis) else FullParticles(basis)
