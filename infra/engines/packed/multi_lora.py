"""Multi-LoRA: adapters of a whole population applied in one forward pass (docs/algorithms.md §0).

In the space of factors each particle has its own A and B (batched matrix products); in the space of products all share
one A and B, of rank n·r, and differ in a vector of coefficients between them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import local
from typing import Protocol

import torch
from torch import nn

from experts.basis import Basis
from experts.materialise import coefficients, combine, population_space, product_scales, shared_factors
from infra.engines.packed.lora_mapping import LoraMapping
from swarm.errors import EvaluationError, InputError
from swarm.recipes import Recipe, Space


class PopulationLoras(Protocol):
    """The adapters of `size` particles."""

    @property
    def size(self) -> int:
        """The number of particles."""
        ...

    def add(self, module: str, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """Add each particle's update of `module` at `inputs` [size, tokens, in] to `outputs` [size, tokens, out]."""
        ...

    def select(self, particles: Sequence[int]) -> "PopulationLoras":
        """Return the adapters of some particles; without a copy if they are a range."""
        ...


@dataclass(frozen=True)
class SeparateLoras:
    """Particles with factors of their own: per module Aᵀ [P, in, r] and Bᵀ [P, r, out]."""

    size: int
    factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]]

    def add(self, module: str, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """See `PopulationLoras`."""
        down, up = self.factors[module]
        outputs.baddbmm_(torch.bmm(inputs, down), up)

    def select(self, particles: Sequence[int]) -> "SeparateLoras":
        """See `PopulationLoras`."""
        if len(particles) == self.size:
            return self
        index = _index(particles)
        return SeparateLoras(len(particles), {m: (a[index], b[index]) for m, (a, b) in self.factors.items()})


@dataclass(frozen=True)
class SharedFactorLoras:
    """Particles that share factors: per module Aᵀ [in, n·r] and Bᵀ [n·r, out]; scales [P, n·r] are their own."""

    scales: torch.Tensor
    factors: Mapping[str, tuple[torch.Tensor, torch.Tensor]]

    @property
    def size(self) -> int:
        """The number of particles."""
        return len(self.scales)

    def add(self, module: str, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """See `PopulationLoras`."""
        down, up = self.factors[module]
        hidden = (inputs @ down).mul_(self.scales.unsqueeze(1))
        outputs.view(-1, outputs.shape[-1]).addmm_(hidden.flatten(0, 1), up)

    def select(self, particles: Sequence[int]) -> "SharedFactorLoras":
        """See `PopulationLoras`."""
        return SharedFactorLoras(self.scales[_index(particles)], self.factors)


@dataclass(frozen=True)
class NoLoras:
    """Particles without adapters: the model's own weights are theirs."""

    size: int = 1

    def add(self, module: str, inputs: torch.Tensor, outputs: torch.Tensor) -> None:
        """See `PopulationLoras`."""

    def select(self, particles: Sequence[int]) -> "NoLoras":
        """See `PopulationLoras`."""
        return NoLoras(len(particles))


def _index(particles: Sequence[int]) -> slice | list[int]:
    first, last = particles[0], particles[-1] + 1
    return slice(first, last) if list(particles) == list(range(first, last)) else list(particles)


def build_loras(basis: Basis, population: Sequence[Recipe], dtype: torch.dtype) -> SeparateLoras | SharedFactorLoras:
    """Materialise `population` over `basis`: combined in float32, then kept in `dtype` on the basis's device."""
    if population_space(population) is Space.PRODUCT:
        device = next(iter(basis.modules.values()))[0].device
        scales = product_scales(basis, population).to(device, dtype)
        return SharedFactorLoras(scales, {m: (a.T.to(dtype), b.T.to(dtype)) for m, a, b in shared_factors(basis)})
    return SeparateLoras(len(population), dict(_factors(basis, population, dtype)))


def _factors(
    basis: Basis, population: Sequence[Recipe], dtype: torch.dtype
) -> Iterator[tuple[str, tuple[torch.Tensor, torch.Tensor]]]:
    weights = coefficients(basis.ids, population).float()
    for module, (downs, ups) in basis.modules.items():
        weights = weights.to(downs.device)
        down = combine(weights, downs, downs.new_empty(len(population), *downs.shape[1:]))
        up = combine(weights, ups.mT, ups.new_empty(len(population), *ups.mT.shape[1:]))
        yield module, (down.to(dtype).mT, up.to(dtype))


class LoraModules:
    """The Linear modules of a resident model to which the calling thread's active adapters are added."""

    def __init__(self, model: nn.Module, modules: Sequence[str]):
        """Put a hook on `modules` of `model`; raises `InputError` where one is no Linear module."""
        self._active = local()
        modules_by_name = dict(model.named_modules())
        for name in modules:
            module = modules_by_name.get(name)
            if not isinstance(module, nn.Linear):
                raise InputError(
                    f"module {name} of the base model is no Linear module here: adapters of it can't be run"
                )
            module.register_forward_hook(self._hook(name))

    @contextmanager
    def activate(self, loras: PopulationLoras, mappings: Sequence[LoraMapping]) -> Iterator[None]:
        """Add `loras` in this thread's forward passes inside the block.

        A pass calls most modules with all its tokens, and the last ones only with those whose logits are needed:
        `mappings` holds one mapping for each of these sets of tokens.
        """
        self._active.loras, self._active.mappings = loras, mappings
        try:
            yield
        finally:
            del self._active.loras, self._active.mappings

    def _hook(self, name: str):  # type: ignore[no-untyped-def]
        def hook(_: nn.Module, inputs: tuple[torch.Tensor], outputs: torch.Tensor) -> None:
            loras: PopulationLoras = self._active.loras
            flat, flat_outputs = inputs[0].flatten(0, -2), outputs.view(-1, outputs.shape[-1])
            mappings: Sequence[LoraMapping] = self._active.mappings
            mapping = next((mapping for mapping in mappings if mapping.tokens == len(flat)), None)
            if mapping is None:
                raise EvaluationError(f"module {name} is not called token by token: adapters of it can't be batched")
            if mapping.index is None:
                loras.add(name, mapping.split(flat), mapping.split(flat_outputs))
            else:
                updates = flat_outputs.new_zeros(mapping.particles, mapping.width, flat_outputs.shape[-1])
                loras.add(name, mapping.split(flat), updates)
                flat_outputs += mapping.join(updates)

        return hook
