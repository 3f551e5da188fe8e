"""The kinds of forward passes: reading a prefix, rows, the next token of each cell, and continuations of kept rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from infra.engines.packed.attention import BLOCK, causal, joined, own, triangle, weighted
from infra.engines.packed.cache import Bucket, Prefix
from infra.engines.packed.layout import Layout

_SHORT = 1024
"""Tokens up to which copying a prefix to each row, and blocks of queries, cost less than they save on a CPU."""


@dataclass(frozen=True)
class Segment:
    """One row's tokens [start, stop) of a pass, the same for every particle, and where they are kept."""

    start: int
    stop: int
    bucket: Bucket | None
    row: int


class ReadPrefix:
    """Reads what a family's rows begin with, for every particle, and keeps it."""

    def __init__(self, prefix: Prefix, population: int) -> None:
        self.prefix, self.population = prefix, population

    @property
    def longest(self) -> int:
        """The last token's position + 1."""
        return self.prefix.length

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.Step`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        self.prefix.layers[layer] = k, v
        return own(q, k, v, scale).transpose(1, 2).flatten(0, 1)


class ReadRows:
    """Reads rows, one after another, of every particle; each token sees its family's prefix and its row so far."""

    def __init__(
        self, segments: Sequence[Segment], population: int, prefix: Prefix | None, last_layer: int | None = None
    ) -> None:
        """`last_layer`, if named, is the one of which nothing but each row's last token is looked at."""
        self.segments, self.population, self.prefix, self.last_layer = segments, population, prefix, last_layer
        self._mask: torch.Tensor | None = None

    @property
    def longest(self) -> int:
        """The most tokens that a token sees."""
        before = self.prefix.length if self.prefix else 0
        return before + max(segment.stop - segment.start for segment in self.segments)

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.Step`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        out = torch.empty_like(query).unflatten(0, (self.population, -1)).transpose(1, 2)
        for segment in self.segments:
            if segment.bucket is not None:
                part = slice(segment.start, segment.stop)
                keys, values = k[:, :, part], v[:, :, part]
                if self.prefix and self.prefix.copied:
                    keys, values = self.prefix.joined(layer, keys, values)
                segment.bucket.write(layer, segment.row, keys, values)
        if layer == self.last_layer:
            self._attend_at_the_ends(layer, q, k, v, scale, out.zero_())
        elif query.device.type == "cpu" and self.longest <= _SHORT:
            self._attend_in_blocks(layer, q, k, v, scale, out)
        else:
            self._attend_apart(layer, q, k, v, scale, out)
        flat: torch.Tensor = out.transpose(1, 2).flatten(0, 1)
        return flat

    def _attend_at_the_ends(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have only the last token of each row see its prefix and its row."""
        for segment in self.segments:
            part, end = slice(segment.start, segment.stop), slice(segment.stop - 1, segment.stop)
            keys, values = k[:, :, part], v[:, :, part]
            if self.prefix:
                keys, values = self.prefix.joined(layer, keys, values)
            out[:, :, end] = own(q[:, :, end], keys, values, scale)

    def _attend_in_blocks(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have each row see a copy of its prefix and itself at once."""
        if self._mask is None:
            self._mask = triangle(max(self.longest, BLOCK), q)
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            keys, values = k[:, :, part], v[:, :, part]
            if self.prefix:
                keys, values = self.prefix.joined(layer, keys, values)
            mine = out[:, :, part]
            for queries, taken in causal(q[:, :, part], keys, values, scale, self._mask):
                mine[:, :, queries] = taken

    def _attend_apart(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have all rows see their prefix together, and each itself, and join what they take."""
        before = weighted(q, *self.prefix.layers[layer], scale) if self.prefix else None
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            q_row, k_row, v_row = q[:, :, part], k[:, :, part], v[:, :, part]
            if before is None:
                out[:, :, part] = own(q_row, k_row, v_row, scale)
            else:
                seen = (before[0][:, :, part], before[1][:, :, part])
                out[:, :, part] = joined([seen, weighted(q_row, k_row, v_row, scale, causal=True)])


class GoOn:
    """Reads one more token of every cell of some buckets, bucket after bucket."""

    def __init__(self, buckets: Sequence[Bucket], layout: Layout, prefix: Prefix | None) -> None:
        self.buckets, self.layout, self.prefix = buckets, layout, prefix
        self._masks: list[torch.Tensor | None] | None = None

    @property
    def longest(self) -> int:
        """The most tokens that a token sees."""
        return (self.prefix.length if self.prefix else 0) + max(bucket.columns for bucket in self.buckets) + 1

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.Step`."""
        if self._masks is None:
            self._masks = [bucket.mask(query.device, query.dtype) for bucket in self.buckets]
        before = self._before(layer, query, scale) if self.prefix else None
        out = torch.empty_like(query)
        first = 0
        for bucket, mask in zip(self.buckets, self._masks, strict=True):
            cells = slice(first, first := first + len(bucket))
            keys, values = bucket.append(layer, key[cells], value[cells])
            q = query[cells].unsqueeze(2)
            if before is None:
                out[cells] = own(q, keys, values, scale, mask).squeeze(2)
            else:
                seen = (before[0][cells].unsqueeze(2), before[1][cells].unsqueeze(2))
                out[cells] = joined([seen, weighted(q, keys, values, scale, mask=mask)]).squeeze(2)
        return out

    def _before(self, layer: int, query: torch.Tensor, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Attend to the prefix, particle by particle: [cells, heads, size] and [cells, heads]."""
        assert self.prefix is not None
        by_owner = self.layout.split(query).transpose(1, 2)
        out, total = weighted(by_owner, *self.prefix.layers[layer], scale)
        return self.layout.join(out.transpose(1, 2)), self.layout.join(total.transpose(1, 2))


class ReadContinuations:
    """Reads, of every particle, continuations of rows that are kept; each sees its prefix, its row and itself so far.

    `segments` are the continuations; those of one row follow each other.
    """

    def __init__(self, segments: Sequence[Segment], population: int, prefix: Prefix | None) -> None:
        self.segments, self.population, self.prefix = segments, population, prefix

    @property
    def longest(self) -> int:
        """The most tokens that a token sees."""
        before = self.prefix.length if self.prefix else 0
        return before + max(s.bucket.columns + s.stop - s.start for s in self.segments if s.bucket)

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.Step`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        out = torch.empty_like(query).unflatten(0, (self.population, -1)).transpose(1, 2)
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            seen = [weighted(q[:, :, part], k[:, :, part], v[:, :, part], scale, causal=True)]
            seen.append(weighted(q[:, :, part], *self._row(layer, segment), scale))
            if self.prefix:
                seen.append(weighted(q[:, :, part], *self.prefix.layers[layer], scale))
            out[:, :, part] = joined(seen)
        flat: torch.Tensor = out.transpose(1, 2).flatten(0, 1)
        return flat

    def _row(self, layer: int, segment: Segment) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the keys and values of the segment's row: [population, groups, tokens, size]."""
        bucket = segment.bucket
        assert bucket is not None
        filled = slice(bucket.columns - int(bucket.lengths[segment.row]), bucket.columns)
        keys, values = (states.unflatten(0, (self.population, -1))[:, segment.row] for states in bucket.layers[layer])
        return keys[:, :, filled], values[:, :, filled]


def by_particle(states: torch.Tensor, population: int) -> torch.Tensor:
    """Return [particles · tokens, heads, size] as [particles, heads, tokens, size]; a view."""
    split: torch.Tensor = states.unflatten(0, (population, -1))
    return split.transpose(1, 2)
