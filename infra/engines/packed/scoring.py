"""Log-likelihoods of continuations in one job: a prompt is read once, whatever the number of continuations."""

from collections.abc import Callable, Sequence

import torch

from data.requests import LogLikelihoods
from infra.engines.packed.cache import Bucket, Prefix
from infra.engines.packed.decoding import Limits
from infra.engines.packed.packing import chunks
from infra.engines.packed.reading import Reader, Row
from infra.engines.packed.resident import check_finite
from infra.engines.tokens import Choices

_LOGITS_AT_ONCE = 512
"""Tokens of continuations read at once: each has logits over the whole vocabulary."""

Values = list[list[list[list[float]]]]
"""[particle][row][continuation][token]: log-probabilities."""


@torch.inference_mode()
def score(
    reader: Reader, rows: Sequence[Choices], opening: Sequence[int], limits: Limits, report: Callable[[int], None]
) -> list[list[LogLikelihoods]]:
    """Return the log-likelihoods [P][R] of each row's continuations with each particle of `reader`.

    Every row's prefix begins with the tokens of `opening`. After each chunk `report` is called with the number of cells
    (a particle and a row) that it finished; what it raises ends the job.

    Raises:
        EvaluationError: the logits of a cell are not finite.

    """
    prefix = reader.prefix(opening)
    values: Values = [[[[] for _ in row.suffixes] for row in rows] for _ in range(reader.population)]
    lengths = [len(row.prefix) - len(opening) for row in rows]
    for chunk in chunks(lengths, reader.population, limits.token_budget):
        wanted = [Row(i, rows[i].prefix[len(opening) :], max(map(len, rows[i].suffixes)) - 1) for i in chunk]
        for bucket, logits in reader.rows(wanted, prefix):
            _score_first(bucket, logits, rows, values)
            _score_others(reader, bucket, rows, prefix, values)
        report(reader.population * len(wanted))
    return [[_sums(row, found) for row, found in zip(rows, of_particle, strict=True)] for of_particle in values]


def _score_first(bucket: Bucket, logits: torch.Tensor, rows: Sequence[Choices], values: Values) -> None:
    """Score the first token of every continuation of the rows in `bucket`, whose last logits these are."""
    cells = list(zip(bucket.particles, bucket.rows, strict=True))
    wanted = [(cell, suffix[0]) for cell, (_, row) in enumerate(cells) for suffix in rows[row].suffixes]
    scored = iter(_log_probabilities(logits, *zip(*wanted, strict=True)))
    for particle, row in cells:
        for found in values[particle][row]:
            found.append(next(scored))


def _score_others(
    reader: Reader, bucket: Bucket, rows: Sequence[Choices], prefix: Prefix | None, values: Values
) -> None:
    """Score the other tokens of the continuations, reading them after their rows."""
    here = list(bucket.rows[: len(bucket) // reader.population])
    texts = [
        (place, row, choice, suffix)
        for place, row in enumerate(here)
        for choice, suffix in enumerate(rows[row].suffixes)
        if len(suffix) > 1
    ]
    for part in chunks([len(suffix) - 1 for *_, suffix in texts], reader.population, _LOGITS_AT_ONCE):
        together = texts[part.start : part.stop]
        logits = reader.continuations(bucket, [(place, suffix[:-1]) for place, *_, suffix in together], prefix)
        following = [token for *_, suffix in together for token in suffix[1:]]
        for particle, of_particle in enumerate(logits):
            scored = iter(_log_probabilities(of_particle, range(len(following)), following))
            for _, row, choice, suffix in together:
                values[particle][row][choice] += [next(scored) for _ in suffix[1:]]


def _log_probabilities(logits: torch.Tensor, places: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Return log p of `tokens[i]` at `logits[places[i]]`, computed in float32."""
    logits = logits.float()
    totals = logits.logsumexp(dim=-1)
    check_finite(totals)
    index = torch.as_tensor(places, device=logits.device)
    values: list[float] = (logits[index, torch.as_tensor(tokens, device=logits.device)] - totals[index]).tolist()
    return values


def _sums(row: Choices, values: Sequence[Sequence[float]]) -> LogLikelihoods:
    """Sum each continuation's scored tokens, its last ones, in float64."""
    sums = (sum(found[len(found) - scored :]) for found, scored in zip(values, row.scored, strict=True))
    return LogLikelihoods(tuple(sums), row.scored)
