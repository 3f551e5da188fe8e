"""Evaluation groups, from scripted answers: what is asked of whom, when, and what the records hold afterwards."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from data.examples import SPLITS
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import (
    Completion,
    FollowUpResponse,
    Generate,
    LogLikelihood,
    LogLikelihoods,
    Request,
    Response,
    request_from_json,
    request_json,
)
from data.subset import select_examples
from experts.base_models import BaseModel
from experts.basis import FullBasis
from infra.evaluation.answers import Ask
from infra.evaluation.evaluator import Evaluator, initial_recipes
from infra.evaluation.recipes import RecipeGroup
from infra.records.store import Records
from infra.scorers.open_scorers import Scorers, identify
from infra.settings import Settings
from swarm.errors import EvaluationError
from swarm.recipes import BASE, Recipe, Space
from tests.rating_server import RatingService, rating_service
from tests.tiny_raters import make_rater

ENGINE = "an engine"
ONE, TWO = (Recipe(("e1", "e2"), pair, Space.FACTORS) for pair in ((1.0, 0.0), (0.5, 0.5)))
CHOICES = {"kind": "abstain_qa", "data": "choices.json", "name": "choices"}
JUDGED = {"kind": "judge", "data": "prompts.json", "name": "judged", "model": "judge-1"}
REWARDED = {"kind": "reward_model", "data": "prompts.json", "name": "rewarded", "model": "reward", "device": "cpu"}


class Script:
    """Answers every request by its recipe's coefficients and the end of its prompt; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[Recipe], Sequence[Sequence[Request]]]] = []

    def __call__(
        self, recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]
    ) -> tuple[list[list[Response]], float]:
        self.asked.append((recipes, requests))
        answers = [[self._answer(r, item) for item in own] for r, own in zip(recipes, requests, strict=True)]
        return answers, 2.0

    def _answer(self, recipe: Recipe, request: Request) -> Response:
        if "Is the proposed answer" in request.prompt:
            return Completion("false" if recipe == TWO else "true", 1)
        return Completion(f"A {recipe.coefficients[0]} {request.prompt[-1]}", 3)


@pytest.fixture
def service() -> Iterator[RatingService]:
    with rating_service() as running:
        yield running


