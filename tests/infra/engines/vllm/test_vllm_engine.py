"""What only the vLLM engine has to keep, besides the obligations of every engine (test_engine_conformance.py)."""

import gc
import os
import sys
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from data.requests import Generate, LogLikelihood, Request
from experts.base_models import BaseModel
from experts.basis import Basis, load_basis
from infra.engines.config import EngineConfig, VllmConfig
from infra.engines.vllm.engine import VllmEngine
from infra.engines.vllm.worker import SwarmWorker
from swarm.errors import InputError
from swarm.recipes import Recipe, Space
from tests.tiny import make_base, make_expert

REQUESTS: list[Request] = [
    Generate("two plus two", 8),
    Generate("a", 12, stop=("e", "o")),
    LogLikelihood("the answer is", (" A", " B", " C or D")),
]
MODES = ("lora", "merged")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return BaseModel("tiny", make_base(tmp_path_factory.mktemp("base") / "tiny", head_size=32), "1" * 64)


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory, base: BaseModel) -> Basis:
    folder = tmp_path_factory.mktemp("experts")
    return loaded(base, *(make_expert(folder / str(seed), base.folder, seed, head_size=32) for seed in (1, 2)))


@pytest.fixture(scope="module", params=MODES)
def engine(request: pytest.FixtureRequest, base: BaseModel, basis: Basis) -> Iterator[VllmEngine]:
    opened = opened_as(request.param, base, basis)
    yield opened
    opened.close()


def loaded(base: BaseModel, *folders: Path) -> Basis:
    basis = load_basis(folders, base)
    assert isinstance(basis, Basis)
    return basis


def opened_as(mode: str, base: BaseModel, basis: Basis, group_size: int = 8) -> VllmEngine:
    vllm = VllmConfig.model_validate({"adapters": mode})
    return VllmEngine(EngineConfig(kind="vllm", device="cpu", vllm=vllm, group_size=group_size), base, basis)


def population(basis: Basis, count: int, space: Space = Space.FACTORS, first: float = 0.0) -> list[Recipe]:
    return [Recipe(basis.ids, (first + 0.25 * index, 1 - 0.5 * index), space) for index in range(count)]


def resident_megabytes() -> float:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def test_a_hundred_populations_leave_nothing_behind(engine: VllmEngine, basis: Basis) -> None:
    from vllm.lora.lora_model import LoRAModel

    lora = engine._resident.slots is not None
    resident = []
    for iteration in range(100):
        engine.run(population(basis, 3, first=iteration), [[Generate("a", 2), LogLikelihood("a", (" b",))]] * 3)
        resident.append(resident_megabytes())
    assert len(engine._resident.call(SwarmWorker.swarm_adapters) if lora else ()) == (3 if lora else 0)
    gc.collect()
    assert sum(isinstance(thing, LoRAModel) for thing in gc.get_objects()) == (3 if lora else 0)
    assert not engine._resident._llm.llm_engine.has_unfinished_requests()
    assert resident[-1] - resident[20] < 20


def test_no_file_is_written_and_no_adapter_is_looked_for(engine: VllmEngine, basis: Basis) -> None:
    seen: list[str] = []
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event in ("open", "os.mkdir", "os.listdir", "os.scandir", "os.rename"):
            seen.append(str(arguments[0]))

    sys.addaudithook(hook)
    engine.run(population(basis, 3), [REQUESTS] * 3)
    watching = False
    assert seen == []


def test_neither_space_changes_the_answers_of_the_other(engine: VllmEngine, basis: Basis) -> None:
    factors, product = (population(basis, 3, space) for space in Space)
    first = engine.run(factors, [REQUESTS] * len(factors))
    second = engine.run(product, [REQUESTS] * len(product))
    assert first != second
    assert engine.run(factors, [REQUESTS] * len(factors)) == first
    assert engine.run(product, [REQUESTS] * len(product)) == second


