"""What a population consists of in vLLM: LoRA adapters for its kernels, or whole weights in turn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import torch

from infra.engines.vllm.adapters import Update, least_rank
from infra.engines.vllm.resident import LoraSlots
from swarm.recipes import Recipe

Weights = Iterable[tuple[str, torch.Tensor]]
"""Names, as in the base model's safetensors, and tensors."""


class VllmPopulation(Protocol):
    """Turns recipes of one basis into adapters or weights for vLLM."""

    def slots(self, population: Sequence[Recipe] | None = None) -> LoraSlots | None:
        """Return the slots for adapters that `population` needs (None: those that vLLM is opened with).

        None means that vLLM needs no slots: weights are merged. Raises `InputError` or `ValueError` if the population
        can't be evaluated.
        """
        ...

    def sizes(self, population: Sequence[Recipe]) -> list[int]:
        """Return how many particles after another have adapters that are added to the same weights."""
        ...

    def weights_below(self, recipe: Recipe) -> Weights:
        """Yield those weights that the adapter of `recipe` is added to and that differ from the resident ones."""
        ...

    def adapters(self, part: Sequence[Recipe]) -> list[Mapping[str, Update] | None]:
        """Return each particle's updates by module, in memory of their own; None for a particle without any."""
        ...

    def weights(self, recipe: Recipe) -> Weights:
        """Yield the weights of `recipe` that have to be written over the resident ones."""
        ...


def lora_slots(rank: int, modules: Iterable[str], count: int, movable: bool = False) -> LoraSlots | None:
    """Return slots for `count` adapters of `modules` of `rank`, or None where vLLM has no kernels for them.

    `movable` says that the weights that they are added to will be overwritten, too.
    """
    names = sorted({module.rpartition(".")[2] for module in modules})
    slot_rank = least_rank(rank)
    if slot_rank is None or "lm_head" in names:  # vLLM can't give a prompt's log-probabilities under such an adapter
        return None
    return LoraSlots(count, slot_rank, tuple(names), movable)
