"""The kinds of forward passes: prefill of shared prefixes, prompts and continuations, and decode steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from infra.engines.packed.attention import (
    QUERY_BLOCK,
    attend,
    attend_in_blocks,
    attend_with_lse,
    causal_mask,
    merge_attention,
)
from infra.engines.packed.kv_cache import KVCache, SharedPrefix
from infra.engines.packed.lora_mapping import LoraMapping

_SHORT = 1024
"""Tokens up to which copying a prefix to each request, and blocks of queries, cost less than they save on a CPU."""


@dataclass(frozen=True)
class Segment:
    """One request's tokens [start, stop) of a pass, the same for every particle.

    Attributes:
        start: the first token.
        stop: the token after the last.
        cache: where the keys and values of the request are kept; None if they are not.
        index: which of the requests in `cache` it is.

    """

    start: int
    stop: int
    cache: KVCache | None
    index: int


class PrefixPrefill:
    """Reads a shared prefix, for every particle, and keeps it."""

    def __init__(self, prefix: SharedPrefix, population: int) -> None:
        self.prefix, self.population = prefix, population

    @property
    def longest_context(self) -> int:
        """The last token's position + 1."""
        return self.prefix.length

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.ForwardPass`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        self.prefix.layers[layer] = k, v
        return attend(q, k, v, scale).transpose(1, 2).flatten(0, 1)


class PromptPrefill:
    """Reads prompts, one after another, for every particle; each token sees its shared prefix and its prompt so far."""

    def __init__(
        self, segments: Sequence[Segment], population: int, prefix: SharedPrefix | None, last_layer: int | None = None
    ) -> None:
        """`last_layer`, if given, is the layer in which only each prompt's last token attends."""
        self.segments, self.population, self.prefix, self.last_layer = segments, population, prefix, last_layer
        self._mask: torch.Tensor | None = None

    @property
    def longest_context(self) -> int:
        """The most tokens that a token sees."""
        before = self.prefix.length if self.prefix else 0
        return before + max(segment.stop - segment.start for segment in self.segments)

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.ForwardPass`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        out = torch.empty_like(query).unflatten(0, (self.population, -1)).transpose(1, 2)
        for segment in self.segments:
            if segment.cache is not None:
                part = slice(segment.start, segment.stop)
                keys, values = k[:, :, part], v[:, :, part]
                if self.prefix and self.prefix.copied:
                    keys, values = self.prefix.prepend(layer, keys, values)
                segment.cache.write(layer, segment.index, keys, values)
        if layer == self.last_layer:
            self._attend_at_the_ends(layer, q, k, v, scale, out.zero_())
        elif query.device.type == "cpu" and self.longest_context <= _SHORT:
            self._attend_in_blocks(layer, q, k, v, scale, out)
        else:
            self._attend_apart(layer, q, k, v, scale, out)
        flat: torch.Tensor = out.transpose(1, 2).flatten(0, 1)
        return flat

    def _attend_at_the_ends(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have only the last token of each prompt see its shared prefix and its prompt."""
        for segment in self.segments:
            part, end = slice(segment.start, segment.stop), slice(segment.stop - 1, segment.stop)
            keys, values = k[:, :, part], v[:, :, part]
            if self.prefix:
                keys, values = self.prefix.prepend(layer, keys, values)
            out[:, :, end] = attend(q[:, :, end], keys, values, scale)

    def _attend_in_blocks(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have each prompt see a copy of its shared prefix and itself at once."""
        if self._mask is None:
            self._mask = causal_mask(max(self.longest_context, QUERY_BLOCK), q)
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            keys, values = k[:, :, part], v[:, :, part]
            if self.prefix:
                keys, values = self.prefix.prepend(layer, keys, values)
            segment_out = out[:, :, part]
            for queries, attention in attend_in_blocks(q[:, :, part], keys, values, scale, self._mask):
                segment_out[:, :, queries] = attention

    def _attend_apart(
        self, layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, scale: float, out: torch.Tensor
    ) -> None:
        """Have all prompts see their shared prefix together, and each itself; then merge the two attentions."""
        of_prefix = attend_with_lse(q, *self.prefix.layers[layer], scale) if self.prefix else None
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            q_part, k_part, v_part = q[:, :, part], k[:, :, part], v[:, :, part]
            if of_prefix is None:
                out[:, :, part] = attend(q_part, k_part, v_part, scale)
            else:
                prefix_part = (of_prefix[0][:, :, part], of_prefix[1][:, :, part])
                own_part = attend_with_lse(q_part, k_part, v_part, scale, causal=True)
                out[:, :, part] = merge_attention([prefix_part, own_part])


class DecodeStep:
    """Reads one more token of every sequence of some caches, cache after cache."""

    def __init__(self, caches: Sequence[KVCache], mapping: LoraMapping, prefix: SharedPrefix | None) -> None:
        self.caches, self.mapping, self.prefix = caches, mapping, prefix
        self._masks: list[torch.Tensor | None] | None = None

    @property
    def longest_context(self) -> int:
        """The most tokens that a token sees."""
        return (self.prefix.length if self.prefix else 0) + max(cache.columns for cache in self.caches) + 1

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.ForwardPass`."""
        if self._masks is None:
            self._masks = [cache.mask(query.device, query.dtype) for cache in self.caches]
        of_prefix = self._attend_to_prefix(layer, query, scale) if self.prefix else None
        out = torch.empty_like(query)
        first = 0
        for cache, mask in zip(self.caches, self._masks, strict=True):
            sequences = slice(first, first := first + len(cache))
            keys, values = cache.append(layer, key[sequences], value[sequences])
            q = query[sequences].unsqueeze(2)
            if of_prefix is None:
                out[sequences] = attend(q, keys, values, scale, mask).squeeze(2)
            else:
                prefix_part = (of_prefix[0][sequences].unsqueeze(2), of_prefix[1][sequences].unsqueeze(2))
                own_part = attend_with_lse(q, keys, values, scale, mask=mask)
                out[sequences] = merge_attention([prefix_part, own_part]).squeeze(2)
        return out

    def _attend_to_prefix(self, layer: int, query: torch.Tensor, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Attend to the prefix, particle by particle: [sequences, heads, size] and [sequences, heads]."""
        assert self.prefix is not None
        q = self.mapping.split(query).transpose(1, 2)
        out, lse = attend_with_lse(q, *self.prefix.layers[layer], scale)
        return self.mapping.join(out.transpose(1, 2)), self.mapping.join(lse.transpose(1, 2))


class ContinuationPrefill:
    """Reads, for every particle, continuations of prompts that are kept in a cache.

    Each token sees the shared prefix, the prompt and its continuation so far. `segments` are the continuations; those
    of one prompt follow each other.
    """

    def __init__(self, segments: Sequence[Segment], population: int, prefix: SharedPrefix | None) -> None:
        self.segments, self.population, self.prefix = segments, population, prefix

    @property
    def longest_context(self) -> int:
        """The most tokens that a token sees."""
        before = self.prefix.length if self.prefix else 0
        return before + max(s.cache.columns + s.stop - s.start for s in self.segments if s.cache)

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """See `infra.engines.packed.attention.ForwardPass`."""
        q, k, v = (by_particle(states, self.population) for states in (query, key, value))
        out = torch.empty_like(query).unflatten(0, (self.population, -1)).transpose(1, 2)
        for segment in self.segments:
            part = slice(segment.start, segment.stop)
            attentions = [attend_with_lse(q[:, :, part], k[:, :, part], v[:, :, part], scale, causal=True)]
            attentions.append(attend_with_lse(q[:, :, part], *self._prompt(layer, segment), scale))
            if self.prefix:
                attentions.append(attend_with_lse(q[:, :, part], *self.prefix.layers[layer], scale))
            out[:, :, part] = merge_attention(attentions)
        flat: torch.Tensor = out.transpose(1, 2).flatten(0, 1)
        return flat

    def _prompt(self, layer: int, segment: Segment) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the keys and values of the segment's prompt: [population, KV heads, tokens, size]."""
        cache = segment.cache
        assert cache is not None
        columns = slice(cache.columns - int(cache.lengths[segment.index]), cache.columns)
        keys, values = (states.unflatten(0, (self.population, -1))[:, segment.index] for states in cache.layers[layer])
        return keys[:, :, columns], values[:, :, columns]


def by_particle(states: torch.Tensor, population: int) -> torch.Tensor:
    """Return [particles · tokens, heads, size] as [particles, heads, tokens, size]; a view."""
    split: torch.Tensor = states.unflatten(0, (population, -1))
    return split.transpose(1, 2)
