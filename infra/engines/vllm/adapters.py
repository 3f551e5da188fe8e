"""Recipes as adapters or weights that vLLM takes, and ids of adapters that are made of content."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import torch

from experts.basis import Basis
from experts.materialise import materialise, population_space, product_scales, shared_factors
from experts.tensors import stream
from swarm.recipes import Recipe, Space

Update = tuple[torch.Tensor, torch.Tensor]
"""A [r, in] and B [out, r] of one module: ΔW = B A."""

RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The ranks that vLLM's LoRA kernels have room for."""

_IDS = 2**31 - 1


def updates(basis: Basis, recipe: Recipe) -> Iterator[tuple[str, Update]]:
    """Yield (module, update) of `recipe`, float32: of rank r in the space of factors, n·r in that of products.

    An update shares memory with `basis` or with the next update: use it or copy it before the next step.

    Raises:
        InputError: the recipe names an expert that is not in `basis`.

    """
    if recipe.space is Space.FACTORS:
        for module, downs, ups in materialise(basis, [recipe]):
            yield module, (downs[0], ups[0])
        return
    scales = product_scales(basis, [recipe])[0]
    for module, down, up in shared_factors(basis):
        yield module, (down, up * scales.to(up.device))


def population_adapters(basis: Basis, population: Sequence[Recipe]) -> list[dict[str, Update]]:
    """Return each particle's updates by module, as `updates` does, in memory of their own.

    vLLM keeps what it is given and may scale it in place. In the space of products all particles have one A.

    Raises:
        InputError: a recipe names an expert that is not in `basis`.

    """
    adapters: list[dict[str, Update]] = [{} for _ in population]
    if population_space(population) is Space.FACTORS:
        for module, downs, ups in materialise(basis, population):
            for adapter, down, up in zip(adapters, downs.clone(), ups.clone(), strict=True):
                adapter[module] = down, up
        return adapters
    scales = product_scales(basis, population)
    for module, shared, up in shared_factors(basis):
        down = shared.clone()
        for adapter, scale in zip(adapters, scales.to(up.device), strict=True):
            adapter[module] = down, up * scale
    return adapters


def base_weights(modules: Iterable[str], folder: Path) -> dict[str, torch.Tensor]:
    """Return the weights in `folder` of `modules`, as stored, by module."""
    names = {f"{module}.weight" for module in modules}
    return {name.removesuffix(".weight"): tensor for name, tensor in stream(folder, names)}


def merged_weights(
    basis: Basis, recipe: Recipe, weights: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (name, W + ΔW) in float32 for each module that `basis` adapts; `weights` holds W."""
    for module, (down, up) in updates(basis, recipe):
        yield f"{module}.weight", torch.addmm(weights[module].to(up.device, torch.float32), up, down)


def least_rank(rank: int) -> int | None:
    """Return the least rank from `rank` on that vLLM has kernels for, or None if there is none."""
    return next((kernel_rank for kernel_rank in RANKS if kernel_rank >= rank), None)


def adapter_ids(population: Sequence[Recipe]) -> dict[str, int]:
    """Return a positive 31-bit id for each distinct recipe of `population`, by its key."""
    ids: dict[str, int] = {}
    for key in dict.fromkeys(recipe.key for recipe in population):
        candidate = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) % _IDS
        while candidate + 1 in ids.values():
            candidate = (candidate + 1) % _IDS
        ids[key] = candidate + 1
    return ids
