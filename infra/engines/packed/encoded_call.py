"""A call's requests in tokens, cut into request sets and batches."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data.requests import Request, Response
from infra.engines.packed.request_sets import RequestSet, request_sets
from infra.engines.packed.scheduler import Batch, PrefixGroup, batches, prefill_dominates, prefix_groups
from infra.engines.tokens import Choices, EncodedRequests, Prompt, Tokens

TokenRequests = Mapping[int, Prompt] | Mapping[int, Choices]


class EncodedSet:
    """A request set in tokens.

    Attributes:
        encoded: its requests in tokens, by their index in the set.

    """

    def __init__(self, tokens: Tokens, request_set: RequestSet):
        """Encode the requests; raises as `EncodedRequests` does."""
        self.encoded = EncodedRequests(tokens, request_set.requests)
        self._set = request_set

    def batches(self, requests: TokenRequests, cache_tokens: int, split: bool) -> Iterator[Batch]:
        """Cut `requests` of this set into batches, as `scheduler.batches` does; a batch's particles count from 0."""
        indices, sizes = list(requests), [request.size for request in requests.values()]
        if not indices:
            return
        prompts = [request.tokens for request in requests.values()]
        mixed = self._set.owners is not None
        population = 1 if mixed else len(self._set.particles)
        groups = [PrefixGroup((), tuple(range(len(indices))))] if mixed else prefix_groups(prompts, population)
        halve = len(groups) == 1 and prefill_dominates(list(map(len, prompts)), sizes, population)
        for group in groups:
            for batch in batches(group, sizes, population, cache_tokens, split, halve):
                yield replace(batch, requests=tuple(indices[request] for request in batch.requests))

    def owners(self, batch: Batch) -> tuple[Sequence[int], NDArray[np.intp] | None]:
        """Return which particles of the call answer `batch`, and which of them each request; None where all do."""
        if self._set.owners is None:
            return self._set.particles[batch.particles.start : batch.particles.stop], None
        owners = [self._set.owners[request] for request in batch.requests]
        particles, index = np.unique(owners, return_inverse=True)
        return particles.tolist(), index.astype(np.intp)

    def store(
        self, batch: Batch, responses: Sequence[Sequence[Response]], answers: list[list[Response | None]]
    ) -> None:
        """Write the responses of `batch` to where they belong in the call's `answers`."""
        particles, _ = self.owners(batch)
        owners = self._set.owners
        for index, of_particle in zip(batch.particles, responses, strict=True):
            for request, response in zip(batch.requests, of_particle, strict=True):
                particle = particles[index - batch.particles.start] if owners is None else owners[request]
                answers[particle][self._set.indices[request]] = response


class EncodedCall:
    """Requests of particles that are evaluated together, in tokens.

    Attributes:
        counts: how many requests each particle has.
        sets: the requests; a set's particles count from the call's first.

    """

    def __init__(self, tokens: Tokens, requests: Sequence[Sequence[Request]]):
        """Encode the requests of each particle; raises as `EncodedRequests` does."""
        self.counts = tuple(map(len, requests))
        self.sets = [EncodedSet(tokens, request_set) for request_set in request_sets(requests)]
