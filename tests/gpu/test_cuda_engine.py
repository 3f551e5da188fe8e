"""The transformers engine on a GPU: PEFT's answers, the same bits every time, and less memory than it would like."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods, Response
from experts.base_models import BaseModel
from experts.basis import Basis, load_basis
from experts.export import export_adapter
from infra.engines.base import Engine
from infra.engines.config import EngineConfig
from infra.engines.kinds import engine_identity, open_engine
from swarm.recipes import Recipe, Space
from tests.tiny import make_expert

FLOAT32 = EngineConfig(device="cuda", dtype="float32")
COEFFICIENTS = [(1.0, 0.0), (0.5, 0.75), (0.0, 1.0), (-0.5, 1.25), (0.3, 0.3)]
GENERATE = [Generate("colour: " + "blue or " * n, new) for n, new in ((0, 30), (1, 12), (5, 25), (9, 1), (20, 12))]
SCORE = [LogLikelihood("The answer is" + " so" * n, (" A", " B", " none of them")) for n in (0, 3, 11)]


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory, base: BaseModel) -> Basis:
    folder = tmp_path_factory.mktemp("experts")
    one = make_expert(folder / "one", base.folder, seed=1, rank=2, targets=("q_proj", "v_proj", "o_proj"))
    two = make_expert(folder / "two", base.folder, seed=2, rank=5, targets=("k_proj", "down_proj"))
    loaded = load_basis([one, two], base)
    assert isinstance(loaded, Basis)
    return loaded


@pytest.fixture(scope="module", params=list(Space), ids=str)
def population(request: pytest.FixtureRequest, basis: Basis) -> list[Recipe]:
    return [Recipe(basis.ids, row, request.param) for row in COEFFICIENTS]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))


@contextmanager
def opened(config: EngineConfig, base: BaseModel, basis: Basis) -> Iterator[Engine]:
    engine = open_engine(config, base, basis)
    try:
        yield engine
    finally:
        engine.close()


def texts(answers: list[list[Response]]) -> list[list[str]]:
    return [[answer.text for answer in row if isinstance(answer, Completion)] for row in answers]


def values(answers: list[list[Response]]) -> list[float]:
    return [v for row in answers for answer in row if isinstance(answer, LogLikelihoods) for v in answer.values]


def generated_alone(model: Any, tokenizer: Any, request: Generate) -> Completion:
    inputs = tokenizer(request.prompt, return_tensors="pt").to("cuda")
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=request.max_new_tokens,
        do_sample=False,
    )
    tokens = output[0, inputs["input_ids"].shape[1] :].tolist()
    return Completion(tokenizer.decode(tokens, skip_special_tokens=True), len(tokens))


def test_float32_answers_are_those_of_peft(
    population: list[Recipe], base: BaseModel, basis: Basis, tmp_path: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base.folder)
    wanted = []
    for index, recipe in enumerate(population):
        export_adapter(basis, recipe, tmp_path / str(index), base)
        model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), tmp_path / str(index))
        model.to("cuda")
        wanted.append([generated_alone(model, tokenizer, request) for request in GENERATE])
    with opened(FLOAT32, base, basis) as engine:
        assert engine.run(population, [GENERATE] * len(population)) == wanted


def test_bfloat16_is_what_a_gpu_gets_and_is_close_to_float32(
    population: list[Recipe], base: BaseModel, basis: Basis
) -> None:
    automatic = EngineConfig(device="auto")
    assert '"dtype":"bfloat16"' in engine_identity(automatic, base).replace(" ", "")
    with opened(FLOAT32, base, basis) as exact, opened(automatic, base, basis) as rounded:
        wanted = values(exact.run(population, [SCORE] * len(population)))
        assert values(rounded.run(population, [SCORE] * len(population))) == pytest.approx(wanted, rel=0.05, abs=0.5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_two_engines_give_the_same_bits(population: list[Recipe], base: BaseModel, basis: Basis, dtype: str) -> None:
    config = EngineConfig(device="cuda", dtype=dtype, token_budget=500)
    runs = []
    for _ in range(2):
        with opened(config, base, basis) as engine:
            runs += [engine.run(population, [[*GENERATE, *SCORE]] * len(population)) for _ in range(2)]
    assert all(run == runs[0] for run in runs)


def test_the_index_of_the_gpu_is_not_in_the_identity(base: BaseModel, basis: Basis) -> None:
    wanted = engine_identity(FLOAT32, base)
    for index in range(torch.cuda.device_count()):
        there = FLOAT32.model_copy(update={"device": f"cuda:{index}"})
        with opened(there, base, basis) as engine:
            assert engine.identity == wanted


def test_out_of_memory_halves_the_batches_and_says_so_once(
    base: BaseModel, basis: Basis, caplog: pytest.LogCaptureFixture
) -> None:
    population = [Recipe(basis.ids, row, Space.FACTORS) for row in COEFFICIENTS]
    requests = [Generate(f"{row:04d}" + "x" * 400, 2) for row in range(100)]
    large, small = (FLOAT32.model_copy(update={"token_budget": budget}) for budget in (210_000, 30_000))
    most, wanted = reserved(large, base, basis, population, requests)
    least, _ = reserved(small, base, basis, population, requests)
    assert least < 0.8 * most, "the batches' memory does not matter: the test shows nothing"
    caplog.set_level(logging.INFO, "infra.engines")
    with memory_of((least + 4 * most) // 5), opened(large, base, basis) as engine:
        answers = [engine.run(population, [requests] * len(population)) for _ in range(2)]
    assert [texts(answer) for answer in answers] == [wanted, wanted]
    assert len(caplog.records) == 1, caplog.text


def reserved(
    config: EngineConfig, base: BaseModel, basis: Basis, population: list[Recipe], requests: list[Generate]
) -> tuple[int, list[list[str]]]:
    """Return the bytes that PyTorch reserves for an evaluation, and its texts."""
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    with opened(config, base, basis) as engine:
        answers = texts(engine.run(population, [requests] * len(population)))
    return torch.cuda.max_memory_reserved(), answers


@contextmanager
def memory_of(size: int) -> Iterator[None]:
    """Let PyTorch have only `size` bytes of the GPU inside the block."""
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(size / torch.cuda.get_device_properties(0).total_memory, 0)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, 0)
