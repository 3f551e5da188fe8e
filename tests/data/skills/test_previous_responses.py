from copy import deepcopy

import numpy as np
import pytest

from data.skills.generate import generate
from data.skills.registry import SKILLS
from data.skills.responses import CORRUPT, MOST_RESPONSES, responses, with_responses
from swarm.errors import InputError


def split(question: str, of: str) -> list[str]:
    """Return the lines before the original question `of`."""
    assert question.endswith(of)
    return question.removesuffix(of).splitlines()


def training(skill: str, count: int = 200) -> list[tuple[list[str], str]]:
    """Return (lines of previous responses, right answer) of each training example."""
    plain = generate(skill, seed=4, train=count, dev=0, test=0)
    shown = with_responses(plain)["train"]
    pairs = zip(plain["train"], shown, strict=True)
    return [(split(changed["question"], example["question"]), example["answer"]) for example, changed in pairs]


@pytest.mark.parametrize("skill", CORRUPT)
def test_a_corrupted_answer_is_wrong_and_still_an_answer_of_its_kind(skill: str) -> None:
    rng = np.random.default_rng(0)
    for example in generate(skill, seed=2, train=300, dev=0, test=0)["train"]:
        right = example["answer"]
        wrong = CORRUPT[skill](rng, example["question"], right)
        assert wrong != right
        assert len(wrong.split()) == len(right.split())
        assert wrong == wrong.strip()
        assert [word.isdigit() for word in wrong.split()] == [word.isdigit() for word in right.split()]


def test_examples_have_up_to_three_responses_and_half_of_them_are_right() -> None:
    examples = training("sorting", 1000)
    counts = np.bincount([len(lines) for lines, _ in examples], minlength=MOST_RESPONSES + 1)
    right = [line == f"Answer: {answer}" for lines, answer in examples for line in lines]
    assert len(counts) == MOST_RESPONSES + 1
    assert all(200 < count < 300 for count in counts)
    assert 0.45 < np.mean(right) < 0.55


def test_only_the_training_questions_change() -> None:
    plain = generate("dates", seed=1, train=20, dev=5, test=5)
    before = deepcopy(plain)
    shown = with_responses(plain)
    assert plain == before
    assert {key: shown[key] for key in ("dataset", "seed", "dev", "test")} == {
        key: plain[key] for key in ("dataset", "seed", "dev", "test")
    }
    assert [{**example, "question": ""} for example in shown["train"]] == [
        {**example, "question": ""} for example in plain["train"]
    ]


def test_equal_data_sets_get_equal_responses_and_another_seed_others() -> None:
    assert training("picking") == training("picking")
    first, second = (with_responses(generate("units", seed, 30, 0, 0))["train"] for seed in (1, 2))
    assert first != second


def test_more_training_data_leaves_the_first_responses_as_they_are() -> None:
    assert training("reversing", 80)[:10] == training("reversing", 10)


def test_responses_are_written_in_the_form_asked_for_and_counted_from_one() -> None:
    data = generate("picking", seed=0, train=30, dev=0, test=0)
    shown = with_responses(data, "Previous response {number}: {response}")["train"]
    for example, changed in zip(data["train"], shown, strict=True):
        lines = split(changed["question"], example["question"])
        assert [line.partition(": ")[0] for line in lines] == [f"Previous response {i + 1}" for i in range(len(lines))]


@pytest.mark.parametrize(("right", "expected"), [(1.0, {True}), (0.0, {False}), (0.5, {True, False})])
def test_the_share_of_right_responses_is_what_was_asked_for(right: float, expected: set[bool]) -> None:
    drawn = responses(np.random.default_rng(1), "dates", "Which date is 1 day after May 3?", "May 4", 40, right)
    assert {response == "May 4" for response in drawn} == expected


def test_a_skill_without_known_wrong_answers_is_refused_in_one_line() -> None:
    (unknown,) = SKILLS.keys() - CORRUPT.keys()
    with pytest.raises(InputError) as error:
        with_responses(generate(unknown, seed=0, train=1, dev=0, test=0))
    remedy = f"leave --responses out, or choose of {', '.join(CORRUPT)}"
    assert str(error.value) == f"skill {unknown!r} can't have previous responses: {remedy}"
