"""A leased engine: the real engine on a CPU, with the locks of a made-up GPU."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.gpu.lease import Gpu, GpuLease, bind
from infra.engines.gpu.leased_engine import LeasedEngine, open_leased
from infra.engines.host import EngineHost, EvaluationInterrupted
from infra.engines.kinds import open_engine
from infra.engines.local import open_local
from swarm.errors import EvaluationError
from swarm.recipes import Recipe, Space
from tests.tiny import make_base, make_expert

CONFIG = EngineConfig(device="cpu", workers=1)
GPU, TWO = Gpu(0, "uuid-one"), Gpu(1, "uuid-two")
REQUESTS = [Generate("two plus", 3), Generate("a", 2)]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[BaseModel, Basis | FullBasis]:
    folder = tmp_path_factory.mktemp("leased")
    base = BaseModel("tiny", make_base(folder / "base"), "1" * 64)
    return base, load_basis([make_expert(folder / "one", base.folder, seed=1)], base)


@pytest.fixture
def population(models: tuple[BaseModel, Basis | FullBasis]) -> list[Recipe]:
    return [Recipe(models[1].ids, (scale,), Space.FACTORS) for scale in (0.5, 1.0)]


@pytest.fixture
def other(tmp_path: Path) -> Iterator[GpuLease]:
    """The lease of another engine on the same GPU."""
    lease = bind(tmp_path, [GPU])
    yield lease
    lease.close()


@pytest.fixture
def engine(tmp_path: Path, other: GpuLease, models: tuple[BaseModel, Basis | FullBasis]) -> LeasedEngine:
    return LeasedEngine(open_local(CONFIG, *models), bind(tmp_path, [GPU]))


def refuse() -> None:
    raise AssertionError("the GPU is held")


def test_the_answers_and_the_identity_are_the_engines_own(
    engine: LeasedEngine, models: tuple[BaseModel, Basis | FullBasis], population: list[Recipe]
) -> None:
    alone = open_engine(CONFIG, *models)
    assert not isinstance(alone, LeasedEngine), "a CPU needs no lease"
    assert engine.identity == alone.identity
    assert engine.run(population, [REQUESTS] * len(population)) == alone.run(population, [REQUESTS] * len(population))
    alone.close()
    engine.close()


def test_it_computes_only_while_it_holds_the_gpu(
    engine: LeasedEngine, other: GpuLease, population: list[Recipe]
) -> None:
    seen = []

    def look(done: int, total: int) -> None:
        with pytest.raises(AssertionError), other.hold(refuse):
            pass
        seen.append((done, total))

    engine.run(population, [REQUESTS] * len(population), look)
    assert seen[-1] == (4, 4)
    with other.hold(refuse):
        pass
    engine.close()


def test_a_failed_evaluation_frees_the_gpu(engine: LeasedEngine, other: GpuLease, population: list[Recipe]) -> None:
    huge = Recipe(population[0].bases, (3e38,), Space.FACTORS)
    with pytest.raises(EvaluationError):
        engine.run([huge], [REQUESTS])
    with other.hold(refuse):
        pass
    engine.close()


def test_the_end_of_the_run_ends_the_wait(engine: LeasedEngine, other: GpuLease, population: list[Recipe]) -> None:
    waiting, ended = threading.Event(), []
    host = EngineHost(lambda: engine, lambda done, total: waiting.set())

    def evaluate() -> None:
        with pytest.raises(EvaluationInterrupted):
            host.run(population, [REQUESTS] * len(population))
        ended.append(True)

    thread = threading.Thread(target=evaluate)
    with other.hold(refuse):
        thread.start()
        assert waiting.wait(60)
        host.close()
        thread.join(60)
        assert ended == [True]


def test_a_closed_engine_leaves_its_place(tmp_path: Path, engine: LeasedEngine, other: GpuLease) -> None:
    elsewhere = bind(tmp_path, [TWO])
    other.close()
    engine.close()
    lease = bind(tmp_path, [TWO, GPU])
    assert lease.gpu == GPU
    lease.close()
    elsewhere.close()


def test_an_engine_is_opened_on_the_gpu_of_its_place(
    tmp_path: Path, other: GpuLease, models: tuple[BaseModel, Basis | FullBasis]
) -> None:
    opened_on = []

    def open_on(gpu: Gpu) -> Engine:
        opened_on.append(gpu)
        return open_local(CONFIG, *models)

    engine = open_leased(open_on, [GPU, TWO], tmp_path)
    engine.close()
    assert opened_on == [TWO]


def test_an_engine_that_cannot_be_opened_leaves_its_place(tmp_path: Path) -> None:
    def fail(gpu: Gpu) -> Engine:
        raise EvaluationError("no memory")

    for _ in range(2):
        with pytest.raises(EvaluationError):
            open_leased(fail, [GPU], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["uuid-one.engine-0"]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)
