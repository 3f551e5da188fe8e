"""Populations of experts in a resident model: adapters side by side, full models one after another."""

from collections.abc import Iterator, Sequence

from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full
from infra.engines.packed.multi_lora import NoLoras, PopulationLoras, build_loras
from infra.engines.packed.population_weights import resident_tensor, resident_tensors
from infra.engines.packed.resident_model import ResidentModel
from swarm.recipes import BASE, Recipe


class AdapterWeights:
    """Combinations of LoRA experts: all at once."""

    def __init__(self, basis: Basis, resident: ResidentModel) -> None:
        self._basis, self._dtype = basis.to(resident.device), resident.model.dtype
        resident.refresh_weights(final=True)

    @property
    def modules(self) -> Sequence[str]:
        """See `PopulationWeights`."""
        return list(self._basis.modules)

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `PopulationWeights`."""
        return [len(population)]

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """See `PopulationWeights`."""
        yield build_loras(self._basis, population, self._dtype)


class FullModelWeights:
    """Combinations of full models: one after another, each written over the resident weights."""

    def __init__(self, basis: FullBasis, resident: ResidentModel) -> None:
        self._basis, self._model = basis, resident.model

    modules: Sequence[str] = ()

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `PopulationWeights`."""
        return [1] * len(population)

    def loras(self, population: Sequence[Recipe]) -> Iterator[PopulationLoras]:
        """See `PopulationWeights`."""
        coefficients((*self._basis.ids, BASE), population)
        for recipe in population:
            tensors = resident_tensors(self._model)
            for name, tensor in materialise_full(self._basis, recipe):
                resident_tensor(tensors, name).copy_(tensor)
            yield NoLoras()
