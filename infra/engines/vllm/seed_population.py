"""Members of an evolution strategies search in vLLM (docs/algorithms.md §3), from memory.

θ_t moves on with the journal, beside vLLM's weights and float32. On a GPU a member with noise of low rank is an adapter
on θ_t, which is written over vLLM's own weights when it has moved; a member of an adapter's space is an adapter. With
`full`, and on a CPU, each member's weights are made from θ_t and written over vLLM's: nothing is subtracted
afterwards.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from experts.evolved import EvolvedWeights
from experts.seed_basis import DOWN, UP, SeedBasis
from infra.engines.config import EngineConfig
from infra.engines.resolved import Resolved
from infra.engines.seed_recipes import at_one_journal, perturbed
from infra.engines.vllm.adapters import Update, base_weights
from infra.engines.vllm.identity import adapter_mode
from infra.engines.vllm.population import Weights, lora_slots
from infra.engines.vllm.resident import LoraSlots
from swarm.recipes import Recipe
from swarm.seeds import Mode, SeedRecipe


class SeedPopulation:
    """θ_t + scale · ε of every mode."""

    def __init__(self, basis: SeedBasis, config: EngineConfig, resolved: Resolved) -> None:
        self._basis, self._mode = basis, basis.perturbation.mode
        self._merged, self._most_adapters = adapter_mode(config, resolved) == "merged", config.group_size
        self._theta = EvolvedWeights(basis, {}, resolved.device)
        self._written = False
        self._base_weights: dict[str, torch.Tensor] = {}

    @property
    def theta(self) -> EvolvedWeights:
        """θ_t."""
        return self._theta

    def slots(self, population: Sequence[Recipe] | None = None) -> LoraSlots | None:
        """See `VllmPopulation`."""
        if population is not None:
            at_one_journal(population)
        if self._merged or self._mode is Mode.FULL:
            return None
        return lora_slots(self._rank, self._basis.modules, self._most_adapters, movable=self._mode is Mode.LOW_RANK)

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """See `VllmPopulation`."""
        return [len(run) for run in at_one_journal(population)]

    def weights_below(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`."""
        moved = self._go_to(recipe)
        if self._mode is Mode.LOW_RANK and (moved or not self._written):
            self._written = False
            yield from self._theta.tensors.items()
            self._written = True

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """See `VllmPopulation`; their journal is the one that `weights_below` went to."""
        [run] = at_one_journal(part)
        if self._mode is Mode.ADAPTER:
            return [dict(self._adapter_space_updates(recipe)) for recipe in run]
        adapters: list[dict[str, Update]] = [{} for _ in run]
        for name, pairs in self._low_rank_updates(run):
            for adapter, pair in zip(adapters, pairs, strict=True):
                adapter[name.removesuffix(".weight")] = pair
        return [None if recipe.seed is None else adapter for recipe, adapter in zip(run, adapters, strict=True)]

    def weights(self, recipe: Recipe) -> Weights:
        """See `VllmPopulation`."""
        self._go_to(recipe)
        [[member]] = at_one_journal([recipe])
        match self._mode:
            case Mode.FULL:
                for name in self._basis.tensor_names:
                    yield name, perturbed(self._theta, name, member)
            case Mode.ADAPTER:
                yield from self._merged_weights(self._adapter_space_updates(member))
            case Mode.LOW_RANK:
                for name, [(down, up)] in self._low_rank_updates([member]):
                    theta = self._theta.tensors[name]
                    yield name, theta if member.seed is None else torch.addmm(theta, up, down)

    @property
    def _rank(self) -> int:
        experts = self._basis.experts if self._mode is Mode.ADAPTER else None
        return self._basis.perturbation.rank if experts is None else experts.rank

    def _shapes(self) -> dict[str, torch.Size]:
        return {name: tensor.shape for name, tensor in self._theta.tensors.items()}

    def _go_to(self, recipe: Recipe) -> bool:
        [[member]] = at_one_journal([recipe])
        return self._theta.go_to(member.start, member.journal)

    def _adapter_space_updates(self, member: SeedRecipe) -> Iterator[tuple[str, Update]]:
        """Yield each module with A and B of a member of an adapter's space."""
        for module in self._basis.modules:
            down, up = (perturbed(self._theta, module + factor, member).clone() for factor in (DOWN, UP))
            yield module, (down, up)

    def _low_rank_updates(self, run: Sequence[SeedRecipe]) -> Iterator[tuple[str, list[Update]]]:
        """Yield each tensor's name with Bᵀ [r, in] and scaled A [out, r] of every member."""
        scales = [member.scale / math.sqrt(self._basis.perturbation.rank) for member in run]
        seeds = [member.seed or 0 for member in run]
        for name, (left, right) in self._theta.perturbations.factors(self._shapes(), seeds):
            yield name, [(b.T.clone(), a * scale) for a, b, scale in zip(left, right, scales, strict=True)]

    def _merged_weights(self, updates: Iterator[tuple[str, Update]]) -> Iterator[tuple[str, torch.Tensor]]:
        if not self._base_weights:
            self._base_weights = base_weights(self._basis.modules, self._basis.base.folder)
        for module, (down, up) in updates:
            yield f"{module}.weight", torch.addmm(self._base_weights[module].to(up.device, torch.float32), up, down)
