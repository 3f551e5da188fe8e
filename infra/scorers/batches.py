"""Put texts of different lengths into batches that depend on nothing but the texts."""

from collections.abc import Iterator, Sequence

import torch

TokenIds = list[int]

TOKEN_BUDGETS = {"cpu": 2048, "cuda": 32768}
"""Tokens of a batch, padding included."""


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the indices of texts of like length, as many as fit `budget` padded (one text always does)."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and lengths[batch[0]] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def pad(rows: Sequence[TokenIds], filler: int) -> torch.Tensor:
    """Return `rows` as one matrix, filled up on the right."""
    width = max(map(len, rows))
    return torch.tensor([row + [filler] * (width - len(row)) for row in rows])
