"""vLLM evaluates searches of seeds from memory, and its weights are θ_t bit for bit, whatever was asked before."""

from collections.abc import Iterator

import pytest
import torch

from data.requests import Generate
from experts.base_models import BaseModel
from experts.evolved import EvolvedWeights, replay
from experts.seed_basis import SeedBasis
from infra.engines.config import EngineConfig, VllmConfig
from infra.engines.kinds import open_engine
from infra.engines.vllm.engine import VllmEngine
from infra.engines.vllm.seed_population import SeedPopulation
from swarm.seeds import BASE_START, Journal, Mode, Perturbation, SeedRecipe, Update
from tests.tiny import make_base

REQUESTS = [Generate(text, 8) for text in ("two plus two is", "a", "colour:")]
LOW_RANK = Perturbation(Mode.LOW_RANK, 1, ("down_proj", "k_proj", "q_proj"))
ADAPTER = Perturbation(Mode.ADAPTER, 2, ("q_proj", "v_proj"))
WAYS = {
    "full": (Perturbation(Mode.FULL, 0, ()), "merged"),
    "low rank, merged": (LOW_RANK, "merged"),
    "low rank, lora": (LOW_RANK, "lora"),
    "adapter, merged": (ADAPTER, "merged"),
    "adapter, lora": (ADAPTER, "lora"),
}
PACKED: dict[str, tuple[str, tuple[str, ...]]] = {
    "q_proj": ("qkv_proj", ()),
    "k_proj": ("qkv_proj", ("q_proj",)),
    "v_proj": ("qkv_proj", ("q_proj", "k_proj")),
    "gate_proj": ("gate_up_proj", ()),
    "up_proj": ("gate_up_proj", ("gate_proj",)),
}
JOURNAL = Journal().extend(Update((1, 2), (0.1, -0.05)), Update((3,), (0.07,), 0.9))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return BaseModel("tiny", make_base(tmp_path_factory.mktemp("base") / "tiny", head_size=32), "1" * 64)


@pytest.fixture(scope="module", params=WAYS)
def engine(request: pytest.FixtureRequest, base: BaseModel) -> Iterator[VllmEngine]:
    kind, adapters = WAYS[request.param]
    vllm = VllmConfig.model_validate({"adapters": adapters})
    opened = open_engine(EngineConfig(kind="vllm", device="cpu", vllm=vllm, group_size=4), base, SeedBasis(base, kind))
    assert isinstance(opened, VllmEngine)
    yield opened
    opened.close()


def seeds_of(engine: VllmEngine) -> tuple[SeedBasis, SeedPopulation]:
    population = engine._population
    assert isinstance(population, SeedPopulation)
    return population._basis, population


def member(basis: SeedBasis, journal: Journal, seed: int | None = None, scale: float = 0.0) -> SeedRecipe:
    return SeedRecipe.of(BASE_START, basis.perturbation, journal, seed, scale)


def held_by_vllm(engine: VllmEngine, theta: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the parts of vLLM's own weights, which it packs, that are the tensors of `theta`."""
    executor = engine._resident._llm.llm_engine.engine_core.engine_core.model_executor
    model = executor.driver_worker.worker.model_runner.get_model()
    packed = {name.replace(".base_layer", ""): tensor for name, tensor in model.named_parameters()}
    rows = {name: len(tensor) for name, tensor in _whole(engine).items()}
    found = {}
    for name, wanted in theta.items():
        part = name.split(".")[-2]
        into, before = PACKED.get(part, (part, ()))
        first = sum(rows[name.replace(part, other)] for other in before)
        found[name] = packed[name.replace(part, into)][first : first + len(wanted)]  # vLLM pads the vocabulary
    return found


def _whole(engine: VllmEngine) -> dict[str, torch.Tensor]:
    return dict(SeedBasis(seeds_of(engine)[0].base, WAYS["full"][0]).start(BASE_START))


def test_it_answers_as_the_transformers_engine_does(engine: VllmEngine, base: BaseModel) -> None:
    basis, _ = seeds_of(engine)
    population = [
        member(basis, Journal()),
        member(basis, Journal(), 7, 0.3),
        member(basis, Journal(), 7, -0.3),
        member(basis, JOURNAL, 8, 0.3),
        member(basis, JOURNAL),
    ]
    other = open_engine(EngineConfig(device="cpu", workers=1), base, basis)
    wanted = other.run(population, [REQUESTS] * 5)
    other.close()
    assert engine.run(population, [REQUESTS] * 5) == wanted
    assert len({str(answer) for row in wanted for answer in row}) > 8, "all answer alike: nothing is shown"


def test_its_weights_are_those_of_every_other_engine_after_updates(engine: VllmEngine) -> None:
    basis, population = seeds_of(engine)
    journal = Journal()
    for step in range(4):
        engine.run([member(basis, journal, 50 + step, 0.2), member(basis, journal, 50 + step, -0.2)], [REQUESTS] * 2)
        journal = journal.extend(Update((100 + step, 200 + step), (0.05, -0.02)))
    engine.run([member(basis, journal)], [REQUESTS])
    alone = EvolvedWeights(basis, {}, torch.device("cpu"))
    alone.go_to(BASE_START, journal)
    assert population.theta.sha256 == alone.sha256


def test_members_leave_the_mean_as_it_was(engine: VllmEngine) -> None:
    basis, population = seeds_of(engine)
    mean = engine.run([member(basis, JOURNAL)], [REQUESTS])
    for k in range(10):
        engine.run([member(basis, JOURNAL, 300 + k, 0.4), member(basis, JOURNAL)], [REQUESTS[:1]] * 2)
    assert engine.run([member(basis, JOURNAL)], [REQUESTS]) == mean
    theta = {name: weight for name, _, weight in replay(basis, BASE_START, JOURNAL)}
    assert all(torch.equal(population.theta.tensors[name], tensor) for name, tensor in theta.items())
    if basis.perturbation.mode is not Mode.ADAPTER:  # else θ is no part of vLLM's weights
        held = held_by_vllm(engine, theta)
        assert [name for name, tensor in theta.items() if not torch.equal(held[name], tensor)] == []
