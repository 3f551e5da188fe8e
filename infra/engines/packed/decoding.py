"""Greedy decoding of one job: prompts are read in chunks, all cells go on together, finished ones leave."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from data.requests import Completion
from infra.engines.packed.cache import Bucket
from infra.engines.packed.packing import chunks
from infra.engines.packed.reading import Reader, Row
from infra.engines.packed.resident import check_finite
from infra.engines.tokens import Prompt, Tokens

_WORTHWHILE = 0.9
"""A bucket gives finished cells back when at most this share of it goes on: copying the rest costs about one step."""


@dataclass(frozen=True)
class Limits:
    """How much a job does at a time: tokens of one forward pass, and tokens whose keys and values are kept."""

    token_budget: int
    cache_tokens: int


@dataclass
class _Group:
    """A bucket, each cell's next token, and which cells are unfinished."""

    bucket: Bucket
    tokens: NDArray[np.int64]
    alive: NDArray[np.bool_]


class GreedyJob:
    """Continues `prompts` (R rows, longest first) with each particle of `reader` (P): P × R cells."""

    def __init__(
        self,
        reader: Reader,
        prompts: Sequence[Prompt],
        prefix: Sequence[int],
        limits: Limits,
        report: Callable[[int], None],
    ):
        """Nothing is computed before `run`; every prompt begins with the tokens of `prefix`.

        After each pass `report` is called with the number of cells that it finished; what it raises ends the job.
        """
        self._reader, self._prompts, self._opening, self._limits = reader, prompts, prefix, limits
        self._report = report
        self._texts = Tokens(reader.resident.tokenizer, None)
        self._ends = reader.resident.ends
        self._generated: list[list[list[int]]] = [[[] for _ in prompts] for _ in range(reader.population)]
        self._groups: list[_Group] = []

    @torch.inference_mode()
    def run(self) -> list[list[Completion]]:
        """Return the completions [P][R].

        Raises:
            EvaluationError: the logits of a cell are not finite.

        """
        self._prefix = self._reader.prefix(self._opening)
        waiting = deque(self._chunks())
        while waiting or self._groups:
            while waiting and self._fits(waiting[0]):
                self._begin(waiting.popleft())
            if self._groups:
                self._go_on()
        return [self._completions(generated) for generated in self._generated]

    def _chunks(self) -> list[list[Row]]:
        skipped = len(self._opening)
        rows = [Row(i, p.tokens[skipped:], p.request.max_new_tokens - 1) for i, p in enumerate(self._prompts)]
        lengths = [len(row.tokens) for row in rows]
        cut = chunks(lengths, self._reader.population, self._limits.token_budget)
        return [rows[part.start : part.stop] for part in cut]

    def _fits(self, rows: Sequence[Row]) -> bool:
        used = sum(len(group.bucket) * group.bucket.capacity for group in self._groups)
        used += self._reader.population * len(self._opening)
        copied = self._prefix.copied if self._prefix else 0
        more = self._reader.population * sum(copied + len(row.tokens) + row.further for row in rows)
        return not self._groups or used + more <= self._limits.cache_tokens

    def _begin(self, rows: Sequence[Row]) -> None:
        before = self._unfinished + self._reader.population * len(rows)
        for bucket, logits in self._reader.rows(rows, self._prefix):
            cells = np.ones(len(bucket), dtype=np.bool_)
            self._groups.append(_Group(bucket, _best_tokens(logits), cells))
            self._append(self._groups[-1])
        self._drop_finished(before)

    def _go_on(self) -> None:
        tokens = np.concatenate([group.tokens for group in self._groups]).tolist()
        picked = _best_tokens(self._reader.go_on([group.bucket for group in self._groups], tokens, self._prefix))
        first, before = 0, self._unfinished
        for group in self._groups:
            group.tokens = picked[first : (first := first + len(group.bucket))]
            self._append(group)
        self._drop_finished(before)

    @property
    def _unfinished(self) -> int:
        return sum(int(group.alive.sum()) for group in self._groups)

    def _append(self, group: _Group) -> None:
        """Give each unfinished cell of `group` its token."""
        for cell in np.flatnonzero(group.alive):
            row = group.bucket.rows[cell]
            generated = self._generated[group.bucket.particles[cell]][row]
            generated.append(int(group.tokens[cell]))
            group.alive[cell] = not self._finished(self._prompts[row], generated)

    def _finished(self, prompt: Prompt, generated: Sequence[int]) -> bool:
        if len(generated) >= prompt.request.max_new_tokens or generated[-1] in self._ends:
            return True
        return self._texts.decided(prompt.request, generated)

    def _drop_finished(self, before: int) -> None:
        """Give back what nobody goes on with; `before` cells were unfinished before this pass."""
        self._report(before - self._unfinished)
        self._groups = [group for group in self._groups if group.alive.any()]
        for group in self._groups:
            cells = np.flatnonzero(group.alive)
            if len(cells) <= _WORTHWHILE * len(group.alive):
                group.bucket.keep(cells)
                group.tokens, group.alive = group.tokens[cells], group.alive[cells]

    def _completions(self, generated: Sequence[Sequence[int]]) -> list[Completion]:
        return [
            Completion(self._texts.answer(prompt.request, tokens), len(tokens))
            for tokens, prompt in zip(generated, self._prompts, strict=True)
        ]


def _best_tokens(logits: torch.Tensor) -> NDArray[np.int64]:
    values, tokens = logits.max(dim=-1)
    check_finite(values)
    return tokens.cpu().numpy()
