"""The ways that bench.gpu.population compares: this project's engine, and `generate` of transformers with PEFT."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoTokenizer

from bench.gpu.world import RANK, Shape, random_model, random_weights, write_base
from data.requests import Completion, Generate
from experts.basis import Basis
from experts.materialise import materialise
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.local import open_local
from swarm.recipes import Recipe


@dataclass(frozen=True)
class Timed:
    """What `timed` measured.

    Attributes:
        seconds: one a round.
        peak: most bytes that PyTorch had allocated on the GPU; 0 on a CPU.
        result: of the last round.

    """

    seconds: list[float]
    peak: int
    result: Any


def timed(action: Callable[[], Any], device: torch.device, most: int, patience: float) -> Timed:
    """Do `action` until it was done `most` times or took `patience` seconds, whichever comes first; at least once."""
    seconds: list[float] = []
    peak, result = 0, None
    while not seconds or (len(seconds) < most and sum(seconds) < patience):
        _synchronise(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        start = time.perf_counter()
        result = action()
        _synchronise(device)
        seconds.append(time.perf_counter() - start)
        peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return Timed(seconds, peak, result)


def gemm_rate(device: torch.device, dtype: torch.dtype, size: int) -> float:
    """Return the FLOP/s of a square matrix product, the ceiling of every utilisation here."""
    a, b = (torch.rand(size, size, device=device, dtype=dtype) for _ in range(2))

    def products() -> None:
        for _ in range(10):
            torch.mm(a, b)

    timed(products, device, 1, 0)
    return 10 * 2 * size**3 / min(timed(products, device, 10, 5).seconds)


@contextmanager
def engine(shape: Shape, folder: Path, basis: Basis, config: EngineConfig, dtype: torch.dtype) -> Iterator[Engine]:
    """Open the engine that a search over `basis` would use, over random weights; the GPU is ours alone."""
    base = write_base(shape, folder)
    with random_weights(shape, torch.device(config.device), dtype):
        opened = open_local(config, base, basis)
    try:
        yield opened
    finally:
        opened.close()


def without_adapters(basis: Basis) -> Basis:
    """Return a basis of the same experts that adapts no module: what adapters cost is missing, nothing else."""
    return Basis(basis.ids, basis.names, basis.ranks, {})


def new_tokens(engine: Engine, recipes: Sequence[Recipe], requests: Sequence[Generate]) -> list[list[int]]:
    """Evaluate, and return how many tokens each row [P][R] got."""
    responses = engine.run(recipes, [requests] * len(recipes))
    return [[answer.tokens for answer in row if isinstance(answer, Completion)] for row in responses]


class PeftWay:
    """A resident base model with one PEFT adapter: rows sorted by length, padded on the left, in batches."""

    def __init__(self, shape: Shape, folder: Path, basis: Basis, device: torch.device, dtype: torch.dtype):
        """Make the model; `folder` holds the tokenizer."""
        self._basis, self._device = basis, device
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")
        targets = sorted({module.rpartition(".")[2] for module in basis.modules})
        config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets, task_type="CAUSAL_LM")
        model = random_model(shape, device, dtype)
        self._model: Any = get_peft_model(model, config, autocast_adapter_dtype=False).eval()

    @torch.inference_mode()
    def evaluate(self, recipe: Recipe, requests: Sequence[Generate], batch: int) -> list[list[int]]:
        """Set the particle's factors and return the new tokens of each row, longest prompts first."""
        for module, down, up in materialise(self._basis, [recipe]):
            adapted = self._model.base_model.model.get_submodule(module)
            adapted.lora_A["default"].weight.copy_(down[0])
            adapted.lora_B["default"].weight.copy_(up[0])
        ordered = sorted(requests, key=lambda request: -len(request.prompt))
        parts = [ordered[first : first + batch] for first in range(0, len(ordered), batch)]
        return [tokens for part in parts for tokens in self._generate(part)]

    def best_batch(self, recipe: Recipe, requests: Sequence[Generate]) -> int:
        """Return the faster of two batch sizes: all rows, or half of them."""
        sizes = sorted({max(1, len(requests) // part) for part in (1, 2)})
        self.evaluate(recipe, requests[: sizes[0]], sizes[0])
        seconds = [
            timed(partial(self.evaluate, recipe, requests, size), self._device, 1, 0).seconds[0] for size in sizes
        ]
        return sizes[seconds.index(min(seconds))]

    def _generate(self, requests: Sequence[Generate]) -> list[list[int]]:
        inputs = self._tokenizer([request.prompt for request in requests], return_tensors="pt", padding=True)
        output = self._model.generate(
            input_ids=inputs["input_ids"].to(self._device),
            attention_mask=inputs["attention_mask"].to(self._device),
            max_new_tokens=requests[0].max_new_tokens,
            do_sample=False,
        )
        new: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
        return new


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
