import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.examples import Example, InvalidExample
from data.kinds.countdown import Countdown, format_reward, last_answer
from data.requests import Completion, Generate, LogLikelihoods
from swarm.errors import EvaluationError

TASK = Countdown.model_validate({"kind": "countdown", "data": "countdown.json"})
RIGHT = "44 + 19 = 63</think>\n<answer>(44 + 19) + 35</answer>"


def example(target: str = "98", numbers: Any = (44, 19, 35)) -> Example:
    extra = {"numbers": list(numbers) if isinstance(numbers, tuple) else numbers}
    return Example("countdown", "dev", 0, "0", "Reach it.\n<think>", target, (), extra)


def score(text: str, asked: Example | None = None) -> float:
    asked = asked or example()
    return TASK.judge(asked, TASK.prediction(asked, Completion(text, 1)))


@pytest.mark.parametrize(
    ("text", "points"),
    [
        (RIGHT, 1.1),
        (RIGHT + "\n", 1.1),
        (RIGHT + "\n\n", 1.06),  # the format allows one line break at the end
        ("Sum them.</think> <answer>44+19+35</answer>", 1.06),
        ("<answer>44+19+35</answer>", 1.05),
        ("Sum them.</think>\n<answer>44+19</answer>", 0.1),
        ("Sum them.</think>", 0.01),
        ("<answer>98</answer>", 0.05),
        ("<answer>44+19+35", 0.0),
        ("", 0.0),
        ("<answer>1</answer> no: <answer>35+44+19</answer>", 1.05),
        ("<answer>44+19+35</answer> or <answer>1</answer>", 0.05),
        ("<answer>44+19+35 = 98</answer>", 0.05),
        ("<answer>44+19+35+0*44</answer>", 0.05),
        ("<answer>__import__('os')</answer>", 0.05),
        ("<answer>44**19**35</answer>", 0.05),
    ],
)
def test_the_reward_is_a_tenth_of_the_format_and_the_answer(text: str, points: float) -> None:
    assert score(text) == pytest.approx(points)


@pytest.mark.parametrize(
    ("target", "numbers", "answer", "right"),
    [
        ("-11", (9, 20), "9 - 20", True),
        ("-11", (9, 20), "20 - 9", False),
        ("266.6666666666667", (60, 10, 57, 80), "10 / (60 - 57) * 80", True),
        ("2.5", (5, 2), "5 / 2", True),
        ("2", (5, 2), "5 // 2", False),
        ("25", (5, 2), "5 ** 2", False),
        ("6", (3, 3), "3 + 3", True),
        ("3", (3, 3), "3", False),
        ("0", (1, 1), "1 - 1", True),
    ],
)
def test_an_answer_is_right_if_it_uses_every_number_once_and_gives_the_target(
    target: str, numbers: tuple[int, ...], answer: str, right: bool
) -> None:
    assert score(f"<answer>{answer}</answer>", example(target, numbers)) == pytest.approx(0.05 + right)


def test_a_prediction_says_what_was_read() -> None:
    assert json.loads(TASK.prediction(example(), Completion(RIGHT, 1))) == {"format": 1.0, "answer": "(44 + 19) + 35"}
    assert json.loads(TASK.prediction(example(), Completion("hm", 1))) == {"format": 0.0, "answer": None}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (example(numbers=None), "numbers: None is no list of whole numbers: write [44, 19, 35]"),
        (example(numbers=[]), "numbers: [] is no list of whole numbers: write [44, 19, 35]"),
        (example(numbers=[1.5]), "numbers: [1.5] is no list of whole numbers: write [44, 19, 35]"),
        (example(numbers=[True]), "numbers: [True] is no list of whole numbers: write [44, 19, 35]"),
        (example(numbers=[-3]), "numbers: [-3] is no list of whole numbers: write [44, 19, 35]"),
        (example("1/3"), "target: '1/3' is not a number: write it in digits"),
        (example("1e9"), "target: '1e9' is not a number: write it in digits"),
        (example(""), "target: '' is not a number: write it in digits"),
    ],
)
def test_an_example_that_is_no_countdown_is_refused(asked: Example, message: str) -> None:
    with pytest.raises(InvalidExample) as error:
        TASK.check_example(asked)
    assert str(error.value) == message


def test_it_asks_with_the_files_own_prompt_and_room_for_reasoning() -> None:
    assert TASK.default_template("countdown") == "{question}"
    assert TASK.request(example(), "prompt") == Generate("prompt", 1024)


def test_the_numbers_are_part_of_an_objectives_key() -> None:
    assert TASK.facts(example())["numbers"] == [44, 19, 35]


def test_another_type_of_response_is_a_failed_evaluation() -> None:
    with pytest.raises(EvaluationError, match="LogLikelihoods where a Completion was asked for"):
        TASK.prediction(example(), LogLikelihoods((0.0,), (1,)))


PIECES = ["<think>", "</think>", "<answer>", "</answer>", "\n", " ", "</think>\n<answer>", "1+2", "x"]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_format_is_that_of_the_public_codes_regular_expressions(completion: str) -> None:
    response = f"<think>{completion}"
    thought = re.search("<think>.*?</think>", response, re.DOTALL) is not None
    answered = re.search("<answer>.*?</answer>", response, re.DOTALL) is not None
    whole = re.match("^<think>.*?</think>\n<answer>.*?</answer>$", response, re.DOTALL) is not None
    assert format_reward(completion) == (1.0 if whole else 0.1 * thought + 0.5 * answered)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_the_last_answer_is_that_of_the_public_codes_regular_expression(completion: str) -> None:
    found = re.findall("<answer>(.*?)</answer>", completion, re.DOTALL)
    assert last_answer(completion) == (found[-1] if found else None)


@given(st.text(st.sampled_from("0123456789+-*/() <>answerthink\n")) | st.text())
def test_scoring_never_raises_and_stays_within_the_bounds(text: str) -> None:
    least, greatest = TASK.bounds
    assert least <= score(f"<answer>{text}</answer>") <= greatest
    assert least <= score(text) <= greatest
