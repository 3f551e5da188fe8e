"""A population's evaluation on a GPU, against `generate` of transformers with PEFT and against the bare model.

python -m bench.gpu.population [--device cuda|cpu] [--shapes 1B,3B,7B] [--minutes 8] [--json FILE] [--quick]

Random weights of published shapes, made on the device: needs a checkout, torch, transformers, peft and pydantic, and no
network; the project need not be installed.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
import typer

from bench.evaluation.parts.arithmetic import Shapes
from bench.gpu.table import Ours, Peft, Row, row, table
from bench.gpu.ways import PeftWay, Timed, engine, gemm_rate, new_tokens, timed, without_adapters
from bench.gpu.world import LOADS, SHAPES, SMALL_LOADS, TINY, Load, Shape, population, random_basis
from bench.machine import Quick, describe
from experts.basis import Basis
from infra.engines.config import EngineConfig
from swarm.errors import EvaluationError
from swarm.recipes import Space

POPULATIONS = (8, 32)
GEMM_SIZES = {"cuda": 8192, "cpu": 2048}
SHARES = {"1B": 0.2, "3B": 0.33, "7B": 0.47, "tiny": 1.0}
"""Of the minutes, what each shape may take: what does not fit is left out and said so."""


@dataclass(frozen=True)
class Plan:
    """What is measured, on what, and for how long.

    Attributes:
        device: a CPU, or a GPU.
        dtype: of weights and adapters.
        populations: their sizes.
        loads: the rows.
        rounds: at most so many of each measurement.
        patience: seconds after which a measurement is not repeated.

    """

    device: torch.device
    dtype: torch.dtype
    populations: tuple[int, ...]
    loads: tuple[Load, ...]
    rounds: int
    patience: float

    @property
    def config(self) -> EngineConfig:
        """The engine's configuration: what a user would get by default on this device."""
        return EngineConfig(device=str(self.device), dtype=str(self.dtype).removeprefix("torch."))

    def timed(self, what: str, action: Callable[[], object], end: float) -> Timed | None:
        """Measure `action` and say so; None where the time is over or the engine fails (for want of memory)."""
        if time.monotonic() > end:
            note(f"{what}: not measured, the time is over")
            return None
        try:
            done = timed(action, self.device, self.rounds, self.patience)
        except EvaluationError as error:
            note(f"{what}: {error}")
            return None
        note(f"{what}: {median(done.seconds):.2f} s")
        return done


def note(text: str) -> None:
    """Say on standard error what was just measured."""
    sys.stderr.write(f"{text}\n")


def measure_ours(shape: Shape, basis: Basis, plan: Plan, folder: Path, spaces: tuple[Space, ...], end: float) -> Ours:
    """Measure the engine on each load, population and space, as long as there is time."""
    found: Ours = {}
    with engine(shape, folder, basis, plan.config, plan.dtype) as opened:
        new_tokens(opened, population(basis.ids, 2, spaces[0]), plan.loads[0].requests()[:2])
        for size, load, space in product(plan.populations, plan.loads, spaces):
            what = f"{load.name}, population {size}, {space if basis.modules else 'bare'}"
            action = partial(new_tokens, opened, population(basis.ids, size, space), load.requests())
            if (done := plan.timed(what, action, end)) is not None:
                found[load.name, size, str(space)] = done
    return found


def measure_peft(shape: Shape, basis: Basis, plan: Plan, folder: Path, end: float) -> Peft:
    """Measure PEFT on one adapter of each load: others take as long, one after another."""
    found: Peft = {}
    [recipe] = population(basis.ids, 1, Space.FACTORS)
    way = PeftWay(shape, folder, basis, plan.device, plan.dtype)
    for load in plan.loads:
        requests = load.requests()
        batch = way.best_batch(recipe, requests)
        action = partial(way.evaluate, recipe, requests, batch)
        if (done := plan.timed(f"{load.name}, one adapter with PEFT, batches of {batch}", action, end)) is not None:
            found[load.name] = batch, done
    return found


def measure(name: str, shape: Shape, plan: Plan, seconds: float, rate: float) -> list[Row]:
    """Measure one shape within so many seconds, and return its rows."""
    note(f"model {name}")
    start = time.monotonic()
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        basis = random_basis(shape, plan.device)
        ours = measure_ours(shape, basis, plan, folder, tuple(Space), start + 0.65 * seconds)
        _give_back(plan.device)
        first = replace(plan, populations=plan.populations[:1])
        bare = measure_ours(shape, without_adapters(basis), first, folder, (Space.FACTORS,), start + 0.8 * seconds)
        _give_back(plan.device)
        peft = measure_peft(shape, basis, plan, folder, start + seconds)
        shapes = Shapes.of(folder, basis)
    _give_back(plan.device)
    loads = {load.name: load for load in plan.loads}
    return [row(name, loads[key[0]], key, done, bare, peft, shapes, rate) for key, done in ours.items()]


def _give_back(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def _title(device: torch.device, dtype: torch.dtype, rate: float) -> str:
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    return f"{name}, {str(dtype).removeprefix('torch.')} GEMM {rate / 1e12:.3g} TFLOP/s; {describe(1)}"


def main(
    device: Annotated[str, typer.Option(help="cuda, cuda:N or cpu.")] = "cuda",
    shapes: Annotated[str, typer.Option(help="Which models, of 1B, 3B and 7B.")] = "1B,3B,7B",
    minutes: Annotated[float, typer.Option(min=0.1, help="What takes longer is left out.")] = 8,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the rows there too.")] = None,
    quick: Quick = False,
) -> None:
    """Measure, and print the table."""
    where = torch.device(f"{device}:0" if device == "cuda" else device)
    if where.type == "cuda" and not torch.cuda.is_available():
        raise typer.BadParameter("PyTorch sees no GPU here: --device cpu --quick shows that the script runs")
    if unknown := set(shapes.split(",")) - set(SHAPES):
        raise typer.BadParameter(f"--shapes: {sorted(unknown)[0]!r} is none of {', '.join(SHAPES)}")
    dtype = torch.float32 if where.type == "cpu" else torch.bfloat16
    if quick:
        plan, models = Plan(where, dtype, (2, 3), SMALL_LOADS, 1, 1), TINY
    else:
        plan, models = Plan(where, dtype, POPULATIONS, LOADS, 3, 5), {name: SHAPES[name] for name in shapes.split(",")}
    rate = gemm_rate(where, dtype, 256 if quick else GEMM_SIZES[where.type])
    second = (60 * minutes - 20) / sum(SHARES[name] for name in models)
    measured = [measure(name, shape, plan, second * SHARES[name], rate) for name, shape in models.items()]
    rows, title = [found for of_shape in measured for found in of_shape], _title(where, dtype, rate)
    print(table(rows, title))
    if json_file is not None:
        json_file.write_text(json.dumps({"machine": title, "rows": [asdict(found) for found in rows]}, indent=1))


if __name__ == "__main__":
    typer.run(main)
