"""The best that `generate` of transformers does without this project: the base model stays, nothing is reloaded.

One PEFT model is loaded once; a particle's factors are copied into its adapter's tensors. Rows are sorted by length, so
that little is padded, on the left and with a mask, in batches of the size that was fastest here.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from bench.evaluation.parts.workloads import World
from data.requests import Generate
from experts.basis import Basis
from experts.export import export_adapter
from experts.materialise import materialise
from swarm.recipes import Recipe

Tokens = list[int]


class ResidentWay:
    """A base model with one PEFT adapter, both in memory."""

    def __init__(self, world: World):
        """Load them."""
        self._basis: Basis = world.basis
        self.tokenizer: Any = AutoTokenizer.from_pretrained(world.base.folder, local_files_only=True)
        self.tokenizer.padding_side, self.tokenizer.pad_token = "left", self.tokenizer.eos_token
        base = AutoModelForCausalLM.from_pretrained(world.base.folder, dtype="float32", local_files_only=True)
        with TemporaryDirectory() as folder:
            export_adapter(world.basis, world.population[0], Path(folder) / "adapter", world.base)
            self._model: Any = PeftModel.from_pretrained(base, Path(folder) / "adapter").eval()

    def evaluate(self, population: Sequence[Recipe], requests: Sequence[Generate], batch: int) -> list[list[Tokens]]:
        """Return the new tokens [P][R] of each row, up to and with the end of its text."""
        answers = []
        for recipe in population:
            self._set(recipe)
            answers.append(self._particle(requests, batch))
        return answers

    def best_batch(self, population: Sequence[Recipe], requests: Sequence[Generate], sizes: Sequence[int]) -> int:
        """Return the fastest of `sizes` for one particle."""
        seconds = {}
        for size in sizes:
            start = time.process_time()
            self.evaluate(population[:1], requests, size)
            seconds[size] = time.process_time() - start
        return min(seconds, key=seconds.__getitem__)

    @torch.no_grad()
    def _set(self, recipe: Recipe) -> None:
        for module, down, up in materialise(self._basis, [recipe]):
            adapted = self._model.base_model.model.get_submodule(module)
            adapted.lora_A["default"].weight.copy_(down[0])
            adapted.lora_B["default"].weight.copy_(up[0])

    def _particle(self, requests: Sequence[Generate], batch: int) -> list[Tokens]:
        lengths = [len(self.tokenizer(request.prompt)["input_ids"]) for request in requests]
        order = sorted(range(len(requests)), key=lambda row: -lengths[row])
        answers: dict[int, Tokens] = {}
        for first in range(0, len(order), batch):
            rows = order[first : first + batch]
            answers |= zip(rows, self._batch([requests[row] for row in rows]), strict=True)
        return [answers[row] for row in range(len(requests))]

    def _batch(self, requests: Sequence[Generate]) -> list[Tokens]:
        inputs = self.tokenizer([request.prompt for request in requests], return_tensors="pt", padding=True)
        output = self._model.generate(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            max_new_tokens=requests[0].max_new_tokens,
            do_sample=False,
        )
        return [self._up_to_end(row) for row in output[:, inputs["input_ids"].shape[1] :].tolist()]

    def _up_to_end(self, tokens: Tokens) -> Tokens:
        end = self.tokenizer.eos_token_id
        return tokens[: tokens.index(end) + 1] if end in tokens else tokens
