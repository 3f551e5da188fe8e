"""One Model Swarms run over an engine that answers at once; what is left is orchestration. Prints one JSON object.

bench.operating.orchestration starts it in a process of its own:

    python -m bench.operating.noop_run FOLDER [--iterations K] …
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import save_file

import infra.run.open_run
from data.requests import Completion, Request, Response
from infra.engines.base import Progress
from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.searches.model_swarms.config import ModelSwarmsConfig
from infra.settings import Settings
from swarm.recipes import Recipe

PARTICLES, EXPERTS, EXAMPLES, SIZE = 20, 10, 20, 16


class InstantEngine:
    """Answers "yes" or "no" by the bits of the recipe's content hash: every particle has a utility of its own."""

    slots = 1

    @property
    def identity(self) -> str:
        """What the answers depend on."""
        return "instant"

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        """Answer without a model."""
        bits = [int(recipe.key, 16) for recipe in population]
        return [
            [Completion("yes" if b >> i & 1 else "no", 1) for i in range(len(asked))]
            for b, asked in zip(bits, requests, strict=True)
        ]

    def close(self) -> None:
        """Hold nothing, give back nothing."""


class Watch(NullObserver):
    """Notes when the flow's own code begins, and after every iteration the time, processor time and resident memory."""

    def __init__(self) -> None:
        self.entered: float | None = None
        self.ends: list[float] = []
        self.resident: list[int] = []
        self.processor: list[float] = []

    def phase(self, text: str) -> None:
        """Note the first thing that the flow does."""
        self.entered = self.entered or time.perf_counter()

    def iteration(self, view: IterationView) -> None:
        """Note that an iteration is saved."""
        self.ends.append(time.perf_counter())
        self.processor.append(time.process_time())
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        self.resident.append(pages * os.sysconf("SC_PAGE_SIZE"))


class TaskClock:
    """How many task runs there were, and the seconds that their own code took."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}

    @contextmanager
    def counted(self, name: str) -> Iterator[None]:
        """Count the block as one task run of `name`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds.setdefault(name, []).append(time.perf_counter() - start)

    def count(self, module: Any, names: Sequence[str]) -> None:
        """Count every run of the tasks called `names` that `module` uses."""
        for name in names:
            task = getattr(module, name)
            task.fn = self._wrapped(name, task.fn)

    def _wrapped(self, name: str, function: Any) -> Any:
        @wraps(function)
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self.counted(name):
                return function(*args, **kwargs)

        return counted


def write_inputs(folder: Path, iterations: int, group_size: int) -> ModelSwarmsConfig:
    """Write a base model, experts and a data set that hold next to nothing; return a run over them."""
    base = folder / "base"
    base.mkdir()
    save_file({"q.weight": torch.zeros(SIZE, SIZE)}, base / "model.safetensors")
    (base / "config.json").write_text('{"model_type": "llama"}')
    (base / "tokenizer.json").write_text("{}")
    for index in range(EXPERTS):
        _write_expert(folder / f"expert{index}", index)
    cases = {
        split: [{"id": i, "question": f"{split} {i}?", "answer": "yes"} for i in range(EXAMPLES)]
        for split in ("dev", "test")
    }
    (folder / "data.json").write_text(json.dumps({"dataset": "instant", **cases}))
    return ModelSwarmsConfig.model_validate(
        {
            "name": "instant",
            "base_model": str(base),
            "experts": [str(folder / f"expert{index}") for index in range(EXPERTS)],
            "objective": {"tasks": [{"kind": "exact_match", "match": "text", "data": str(folder / "data.json")}]},
            "search": {"particles": PARTICLES, "max_iterations": iterations, "patience": iterations + 1},
            "engine": {"device": "cpu", "group_size": group_size},
        }
    )


def _write_expert(folder: Path, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    factors = {"A": torch.randn(2, SIZE, generator=generator), "B": torch.randn(SIZE, 2, generator=generator)}
    folder.mkdir()
    save_file(
        {f"base_model.model.q.lora_{k}.weight": t for k, t in factors.items()}, folder / "adapter_model.safetensors"
    )
    config = {"peft_type": "LORA", "r": 2, "lora_alpha": 2, "target_modules": ["q"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))


def main(
    folder: Annotated[Path, typer.Argument(help="An empty folder for inputs and records.")],
    iterations: Annotated[int, typer.Option(min=1)] = 20,
    group_size: Annotated[int, typer.Option(min=1)] = 8,
) -> None:
    """Run, and print when what happened."""
    begun = time.perf_counter()
    import flows.model_swarms as flow

    imported = time.perf_counter()
    config = write_inputs(folder, iterations, group_size)
    setattr(infra.run.open_run, "open_engine", lambda *_: InstantEngine())  # noqa: B010 (no public name of that module)
    watch, clock = Watch(), TaskClock()
    tasks = ["initialise_swarm", "merge", "evaluate", "track_best", "check_early_stop", "update_velocity"]
    clock.count(flow, tasks)
    called = time.perf_counter()
    with use_observer(watch):
        flow.model_swarms(config)
    ended = time.perf_counter()
    assert watch.entered is not None
    assert Settings().runs.is_relative_to(folder), "the benchmark must not write into anybody's runs"
    result = {
        "imports": imported - begun,
        "start": watch.entered - called,
        "first": watch.ends[0] - watch.entered,
        "iterations": [b - a for a, b in zip(watch.ends, watch.ends[1:], strict=False)],
        "processor": watch.processor[-1] - watch.processor[0],
        "conclusion": ended - watch.ends[-1],
        "resident": watch.resident,
        "task_code": {name: seconds[1:] for name, seconds in clock.seconds.items()},
        "tasks_per_iteration": 4 + -(-PARTICLES // group_size),
    }
    typer.echo(json.dumps(result))


if __name__ == "__main__":
    typer.run(main)
