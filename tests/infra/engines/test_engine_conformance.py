"""What every engine promises (infra/engines/base.py), checked over kinds of basis and spaces.

The reference is PEFT (or transformers alone, for full models), one row at a time, in float32.
"""

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from data.requests import Completion, Generate, LogLikelihood, LogLikelihoods, Request
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from experts.export import export_adapter, export_merged
from infra.engines.base import Engine
from infra.engines.config import EngineConfig, VllmConfig
from infra.engines.kinds import engine_identity, open_engine
from infra.engines.packed.kv_cache import LONGEST_COPIED_PREFIX
from swarm.errors import EvaluationError, InputError
from swarm.recipes import BASE, Recipe, Space
from tests.tiny import make_base, make_expert

ENGINES = {"transformers": EngineConfig(device="cpu", token_budget=120, cache_gib=0.0005, workers=2)}
if importlib.util.find_spec("vllm"):
    ENGINES["vllm"] = EngineConfig(kind="vllm", device="cpu", token_budget=120)
    ENGINES["vllm lora"] = ENGINES["vllm"].model_copy(update={"vllm": VllmConfig(adapters="lora")})
CASES = [
    (engine, basis, space)
    for engine in ENGINES
    for basis in ("adapters", "full models")
    for space in Space
    if (engine, basis) != ("vllm lora", "full models")
    and (engine, basis, space) != ("vllm", "full models", Space.PRODUCT)  # the same thing, and slow to open
]
HEAD_SIZE = 32
"""The least that vLLM's attention on a CPU is made for."""

COEFFICIENTS = [(1.0, 0.0, 0.0), (0.5, 0.75, -0.25), (0.0, 0.0, 1.0), (-0.5, 1.25, 0.25), (0.0, 1.0, 0.0)]
PREAMBLE = "Some worked examples come first. One and one is two. "
BRIEF = "Answer at once, in a word or two: "
"""So short that each row keeps a copy of it."""
TEXTS = ["a", "What is the capital of France?", "two plus two is", "colour:", "two plus two is", "z" * 33]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    folder = make_base(tmp_path_factory.mktemp("base") / "tiny", head_size=HEAD_SIZE)
    generation = folder / "generation_config.json"
    often_generated = range(100, 116)
    generation.write_text(json.dumps(json.loads(generation.read_text()) | {"eos_token_id": [1, *often_generated]}))
    return BaseModel("tiny", folder, "1" * 64)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def config_and_case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, base: BaseModel) -> Any:
    engine, kind, space = request.param
    folder = tmp_path_factory.mktemp("experts")
    if kind == "adapters":
        targets = ("q_proj", "v_proj", "o_proj"), ("q_proj", "k_proj", "down_proj")
        one = make_expert(folder / "one", base.folder, 1, 2, 3, targets[0], head_size=HEAD_SIZE)
        two = make_expert(folder / "two", base.folder, 2, 5, 8, targets[1], head_size=HEAD_SIZE)
    else:
        one, two = (make_base(folder / name, seed, HEAD_SIZE) for name, seed in (("one", 3), ("two", 4)))
    return ENGINES[engine], (load_basis([one, two], base), space)


@pytest.fixture(scope="module")
def config(config_and_case: Any) -> EngineConfig:
    chosen: EngineConfig = config_and_case[0]
    return chosen


@pytest.fixture(scope="module")
def case(config_and_case: Any) -> Any:
    return config_and_case[1]


@pytest.fixture(scope="module")
def population(case: tuple[Basis | FullBasis, Space]) -> list[Recipe]:
    basis, space = case
    return [Recipe((*basis.ids, BASE), row, space) for row in COEFFICIENTS]


@pytest.fixture(scope="module")
def engine(config: EngineConfig, case: tuple[Basis | FullBasis, Space], base: BaseModel) -> Iterator[Engine]:
    opened = open_engine(config, base, case[0])
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def references(
    case: tuple[Basis | FullBasis, Space],
    population: list[Recipe],
    base: BaseModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Any]:
    """Each recipe, exported and loaded without this project."""
    folder = tmp_path_factory.mktemp("exported")
    models = []
    for index, recipe in enumerate(population):
        target = folder / str(index)
        if isinstance(case[0], FullBasis):
            export_merged(case[0], recipe, target, base)
            models.append(AutoModelForCausalLM.from_pretrained(target))
        else:
            export_adapter(case[0], recipe, target, base)
            models.append(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), target))
    return models


def generated_alone(model: Any, tokenizer: Any, request: Generate) -> Completion:
    inputs = tokenizer(request.prompt, return_tensors="pt")
    output = model.generate(
        input_ids=inputs["input_ids"],
        attention_mask=inputs["attention_mask"],
        max_new_tokens=request.max_new_tokens,
        do_sample=False,
    )
    tokens = output[0, inputs["input_ids"].shape[1] :].tolist()
    for count in range(1, len(tokens) + 1):
        text = tokenizer.decode(tokens[:count], skip_special_tokens=True)
        if any(stop in text for stop in request.stop):
            return Completion(min((text.split(stop)[0] for stop in request.stop), key=len), count)
        if request.decided and not text.endswith("\ufffd") and re.search(request.decided, text):
            return Completion(text, count)
    return Completion(tokenizer.decode(tokens, skip_special_tokens=True), len(tokens))


