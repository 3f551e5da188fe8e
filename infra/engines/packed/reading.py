"""What a job asks of the model: reading a prefix, rows, the next token of every cell, continuations of rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from infra.engines.packed.attention import Step
from infra.engines.packed.cache import Bucket, Prefix
from infra.engines.packed.layout import Layout
from infra.engines.packed.packing import similar_runs
from infra.engines.packed.resident import ResidentModel
from infra.engines.packed.stacks import AdaptedModules, Stack
from infra.engines.packed.steps import GoOn, ReadContinuations, ReadPrefix, ReadRows, Segment


@dataclass(frozen=True)
class Row:
    """A row to be read: which of the job's rows it is, its tokens after the prefix, and how many may follow them."""

    index: int
    tokens: tuple[int, ...]
    further: int


@dataclass(frozen=True)
class Reader:
    """A resident model with the adapters of some particles.

    Attributes:
        owners: None if every particle reads every row; else [rows] the one particle that reads each row.

    """

    resident: ResidentModel
    adapted: AdaptedModules
    stack: Stack
    owners: NDArray[np.intp] | None = None

    @property
    def population(self) -> int:
        """How often each row is read: once a particle, or once in all."""
        return self.stack.size if self.owners is None else 1

    def prefix(self, tokens: Sequence[int]) -> Prefix | None:
        """Read what all rows begin with, once a particle; None if that is nothing."""
        if not tokens:
            return None
        prefix = Prefix(len(tokens))
        layout = Layout.even(self.population, self.population * len(tokens))
        self._read_each(tokens, range(len(tokens)), ReadPrefix(prefix, self.population), layout, logits_of=[-1])
        return prefix

    def rows(self, rows: Sequence[Row], prefix: Prefix | None) -> list[tuple[Bucket, torch.Tensor]]:
        """Read rows (longest first) together; return buckets of like rows with their last logits [cells, vocabulary].

        Keys and values are kept only where tokens may follow.
        """
        copied = prefix.copied if prefix else 0
        runs = similar_runs([copied + len(row.tokens) for row in rows])
        buckets = [self._bucket(rows[run.start : run.stop], copied) for run in runs]
        places = [(bucket, place) for bucket, run in buckets for place in range(len(run))]
        ends = list(accumulate((len(row.tokens) for row in rows), initial=0))
        segments = [
            Segment(start, stop, bucket if row.further else None, place)
            for (start, stop), (bucket, place), row in zip(pairwise(ends), places, rows, strict=True)
        ]
        before = prefix.length if prefix else 0
        tokens = [token for row in rows for token in row.tokens]
        positions = [before + position for row in rows for position in range(len(row.tokens))]
        lasts = [segment.stop - 1 for segment in segments]
        layout = self._layout([row.index for row in rows], [len(row.tokens) for row in rows])
        step = ReadRows(segments, self.population, prefix, self.resident.layers - 1)
        logits = self._read_each(tokens, positions, step, layout, lasts)
        by_particle = logits.view(self.population, len(rows), -1)
        edges = pairwise(accumulate((len(run) for _, run in buckets), initial=0))
        return [
            (bucket, by_particle[:, first:last].flatten(0, 1))
            for (bucket, _), (first, last) in zip(buckets, edges, strict=True)
        ]

    def go_on(self, buckets: Sequence[Bucket], tokens: Sequence[int], prefix: Prefix | None) -> torch.Tensor:
        """Read the next token of every cell, bucket after bucket; return the logits [cells, vocabulary]."""
        owners = np.concatenate([self._owners(bucket) for bucket in buckets])
        apart = _apart(prefix)
        before = apart.length if apart else 0
        positions = np.concatenate([before + bucket.lengths for bucket in buckets])
        layout = Layout.of(owners, self.stack.size, self.resident.device)
        logits = self._read(tokens, positions.tolist(), GoOn(buckets, layout, apart), layout)
        for bucket in buckets:
            bucket.grow()
        return logits

    def continuations(
        self, bucket: Bucket, texts: Sequence[tuple[int, tuple[int, ...]]], prefix: Prefix | None
    ) -> torch.Tensor:
        """Read `texts` (place of a row in `bucket`, tokens), each after its row; return logits [P, tokens, V]."""
        ends = list(accumulate((len(tokens) for _, tokens in texts), initial=0))
        segments = [
            Segment(start, stop, bucket, place) for (start, stop), (place, _) in zip(pairwise(ends), texts, strict=True)
        ]
        apart = _apart(prefix)
        before = apart.length if apart else 0
        starts = [before + int(bucket.lengths[place]) for place, _ in texts]
        positions = [
            start + offset for start, (_, tokens) in zip(starts, texts, strict=True) for offset in range(len(tokens))
        ]
        step = ReadContinuations(segments, self.population, apart)
        tokens = [token for _, tokens in texts for token in tokens]
        layout = self._layout([bucket.rows[place] for place, _ in texts], [len(tokens) for _, tokens in texts])
        logits = self._read_each(tokens, positions, step, layout, range(len(tokens)))
        return logits.view(self.population, len(tokens), -1)

    def _read_each(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        step: Step,
        layout: Layout,
        logits_of: Sequence[int],
    ) -> torch.Tensor:
        """Read the same tokens with each particle (or each with its owner); `logits_of` are indices of them."""
        size, count = len(tokens), self.population
        wanted = [particle * size + token % size for particle in range(count) for token in logits_of]
        return self._read([*tokens] * count, [*positions] * count, step, layout, wanted)

    def _read(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        step: Step,
        layout: Layout,
        logits_of: Sequence[int] | None = None,
    ) -> torch.Tensor:
        layouts = [layout] if logits_of is None else [layout, layout.narrowed(logits_of)]
        with self.adapted.active(self.stack, layouts):
            return self.resident.read(tokens, positions, step, logits_of)

    def _layout(self, rows: Sequence[int], lengths: Sequence[int]) -> Layout:
        """Return whose the tokens of `rows` are, all rows of a particle one after another."""
        if self.owners is None:
            return Layout.even(self.population, self.population * sum(lengths))
        return Layout.of(np.repeat(self.owners[np.asarray(rows)], lengths), self.stack.size, self.resident.device)

    def _owners(self, bucket: Bucket) -> NDArray[np.intp]:
        """Return whose each cell is."""
        return bucket.particles if self.owners is None else self.owners[bucket.rows]

    def _bucket(self, rows: Sequence[Row], copied: int) -> tuple[Bucket, Sequence[Row]]:
        lengths = [copied + len(row.tokens) for row in rows]
        further = max(row.further for row in rows)
        return Bucket(self.population, [row.index for row in rows], lengths, further), rows


def _apart(prefix: Prefix | None) -> Prefix | None:
    """Return what cells see beside their bucket."""
    return None if prefix is None or prefix.copied else prefix
