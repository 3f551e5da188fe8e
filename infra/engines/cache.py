"""A key-value cache in one buffer a layer: a step appends to it instead of copying all that went before."""

from functools import partial

import torch
from transformers.cache_utils import Cache, DynamicLayer


class _AppendLayer(DynamicLayer):
    """Keys and values [cells, heads, capacity, size], of which the first `length` positions are filled."""

    def __init__(self, capacity: int):
        super().__init__()
        self._capacity = capacity
        self._length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append [cells, heads, new, size] and return views of everything so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._buffers = self._empty(key_states), self._empty(value_states)
        start, self._length = self._length, self._length + key_states.shape[-2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start : self._length] = new
        self._show()
        return self.keys, self.values

    def select(self, cells: torch.Tensor) -> None:
        """Keep (or repeat) the given cells of the batch."""
        old = (self.keys, self.values)
        self._buffers = self._empty(old[0], len(cells)), self._empty(old[1], len(cells))
        for buffer, states in zip(self._buffers, old, strict=True):
            buffer[:, :, : self._length] = states[cells]
        self._show()

    def _empty(self, like: torch.Tensor, cells: int | None = None) -> torch.Tensor:
        size = (len(like) if cells is None else cells, like.shape[1], self._capacity, like.shape[3])
        return like.new_empty(size)

    def _show(self) -> None:
        self.keys, self.values = (buffer[:, :, : self._length] for buffer in self._buffers)


class AppendCache(Cache):
    """The cache of a batch of cells that holds up to `capacity` positions."""

    def __init__(self, capacity: int):
        """Nothing is allocated before the first forward pass."""
        super().__init__(layer_class_to_replicate=partial(_AppendLayer, capacity))

    def select(self, cells: torch.Tensor) -> None:
        """Keep (or repeat) the given cells of the batch, in the given order."""
        for layer in self.layers:
            layer.select(cells)
