"""Greedy decoding of one batch: rows that are finished leave it, and it ends with the last."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from data.requests import Completion, Generate
from infra.engines.batching import survivors
from infra.engines.resident import ResidentModel, check_finite
from infra.engines.stacks import AdaptedModules, Stack
from infra.engines.tokens import Prompt, Tokens


class GreedyBatch:
    """Continues `prompts` (R rows) with each particle of `stack` (P): P × R cells."""

    def __init__(self, resident: ResidentModel, adapted: AdaptedModules, stack: Stack, prompts: Sequence[Prompt]):
        """Nothing is computed before `run`."""
        self._resident, self._adapted, self._stack, self._prompts = resident, adapted, stack, prompts
        self._tokens = Tokens(resident.tokenizer, None)
        self._ends = resident.ends
        self._generated: list[list[list[int]]] = [[[] for _ in prompts] for _ in range(stack.size)]
        self._particles: NDArray[np.intp] = np.arange(stack.size)
        self._rows: NDArray[np.intp] = np.tile(np.arange(len(prompts)), (stack.size, 1))
        self._alive: NDArray[np.bool_] = np.ones(self._rows.shape, dtype=np.bool_)

    @torch.inference_mode()
    def run(self) -> list[list[Completion]]:
        """Return the completions [P][R].

        Raises:
            EvaluationError: the logits of a cell are not finite.

        """
        most = max(prompt.request.max_new_tokens for prompt in self._prompts)
        rows = [prompt.tokens for prompt in self._prompts]
        with self._adapted.active(self._stack):
            logits, cells = self._resident.begin(rows, self._stack.size, most)
        while True:
            picked = _best_tokens(logits)
            alive = self._append(picked.tolist())
            if not alive.any():
                return [self._completions(rows) for rows in self._generated]
            if (kept := survivors(alive)) is not None:
                index = self._keep(*kept)
                picked, cells = picked[index], cells.select(index)
            with self._adapted.active(self._stack):
                logits, cells = self._resident.extend(picked[:, None], cells, last_only=True)
                logits = logits[:, -1]

    def _append(self, picked: list[int]) -> NDArray[np.bool_]:
        """Give each unfinished cell its token; return which cells [P', R'] are unfinished then."""
        tokens = np.reshape(picked, self._rows.shape)
        for place, column in np.argwhere(self._alive):
            row = self._rows[place, column]
            generated = self._generated[self._particles[place]][row]
            generated.append(int(tokens[place, column]))
            self._alive[place, column] = not self._finished(self._prompts[row].request, generated)
        return self._alive

    def _finished(self, request: Generate, generated: list[int]) -> bool:
        if len(generated) >= request.max_new_tokens or generated[-1] in self._ends:
            return True
        return bool(request.stop) and _cut(text := self._tokens.text(generated), request.stop) != text

    def _keep(self, particles: NDArray[np.intp], rows: NDArray[np.intp]) -> torch.Tensor:
        """Shrink the batch to a rectangle; return the indices of the cells that stay."""
        device = self._resident.device
        index = (particles[:, None] * self._rows.shape[1] + rows).reshape(-1)
        if len(particles) < len(self._particles):
            self._stack = self._stack.select(torch.from_numpy(particles).to(device))
        self._rows = np.take_along_axis(self._rows[particles], rows, axis=1)
        self._alive = np.take_along_axis(self._alive[particles], rows, axis=1)
        self._particles = self._particles[particles]
        return torch.from_numpy(index).to(device)

    def _completions(self, generated: list[list[int]]) -> list[Completion]:
        return [
            Completion(_cut(self._tokens.text(tokens), prompt.request.stop), len(tokens))
            for tokens, prompt in zip(generated, self._prompts, strict=True)
        ]


def _best_tokens(logits: torch.Tensor) -> torch.Tensor:
    values, tokens = logits.max(dim=-1)
    check_finite(values)
    return tokens


def _cut(text: str, stops: Sequence[str]) -> str:
    return text[: min((place for stop in stops if (place := text.find(stop)) >= 0), default=len(text))]
