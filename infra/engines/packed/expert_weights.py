"""Populations of experts in a resident model: adapters side by side, full models one after another."""

from collections.abc import Iterator, Sequence

from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full
from infra.engines.packed.population_weights import place_of, resident_tensors
from infra.engines.packed.resident import ResidentModel
from infra.engines.packed.stacks import BareStack, Stack, build_stack
from swarm.recipes import BASE, Recipe


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
