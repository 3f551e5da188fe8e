"""A pool of two actors, one a node, against one engine in this process."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest
import torch

from data.requests import Generate, LogLikelihood, Request, Response
from experts.base_models import BaseModel, resolve_base_model
from experts.basis import Basis, FullBasis, load_basis
from infra.engines.base import Engine, Progress
from infra.engines.config import EngineConfig, RayConfig
from infra.engines.kinds import open_engine
from swarm.errors import EvaluationError, InputError
from swarm.recipes import BASE, Recipe, Space
from tests.tiny import make_base, make_expert

ALONE = EngineConfig(device="cpu", token_budget=120)
SHORT: list[Request] = [Generate(f"{n} and {n}", 8, ("e",)) for n in range(6)]
SHORT += [LogLikelihood("colour:", (" blue", " green")), LogLikelihood("a", ("b",))]
LONG: list[Request] = [Generate(f"{n} and {n}", 60) for n in range(24)]

Answers = list[list[Response]]


@dataclass(frozen=True)
class World:
    """A base model, experts of it, and the engine that is the reference."""

    base: BaseModel
    basis: Basis | FullBasis
    alone: Engine

    def group(self, number: int, space: Space = Space.PRODUCT) -> list[Recipe]:
        rows = [(0.2 * number, 1 - 0.2 * number, 0.0), (0.1 * number, 0.0, 1 - 0.1 * number)]
        return [Recipe((*self.basis.ids, BASE), row, space) for row in rows]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("pool")
    base = resolve_base_model(str(make_base(folder / "base")), folder)
    experts = [make_expert(folder / name, base.folder, seed) for seed, name in enumerate(("one", "two"))]
    basis = load_basis(experts, base)
    alone = open_engine(ALONE, base, basis)
    yield World(base, basis, alone)
    alone.close()


@pytest.fixture(scope="module")
def pooled(ray_address: str) -> EngineConfig:
    return ALONE.model_copy(update={"kind": "ray", "ray": RayConfig(address=ray_address, actors=2)})


@pytest.fixture(scope="module")
def pool(world: World, pooled: EngineConfig) -> Iterator[Engine]:
    opened = open_engine(pooled, world.base, world.basis)
    yield opened
    opened.close()


@pytest.fixture
def often_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have actors asked for their progress so often that they are seen in the middle of a group."""
    monkeypatch.setattr("infra.engines.ray.actor_pool.POLL", 0.005)


def ask(
    engine: Engine, population: list[Recipe], requests: Sequence[Request], progress: Progress | None = None
) -> Answers:
    return engine.run(population, [requests] * len(population), progress)


def evaluate(engine: Engine, groups: Sequence[list[Recipe]], requests: Sequence[Request]) -> list[Answers]:
    with ThreadPoolExecutor(len(groups)) as threads:
        return list(threads.map(lambda group: ask(engine, group, requests), groups))


def test_groups_answered_at_the_same_time_are_those_of_one_engine(world: World, pool: Engine) -> None:
    assert (pool.slots, pool.identity) == (2, world.alone.identity)
    groups = [world.group(number, space) for number in range(3) for space in Space]
    assert evaluate(pool, groups, SHORT) == [ask(world.alone, group, SHORT) for group in groups]


def test_actors_work_at_the_same_time(world: World, pool: Engine, often_asked: None) -> None:
    both, first = Barrier(2, timeout=60), {1, 2}

    def meet(number: int, done: int, total: int) -> None:
        if done < total and number in first:
            first.remove(number)
            both.wait()

    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(ask, pool, world.group(number), LONG, partial(meet, number)) for number in (1, 2)]
        assert [call.result() for call in calls] == [ask(world.alone, world.group(number), LONG) for number in (1, 2)]
    assert not first


def test_progress_grows_to_all_rows(world: World, pool: Engine, often_asked: None) -> None:
    seen: list[tuple[int, int]] = []
    ask(pool, world.group(1), LONG, lambda done, total: seen.append((done, total)))
    assert len(seen) > 1
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (48, 48)


