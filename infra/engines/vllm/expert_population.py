"""Populations of experts in vLLM."""

from collections.abc import Mapping, Sequence

import torch

from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis
from experts.materialise import coefficients, materialise_full, population_space
from infra.engines.config import EngineConfig
from infra.engines.resolved import Resolved
from infra.engines.vllm.adapters import Update, base_weights, merged_weights, population_adapters
from infra.engines.vllm.identity import adapter_mode
from infra.engines.vllm.population import Weights, lora_slots
from infra.engines.vllm.resident import LoraSlots
from swarm.recipes import BASE, Recipe, Space


class ExpertPopulation:
    """Combinations of LoRA experts."""

    def __init__(self, basis: Basis, base: BaseModel, config: EngineConfig, resolved: Resolved) -> None:
        self._basis, self._folder = basis.to(resolved.device), base.folder
        self._merged, self._most_adapters = adapter_mode(config, resolved) == "merged", config.group_size
        self._weights: dict[str, torch.Tensor] = {}

    def slots(self, population: Sequence[Recipe] | None = None) -> LoraSlots | None:
        """See `VllmPopulation`: in the space of products an adapter has n times the rank."""
        if population is not None:
            coefficients((*self._basis.ids, BASE), population)
        product = population is not None and population_space(population) is Space.PRODUCT
        rank = self._basis.rank * (len(self._basis.ids) if product else 1)
        return None if self._merged else lora_slots(rank, self._basis.modules, self._most_adapters)

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `VllmPopulation`."""
        return [len(population)]

    def weights_below(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`: the base model's own."""
        return ()

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """See `VllmPopulation`."""
        return list(population_adapters(self._basis, part))

    def weights(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`."""
        if not self._weights:
            self._weights = base_weights(self._basis.modules, self._folder)
        return merged_weights(self._basis, recipe, self._weights)


class FullModelPopulation:
    """Combinations of full models."""

    def __init__(self, basis: FullBasis) -> None:
        self._basis = basis

    def slots(self, population: Sequence[Recipe] | None = None) -> LoraSlots | None:
        """See `VllmPopulation`."""
        if population is not None:
            population_space(population)
            coefficients((*self._basis.ids, BASE), population)
        return None

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `VllmPopulation`."""
        return [1] * len(population)

    def weights_below(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`."""
        return ()

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """See `VllmPopulation`."""
        return [None] * len(part)

    def weights(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`."""
        return materialise_full(self._basis, recipe)
