"""What a batch asks of the model: prefill of prefixes, prompts and continuations, and decode steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from infra.engines.packed.attention import ForwardPass
from infra.engines.packed.forward_passes import (
    ContinuationPrefill,
    DecodeStep,
    PrefixPrefill,
    PromptPrefill,
    Segment,
)
from infra.engines.packed.kv_cache import KVCache, SharedPrefix
from infra.engines.packed.lora_mapping import LoraMapping
from infra.engines.packed.multi_lora import LoraModules, PopulationLoras
from infra.engines.packed.resident_model import ResidentModel
from infra.engines.packed.scheduler import similar_lengths


@dataclass(frozen=True)
class PrefillRequest:
    """A prompt to be read.

    Attributes:
        index: which of the batch's requests it is.
        tokens: its tokens after the shared prefix.
        further: how many tokens may follow them.

    """

    index: int
    tokens: tuple[int, ...]
    further: int


@dataclass(frozen=True)
class ModelRunner:
    """Runs a resident model with the adapters of a batch's particles.

    Attributes:
        model: the resident model.
        modules: its modules that adapters are added to.
        loras: the adapters of the particles.
        owners: None if every particle reads every request; else [requests] the one particle that reads each.

    """

    model: ResidentModel
    modules: LoraModules
    loras: PopulationLoras
    owners: NDArray[np.intp] | None = None

    @property
    def population(self) -> int:
        """How often each request is read: once a particle, or once in all."""
        return self.loras.size if self.owners is None else 1

    def prefill_prefix(self, tokens: Sequence[int]) -> SharedPrefix | None:
        """Read what all requests begin with, once a particle; return None if that is nothing."""
        if not tokens:
            return None
        prefix = SharedPrefix(len(tokens))
        mapping = LoraMapping.even(self.population, self.population * len(tokens))
        forward_pass = PrefixPrefill(prefix, self.population)
        self._run_population(tokens, range(len(tokens)), forward_pass, mapping, logits_of=[-1])
        return prefix

    def prefill(
        self, requests: Sequence[PrefillRequest], prefix: SharedPrefix | None
    ) -> list[tuple[KVCache, torch.Tensor]]:
        """Read requests (longest first) together.

        Keys and values are kept only where tokens may follow.

        Returns:
            the caches, each of requests of like length, with their last logits [sequences, vocabulary].

        """
        copied = prefix.copied if prefix else 0
        runs = similar_lengths([copied + len(request.tokens) for request in requests])
        caches = [self._cache(requests[run.start : run.stop], copied) for run in runs]
        slots = [(cache, index) for cache, count in caches for index in range(count)]
        ends = list(accumulate((len(request.tokens) for request in requests), initial=0))
        segments = [
            Segment(start, stop, cache if request.further else None, index)
            for (start, stop), (cache, index), request in zip(pairwise(ends), slots, requests, strict=True)
        ]
        before = prefix.length if prefix else 0
        tokens = [token for request in requests for token in request.tokens]
        positions = [before + position for request in requests for position in range(len(request.tokens))]
        lasts = [segment.stop - 1 for segment in segments]
        mapping = self._mapping([request.index for request in requests], [len(request.tokens) for request in requests])
        forward_pass = PromptPrefill(segments, self.population, prefix, self.model.layers - 1)
        logits = self._run_population(tokens, positions, forward_pass, mapping, lasts)
        by_particle = logits.view(self.population, len(requests), -1)
        edges = pairwise(accumulate((count for _, count in caches), initial=0))
        return [
            (cache, by_particle[:, first:last].flatten(0, 1))
            for (cache, _), (first, last) in zip(caches, edges, strict=True)
        ]

    def decode(self, caches: Sequence[KVCache], tokens: Sequence[int], prefix: SharedPrefix | None) -> torch.Tensor:
        """Read the next token of every sequence, cache after cache; return the logits [sequences, vocabulary]."""
        owners = np.concatenate([self._sequence_owners(cache) for cache in caches])
        prefix = _uncopied(prefix)
        before = prefix.length if prefix else 0
        positions = np.concatenate([before + cache.lengths for cache in caches])
        mapping = LoraMapping.of(owners, self.loras.size, self.model.device)
        logits = self._run(tokens, positions.tolist(), DecodeStep(caches, mapping, prefix), mapping)
        for cache in caches:
            cache.advance()
        return logits

    def prefill_continuations(
        self, cache: KVCache, texts: Sequence[tuple[int, tuple[int, ...]]], prefix: SharedPrefix | None
    ) -> torch.Tensor:
        """Read `texts`, each after its prompt; return the logits [particles, tokens, vocabulary].

        Args:
            cache: keys and values of the prompts.
            texts: index of a prompt in `cache`, tokens.
            prefix: what all prompts begin with.

        """
        ends = list(accumulate((len(tokens) for _, tokens in texts), initial=0))
        segments = [
            Segment(start, stop, cache, index) for (start, stop), (index, _) in zip(pairwise(ends), texts, strict=True)
        ]
        prefix = _uncopied(prefix)
        before = prefix.length if prefix else 0
        starts = [before + int(cache.lengths[index]) for index, _ in texts]
        positions = [
            start + offset for start, (_, tokens) in zip(starts, texts, strict=True) for offset in range(len(tokens))
        ]
        forward_pass = ContinuationPrefill(segments, self.population, prefix)
        tokens = [token for _, tokens in texts for token in tokens]
        mapping = self._mapping([cache.requests[index] for index, _ in texts], [len(tokens) for _, tokens in texts])
        logits = self._run_population(tokens, positions, forward_pass, mapping, range(len(tokens)))
        return logits.view(self.population, len(tokens), -1)

    def _run_population(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        forward_pass: ForwardPass,
        mapping: LoraMapping,
        logits_of: Sequence[int],
    ) -> torch.Tensor:
        """Read the same tokens with each particle (or each with its owner); `logits_of` are indices of them."""
        size, count = len(tokens), self.population
        indices = [particle * size + token % size for particle in range(count) for token in logits_of]
        return self._run([*tokens] * count, [*positions] * count, forward_pass, mapping, indices)

    def _run(
        self,
        tokens: Sequence[int],
        positions: Sequence[int],
        forward_pass: ForwardPass,
        mapping: LoraMapping,
        logits_of: Sequence[int] | None = None,
    ) -> torch.Tensor:
        mappings = [mapping] if logits_of is None else [mapping, mapping.select(logits_of)]
        with self.modules.activate(self.loras, mappings):
            return self.model.forward(tokens, positions, forward_pass, logits_of)

    def _mapping(self, requests: Sequence[int], lengths: Sequence[int]) -> LoraMapping:
        """Return whose the tokens of `requests` are, all requests of a particle one after another."""
        if self.owners is None:
            return LoraMapping.even(self.population, self.population * sum(lengths))
        owners = np.repeat(self.owners[np.asarray(requests)], lengths)
        return LoraMapping.of(owners, self.loras.size, self.model.device)

    def _sequence_owners(self, cache: KVCache) -> NDArray[np.intp]:
        """Return the particle of each sequence."""
        return cache.particles if self.owners is None else self.owners[cache.requests]

    def _cache(self, requests: Sequence[PrefillRequest], copied: int) -> tuple[KVCache, int]:
        """Return an empty cache for `requests`, and their number."""
        lengths = [copied + len(request.tokens) for request in requests]
        further = max(request.further for request in requests)
        return KVCache(self.population, [request.index for request in requests], lengths, further), len(requests)


def _uncopied(prefix: SharedPrefix | None) -> SharedPrefix | None:
    """Return the prefix that sequences see beside their cache: None if they hold copies of it."""
    return None if prefix is None or prefix.copied else prefix
