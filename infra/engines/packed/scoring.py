"""Log-likelihoods of continuations in one batch: a prompt is read once, whatever the number of continuations."""

from collections.abc import Callable, Sequence

import torch

from data.requests import LogLikelihoods
from infra.engines.packed.decode_loop import BatchLimits
from infra.engines.packed.kv_cache import KVCache, SharedPrefix
from infra.engines.packed.model_runner import ModelRunner, PrefillRequest
from infra.engines.packed.resident_model import check_finite
from infra.engines.packed.scheduler import prefill_chunks
from infra.engines.tokens import Choices

_LOGITS_AT_ONCE = 512
"""Tokens of continuations read at once: each has logits over the whole vocabulary."""

LogProbabilities = list[list[list[list[float]]]]
"""[particle][request][continuation][token]."""


@torch.inference_mode()
def score(
    runner: ModelRunner,
    requests: Sequence[Choices],
    prefix_tokens: Sequence[int],
    limits: BatchLimits,
    report: Callable[[int], None],
) -> list[list[LogLikelihoods]]:
    """Return the log-likelihoods [P][R] of each request's continuations with each particle of `runner`.

    Every request's prefix begins with `prefix_tokens`. After each chunk `report` is called with the number of sequences
    (a request read by a particle) that it finished; what it raises ends the batch.

    Raises:
        EvaluationError: the logits of a sequence are not finite.

    """
    prefix = runner.prefill_prefix(prefix_tokens)
    values: LogProbabilities = [
        [[[] for _ in request.suffixes] for request in requests] for _ in range(runner.population)
    ]
    shared = len(prefix_tokens)
    lengths = [len(request.prefix) - shared for request in requests]
    for chunk in prefill_chunks(lengths, runner.population, limits.token_budget):
        prompts = [
            PrefillRequest(index, requests[index].prefix[shared:], max(map(len, requests[index].suffixes)) - 1)
            for index in chunk
        ]
        for cache, logits in runner.prefill(prompts, prefix):
            _score_first(cache, logits, requests, values)
            _score_others(runner, cache, requests, prefix, values)
        report(runner.population * len(prompts))
    return [
        [_sums(request, of_request) for request, of_request in zip(requests, of_particle, strict=True)]
        for of_particle in values
    ]


def _score_first(cache: KVCache, logits: torch.Tensor, requests: Sequence[Choices], values: LogProbabilities) -> None:
    """Score the first token of every continuation of the requests in `cache`, whose last logits these are."""
    sequences = list(zip(cache.particles, cache.requests, strict=True))
    firsts = [
        (sequence, suffix[0])
        for sequence, (_, request) in enumerate(sequences)
        for suffix in requests[request].suffixes
    ]
    scores = iter(_log_probabilities(logits, *zip(*firsts, strict=True)))
    for particle, request in sequences:
        for of_continuation in values[particle][request]:
            of_continuation.append(next(scores))


def _score_others(
    runner: ModelRunner,
    cache: KVCache,
    requests: Sequence[Choices],
    prefix: SharedPrefix | None,
    values: LogProbabilities,
) -> None:
    """Score the other tokens of the continuations, reading them after their prompts."""
    in_cache = list(cache.requests[: len(cache) // runner.population])
    texts = [
        (index, request, choice, suffix)
        for index, request in enumerate(in_cache)
        for choice, suffix in enumerate(requests[request].suffixes)
        if len(suffix) > 1
    ]
    for run in prefill_chunks([len(suffix) - 1 for *_, suffix in texts], runner.population, _LOGITS_AT_ONCE):
        chunk = texts[run.start : run.stop]
        logits = runner.prefill_continuations(cache, [(index, suffix[:-1]) for index, *_, suffix in chunk], prefix)
        following = [token for *_, suffix in chunk for token in suffix[1:]]
        for particle, of_particle in enumerate(logits):
            scores = iter(_log_probabilities(of_particle, range(len(following)), following))
            for _, request, choice, suffix in chunk:
                values[particle][request][choice] += [next(scores) for _ in suffix[1:]]


def _log_probabilities(logits: torch.Tensor, indices: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Return log p of `tokens[i]` at `logits[indices[i]]`, computed in float32."""
    logits = logits.float()
    totals = logits.logsumexp(dim=-1)
    check_finite(totals)
    index = torch.as_tensor(indices, device=logits.device)
    values: list[float] = (logits[index, torch.as_tensor(tokens, device=logits.device)] - totals[index]).tolist()
    return values


def _sums(request: Choices, values: Sequence[Sequence[float]]) -> LogLikelihoods:
    """Sum each continuation's scored tokens, its last ones, in float64."""
    sums = (sum(tokens[len(tokens) - scored :]) for tokens, scored in zip(values, request.scored, strict=True))
    return LogLikelihoods(tuple(sums), request.scored)