def test_calls_of_several_threads_wait_for_each_other(engine: VllmEngine, basis: Basis) -> None:
    populations = [population(basis, 2, first=index) for index in range(4)]
    alone = [engine.run(recipes, [REQUESTS] * len(recipes)) for recipes in populations]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda recipes: engine.run(recipes, [REQUESTS] * len(recipes)), populations)) == alone


def test_the_callers_number_of_threads_changes_no_answer_and_is_left_alone(engine: VllmEngine, basis: Basis) -> None:
    recipes = population(basis, 2)
    single = engine.run(recipes, [REQUESTS] * len(recipes))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        assert engine.run(recipes, [REQUESTS] * len(recipes)) == single
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_one_recipe_twice_in_a_population_gets_one_answer_twice(engine: VllmEngine, basis: Basis) -> None:
    one, other = population(basis, 2)
    first, second, third = engine.run([one, other, one], [REQUESTS] * 3)
    assert first == third != second


def test_a_population_larger_than_the_room_for_adapters_is_answered_in_parts(base: BaseModel, basis: Basis) -> None:
    small, large = opened_as("lora", base, basis, group_size=2), opened_as("lora", base, basis)
    recipes = population(basis, 5)
    texts = [[row[:2] for row in engine.run(recipes, [REQUESTS] * len(recipes))] for engine in (small, large)]
    assert texts[0] == texts[1]
    small.close()
    assert [row[:2] for row in large.run(recipes, [REQUESTS] * len(recipes))] == texts[1], (
        "closing one engine hurt another"
    )
    large.close()


def test_ranks_that_vllm_has_no_kernels_for_are_merged(tmp_path: Path, base: BaseModel) -> None:
    made = (make_expert(tmp_path / str(seed), base.folder, seed, rank=513, head_size=32, scale=0.02) for seed in (1, 2))
    basis = loaded(base, *made)
    engine, merging = opened_as("lora", base, basis), opened_as("merged", base, basis)
    recipes = population(basis, 2)
    assert engine.run(recipes, [REQUESTS] * len(recipes)) == merging.run(recipes, [REQUESTS] * len(recipes))
    engine.close()
    merging.close()


def test_opening_running_and_closing_is_silent_and_leaves_the_process_as_it_was(
    base: BaseModel, basis: Basis, capfd: pytest.CaptureFixture[str]
) -> None:
    def state() -> tuple[object, ...]:
        return torch.set_num_threads, torch.get_num_threads(), sys.excepthook, os.environ.get("LD_PRELOAD"), children()

    before = state()
    engine = opened_as("merged", base, basis)
    engine.run(population(basis, 2), [REQUESTS] * 2)
    assert state() == before
    model = weakref.ref(engine._resident._llm.llm_engine.model_executor.driver_worker.worker.model_runner.get_model())
    assert model() is not None
    engine.close()
    assert model() is None
    assert state() == before
    assert capfd.readouterr() == ("", "")


def children() -> list[str]:
    return [line for task in Path("/proc/self/task").iterdir() for line in (task / "children").read_text().split()]


def test_a_longest_text_of_the_users_own_is_kept_to(base: BaseModel, basis: Basis) -> None:
    config = EngineConfig(kind="vllm", device="cpu", vllm=VllmConfig(max_model_len=20))
    engine = VllmEngine(config, base, basis)
    with pytest.raises(InputError, match="has 18 tokens and may get 3 more, but the base model takes 20"):
        engine.run(population(basis, 1), [[Generate("x" * 18, 3)]])
    assert engine.run(population(basis, 1), [[Generate("x" * 17, 3), LogLikelihood("x" * 17, ("yzw",))]])
    engine.close()


def test_more_text_than_the_base_model_takes_is_refused(base: BaseModel, basis: Basis) -> None:
    config = EngineConfig(kind="vllm", device="cpu", vllm=VllmConfig(max_model_len=100_000))
    with pytest.raises(InputError) as caught:
        VllmEngine(config, base, basis)
    assert str(caught.value) == "engine.vllm.max_model_len: 100000: base model 'tiny' takes 512: lower it"
