"""Log-likelihoods of continuations in one batch: the prompt is read once, whatever the number of continuations."""

from collections.abc import Sequence

import torch

from data.requests import LogLikelihoods
from infra.engines.resident import ResidentModel, check_finite
from infra.engines.stacks import AdaptedModules, Stack
from infra.engines.tokens import Choices


@torch.inference_mode()
def score(
    resident: ResidentModel, adapted: AdaptedModules, stack: Stack, rows: Sequence[Choices]
) -> list[list[LogLikelihoods]]:
    """Return the log-likelihoods [P][R] of each row's continuations with each particle of `stack`.

    Raises:
        EvaluationError: the logits of a cell are not finite.

    """
    longest = max(len(suffix) for row in rows for suffix in row.suffixes)
    parents = [index for index, row in enumerate(rows) for _ in row.suffixes]
    suffixes = [suffix for row in rows for suffix in row.suffixes]
    ids = torch.tensor([[*suffix, *[0] * (longest - len(suffix))] for suffix in suffixes], device=resident.device)
    ids = ids.repeat(stack.size, 1)
    with adapted.active(stack):
        first, cells = resident.begin([row.prefix for row in rows], stack.size, longest - 1)
        index = torch.tensor([p * len(rows) + parent for p in range(stack.size) for parent in parents])
        index = index.to(resident.device)
        values = [_log_probabilities(first, index, ids[:, 0])]
        if longest > 1:
            logits, _ = resident.extend(ids[:, :-1], cells.select(index), last_only=False)
            values += [_log_probabilities(logits[:, i], None, ids[:, i + 1]) for i in range(longest - 1)]
    return _sums(torch.stack(values, dim=1), rows, stack.size)


def _log_probabilities(logits: torch.Tensor, index: torch.Tensor | None, tokens: torch.Tensor) -> torch.Tensor:
    """Return log p of each cell's token [cells] float32; `index` says which row of `logits` is a cell's."""
    logits = logits.float()
    totals = logits.logsumexp(dim=-1)
    check_finite(totals)
    if index is None:
        index = torch.arange(len(logits), device=logits.device)
    return logits[index, tokens] - totals[index]


def _sums(values: torch.Tensor, rows: Sequence[Choices], population: int) -> list[list[LogLikelihoods]]:
    """Sum each cell's scored tokens of `values` [cells, longest] in float64."""
    cells = iter(values.double().cpu())
    return [[_row(row, [next(cells) for _ in row.suffixes]) for row in rows] for _ in range(population)]


def _row(row: Choices, cells: Sequence[torch.Tensor]) -> LogLikelihoods:
    ends = [len(suffix) for suffix in row.suffixes]
    values = (float(cell[end - n : end].sum()) for cell, end, n in zip(cells, ends, row.scored, strict=True))
    return LogLikelihoods(tuple(values), row.scored)