def generation_requests() -> list[Request]:
    limits = (1, 12, 30, 12, 30, 7)
    plain = [Generate(text, limit) for text, limit in zip(TEXTS, limits, strict=True)]
    stopped = [Generate(text, 25, ("\ufffd\ufffd", "\x14", "e")) for text in TEXTS[:3]]
    alike = [Generate(start + text, 9, decided="[h-z]") for start in (PREAMBLE, BRIEF) for text in TEXTS]
    return [*plain, *stopped, *alike]


def test_one_shared_beginning_is_copied_and_one_is_not(base: BaseModel) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base.folder)
    assert len(tokenizer(BRIEF)["input_ids"]) <= LONGEST_COPIED_PREFIX < len(tokenizer(PREAMBLE)["input_ids"])


@pytest.mark.slow
def test_rows_in_batches_are_generated_as_if_alone(
    engine: Engine, population: list[Recipe], references: list[Any], base: BaseModel
) -> None:
    requests = generation_requests()
    tokenizer = AutoTokenizer.from_pretrained(base.folder)
    wanted = [[generated_alone(model, tokenizer, r) for r in requests] for model in references]  # type: ignore[arg-type]
    assert engine.run(population, [requests] * len(population)) == wanted
    counts = [completion.tokens for row in wanted for completion in row[: len(TEXTS)]]
    assert any(count not in (1, 7, 12, 30) for count in counts), "no row ended by itself: the test shows nothing"
    stopped = [completion.tokens for row in wanted for completion in row[len(TEXTS) : len(TEXTS) + 3]]
    assert min(stopped) < 25, "no row was stopped: the test shows nothing"
    decided = {completion.tokens for row in wanted for completion in row[len(TEXTS) + 3 :]}
    assert len(decided) > 2, "no row was decided early: the test shows nothing"


