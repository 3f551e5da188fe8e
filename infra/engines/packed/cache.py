"""Keys and values of what was read, kept as long as answers are generated from them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

COPIED = 48
"""Tokens of a prefix up to which each cell keeps a copy: beside it, every step would join two attentions instead."""


class Prefix:
    """What all rows of a family begin with: per layer, keys and values [particles, groups, length, size]."""

    def __init__(self, length: int) -> None:
        """Nothing is kept before the prefix is read."""
        self.length = length
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def copied(self) -> int:
        """How many of its tokens are copied into the buckets of its rows: all or none."""
        return self.length if self.length <= COPIED else 0

    def joined(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of its tokens, and after them those of a row: [particles, groups, tokens, size]."""
        before_key, before_value = self.layers[layer]
        return torch.cat([before_key, key], dim=2), torch.cat([before_value, value], dim=2)


class Bucket:
    """Cells (a particle and a row each) of like length that go on together: padded on the left to one length.

    Attributes:
        particles: [cells] the particle of each cell.
        rows: [cells] the row of each cell, an index into the job's rows.
        lengths: [cells] tokens kept of each cell; the family's prefix is among them only if it was copied.
        columns: how many columns of the buffers are filled.
        layers: per layer, keys and values [cells, groups, capacity, size].

    """

    def __init__(self, population: int, rows: Sequence[int], lengths: Sequence[int], further: int) -> None:
        """Make room for `population` times `rows` of `lengths` tokens, which may grow by `further` tokens."""
        self.particles: NDArray[np.intp] = np.repeat(np.arange(population), len(rows))
        self.rows: NDArray[np.intp] = np.tile(np.asarray(rows, dtype=np.intp), population)
        self.lengths: NDArray[np.intp] = np.tile(np.asarray(lengths, dtype=np.intp), population)
        self.columns = max(lengths)
        self.capacity = self.columns + further
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __len__(self) -> int:
        return len(self.particles)

    @property
    def padded(self) -> bool:
        """Whether some cells are shorter than others."""
        return int(self.lengths.min()) < self.columns

    def write(self, layer: int, row: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Keep the tokens of the `row`-th of the rows: [population, groups, tokens, size]."""
        population = len(key)
        for buffer, states in zip(self._buffers(layer, key), (key, value), strict=True):
            mine = buffer.unflatten(0, (population, -1))[:, row]
            first = self.columns - states.shape[2]
            mine[:, :, :first] = 0  # never seen, but what was in memory before may be NaN, and 0 · NaN is
            mine[:, :, first : self.columns] = states

    def append(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep one more token of each cell [cells, groups, size]; return views of all columns, this one included."""
        keys, values = self.layers[layer]
        keys[:, :, self.columns], values[:, :, self.columns] = key, value
        return keys[:, :, : self.columns + 1], values[:, :, : self.columns + 1]

    def grow(self) -> None:
        """Count the column that every layer has got by `append`."""
        self.columns += 1
        self.lengths += 1

    def keep(self, cells: NDArray[np.intp]) -> None:
        """Keep some cells; the others' keys and values are given back."""
        self.particles, self.rows, self.lengths = self.particles[cells], self.rows[cells], self.lengths[cells]
        for layer, (keys, values) in self.layers.items():
            index = torch.from_numpy(cells).to(keys.device)
            self.layers[layer] = self._kept(keys, index), self._kept(values, index)

    def mask(self, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
        """Return [cells, 1, 1, columns + 1]: −∞ at padding, 0 elsewhere; None if nothing is padded."""
        if not self.padded:
            return None
        seen = np.arange(self.columns + 1) >= (self.columns - self.lengths)[:, None]
        mask = torch.zeros(seen.shape, dtype=dtype, device=device)
        return mask.masked_fill_(torch.from_numpy(~seen).to(device), float("-inf"))[:, None, None]

    def _buffers(self, layer: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if layer not in self.layers:
            size = (len(self), like.shape[1], self.capacity, like.shape[3])
            self.layers[layer] = like.new_empty(size), like.new_empty(size)
        return self.layers[layer]

    def _kept(self, states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        kept = states.new_empty(len(index), *states.shape[1:])
        kept[:, :, : self.columns] = states[:, :, : self.columns].index_select(0, index)
        return kept
