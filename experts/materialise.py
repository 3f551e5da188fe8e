"""Make tensors from recipes: one float32 matrix product per tensor for a whole population (docs/algorithms.md §0)."""

from collections.abc import Container, Iterator, Sequence
from contextlib import ExitStack, closing

import torch

from experts.basis import Basis, FullBasis
from experts.tensors import stream
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space


def population_space(population: Sequence[Recipe]) -> Space:
    """Return the space that all recipes of `population` share.

    Raises:
        ValueError: the population is empty, or its recipes differ in their space or bases.

    """
    if not population:
        raise ValueError("a population needs at least one recipe")
    first = population[0]
    if any((recipe.space, recipe.bases) != (first.space, first.bases) for recipe in population):
        raise ValueError("the recipes of one population must share their bases and their space")
    return first.space


def coefficients(ids: Sequence[str], population: Sequence[Recipe]) -> torch.Tensor:
    """Return C [P, n] float64: the coefficient of each expert of `ids` in each recipe; `BASE` may be among `ids`.

    A recipe's base model is the zero adapter, so where `BASE` is not among `ids` its coefficient has no column.

    Raises:
        InputError: a recipe names an expert that is not among `ids`.

    """
    columns = {identity: column for column, identity in reversed(list(enumerate(ids)))}
    matrix = torch.zeros(len(population), len(ids), dtype=torch.float64)
    for row, recipe in enumerate(population):
        for identity, coefficient in zip(recipe.bases, recipe.coefficients, strict=True):
            if identity in columns:
                matrix[row, columns[identity]] += coefficient
            elif identity != BASE:
                raise InputError(
                    f"a recipe names expert {identity[:12]}…, which is not among those loaded: give the same experts"
                )
    return matrix


def combine(weights: torch.Tensor, stack: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
    """Write `weights` [P, n] times `stack` [n, …] into `out` [P, …] and return it; all contiguous and float32."""
    return torch.mm(weights, stack.flatten(1), out=out.view(len(weights), -1)).view_as(out)


def materialise(basis: Basis, population: Sequence[Recipe]) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield (module, A [P, r, in], B [P, out, r]) for a population whose space is `Space.FACTORS`.

    A = Σ c_j A_j, B = Σ c_j B_j. One pair of buffers is used for all modules: what is yielded is valid until the
    next step. Peak memory beside the basis: P times the largest tensor.

    Raises:
        ValueError: the recipes don't share `Space.FACTORS` and their bases.
        InputError: a recipe names an expert that is not in `basis`.

    """
    if population_space(population) is not Space.FACTORS:
        raise ValueError("only the space of factors has A and B of its own for each recipe")
    device = next(iter(basis.modules.values()))[0].device
    weights = coefficients(basis.ids, population).to(device, torch.float32)
    downs, ups = (_buffer(basis, len(population), factor, device) for factor in (0, 1))
    for module, (down, up) in basis.modules.items():
        yield module, *_combine_pair(weights, down, up.transpose(1, 2), downs, ups)


def shared_factors(basis: Basis) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    """Yield (module, A [n·r, in], B [out, n·r]), which all recipes of `Space.PRODUCT` share; views of `basis`."""
    for module, (down, up) in basis.modules.items():
        yield module, down.flatten(0, 1), up.transpose(1, 2).flatten(0, 1).T


def product_scales(basis: Basis, population: Sequence[Recipe]) -> torch.Tensor:
    """Return S [P, n·r] float32, so that recipe i's update is ΔW = B diag(S_i) A with the shared factors.

    Raises:
        ValueError: the recipes don't share `Space.PRODUCT` and their bases.
        InputError: a recipe names an expert that is not in `basis`.

    """
    if population_space(population) is not Space.PRODUCT:
        raise ValueError("only the space of products shares A and B among recipes")
    return coefficients(basis.ids, population).float().repeat_interleave(basis.rank, dim=1)


def materialise_full(
    basis: FullBasis, recipe: Recipe, names: Container[str] | None = None
) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield (name, Σ c_j θ_j) in float32 for each tensor of the full models (or those called `names`), sorted by name.

    The sum is made in the order of the experts, the base model last; both spaces mean the same here. One tensor
    is in memory at a time, and experts with coefficient 0 are not read.

    Raises:
        InputError: the recipe names an expert that is not in `basis`, or all its coefficients are 0.

    """
    weights = coefficients((*basis.ids, BASE), [recipe])[0].float()
    parts = [
        (weight, folder)
        for weight, folder in zip(weights, (*basis.folders, basis.base.folder), strict=True)
        if weight != 0
    ]
    if not parts:
        raise InputError("all coefficients of a recipe of full models are 0: that is no model")
    with ExitStack() as stack:
        streams = [stack.enter_context(closing(stream(folder, names))) for _, folder in parts]
        for tensors in zip(*streams, strict=True):
            total = tensors[0][1].float() * parts[0][0]
            for (_, tensor), (weight, _) in zip(tensors[1:], parts[1:], strict=True):
                total.add_(tensor.float() * weight)
            yield tensors[0][0], total


def _buffer(basis: Basis, size: int, factor: int, device: torch.device) -> torch.Tensor:
    largest = max(factors[factor][0].numel() for factors in basis.modules.values())
    return torch.empty(size * largest, dtype=torch.float32, device=device)


def _combine_pair(
    weights: torch.Tensor, down: torch.Tensor, up: torch.Tensor, downs: torch.Tensor, ups: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    size = len(weights)
    a = combine(weights, down, downs[: size * down[0].numel()].view(size, *down.shape[1:]))
    b = combine(weights, up, ups[: size * up[0].numel()].view(size, *up.shape[1:]))
    return a, b.transpose(1, 2)