def test_an_actor_killed_in_the_middle_of_a_group_changes_no_answer(
    world: World, pool: Engine, often_asked: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="infra.engines.ray.pool")
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if not killed and done < total:
            killed.append(at_work(caplog))
            os.kill(killed[0], signal.SIGKILL)

    assert ask(pool, world.group(3), LONG, kill) == ask(world.alone, world.group(3), LONG)
    (lost,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert lost.startswith(f"engine ray: lost the actor in process {killed[0]} of node ")
    assert at_work(caplog) != killed[0]


def test_a_group_that_loses_every_actor_is_an_error_and_no_answer(
    world: World,
    pool: Engine,
    often_asked: None,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG, logger="infra.engines.ray.pool")
    monkeypatch.setattr("infra.engines.ray.pool.ATTEMPTS", 1)
    with pytest.raises(EvaluationError, match="engine ray: lost 1 actors over one group of particles, the last: "):
        ask(pool, world.group(1), LONG, lambda done, total: os.kill(at_work(caplog), signal.SIGKILL))


def at_work(caplog: pytest.LogCaptureFixture) -> int:
    """Return the process of the actor that was given work last."""
    places = [record.args[0] for record in caplog.records if record.levelno == logging.DEBUG and record.args]
    return int(places[-1].pid)


def test_an_error_in_the_progress_callback_ends_the_work_and_leaves_the_pool_usable(world: World, pool: Engine) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask(pool, world.group(1), LONG, stop)
    assert ask(pool, world.group(1), SHORT) == ask(world.alone, world.group(1), SHORT)


def test_errors_of_the_engine_keep_their_kind_and_their_line(world: World, pool: Engine) -> None:
    for requests, scale in (([Generate("x" * 500, 13)], 1.0), ([Generate("two plus", 4)], 3e38)):
        population = [Recipe(world.basis.ids, (scale, scale), Space.PRODUCT)]
        with pytest.raises((InputError, EvaluationError)) as wanted:
            ask(world.alone, population, requests)
        with pytest.raises(wanted.type) as found:
            ask(pool, population, requests)
        assert (found.type, str(found.value)) == (wanted.type, str(wanted.value))


def test_more_actors_than_the_cluster_can_hold_are_refused(world: World, pooled: EngineConfig) -> None:
    config = pooled.model_copy(update={"ray": pooled.ray.model_copy(update={"actors": 5})})
    with pytest.raises(InputError) as caught:
        open_engine(config, world.base, world.basis)
    assert str(caught.value) == (
        "engine.ray.actors: 5: the cluster can hold 4 actors of 1 CPUs and 0 GPUs each: "
        "lower engine.ray.actors, cpus or gpus, or add nodes"
    )


def test_an_address_where_no_cluster_answers_is_refused(world: World, pooled: EngineConfig) -> None:
    config = pooled.model_copy(update={"ray": RayConfig(address="127.0.0.1:1")})
    with pytest.raises(InputError, match=r"^engine\.ray\.address: 127\.0\.0\.1:1: no cluster .* answers there \("):
        open_engine(config, world.base, world.basis)


def test_full_models_are_read_on_the_nodes(world: World, pooled: EngineConfig, tmp_path: Path) -> None:
    basis = load_basis([make_base(tmp_path / "one", 3), make_base(tmp_path / "two", 4)], world.base)
    config = pooled.model_copy(update={"ray": pooled.ray.model_copy(update={"actors": 1})})
    population = [Recipe((*basis.ids, BASE), (0.5, 0.75, -0.25), Space.PRODUCT)]
    answers = []
    for engine in (open_engine(config, world.base, basis), open_engine(ALONE, world.base, basis)):
        answers.append(ask(engine, population, SHORT))
        engine.close()
    assert answers[0] == answers[1]
