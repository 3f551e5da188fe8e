"""How a population's requests are cut into batches: a pure function, so that rounding is the same every time.

A batch is a rectangle of particles × rows (requests): each of its particles answers each of its rows. Rows of like
length come together, so little is padded; a batch of one to four thousand tokens is fastest on a CPU.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil

import numpy as np
from numpy.typing import NDArray

_WORTHWHILE = 0.75
"""A batch is made smaller when that leaves at most this share of it: copying the cache costs about one step."""


@dataclass(frozen=True)
class Batch:
    """A rectangle of work: `particles` (a contiguous range) × `rows` (indices of requests)."""

    particles: range
    rows: tuple[int, ...]


def plan(population: int, lengths: Sequence[int], token_budget: int) -> list[Batch]:
    """Cut `population` particles × len(lengths) rows into batches of at most `token_budget` padded tokens.

    Longest rows first. Where one row of all particles is too long, the particles are cut too; where a single row of
    a single particle is, it is a batch by itself.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[Batch] = []
    start = 0
    while start < len(order):
        longest = max(1, lengths[order[start]])
        rows = tuple(order[start : start + max(1, token_budget // (longest * population))])
        batches += [Batch(particles, rows) for particles in _ranges(population, token_budget // longest)]
        start += len(rows)
    return batches


def survivors(alive: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
    """Return what to keep of a batch in which `alive` [P, R] cells still generate, or None if all of it.

    Returns (particles [P'], rows [P', R']): for each particle with a living row, indices of R' of its rows, living
    ones first. A particle with fewer living rows than another keeps finished ones, so that the batch stays a rectangle.
    """
    particles = np.flatnonzero(alive.any(axis=1))
    width = int(alive.sum(axis=1).max(initial=0))
    if len(particles) * width > _WORTHWHILE * alive.size:
        return None
    rows = np.argsort(~alive[particles], axis=1, kind="stable")[:, :width]
    return particles, rows


def _ranges(population: int, most: int) -> Iterator[range]:
    parts = ceil(population / min(population, max(1, most)))
    edges = [population * part // parts for part in range(parts + 1)]
    return (range(first, last) for first, last in pairwise(edges))
