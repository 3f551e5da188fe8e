"""What a population consists of in vLLM: LoRA adapters for its kernels, or whole weights in turn."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import torch

from infra.engines.vllm.adapters import Update, room_for
from infra.engines.vllm.resident import Slots
from swarm.recipes import Recipe

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


def slots_for(rank: int, modules: Iterable[str], count: int, movable: bool = False) -> Slots | None:
    """Return room for `count` adapters of `modules` of `rank`, or None where vLLM has no kernels for them.

    `movable`: the weights that they are added to will be overwritten, too.
    """
    names = sorted({module.rpartition(".")[2] for module in modules})
    room = room_for(rank)
    if room is None or "lm_head" in names:  # vLLM can't give a prompt's log-probabilities under such an adapter
        return None
    return Slots(count, room, tuple(names), movable)
