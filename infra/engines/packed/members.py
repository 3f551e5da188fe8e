"""What the members of a population are made of in a resident model, and which of them are evaluated together."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import torch

from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full
from experts.seed_basis import SeedBasis
from infra.engines.packed.resident import ResidentModel
from infra.engines.packed.stacks import BareStack, Stack, build_stack
from swarm.errors import EvaluationError
from swarm.recipes import BASE, Recipe

AnyBasis = Basis | FullBasis | SeedBasis
"""What recipes are made from."""


class Members(Protocol):
    """The basis of an engine's recipes, in its resident model."""

    @property
    def modules(self) -> Sequence[str]:
        """The Linear modules that stacks add to."""
        ...

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """Return how many members each of the stacks of `population` has."""
        ...

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """Yield what the population is evaluated with, in order; a stack is valid until the next is made."""
        ...


class AdapterMembers:
    """Combinations of LoRA experts: all at once."""

    def __init__(self, basis: Basis, resident: ResidentModel) -> None:
        self._basis, self._dtype = basis.to(resident.device), resident.model.dtype
        resident.weights_are_set(final=True)

    @property
    def modules(self) -> Sequence[str]:
        """See `Members`."""
        return list(self._basis.modules)

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Members`."""
        return [len(population)]

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """See `Members`."""
        yield build_stack(self._basis, population, self._dtype)


class FullMembers:
    """Combinations of full models: one after another, each written over the resident weights."""

    def __init__(self, basis: FullBasis, resident: ResidentModel) -> None:
        self._basis, self._model = basis, resident.model

    modules: Sequence[str] = ()

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `Members`."""
        return [1] * len(population)

    def stacks(self, population: Sequence[Recipe]) -> Iterator[Stack]:
        """See `Members`."""
        coefficients((*self._basis.ids, BASE), population)
        for recipe in population:
            places = resident_tensors(self._model)
            for name, tensor in materialise_full(self._basis, recipe):
                place_of(places, name).copy_(tensor)
            yield BareStack()


def members_of(basis: AnyBasis, resident: ResidentModel) -> Members:
    """Return the members whose recipes are made from `basis`."""
    if isinstance(basis, SeedBasis):
        from infra.engines.packed.evolved import seeded_members

        return seeded_members(basis, resident)
    return AdapterMembers(basis, resident) if isinstance(basis, Basis) else FullMembers(basis, resident)


def resident_tensors(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return every parameter and buffer of `model` by name, to be written in place."""
    return {name: p.data for name, p in model.named_parameters()} | dict(model.named_buffers())


def place_of(places: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    """Return the resident tensor called `name`; raises `EvaluationError` if it has no place of its own."""
    if name not in places:
        raise EvaluationError(f"tensor {name} has no place of its own in the resident model")
    return places[name]