@pytest.fixture
def settings(service: RatingService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SWARM_JUDGE_URL", f"{service.url}/v1")
    return Settings()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with Records(f"sqlite:///{tmp_path}/records.db") as opened:
        yield opened


@pytest.fixture
def scorers(settings: Settings) -> Iterator[Scorers]:
    opened = Scorers(settings)
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_rater(tmp_path / "reward")
    for name, fields in (("prompts", {}), ("choices", {"choices": {"A": "x", "B": "y"}})):
        splits = {
            split: [{"question": f"{split} {n}", "answer": "A", **fields} for n in range(2)]
            for split in ("dev", "test")
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(splits))
    return tmp_path


def loaded(folder: Path, settings: Settings, *tasks: dict[str, Any]) -> Objective:
    config = ObjectiveConfig.model_validate({"tasks": tasks}, context={"folder": folder})
    return load_objective(config, None, identify(settings))


def evaluator(
    objective: Objective, ask: Ask, scorers: Scorers, records: Records, bases: tuple[str, ...] = ()
) -> Evaluator:
    base = BaseModel("base", Path(), "0" * 64)
    initial = initial_recipes(FullBasis(bases, bases, tuple(Path() for _ in bases), base))
    return Evaluator(objective, ENGINE, initial, ask, scorers, records)


def test_a_kind_that_asks_on_has_the_population_asked_twice(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    objective, ask = loaded(folder, settings, CHOICES), Script()
    made = RecipeGroup.of([ONE, TWO], "dev").evaluate(evaluator(objective, ask, scorers, records))
    assert [record.predictions for record in made] == [("A", "A"), ("", "")]
    assert [record.utility for record in made] == [1.0, 0.0]
    [(_, first), (_, second)] = ask.asked
    assert first == [objective.requests("dev")] * 2
    assert [[request.prompt.count("\nProposed answer: A 1.0") for request in own] for own in second] == [[1, 1], [0, 0]]
    kept = [json.loads(text) for text in made[0].outputs]
    assert [item["then"] for item in kept] == [request.prompt for request in second[0]]
    [group] = records.evaluation_groups()
    assert (group.generated_tokens, group.seconds) == (2 * 2 * (3 + 1), 4.0)


def test_the_records_hold_what_was_asked_word_for_word(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    template = "{question}\n{choices}\nSo?"
    chat = {"prompt": "chat", "system": "Be brief.", "examples": 1, "template": template}
    config = ObjectiveConfig.model_validate(
        {"tasks": [{**CHOICES, **chat}, {"kind": "likelihood", "data": "prompts.json"}]}, context={"folder": folder}
    )
    objective = load_objective(config, lambda turns: "|".join(f"<{t['role']}>{t['content']}" for t in turns) + "|<me>")
    ask = Script()
    with pytest.raises(EvaluationError):
        RecipeGroup.of([ONE], "dev").evaluate(
            evaluator(objective, ask, scorers, records)
        )  # the script answers no log-likelihoods
    assert records.objective_requests(objective.split_key("dev")) is None

    def answer(recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> tuple[list[list[Response]], float]:
        replies = Script()(recipes, requests)[0]
        scored = LogLikelihoods((-1.0,), (1,))
        asked = [list(zip(*item, strict=True)) for item in zip(requests, replies, strict=True)]
        return [[scored if isinstance(r, LogLikelihood) else reply for r, reply in own] for own in asked], 1.0

    for split in SPLITS:
        RecipeGroup.of([ONE, TWO], split).evaluate(evaluator(objective, answer, scorers, records))
        held = records.objective_requests(objective.split_key(split))
        assert held is not None
        first = ask.asked[0][1][0] if split == "dev" else objective.requests("test")
        assert [request_from_json(request) for task in held for request in task] == first
    choices, likelihoods = held
    assert choices[1][1]["prompt"] == (
        "<system>Be brief.|<user>dev 0\nA: x\nB: y\nSo?|<assistant>A|<user>test 1\nA: x\nB: y\nSo?|<me>"
    )
    assert likelihoods[0] == ["LogLikelihood", {"prompt": "test 0", "continuations": [" A"]}]


def test_what_sets_the_scales_and_a_part_of_the_examples_are_asked_in_texts_that_are_there_already(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    objective = loaded(folder, settings, REWARDED)
    part = select_examples(objective, "dev", [1])
    RecipeGroup.of([ONE], "dev", [1]).evaluate(evaluator(objective, Script(), scorers, records, ("e1",)))
    asked = records.objective_requests(part.split_key("dev"))
    assert asked == ((request_json(objective.requests("dev")[1]),),)
    assert objective.scale_objective is not None
    scale = records.objective_requests(objective.scale_objective.split_key("dev"))
    assert scale == (tuple(map(request_json, objective.requests("dev"))),)


def test_other_kinds_are_asked_once_and_equal_items_are_rated_once(
    folder: Path, settings: Settings, scorers: Scorers, records: Records, service: RatingService
) -> None:
    objective, ask = loaded(folder, settings, JUDGED), Script()
    first, second = RecipeGroup.of([ONE, ONE], "dev").evaluate(evaluator(objective, ask, scorers, records))
    assert len(ask.asked) == 1
    assert len(service.seen) == 2
    assert first.scores == second.scores
    assert [json.loads(text)["text"] for text in first.predictions] == ["A 1.0 0", "A 1.0 1"]


def test_a_rating_that_fails_leaves_nothing_in_the_records(
    folder: Path, settings: Settings, scorers: Scorers, records: Records, service: RatingService
) -> None:
    service.faults = [400]
    with pytest.raises(EvaluationError, match="answers 400"):
        RecipeGroup.of([ONE], "dev").evaluate(evaluator(loaded(folder, settings, JUDGED), Script(), scorers, records))
    assert records.evaluation_groups() == []


def test_scales_are_measured_once_before_the_first_evaluation(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    objective, ask = loaded(folder, settings, REWARDED, CHOICES), Script()
    first = evaluator(objective, ask, scorers, records, ("e1", "e2"))
    RecipeGroup.of([ONE], "dev").evaluate(first)
    recipes, requests = ask.asked[0]
    assert (
        recipes
        == first.initial
        == (
            Recipe(("e1", "e2"), (1.0, 0.0), Space.FACTORS),
            Recipe(("e1", "e2"), (0.0, 1.0), Space.FACTORS),
        )
    )
    assert [len(own) for own in requests] == [2, 2]
    calls = len(ask.asked)
    RecipeGroup.of([TWO], "test").evaluate(evaluator(objective, ask, scorers, records, ("e1", "e2")))
    assert len(ask.asked) == calls + 2
    assert first.scale_key is not None
    result = records.evaluation_group(first.scale_key)
    assert result is not None
    rewards = [json.loads(text)["value"] for record in result for text in record.predictions]
    assert next(iter(first.scales().values())).value == (min(rewards), max(rewards))


def test_keys_change_with_who_sets_the_scales_only_where_scales_count(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    for tasks, count in (([REWARDED], 2), ([CHOICES], 1)):
        objective = loaded(folder, settings, *tasks)
        makers = [evaluator(objective, Script(), scorers, records, bases) for bases in (("e1",), ("e2",))]
        keys = {RecipeGroup.of([ONE], "dev").key(maker) for maker in makers}
        assert len(keys) == count


def test_a_part_is_scored_on_the_scale_of_the_whole(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    objective, ask = loaded(folder, settings, REWARDED), Script()
    maker = evaluator(objective, ask, scorers, records, ("e1",))
    [whole] = RecipeGroup.of([ONE], "dev").evaluate(maker)
    [some] = RecipeGroup.of([ONE], "dev", [1]).evaluate(maker)
    assert some.scores == whole.scores[1:]
    assert whole.group != some.group
    assert len(records.evaluation_groups()) == 3


def test_without_experts_the_base_model_sets_the_scales() -> None:
    assert initial_recipes(FullBasis((), (), (), BaseModel("base", Path(), "0" * 64))) == (
        Recipe((BASE,), (1.0,), Space.FACTORS),
    )


def test_an_engine_that_skips_a_follow_up_or_makes_one_up_is_a_failed_evaluation(
    folder: Path, settings: Settings, scorers: Scorers, records: Records
) -> None:
    objective = loaded(folder, settings, CHOICES)

    def skips(recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> tuple[list[list[Response]], float]:
        answers: list[Response] = [Completion("A", 1)] * 2
        return [answers[:1] if "Proposed" in requests[0][0].prompt else answers], 1.0

    with pytest.raises(EvaluationError, match="gave 1 answers to 2 follow-ups"):
        RecipeGroup.of([ONE], "dev").evaluate(evaluator(objective, skips, scorers, records))

    def invents(recipes: Sequence[Recipe], requests: Sequence[Sequence[Request]]) -> tuple[list[list[Response]], float]:
        answer = Completion("A", 1)
        second = FollowUpResponse(answer, Generate("?", 1), answer)
        return [[second if "Proposed" in requests[0][0].prompt else answer] * 2], 1.0

    with pytest.raises(EvaluationError, match="which no engine makes"):
        RecipeGroup.of([ONE], "dev").evaluate(evaluator(objective, invents, scorers, records))
