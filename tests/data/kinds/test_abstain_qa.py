import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data.examples import Example
from data.kinds.abstain_qa import AbstainQA
from data.kinds.multiple_choice import reference_choice
from data.objective import Objective, ObjectiveConfig, load_objective
from data.requests import Completion, FollowUpResponse, Generate, Response
from swarm.errors import EvaluationError

ASKED = "\nProposed answer: {}\nIs the proposed answer true or false? Directly answer with true or false."
CHOICES = (("A", "cat"), ("B", "dog"))
PET = Example("pets", "dev", 0, "0", "Barks?", "B", CHOICES)


def objective(folder: Path, **fields: Any) -> Objective:
    pets = [{"question": f"{n}: barks?", "answer": "B", "choices": dict(CHOICES)} for n in range(8)]
    (folder / "pets.json").write_text(json.dumps({"dev": pets[:4], "test": pets[4:]}))
    task = {"kind": "abstain_qa", "data": "pets.json", **fields}
    return load_objective(ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": folder}))


def kind(parse: str) -> AbstainQA:
    return AbstainQA.model_validate({"kind": "abstain_qa", "data": "pets.json", "parse": parse})


def both(first: str, second: str) -> FollowUpResponse:
    return FollowUpResponse(Completion(first, 2), Generate("…", 10), Completion(second, 3))


def test_the_second_request_is_the_prompt_with_the_answer_as_it_was_given(tmp_path: Path) -> None:
    loaded = objective(tmp_path)
    prompts = [request.prompt for request in loaded.requests("dev")]
    answers: list[Response] = [Completion(text, 1) for text in (" B: dog\nQuestion:", "{x}", "", "A")]
    follow_ups = loaded.follow_ups("dev", answers)
    shown = ["B: dog\nQuestion:", "{x}", "", "A"]
    assert follow_ups == {
        place: Generate(prompts[place] + ASKED.format("{}").replace("{}", text), 10) for place, text in enumerate(shown)
    }


def test_in_a_chat_the_second_request_is_one_message_again(tmp_path: Path) -> None:
    pets = [{"question": question, "answer": "B", "choices": dict(CHOICES)} for question in ("Barks?", "Bites?")]
    (tmp_path / "pets.json").write_text(json.dumps({"dev": pets[:1], "test": pets[1:]}))
    task = {"kind": "abstain_qa", "data": "pets.json", "prompt": "chat", "template": "{question} {choices}"}
    config = ObjectiveConfig.model_validate({"tasks": [task]}, context={"folder": tmp_path})
    loaded = load_objective(config, lambda messages: "".join(f"<{m['content']}>" for m in messages))
    asked = loaded.follow_ups("dev", [Completion("B", 1)])[0]
    assert asked.prompt == f"<Barks? A: cat\nB: dog{ASKED.format('B')}>"


def test_the_utility_is_the_effective_reliability_and_both_outputs_are_kept(tmp_path: Path) -> None:
    loaded = objective(tmp_path)
    answers = [both("B", "true"), both("A", "True."), both("B", "false"), both("who knows", "yes")]
    evaluation = loaded.score("dev", answers)
    assert evaluation.scores == (1.0, -1.0, 0.0, -1.0)
    assert evaluation.utility == -0.25
    assert evaluation.predictions == ("B", "A", "", "?")
    assert json.loads(evaluation.outputs[1]) == {"first": "A", "then": "…", "second": "True."}


def test_predictions_can_be_voted_on(tmp_path: Path) -> None:
    assert objective(tmp_path).score_predictions("dev", ["B", "A", "", "?"]) == (1.0, -1.0, 0.0, -1.0)


def test_an_answer_without_its_follow_up_is_a_failed_evaluation(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match="was not asked whether its answer"):
        objective(tmp_path).score("dev", [Completion("B", 1)] * 4)


@pytest.mark.parametrize(
    ("parse", "second", "abstains"),
    [
        ("anchored", "False.", True),
        ("anchored", "it is FALSE", True),
        ("anchored", "a falsehood", False),
        ("anchored", "true", False),
        ("reference", "a falsehood", True),
        ("reference", "True", False),
    ],
)
def test_a_model_abstains_by_saying_false(parse: str, second: str, abstains: bool) -> None:
    assert (kind(parse).prediction(PET, both("B", second)) == "") == abstains


def test_reference_scores_equal_those_of_a_plain_implementation_of_the_public_code() -> None:
    draws, config = Random(0), kind("reference")
    firsts, seconds = ["A", "B", " Answer: B", "cat", "the dog.", "z", ""], ["true", "False", "falsely", "no", ""]
    for _ in range(1000):
        first, second = draws.choice(firsts), draws.choice(seconds)
        flags = {"correct": reference_choice(PET, first.strip()) == PET.answer, "abstains": "false" in second.lower()}
        plain = 0 if flags["abstains"] else (1 if flags["correct"] else -1)
        assert config.judge(PET, config.prediction(PET, both(first, second))) == plain


def test_tokens_of_both_answers_count() -> None:
    assert both("B", "true").tokens == 5
