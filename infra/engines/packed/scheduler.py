"""How a population's requests become batches: pure functions, so that rounding is the same every time.

A prefix group is a set of requests whose tokens begin alike: the engine reads what they share once a particle. A batch
is what one worker computes alone: some particles × some requests of a prefix group. A prefill chunk is what one forward
pass reads of a batch's prompts: tokens of all its particles, one request after another, so nothing is padded.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log2

TokenIds = tuple[int, ...]

_FIRST_TOKENS = (8, 3)
"""Requests are first grouped by so many first tokens; those that are still alone then, by fewer."""
_WORTHWHILE = 0.05
"""Requests share a prefix only if that saves at least this share of their tokens: joining two attentions costs, too.
Several batches read a prefix again only if that adds at most this share."""
_SAVED_TOKENS = 256
"""Tokens of a population that a group must save to decode apart from others: each step reads all weights anew."""

_SEQUENCES_A_BATCH = 48
_MOST_BATCHES = 16
"""A decode step with fewer sequences wastes a CPU's arithmetic; a few batches keep all workers busy."""

_SEQUENCES_OF_A_HALF = 16
"""Still better than a second worker with nothing to do: with fewer, a step waits for the weights to be read."""

_STEP_TOKENS = 32
"""Prompt tokens that a CPU reads in the time that any decode step takes: weights are read, Python runs."""


@dataclass(frozen=True)
class PrefixGroup:
    """Requests whose tokens begin with `prefix` (which may be empty) and go on after it."""

    prefix: TokenIds
    requests: tuple[int, ...]


@dataclass(frozen=True)
class Batch:
    """`particles` (a contiguous range) × `requests` (indices, longest first) of a prefix group."""

    particles: range
    prefix: TokenIds
    requests: tuple[int, ...]


def prefix_groups(prompts: Sequence[TokenIds], population: int) -> list[PrefixGroup]:
    """Group requests whose shared prefix is worth reading only once for `population`; the others share nothing.

    Args:
        prompts: the tokens of each request.
        population: the number of particles.

    """
    groups: list[PrefixGroup] = []
    ungrouped = list(range(len(prompts)))
    for first in _FIRST_TOKENS:
        candidates: defaultdict[TokenIds, list[int]] = defaultdict(list)
        for request in ungrouped:
            candidates[prompts[request][:first]].append(request)
        ungrouped = []
        for requests in candidates.values():
            length = _shared_length([prompts[request] for request in requests])
            saved = length * (len(requests) - 1)
            enough = len(requests) == len(prompts) or saved * population >= _SAVED_TOKENS
            if length >= first and enough and saved >= _WORTHWHILE * sum(len(prompts[request]) for request in requests):
                groups.append(PrefixGroup(prompts[requests[0]][:length], tuple(requests)))
            else:
                ungrouped += requests
        ungrouped.sort()
    return [*groups, PrefixGroup((), tuple(ungrouped))] if ungrouped else groups


def batches(
    group: PrefixGroup, sizes: Sequence[int], population: int, cache_tokens: int, split: bool, halve: bool = False
) -> list[Batch]:
    """Cut `population` particles × the requests of `group` into batches.

    Args:
        group: whose requests.
        sizes: the most tokens of each request of the call, prompt and answer together.
        population: the number of particles.
        cache_tokens: how many tokens a batch's KV cache may hold.
        split: make several batches of like cost where there is enough to do for several workers.
        halve: make at least two where they are not too small: `group` is all that there is to do.

    """
    requests = sorted(group.requests, key=lambda request: (-sizes[request], request))
    ranges = _particle_ranges(population, ceil(population / max(1, cache_tokens // sizes[requests[0]])))
    count = _batch_count(population * len(requests), halve) if split else 1
    if group.prefix:  # read by every batch: particles are dealt out first
        ranges = _particle_ranges(population, min(population, max(len(ranges), count)))
    shares = min(len(requests), ceil(count / len(ranges)))
    if (shares - 1) * len(group.prefix) > _WORTHWHILE * sum(sizes[request] for request in requests):
        shares = 1
    return [
        Batch(particles, group.prefix, tuple(requests[share::shares]))
        for particles in ranges
        for share in range(shares)
    ]


def _batch_count(sequences: int, halve: bool) -> int:
    least = 2 if halve and sequences >= 2 * _SEQUENCES_OF_A_HALF else 1
    return max(least, min(_MOST_BATCHES, 1 << int(log2(max(1, sequences // _SEQUENCES_A_BATCH)))))


def prefill_dominates(lengths: Sequence[int], sizes: Sequence[int], population: int) -> bool:
    """Tell whether prefill costs more than the decode steps after it do by themselves.

    Two halves of a batch prefill as many tokens as the whole, but take as many decode steps each: without this, two
    workers would mostly read weights.

    Args:
        lengths: tokens of each request's prompt.
        sizes: the most tokens of each request, prompt and answer together.
        population: the number of particles.

    """
    steps = max(size - length for size, length in zip(sizes, lengths, strict=True))
    return population * sum(lengths) >= _STEP_TOKENS * steps


def prefill_chunks(lengths: Sequence[int], population: int, token_budget: int) -> list[range]:
    """Cut requests into runs of at most `token_budget` tokens, those of `population` particles together.

    A run has at least one request.
    """
    edges, tokens = [0], 0
    for request, length in enumerate(lengths):
        tokens += length * population
        if tokens > token_budget and request > edges[-1]:
            edges.append(request)
            tokens = length * population
    return [range(first, last) for first, last in pairwise([*edges, len(lengths)]) if last > first]


def similar_lengths(lengths: Sequence[int]) -> Iterator[range]:
    """Cut falling `lengths` into runs in which no length is under three quarters of the first."""
    start = 0
    for request, length in enumerate(lengths):
        if length < 0.75 * lengths[start]:
            yield range(start, request)
            start = request
    yield range(start, len(lengths))


def _particle_ranges(population: int, parts: int) -> list[range]:
    edges = [population * part // parts for part in range(parts + 1)]
    return [range(first, last) for first, last in pairwise(edges)]


def _shared_length(prompts: Sequence[TokenIds]) -> int:
    """Return how many tokens all prompts begin with alike, leaving at least one token of each."""
    most = min(map(len, prompts)) - 1
    first = prompts[0]
    others = prompts[1:]
    return next((i for i in range(most) if any(other[i] != first[i] for other in others)), max(0, most))
