"""Normal noise with the same bits on a CPU and a GPU, in any order and any chunking.

Bits come from Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
the key is the seed, the counter is (number of the block, index of the tensor). It needs additions, rotations and
exclusive ors of 32-bit words only, which every device computes alike.

A block of 64 bits gives four numbers. Each takes 16 bits as the index of one of 65536 equally likely quantiles of the
normal distribution, from a table: no logarithm or cosine, which round differently from device to device. All quantiles
are multiples of 2⁻¹² below 5, so that sums of them can be exact (`experts.seeds`).
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import accumulate
from statistics import NormalDist

import torch

STEP_BITS = 12
"""Every number is a multiple of 2⁻¹²."""

MAGNITUDE_BITS = 15
"""Every number is below 2¹⁵ such steps."""

_QUANTILES = 1 << 16
_NUMBERS_A_BLOCK = 4
_PARITY = 0x1BD11BDA
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_ROUNDS = 20
_LANES = {"cpu": 1 << 16, "cuda": 1 << 22}
"""Blocks computed together: so many that they stay in the cache."""


class NormalNoise:
    """A source of N(0, 1) numbers on one device; it keeps no state but its table."""

    def __init__(self, device: torch.device, correlated: bool = False) -> None:
        """`correlated`: all tensors get the numbers of tensor 0, as from a generator seeded again for each."""
        self.device = device
        self._is_correlated = correlated
        self._table = torch.tensor(_quantiles(), dtype=torch.float32, device=device)

    def draw(self, seeds: Sequence[int], tensor: int, count: int, first: int = 0) -> torch.Tensor:
        """Return the numbers `first` … `first + count` − 1 of a tensor's noise for each seed: [seeds, count] float32.

        Args:
            seeds: 0 … 2⁶⁴ − 1.
            tensor: the index of the tensor, 0 … 2³² − 1.
            count: how many numbers; the tensor's elements in row-major order.
            first: where to begin, 0 … 2³⁴ − 1.

        """
        offset = first % _NUMBERS_A_BLOCK
        blocks = range(first // _NUMBERS_A_BLOCK, -(-(first + count) // _NUMBERS_A_BLOCK))
        return self._numbers(seeds, [(tensor, blocks)])[:, offset : offset + count]

    def draw_together(self, seeds: Sequence[int], counts: Mapping[int, int]) -> dict[int, torch.Tensor]:
        """Return tensor → its first numbers [seeds, count], as `draw` does, drawn together: for many small tensors."""
        blocks = {tensor: range(-(-count // _NUMBERS_A_BLOCK)) for tensor, count in counts.items()}
        numbers = self._numbers(seeds, list(blocks.items()))
        starts = accumulate((len(part) * _NUMBERS_A_BLOCK for part in blocks.values()), initial=0)
        return {
            tensor: numbers[:, start : start + count]
            for (tensor, count), start in zip(counts.items(), starts, strict=False)
        }

    def _numbers(self, seeds: Sequence[int], tensor_blocks: Sequence[tuple[int, range]]) -> torch.Tensor:
        """Return the numbers of these blocks of these tensors, one after another: [seeds, 4 · blocks]."""
        counters = torch.cat([self._counter(tensor, blocks) for tensor, blocks in tensor_blocks], dim=1)
        step = max(1, _LANES[self.device.type] // len(seeds))
        keys = self._keys(seeds)
        result = torch.empty(len(seeds), counters.shape[1] * _NUMBERS_A_BLOCK, device=self.device)
        for start in range(0, counters.shape[1], step):
            numbers = self._block_numbers(keys, counters[:, start : start + step])
            column = start * _NUMBERS_A_BLOCK
            result[:, column : column + numbers.shape[1]] = numbers
        return result

    def _counter(self, tensor: int, blocks: range) -> torch.Tensor:
        """Return the counter's two words of each block: [2, blocks] int32."""
        numbers = torch.arange(blocks.start, blocks.stop, dtype=torch.int64, device=self.device).to(torch.int32)
        return torch.stack((numbers, torch.full_like(numbers, _as_signed(0 if self._is_correlated else tensor))))

    def _keys(self, seeds: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lower and the upper word of each seed: [seeds, 1] int32."""
        words = [[_as_signed(seed & 0xFFFFFFFF), _as_signed(seed >> 32)] for seed in seeds]
        low, high = torch.tensor(words, dtype=torch.int32, device=self.device).unsqueeze(-1).unbind(1)
        return low, high

    def _block_numbers(self, keys: tuple[torch.Tensor, torch.Tensor], counters: torch.Tensor) -> torch.Tensor:
        words = threefry(keys, (counters[0], counters[1]))
        indices = torch.stack(words, -1).view(torch.int16).to(torch.int32).add_(_QUANTILES // 2)
        # Plain indexing takes three times as long on a CPU.
        return self._table.index_select(0, indices.flatten()).view(len(keys[0]), -1)


def threefry(
    key: tuple[torch.Tensor, torch.Tensor], counter: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return Threefry-2x32-20 of two counter words under two key words; all int32, of one shape or broadcast to it."""
    schedule = (*key, key[0] ^ key[1] ^ _PARITY)
    x, y = counter[0] + key[0], counter[1] + key[1]
    spare = torch.empty_like(y)
    for number in range(_ROUNDS):
        x += y
        _rotate(y, _ROTATIONS[number % 8], spare)
        y ^= x
        if number % 4 == 3:
            injection = number // 4 + 1
            x += schedule[injection % 3]
            y += schedule[(injection + 1) % 3] + injection
    return x, y


def _rotate(word: torch.Tensor, bits: int, spare: torch.Tensor) -> None:
    """Rotate int32 `word` to the left in place; its right shift copies the sign, which the mask takes away."""
    torch.bitwise_right_shift(word, 32 - bits, out=spare)
    spare &= (1 << bits) - 1
    word <<= bits
    word |= spare


def _as_signed(word: int) -> int:
    """Return the 32-bit signed number with the bits of `word`."""
    return word - (1 << 32) if word >= 1 << 31 else word


@cache
def _quantiles() -> tuple[float, ...]:
    """Return the quantiles of (i + ½) / 65536, rising, rounded to multiples of 2⁻¹²; symmetric about 0."""
    unit = 1 << STEP_BITS
    lower = [NormalDist().inv_cdf((i + 0.5) / _QUANTILES) for i in range(_QUANTILES // 2)]
    lower_half = [round(quantile * unit) / unit for quantile in lower]
    return (*lower_half, *(-quantile for quantile in reversed(lower_half)))
