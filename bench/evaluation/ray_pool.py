"""What a Ray pool gains and costs: populations of the demo's experts on one actor and on two, and a call's overhead.

python -m bench.evaluation.ray_pool [--rounds R] [--quick]
"""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Annotated

import torch
import typer
from rich.table import Table

from bench.machine import Quick, console, describe
from data.requests import Generate, Request
from experts.base_models import PACKAGED, BaseModel, resolve_base_model
from experts.basis import Basis, load_basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig, RayConfig
from infra.engines.kinds import open_engine
from infra.settings import Settings
from swarm.recipes import Recipe, Space

EXPERTS = ("arithmetic", "picking", "sorting")
GROUPS, PARTICLES = 4, 4


def population(basis: Basis, group: int) -> list[Recipe]:
    """Return the particles of one group."""
    rows = [(0.1 * group, 0.2 * particle, 1 - 0.1 * group - 0.2 * particle) for particle in range(PARTICLES)]
    return [Recipe(basis.ids, row, Space.PRODUCT) for row in rows]


def opened(base: BaseModel, basis: Basis, actors: int) -> Engine:
    """Return a pool of so many actors with one core each, whose every actor has answered once."""
    config = EngineConfig(kind="ray", device="cpu", ray=RayConfig(actors=actors))
    engine = open_engine(config, base, basis)
    answer(engine, basis, [Generate("Hello", 1)], actors)
    return engine


def answer(engine: Engine, basis: Basis, requests: list[Request], threads: int) -> tuple[float, object]:
    """Have all groups answered by `threads` calls at a time; return the seconds and the answers."""
    groups = [population(basis, group) for group in range(GROUPS)]
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(lambda group: engine.run(group, [requests] * len(group)), groups))
    return time.perf_counter() - start, answers


def overhead(engine: Engine, basis: Basis, calls: int) -> float:
    """Return the milliseconds of a call without requests: Ray, the pool of actors and nothing to compute."""
    group, seconds = population(basis, 0), []
    for _ in range(calls):
        start = time.perf_counter()
        engine.run(group, [[]] * len(group))
        seconds.append(time.perf_counter() - start)
    return 1000 * median(seconds)


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Times that each population is answered.")] = 3,
    quick: Quick = False,
) -> None:
    """Print seconds a population, their ratio, and a call's overhead; every answer of both pools is compared."""
    base = resolve_base_model(PACKAGED, Settings().cache)
    demo = Path(__file__).parents[2] / "demo" / "experts"
    basis = load_basis([demo / name for name in EXPERTS], base)
    assert isinstance(basis, Basis)
    count, rounds = (4, 1) if quick else (24, rounds)
    requests: list[Request] = [Generate(f"What is {n} plus {3 * n + 7}? The answer is", 8) for n in range(count)]
    console.print(describe(1), soft_wrap=True)
    table = Table("actors", "population, s", "against one actor", "a call's overhead, ms")
    first: tuple[float, object] | None = None
    for actors in (1, 2):
        engine = opened(base, basis, actors)
        try:
            results = [answer(engine, basis, requests, actors) for _ in range(rounds)]
            calls = overhead(engine, basis, 5 if quick else 50)
        finally:
            engine.close()
        seconds, answers = median(each for each, _ in results), results[0][1]
        first = first or (seconds, answers)
        assert answers == first[1], "two actors answer otherwise than one"
        table.add_row(str(actors), f"{seconds:.2f}", f"{first[0] / seconds:.2f}×", f"{calls:.1f}")
    console.print(table)


if __name__ == "__main__":
    torch.set_num_threads(1)
    typer.run(main)
