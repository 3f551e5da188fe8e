"""Greedy decoding of one batch: prompts are prefilled in chunks, all sequences decode together, finished ones leave."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from data.requests import Completion
from infra.engines.packed.kv_cache import KVCache
from infra.engines.packed.model_runner import ModelRunner, PrefillRequest
from infra.engines.packed.resident_model import check_finite
from infra.engines.packed.scheduler import prefill_chunks
from infra.engines.tokens import Prompt, Tokens

_WORTHWHILE = 0.9
"""A cache frees finished sequences when at most this share of it goes on: copying the rest costs about one step."""


@dataclass(frozen=True)
class BatchLimits:
    """How much a batch does at a time: tokens of one forward pass, and tokens whose keys and values are kept."""

    token_budget: int
    cache_tokens: int


@dataclass
class _RunningSequences:
    """Sequences of one cache, each one's next token, and which of them are unfinished."""

    cache: KVCache
    tokens: NDArray[np.int64]
    unfinished: NDArray[np.bool_]


class DecodeLoop:
    """Continues `prompts` (R requests, longest first) with each particle of `runner` (P): P × R sequences."""

    def __init__(
        self,
        runner: ModelRunner,
        prompts: Sequence[Prompt],
        prefix: Sequence[int],
        limits: BatchLimits,
        report: Callable[[int], None],
    ):
        """Compute nothing before `run`; every prompt begins with the tokens of `prefix`.

        After each pass `report` is called with the number of sequences that it finished; what it raises ends the batch.
        """
        self._runner, self._prompts, self._prefix_tokens, self._limits = runner, prompts, prefix, limits
        self._report = report
        self._texts = Tokens(runner.model.tokenizer, None)
        self._end_tokens = runner.model.end_tokens
        self._generated: list[list[list[int]]] = [[[] for _ in prompts] for _ in range(runner.population)]
        self._running: list[_RunningSequences] = []

    @torch.inference_mode()
    def run(self) -> list[list[Completion]]:
        """Return the completions [P][R].

        Raises:
            EvaluationError: the logits of a sequence are not finite.

        """
        self._prefix = self._runner.prefill_prefix(self._prefix_tokens)
        waiting = deque(self._chunks())
        while waiting or self._running:
            while waiting and self._fits(waiting[0]):
                self._prefill(waiting.popleft())
            if self._running:
                self._decode()
        return [self._completions(generated) for generated in self._generated]

    def _chunks(self) -> list[list[PrefillRequest]]:
        shared = len(self._prefix_tokens)
        requests = [
            PrefillRequest(index, prompt.tokens[shared:], prompt.request.max_new_tokens - 1)
            for index, prompt in enumerate(self._prompts)
        ]
        lengths = [len(request.tokens) for request in requests]
        chunks = prefill_chunks(lengths, self._runner.population, self._limits.token_budget)
        return [requests[chunk.start : chunk.stop] for chunk in chunks]

    def _fits(self, requests: Sequence[PrefillRequest]) -> bool:
        used = sum(len(running.cache) * running.cache.capacity for running in self._running)
        used += self._runner.population * len(self._prefix_tokens)
        copied = self._prefix.copied if self._prefix else 0
        more = self._runner.population * sum(copied + len(request.tokens) + request.further for request in requests)
        return not self._running or used + more <= self._limits.cache_tokens

    def _prefill(self, requests: Sequence[PrefillRequest]) -> None:
        before = self._unfinished + self._runner.population * len(requests)
        for cache, logits in self._runner.prefill(requests, self._prefix):
            unfinished = np.ones(len(cache), dtype=np.bool_)
            self._running.append(_RunningSequences(cache, _best_tokens(logits), unfinished))
            self._append(self._running[-1])
        self._drop_finished(before)

    def _decode(self) -> None:
        tokens = np.concatenate([running.tokens for running in self._running]).tolist()
        logits = self._runner.decode([running.cache for running in self._running], tokens, self._prefix)
        next_tokens = _best_tokens(logits)
        first, before = 0, self._unfinished
        for running in self._running:
            running.tokens = next_tokens[first : (first := first + len(running.cache))]
            self._append(running)
        self._drop_finished(before)

    @property
    def _unfinished(self) -> int:
        return sum(int(running.unfinished.sum()) for running in self._running)

    def _append(self, running: _RunningSequences) -> None:
        """Give each unfinished sequence its next token."""
        for sequence in np.flatnonzero(running.unfinished):
            request = running.cache.requests[sequence]
            generated = self._generated[running.cache.particles[sequence]][request]
            generated.append(int(running.tokens[sequence]))
            running.unfinished[sequence] = not self._is_finished(self._prompts[request], generated)

    def _is_finished(self, prompt: Prompt, generated: Sequence[int]) -> bool:
        if len(generated) >= prompt.request.max_new_tokens or generated[-1] in self._end_tokens:
            return True
        return self._texts.is_decided(prompt.request, generated)

    def _drop_finished(self, before: int) -> None:
        """Free what no unfinished sequence needs; `before` sequences were unfinished before this pass."""
        self._report(before - self._unfinished)
        self._running = [running for running in self._running if running.unfinished.any()]
        for running in self._running:
            sequences = np.flatnonzero(running.unfinished)
            if len(sequences) <= _WORTHWHILE * len(running.unfinished):
                running.cache.keep(sequences)
                running.tokens, running.unfinished = running.tokens[sequences], running.unfinished[sequences]

    def _completions(self, generated: Sequence[Sequence[int]]) -> list[Completion]:
        return [
            Completion(self._texts.answer(prompt.request, tokens), len(tokens))
            for tokens, prompt in zip(generated, self._prompts, strict=True)
        ]


def _best_tokens(logits: torch.Tensor) -> NDArray[np.int64]:
    values, tokens = logits.max(dim=-1)
    check_finite(values)
    return tokens.cpu().numpy()
