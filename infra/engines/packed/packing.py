"""How a population's requests are cut up: pure functions, so that rounding is the same every time.

A family is a set of rows (requests) whose texts begin alike; what they share is read once a particle. A job is what one
worker does alone: some particles × some rows of a family. A chunk is what one forward pass reads of a job's prompts:
tokens of all its rows and particles, one after another, so nothing is padded.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log2

Tokens = tuple[int, ...]

_OPENINGS = (8, 3)
"""Rows are first put together by so many first tokens; what is still alone then, by fewer."""
_WORTHWHILE = 0.05
"""Rows share a prefix only if that spares at least this share of their tokens: joining two attentions costs, too.
Several jobs read a prefix again only if that adds at most this share."""
_SPARED = 256
"""Tokens of a population that rows must spare to step apart from the others: each step reads all weights anew."""

_CELLS_A_JOB = 48
_MOST_JOBS = 16
"""A step with fewer cells (particles × rows) wastes a CPU's arithmetic; a few jobs keep all workers busy."""

_CELLS_OF_A_HALF = 16
"""Still better than a second worker with nothing to do: with fewer, a step waits for the weights to be read."""

_STEP = 32
"""Prompt tokens that a CPU reads in the time which a step takes whatever its cells: weights are read, Python runs."""


@dataclass(frozen=True)
class Family:
    """Rows whose tokens begin with `prefix` (which may be empty) and go on after it."""

    prefix: Tokens
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Job:
    """`particles` (a contiguous range) × `rows` (indices, longest first) of a family."""

    particles: range
    prefix: Tokens
    rows: tuple[int, ...]


def families(sequences: Sequence[Tokens], population: int) -> list[Family]:
    """Put rows together whose shared prefix is worth reading only once for `population`; the others share nothing."""
    found: list[Family] = []
    loose = list(range(len(sequences)))
    for opening in _OPENINGS:
        together: defaultdict[Tokens, list[int]] = defaultdict(list)
        for row in loose:
            together[sequences[row][:opening]].append(row)
        loose = []
        for rows in together.values():
            length = _shared_length([sequences[row] for row in rows])
            spared = length * (len(rows) - 1)
            enough = len(rows) == len(sequences) or spared * population >= _SPARED
            if length >= opening and enough and spared >= _WORTHWHILE * sum(len(sequences[row]) for row in rows):
                found.append(Family(sequences[rows[0]][:length], tuple(rows)))
            else:
                loose += rows
        loose.sort()
    return [*found, Family((), tuple(loose))] if loose else found


def jobs(
    family: Family, sizes: Sequence[int], population: int, cache_tokens: int, split: bool, alone: bool = False
) -> list[Job]:
    """Cut `population` particles × the rows of `family` into jobs.

    Args:
        family: whose rows.
        sizes: the most tokens of each row of the call, prompt and answer together.
        population: the number of particles.
        cache_tokens: how many tokens the keys and values of a job may be of at a time.
        split: make several jobs of like cost where there is enough to do for several workers.
        alone: `family` is all that there is to do: it is halved sooner than one of several.

    """
    rows = sorted(family.rows, key=lambda row: (-sizes[row], row))
    ranges = _ranges(population, ceil(population / max(1, cache_tokens // sizes[rows[0]])))
    wanted = _wanted(population * len(rows), alone) if split else 1
    if family.prefix:  # read by every job: particles are dealt out first
        ranges = _ranges(population, min(population, max(len(ranges), wanted)))
    hands = min(len(rows), ceil(wanted / len(ranges)))
    if (hands - 1) * len(family.prefix) > _WORTHWHILE * sum(sizes[row] for row in rows):
        hands = 1
    return [Job(particles, family.prefix, tuple(rows[hand::hands])) for particles in ranges for hand in range(hands)]


def _wanted(cells: int, alone: bool) -> int:
    least = 2 if alone and cells >= 2 * _CELLS_OF_A_HALF else 1
    return max(least, min(_MOST_JOBS, 1 << int(log2(max(1, cells // _CELLS_A_JOB)))))


def halved_gladly(lengths: Sequence[int], sizes: Sequence[int], population: int) -> bool:
    """Tell whether reading prompts costs more than the steps after it do by themselves.

    Two halves read as many prompts as the whole, but take as many steps each: two workers would mostly read weights.

    Args:
        lengths: tokens of each row's prompt.
        sizes: the most tokens of each row, prompt and answer together.
        population: the number of particles.

    """
    steps = max(size - length for size, length in zip(sizes, lengths, strict=True))
    return population * sum(lengths) >= _STEP * steps


def chunks(lengths: Sequence[int], population: int, token_budget: int) -> list[range]:
    """Cut rows into runs of at most `token_budget` tokens, `population` particles together (at least a row each)."""
    edges, tokens = [0], 0
    for row, length in enumerate(lengths):
        tokens += length * population
        if tokens > token_budget and row > edges[-1]:
            edges.append(row)
            tokens = length * population
    return [range(first, last) for first, last in pairwise([*edges, len(lengths)]) if last > first]


def _ranges(population: int, parts: int) -> list[range]:
    edges = [population * part // parts for part in range(parts + 1)]
    return [range(first, last) for first, last in pairwise(edges)]


def _shared_length(sequences: Sequence[Tokens]) -> int:
    """Return how many tokens all sequences begin with alike, leaving at least one token of each."""
    most = min(map(len, sequences)) - 1
    first = sequences[0]
    others = sequences[1:]
    return next((i for i in range(most) if any(other[i] != first[i] for other in others)), max(0, most))


def similar_runs(lengths: Sequence[int]) -> Iterator[range]:
    """Cut falling `lengths` into runs in which no length is under three quarters of the first."""
    start = 0
    for row, length in enumerate(lengths):
        if length < 0.75 * lengths[start]:
            yield range(start, row)
            start = row
    yield range(start, len(lengths))