def test_log_likelihoods_are_those_of_whole_texts(
    engine: Engine, population: list[Recipe], references: list[Any], base: BaseModel
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(base.folder)
    requests = [
        LogLikelihood("The answer is", (" A", " B", " C")),
        LogLikelihood("colour: blue or", (" green", " a", " greenish grey", "!")),
        LogLikelihood("x", ("yz",)),
        LogLikelihood("one letter", ("a", "b")),
        LogLikelihood(PREAMBLE + "colour:", (" green", " a", " greenish grey", "!")),
        LogLikelihood(PREAMBLE + "letter:", ("a", "b")),
        LogLikelihood(PREAMBLE, (" two", " one more thing")),
        LogLikelihood(BRIEF + "colour:", (" green", " a", " greenish grey", "!")),
        LogLikelihood(BRIEF + "letter:", ("a", "b")),
        LogLikelihood(BRIEF, (" two", " one more thing")),
    ]
    answers = engine.run(population, [requests] * len(population))
    for model, row in zip(references, answers, strict=True):
        for request, answer in zip(requests, row, strict=True):
            assert isinstance(answer, LogLikelihoods)
            assert answer.lengths == tuple(len(continuation) for continuation in request.continuations)
            wanted = [directly(model, tokenizer, request.prompt, text) for text in request.continuations]
            assert answer.values == pytest.approx(wanted, rel=1e-4, abs=1e-3)


def directly(model: Any, tokenizer: Any, prompt: str, continuation: str) -> float:
    ids = tokenizer(prompt + continuation, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logits = model(ids).logits[0].double().log_softmax(-1)
    start = len(tokenizer(prompt)["input_ids"])
    return sum(float(logits[place - 1, ids[0, place]]) for place in range(start, ids.shape[1]))


@pytest.mark.slow
def test_the_size_of_the_population_changes_no_text(engine: Engine, population: list[Recipe]) -> None:
    requests = generation_requests()
    together = engine.run(population, [requests] * len(population))
    assert [engine.run([recipe], [requests])[0] for recipe in population] == together
    assert engine.run(population[1:3], [requests] * 2) == together[1:3]


def test_kinds_of_requests_are_mixed_freely(engine: Engine, population: list[Recipe]) -> None:
    generate, score = Generate("two plus", 4), LogLikelihood("two plus", (" two", " x"))
    answers = engine.run(population[:2], [[score, generate, score]] * 2)
    alone = engine.run(population[:2], [[generate]] * 2)
    assert [row[1] for row in answers] == [row[0] for row in alone]
    assert all(row[0] == row[2] for row in answers)
    assert engine.run(population[:2], [[], []]) == [[], []]


def test_each_particle_is_asked_its_own(engine: Engine, population: list[Recipe]) -> None:
    """Two are asked alike, one nothing, the others each something of their own."""
    words = generation_requests()
    scores: list[Request] = [LogLikelihood(text, (" a", " bc")) for text in TEXTS]
    population = [*population, *population][:5]
    lists: list[list[Request]] = [[*words, *scores[:1]], words[1:], [], [scores[1], *words[:3], *scores], words[1:]]
    alone = [engine.run([recipe], [asked])[0] for recipe, asked in zip(population, lists, strict=True)]
    answers = engine.run(population, lists)
    for found, wanted, asked in zip(answers, alone, lists, strict=True):
        assert len(found) == len(wanted) == len(asked)
        for one, other in zip(found, wanted, strict=True):
            if isinstance(other, LogLikelihoods):
                assert isinstance(one, LogLikelihoods)
                assert one.values == pytest.approx(other.values, rel=1e-4)
            else:
                assert one == other


def test_lists_of_requests_must_pair_up_with_recipes(engine: Engine, population: list[Recipe]) -> None:
    with pytest.raises(ValueError, match="1 lists of requests for 2 recipes"):
        engine.run(population[:2], [[]])


@pytest.mark.slow
def test_two_runs_and_any_number_of_workers_give_the_same_bits(
    config: EngineConfig,
    case: tuple[Basis | FullBasis, Space],
    population: list[Recipe],
    engine: Engine,
    base: BaseModel,
) -> None:
    requests = [*generation_requests(), *(LogLikelihood(text, (" a", " bc")) for text in TEXTS)]
    first = engine.run(population, [requests] * len(population))
    assert engine.run(population, [requests] * len(population)) == first
    alone = open_engine(config.model_copy(update={"workers": 1}), base, case[0])
    assert alone.identity == engine.identity
    assert alone.run(population, [requests] * len(population)) == first
    alone.close()


def test_the_identity_is_known_without_loading_anything(
    config: EngineConfig, engine: Engine, base: BaseModel, tmp_path: Path
) -> None:
    folder = shutil.copytree(base.folder, tmp_path / "described", ignore=shutil.ignore_patterns("*.safetensors"))
    assert engine.identity == engine_identity(config, BaseModel("tiny", folder, base.sha256))


def test_progress_counts_all_rows(engine: Engine, population: list[Recipe]) -> None:
    seen: list[tuple[int, int]] = []
    engine.run(population, [generation_requests()] * len(population), lambda done, total: seen.append((done, total)))
    total = len(population) * len(generation_requests())
    assert [count for count, _ in seen] == sorted(count for count, _ in seen)
    assert len({count for count, _ in seen}) > 2, "nobody could see that it goes on"
    assert {of for _, of in seen} == {total}
    assert seen[-1] == (total, total)


def test_an_error_in_the_progress_callback_ends_the_run_and_leaves_the_engine_usable(
    engine: Engine, population: list[Recipe]
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.run(population, [generation_requests()] * len(population), stop)
    requests = [Generate("two plus", 4)]
    assert engine.run(population, [requests] * len(population)) == engine.run(population, [requests] * len(population))


def test_weights_that_overflow_are_an_error_and_no_answer(engine: Engine, population: list[Recipe]) -> None:
    huge = Recipe(population[0].bases, (3e38, 3e38, 1.0), population[0].space)
    requests: list[Request] = [Generate("two plus", 4), LogLikelihood("two", (" a", " b"))]
    for request in requests:
        with pytest.raises(EvaluationError, match="logits are NaN or infinite"):
            engine.run([population[0], huge], [[request]] * 2)


def test_a_prompt_that_is_too_long_is_refused(engine: Engine, population: list[Recipe]) -> None:
    with pytest.raises(InputError) as caught:
        engine.run(population, [[Generate("x" * 500, 13)]] * len(population))
    assert str(caught.value) == (
        f"prompt {'x' * 40 + '…'!r} has 500 tokens and may get 13 more, but the base model takes 512: shorten it, "
        "or lower max_new_tokens"
    )


def test_an_empty_prompt_is_refused(engine: Engine, population: list[Recipe]) -> None:
    with pytest.raises(InputError, match="prompt '' has no tokens: an engine needs at least one"):
        engine.run(population, [[Generate("", 3)]] * len(population))


def test_a_base_model_of_an_unknown_kind_is_refused(
    tmp_path: Path, config: EngineConfig, case: tuple[Basis | FullBasis, Space], base: BaseModel
) -> None:
    shutil.copytree(base.folder, tmp_path / "odd")
    (tmp_path / "odd" / "config.json").write_text('{"model_type": "no-such-model"}')
    with pytest.raises(InputError, match=r"^base model 'odd' can't be loaded: .*: use another or repair it$"):
        open_engine(config, BaseModel("odd", tmp_path / "odd", "2" * 64), case[0])


def test_a_recipe_of_an_expert_that_is_not_loaded_is_refused(engine: Engine) -> None:
    with pytest.raises(InputError, match="a recipe names expert dddddddddddd…, which is not among those loaded"):
        engine.run([Recipe(("d" * 64,), (1.0,), Space.FACTORS)], [[Generate("a", 1)]])
