"""What adapters cost: a population of 8 against the bare base model on the same rows."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench.evaluation.parts.children import in_child, processor_seconds
from bench.evaluation.parts.figures import Figure, at_most
from bench.evaluation.parts.speed import completions
from bench.evaluation.parts.workloads import Workload, World
from experts.basis import Basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import open_engine
from swarm.recipes import Recipe

PARTICLES = 8
SHRUNK = 1e-3
"""Coefficients are multiplied by it: the adapters are computed in full, but change no answer, so that both sides do the
same work (a bare model that ends its texts elsewhere would do other work)."""


def figures(loads: Sequence[Workload], folder: Path, rounds: int) -> list[Figure]:
    """Return one figure a workload, on a quarter of its rows."""
    return [_figure(load, *in_child(seconds, load, folder, rounds)) for load in loads]


def seconds(load: Workload, folder: Path, rounds: int) -> tuple[list[float], list[float], list[int]]:
    """Return the seconds of the bare model and of the population in each round, and the new tokens of both."""
    world = World(replace(load, particles=PARTICLES, rows=max(2, load.rows // 4)), folder)
    recipes = [replace(r, coefficients=tuple(SHRUNK * c for c in r.coefficients)) for r in world.population]
    bare = Basis(world.basis.ids, world.basis.names, world.basis.ranks, {})
    config = EngineConfig(device="cpu", threads=1, workers=1, group_size=PARTICLES)
    engines = [open_engine(config, world.base, basis) for basis in (bare, world.basis)]
    new = [_tokens(engine, recipes, world) for engine in engines]
    times: list[list[float]] = [[], []]
    for _ in range(rounds):
        for engine, taken in zip(engines, times, strict=True):
            taken.append(processor_seconds(lambda e=engine: e.run(recipes, [world.requests] * len(recipes)))[1])  # type: ignore[misc]
    return times[0], times[1], new


def _tokens(engine: Engine, recipes: Sequence[Recipe], world: World) -> int:
    return sum(
        answer.tokens for row in engine.run(recipes, [world.requests] * len(recipes)) for answer in completions(row)
    )


def _figure(load: Workload, bare: list[float], adapted: list[float], new: list[int]) -> Figure:
    ratio = median(a / b for a, b in zip(adapted, bare, strict=True))
    detail = (
        f"{PARTICLES} × {max(2, load.rows // 4)} rows: {median(adapted):.1f} s against {median(bare):.1f} s; "
        f"new tokens {new[1]} against {new[0]}"
    )
    return at_most(
        "multi-lora", f"{load.name}: population of {PARTICLES} against the bare model", ratio, "×", 1.25, detail
    )
