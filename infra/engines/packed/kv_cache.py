"""Keys and values of the tokens that were read, kept as long as answers are generated from them."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

LONGEST_COPIED_PREFIX = 48
"""Tokens of a shared prefix up to which every sequence's cache holds a copy of it.

Beside a longer one, every decode step joins two attentions instead.
"""


class SharedPrefix:
    """Keys and values of what all requests of a prefix group begin with.

    Attributes:
        length: its tokens.
        layers: per layer, keys and values [particles, KV heads, length, size].

    """

    def __init__(self, length: int) -> None:
        """Keep nothing before the prefix is read."""
        self.length = length
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @property
    def copied(self) -> int:
        """How many of its tokens are copied into the caches of its sequences: all or none."""
        return self.length if self.length <= LONGEST_COPIED_PREFIX else 0

    def prepend(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values of its tokens followed by those of a request: [particles, KV heads, tokens, size]."""
        prefix_key, prefix_value = self.layers[layer]
        return torch.cat([prefix_key, key], dim=2), torch.cat([prefix_value, value], dim=2)


class KVCache:
    """Keys and values of sequences of like length that decode together, padded on the left to one length.

    Attributes:
        particles: [sequences] the particle of each sequence.
        requests: [sequences] the request of each sequence, an index into the batch's requests.
        lengths: [sequences] tokens kept of each sequence; the shared prefix is among them only if it was copied.
        columns: how many columns of the buffers are filled.
        layers: per layer, keys and values [sequences, KV heads, capacity, size].

    """

    def __init__(self, population: int, requests: Sequence[int], lengths: Sequence[int], further: int) -> None:
        """Make room for `population` times `requests` of `lengths` tokens, which may grow by `further` tokens."""
        self.particles: NDArray[np.intp] = np.repeat(np.arange(population), len(requests))
        self.requests: NDArray[np.intp] = np.tile(np.asarray(requests, dtype=np.intp), population)
        self.lengths: NDArray[np.intp] = np.tile(np.asarray(lengths, dtype=np.intp), population)
        self.columns = max(lengths)
        self.capacity = self.columns + further
        self.layers: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def __len__(self) -> int:
        return len(self.particles)

    @property
    def padded(self) -> bool:
        """Whether some sequences are shorter than others."""
        return int(self.lengths.min()) < self.columns

    def write(self, layer: int, index: int, key: torch.Tensor, value: torch.Tensor) -> None:
        """Keep the tokens of the `index`-th request, of every particle: [population, KV heads, tokens, size]."""
        population = len(key)
        for buffer, states in zip(self._buffers(layer, key), (key, value), strict=True):
            sequences = buffer.unflatten(0, (population, -1))[:, index]
            first = self.columns - states.shape[2]
            sequences[:, :, :first] = 0  # never seen, but what was in memory before may be NaN, and 0 · NaN is
            sequences[:, :, first : self.columns] = states

    def append(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Keep one more token of each sequence [sequences, KV heads, size]; return views of all columns with it."""
        keys, values = self.layers[layer]
        keys[:, :, self.columns], values[:, :, self.columns] = key, value
        return keys[:, :, : self.columns + 1], values[:, :, : self.columns + 1]

    def advance(self) -> None:
        """Count the column that `append` added to every layer."""
        self.columns += 1
        self.lengths += 1

    def keep(self, sequences: NDArray[np.intp]) -> None:
        """Keep some sequences, and free the keys and values of the others."""
        self.particles = self.particles[sequences]
        self.requests, self.lengths = self.requests[sequences], self.lengths[sequences]
        for layer, (keys, values) in self.layers.items():
            index = torch.from_numpy(sequences).to(keys.device)
            self.layers[layer] = self._select(keys, index), self._select(values, index)

    def mask(self, device: torch.device, dtype: torch.dtype) -> torch.Tensor | None:
        """Return [sequences, 1, 1, columns + 1]: −∞ at padding, 0 elsewhere; None if nothing is padded."""
        if not self.padded:
            return None
        visible = np.arange(self.columns + 1) >= (self.columns - self.lengths)[:, None]
        mask = torch.zeros(visible.shape, dtype=dtype, device=device)
        return mask.masked_fill_(torch.from_numpy(~visible).to(device), float("-inf"))[:, None, None]

    def _buffers(self, layer: int, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if layer not in self.layers:
            size = (len(self), like.shape[1], self.capacity, like.shape[3])
            self.layers[layer] = like.new_empty(size), like.new_empty(size)
        return self.layers[layer]

    def _select(self, states: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
        selection = states.new_empty(len(index), *states.shape[1:])
        selection[:, :, : self.columns] = states[:, :, : self.columns].index_select(0, index)
        return selection
