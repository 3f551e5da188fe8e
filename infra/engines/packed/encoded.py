"""A call's requests in tokens, cut into blocks and jobs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from data.requests import Request, Response
from infra.engines.packed.blocks import Block, blocks
from infra.engines.packed.packing import Family, Job, families, halved_gladly, jobs
from infra.engines.tokens import Choices, EncodedRequests, Prompt, Tokens

Rows = Mapping[int, Prompt] | Mapping[int, Choices]


class EncodedBlock:
    """A block in tokens; its rows are indices of its requests.

    Attributes:
        rows: its requests in tokens.

    """

    def __init__(self, tokens: Tokens, block: Block):
        """Encode the requests; raises as `EncodedRequests` does."""
        self.rows = EncodedRequests(tokens, block.requests)
        self._block = block

    def jobs(self, rows: Rows, cache_tokens: int, split: bool) -> Iterator[Job]:
        """Cut `rows` of this block into jobs, as `packing.jobs` does; a job's particles count from 0."""
        indices, sizes = list(rows), [row.size for row in rows.values()]
        if not indices:
            return
        mixed = self._block.owners is not None
        particles = 1 if mixed else len(self._block.particles)
        everything = [Family((), tuple(range(len(indices))))]
        found = everything if mixed else families([row.tokens for row in rows.values()], particles)
        alone = len(found) == 1 and halved_gladly([len(row.tokens) for row in rows.values()], sizes, particles)
        for family in found:
            for job in jobs(family, sizes, particles, cache_tokens, split, alone):
                yield replace(job, rows=tuple(indices[row] for row in job.rows))

    def readers(self, job: Job) -> tuple[Sequence[int], NDArray[np.intp] | None]:
        """Return which particles of the call read `job`, and which of them each row, None where all read all."""
        if self._block.owners is None:
            return self._block.particles[job.particles.start : job.particles.stop], None
        owners = [self._block.owners[row] for row in job.rows]
        particles, places = np.unique(owners, return_inverse=True)
        return particles.tolist(), places.astype(np.intp)

    def put(self, job: Job, responses: Sequence[Sequence[Response]], answers: list[list[Response | None]]) -> None:
        """Write what `job` found to where it belongs in the call's `answers`."""
        particles, _ = self.readers(job)
        for place, of_particle in zip(job.particles, responses, strict=True):
            for row, response in zip(job.rows, of_particle, strict=True):
                owners = self._block.owners
                particle = particles[place - job.particles.start] if owners is None else owners[row]
                answers[particle][self._block.places[row]] = response


class EncodedCall:
    """Requests of particles that are evaluated together, in tokens.

    Attributes:
        counts: how many requests each particle is asked.
        blocks: the requests; a block's particles count from the call's first.

    """

    def __init__(self, tokens: Tokens, requests: Sequence[Sequence[Request]]):
        """Encode the requests of each particle; raises as `EncodedRequests` does."""
        self.counts = tuple(map(len, requests))
        self.blocks = [EncodedBlock(tokens, block) for block in blocks(requests)]
