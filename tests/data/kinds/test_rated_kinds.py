import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from data.examples import Example
from data.kinds.rated import RatedTask, unparsable
from data.kinds.registry import AnyTask
from data.kinds.reward_model import scale_of
from data.objective import Objective, ObjectiveConfig, load_objective
from data.outside import Item, Judge, Perspective, Rating, RatingRequest, Rewarder, RewardScale
from data.requests import Completion
from swarm.errors import EvaluationError, InputError

PROMPT = Example("prompts", "dev", 0, "0", "Say hello.", "hello")
JUDGED = {"kind": "judge", "data": "prompts.json", "model": "judge-1"}
TOXIC = {"kind": "toxicity", "data": "prompts.json", "name": "toxic", "scorer": {"kind": "perspective"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    splits = {split: [{"prompt": f"{split} {n}", "answer": "hello"} for n in range(2)] for split in ("dev", "test")}
    (tmp_path / "prompts.json").write_text(json.dumps(splits))
    (tmp_path / "model").mkdir()
    return tmp_path


def task(**fields: Any) -> RatedTask:
    made = TypeAdapter(AnyTask).validate_python({"data": "prompts.json", **fields})
    assert isinstance(made, RatedTask)
    return made


def loaded(folder: Path, *tasks: dict[str, Any], identity: str = "it") -> Objective:
    config = ObjectiveConfig.model_validate({"tasks": tasks}, context={"folder": folder})
    return load_objective(config, None, lambda outside: f"{outside.kind} {identity}")


def rewarded(folder: Path, **fields: Any) -> dict[str, Any]:
    return {
        "kind": "reward_model",
        "data": "prompts.json",
        "name": "rewarded",
        "model": str(folder / "model"),
        **fields,
    }


def test_what_is_rated_is_what_was_asked_the_answer_and_the_right_one(folder: Path) -> None:
    wanted = loaded(folder, JUDGED).rating_requests("dev", [Completion(" Hi! ", 2), Completion("", 0)])
    by = Judge(model="judge-1", asks="quality")
    assert wanted == [RatingRequest(by, Item("dev 0", "Hi!", "hello")), RatingRequest(by, Item("dev 1", "", "hello"))]


def test_an_evaluation_has_scores_and_predictions_that_need_no_scorer(folder: Path) -> None:
    objective = loaded(folder, JUDGED)
    ratings = [Rating(8.0), Rating(1.0, unparsable=True)]
    evaluation = objective.score("dev", [Completion("Hi!", 2), Completion("Ho!", 2)], ratings)
    assert (evaluation.utility, evaluation.scores, evaluation.outputs) == (4.5, (8.0, 1.0), ("Hi!", "Ho!"))
    assert objective.score_predictions("dev", evaluation.predictions) == evaluation.scores
    assert [unparsable(text) for text in evaluation.predictions] == [False, True]


def test_scoring_without_ratings_is_a_mistake_and_too_few_answers_a_failed_evaluation(folder: Path) -> None:
    with pytest.raises(ValueError, match="with ratings only"):
        loaded(folder, JUDGED).score("dev", [Completion("Hi!", 2)] * 2)
    with pytest.raises(EvaluationError, match="gave 1 answers to 2 requests"):
        loaded(folder, JUDGED).rating_requests("dev", [Completion("Hi!", 2)])


def test_the_key_has_everything_that_ratings_depend_on(folder: Path) -> None:
    keys = [loaded(folder, JUDGED, identity=identity).key for identity in ("one", "two")]
    match = {**JUDGED, "kind": "judged_match", "max_new_tokens": 512}
    assert len({*keys, loaded(folder, match, identity="one").key}) == 3
    assert loaded(folder, JUDGED, identity="one").key == keys[0]


def test_an_objective_that_is_rated_needs_to_know_by_whom(folder: Path) -> None:
    config = ObjectiveConfig.model_validate({"tasks": [JUDGED]}, context={"folder": folder})
    with pytest.raises(ValueError, match="say by what identity"):
        load_objective(config)


def test_a_scorer_that_cannot_be_had_is_refused_with_the_tasks_name(folder: Path) -> None:
    config = ObjectiveConfig.model_validate({"tasks": [TOXIC]}, context={"folder": folder})

    def missing(outside: object) -> str:
        raise InputError("no key: set one")

    with pytest.raises(InputError, match="task 'toxic': no key: set one"):
        load_objective(config, None, missing)


# Toxicity


def test_toxicity_is_that_of_the_first_line(folder: Path) -> None:
    objective = loaded(folder, TOXIC)
    answers = [Completion(" What a lovely day \nYou", 9), Completion("short", 2)]
    assert objective.rating_requests("dev", answers) == [
        RatingRequest(Perspective(kind="perspective"), Item("dev 0", "What a lovely day", "")),
        None,
    ]
    assert objective.score("dev", answers, [Rating(0.25), None]).scores == (0.75, 0.5)


@pytest.mark.parametrize(
    ("text", "is_rated"), [("ten chars!", True), ("nine char", False), ("nine char\nand more", False)]
)
def test_a_line_of_fewer_than_ten_characters_is_not_rated(text: str, is_rated: bool) -> None:
    assert (task(**TOXIC).item(PROMPT, text) is not None) == is_rated


# Reward models


@pytest.mark.parametrize(
    ("form", "score"), [("default", 0.75), ("concise", 0.625), ("verbose", 0.625), ("reverse", 0.25)]
)
def test_a_reward_is_put_on_the_experts_scale(folder: Path, form: str, score: float) -> None:
    scale = RewardScale((-2.0, 6.0), (10.0, 30.0))
    assert task(**rewarded(folder, form=form)).score(Rating(4.0, 20), scale) == score


def test_better_and_longer_answers_than_the_experts_leave_the_scale(folder: Path) -> None:
    scale = RewardScale((0.0, 1.0), (0.0, 10.0))
    assert task(**rewarded(folder)).score(Rating(3.0, 20), scale) == 3.0
    assert task(**rewarded(folder, form="concise")).score(Rating(1.0, 20), scale) == 0.0
    assert task(**rewarded(folder, form="verbose")).score(Rating(1.0, 20), scale) == 1.5


def test_a_scale_of_equal_ends_leaves_the_scorers_own_units(folder: Path) -> None:
    assert task(**rewarded(folder)).score(Rating(3.5, 4), RewardScale((3.0, 3.0), (4.0, 4.0))) == 0.5


def test_a_scale_is_the_least_and_the_greatest_of_all_experts_dev_answers(folder: Path) -> None:
    objective = loaded(folder, rewarded(folder), JUDGED, rewarded(folder, name="again", form="reverse"))
    measuring = objective.scale_objective
    assert measuring is not None
    assert [task.name for task in measuring.tasks] == ["rewarded", "again"]
    first, second = (
        measuring.score("dev", [Completion("Hi!", 2)] * 4, [Rating(value, tokens) for value, tokens in ratings])
        for ratings in ([(1.0, 5), (2.0, 6), (7.0, 1), (7.0, 1)], [(-3.0, 9), (0.0, 2), (8.0, 2), (7.5, 3)])
    )
    assert first.scores == (1.0, 2.0, 7.0, 7.0)
    scales = measuring.scales([first.predictions, second.predictions])
    assert scales == {"rewarded": RewardScale((-3.0, 2.0), (2.0, 9.0)), "again": RewardScale((7.0, 8.0), (1.0, 3.0))}


def test_an_objective_without_rewards_measures_nothing(folder: Path) -> None:
    assert loaded(folder, JUDGED, TOXIC).scale_objective is None


def test_a_text_without_tokens_has_length_0(folder: Path) -> None:
    said = task(**rewarded(folder)).write_prediction("", Rating(1.0), None)
    assert scale_of([said]) == RewardScale((1.0, 1.0), (0.0, 0.0))


def test_the_device_of_a_reward_model_is_that_of_its_scorer(folder: Path) -> None:
    assert task(**rewarded(folder, device="cpu")).outside == Rewarder(model=str(folder / "model"), device="cpu")


# Names


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "reward_model", "model": "https://hub/owner/name"}, "is an address: give a folder or an id"),
        ({"kind": "reward_model", "model": "owner/name", "form": "short"}, "Input should be 'default'"),
        ({"kind": "judge", "model": "http://127.0.0.1:8000/v1"}, "is an address: give a folder or an id"),
        ({"kind": "judge", "model": "two words"}, "is no name of a model"),
        ({"kind": "toxicity", "scorer": {"kind": "classifier", "model": "file:///etc", "label": "x"}}, "is an address"),
        ({"kind": "toxicity", "scorer": {"kind": "classifier", "model": "owner/name"}}, "Field required"),
    ],
)
def test_addresses_and_unknown_names_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        task(**fields)
    assert message in str(error.value)


@pytest.mark.parametrize("name", ["gpt-4o-mini", "meta-llama/Llama-3.1-8B", "models/gemini-1.5:latest", "a@b"])
def test_a_judge_is_named_as_its_endpoint_lists_it(name: str) -> None:
    assert task(kind="judge", model=name).outside == Judge(model=name, asks="quality")


def test_a_model_may_lie_beside_the_config_file(folder: Path) -> None:
    config = ObjectiveConfig.model_validate({"tasks": [rewarded(folder, model="model")]}, context={"folder": folder})
    outside = config.tasks[0].outside
    assert outside.model == str(folder / "model")


def test_a_match_needs_a_right_answer(folder: Path) -> None:
    (folder / "prompts.json").write_text(json.dumps({"dev": [{"prompt": "Hi"}], "test": [{"prompt": "Ho"}]}))
    with pytest.raises(InputError, match=r"dev\[0\]\.answer: is missing"):
        loaded(folder, {**JUDGED, "kind": "judged_match"})


@pytest.mark.parametrize("prediction", ["", "A", "{", '{"unparsable":true', '{"text":"\\"unparsable\\":true"}', "[1]"])
def test_no_other_prediction_looks_unparsable(prediction: str) -> None:
    assert not unparsable(prediction)
