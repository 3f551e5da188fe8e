"""Move tensors by seeds: perturb them for a member of a population, and update them (docs/algorithms.md §3).

An update is computed exactly. Noise is made of multiples of 2⁻¹² (`experts.noise`), and an update's coefficients are
rounded to so many bits that every product and every partial sum of Σ c_k ε_k is a float64 without rounding. So the
order of the sum, the blocks it is made in, and the device don't matter: the weights have the same bits everywhere.
What else is done to a weight is one float32 operation after another, which all devices round alike.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from experts.noise import MAGNITUDE_BITS, NormalNoise
from swarm.errors import InputError
from swarm.seeds import Mode, Perturbation, Update

_EXACT_BITS = 53
"""Whole numbers of so many bits are float64 numbers."""

_LEAST_BITS = 8
"""Coefficients with fewer bits would lose too much of what the rewards say."""

_BLOCK = 1 << 16
"""Numbers of a tensor that are updated together: so many that they stay in the cache."""

_DRAWN = 1 << 24
"""Numbers of factors that are drawn together, for all seeds: 64 MiB."""

NoiseFactors = tuple[torch.Tensor, torch.Tensor]
Move = tuple[str, int, torch.Tensor, torch.Tensor]
"""A tensor's name, the index of a block's first number, the block, and what is added to it."""


class Perturbations:
    """The noise of some tensors on one device."""

    def __init__(self, perturbation: Perturbation, names: Sequence[str], device: torch.device) -> None:
        """`names` are the tensors that are perturbed; the index of a tensor among them decides its noise."""
        self._low_rank = perturbation.mode is Mode.LOW_RANK
        self._rank = perturbation.rank
        self._noise = NormalNoise(device, perturbation.correlated)
        self._indices = {name: index for index, name in enumerate(sorted(names))}

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that are perturbed, sorted."""
        return tuple(self._indices)

    def factors(self, shapes: Mapping[str, torch.Size], seeds: Sequence[int]) -> Iterator[tuple[str, NoiseFactors]]:
        """Yield name, (A [seeds, out, r], B [seeds, in, r]) of matrices' noises A Bᵀ / √r, float32.

        Those of many matrices are drawn together: alone they are too small for what a call costs.
        """
        for part in _parts(shapes, _DRAWN // (len(seeds) * self._rank)):
            sizes = {2 * self._indices[name] + side: shapes[name][side] for name in part for side in (0, 1)}
            noises = self._noise.draw_together(seeds, {index: size * self._rank for index, size in sizes.items()})
            for name in part:
                left, right = (noises[2 * self._indices[name] + side] for side in (0, 1))
                yield name, (left.reshape(len(seeds), -1, self._rank), right.reshape(len(seeds), -1, self._rank))

    def perturb(self, name: str, weight: torch.Tensor, seed: int, scale: float) -> torch.Tensor:
        """Return `weight` + scale · ε(seed), float32, for noise that is not of low rank; `weight` stays as it is."""
        result = torch.empty_like(weight)
        for block, source in zip(_blocks(result), _blocks(weight), strict=True):
            noise = self._noise.draw([seed], self._indices[name], block[1].numel(), block[0])[0]
            torch.add(source[1], noise.mul_(scale), out=block[1])
        return result

    def update(self, weights: Mapping[str, torch.Tensor], starts: Mapping[str, torch.Tensor], update: Update) -> None:
        """Apply `update` to float32 `weights` in place; `starts` is their θ_0, needed only where the update decays.

        Raises:
            InputError: so many noises can't be summed exactly.

        """
        if not update.seeds:
            return
        moves = self._low_rank_moves if self._low_rank else self._dense_moves
        for name, first, block, delta in moves(weights, update):
            if update.keep != 1:
                origin = starts[name].view(-1)[first : first + block.numel()].to(block.device)
                block.sub_(origin).mul_(update.keep).add_(origin)
            block.add_(delta.float())  # adding in float64 would take twice the time

    def _dense_moves(self, weights: Mapping[str, torch.Tensor], update: Update) -> Iterator[Move]:
        coefficients = self._coefficients(update.coefficients, len(update.seeds), 1)
        for name, weight in weights.items():
            for first, block in _blocks(weight):
                noise = self._noise.draw(update.seeds, self._indices[name], block.numel(), first)
                yield name, first, block, coefficients @ noise.double()

    def _low_rank_moves(self, weights: Mapping[str, torch.Tensor], update: Update) -> Iterator[Move]:
        root = math.sqrt(self._rank)
        terms = len(update.seeds) * self._rank
        scaled_coefficients = self._coefficients([coefficient / root for coefficient in update.coefficients], terms, 2)
        for name, (left, right) in self.factors({n: w.shape for n, w in weights.items()}, update.seeds):
            weight = weights[name]
            scaled_left = left.double() * scaled_coefficients[:, None, None]
            columns = scaled_left.transpose(0, 1).flatten(1)  # [out, seeds · r]
            rows = right.double().transpose(1, 2).flatten(0, 1)  # [seeds · r, in]
            height = max(1, _BLOCK // weight.shape[1])
            for top in range(0, len(weight), height):
                block = weight[top : top + height].view(-1)
                yield name, top * weight.shape[1], block, (columns[top : top + height] @ rows).view(-1)

    def _coefficients(self, coefficients: Sequence[float], terms: int, factors: int) -> torch.Tensor:
        """Return the coefficients [seeds] float64, rounded so that a sum of `terms` products with noise is exact."""
        bits = _EXACT_BITS - MAGNITUDE_BITS * factors - math.ceil(math.log2(terms))
        if bits < _LEAST_BITS:
            raise InputError(f"population: {terms} noises can't be summed exactly: lower the population or the rank")
        return torch.tensor(round_coefficients(coefficients, bits), dtype=torch.float64, device=self._noise.device)


def _parts(shapes: Mapping[str, torch.Size], most: int) -> Iterator[list[str]]:
    """Cut matrices into runs of at most `most` rows and columns together (at least one matrix each)."""
    part: list[str] = []
    size = 0
    for name, shape in shapes.items():
        if part and size + sum(shape) > most:
            yield part
            part, size = [], 0
        part.append(name)
        size += sum(shape)
    if part:
        yield part


def round_coefficients(coefficients: Sequence[float], bits: int) -> list[float]:
    """Return `coefficients` rounded to multiples of one power of two, which are below 2^`bits` multiples."""
    largest = max(map(abs, coefficients), default=0.0)
    exponent = math.frexp(largest)[1] - bits
    # The largest may round up to 2^bits itself: still no more than `bits` bits.
    return [math.ldexp(round(math.ldexp(coefficient, -exponent)), exponent) for coefficient in coefficients]


def _blocks(tensor: torch.Tensor) -> Iterator[tuple[int, torch.Tensor]]:
    """Yield (index of the first number, view) of runs of `tensor`'s numbers in row-major order."""
    flat = tensor.view(-1)
    for first in range(0, flat.numel(), _BLOCK):
        yield first, flat[first : first + _BLOCK]
