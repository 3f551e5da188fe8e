from typing import Any

import pytest

from data.examples import Example, InvalidExample
from data.kinds.conciseness import Conciseness
from data.requests import Completion, Generate

ASKED = Example("set", "dev", 0, "0", "Solve: 3 + 5 =", "8")


def task(**fields: Any) -> Conciseness:
    return Conciseness.model_validate({"kind": "conciseness", "data": "set.json", **fields})


def score(config: Conciseness, text: str, prompt: str = "Solve: 3 + 5 =") -> float:
    request = config.request(ASKED, prompt)
    return config.judge(ASKED, config.read(ASKED, request, Completion(text, 1)))


@pytest.mark.parametrize(("text", "points"), [("8", 0), (" 8\n", 0), ("", -1), ("It is 8.", -7), ("é", 0)])
def test_the_score_is_minus_the_difference_in_length(text: str, points: float) -> None:
    assert score(task(), text) == points


def test_reference_counts_the_prompt_too_and_every_space() -> None:
    assert score(task(length="reference"), " 8") == -15
    assert score(task(length="reference"), " 8", "<user>Solve: 3 + 5 =<assistant>") == -32


def test_it_is_at_most_0() -> None:
    assert task().bounds == (None, 0.0)


def test_it_asks_for_a_completion_of_at_most_100_tokens() -> None:
    assert task(stop=["\n"]).request(ASKED, "prompt") == Generate("prompt", 100, ("\n",))


def test_an_example_without_a_reference_is_refused() -> None:
    with pytest.raises(InvalidExample) as error:
        task().check_example(Example("set", "dev", 0, "0", "Hello", ""))
    assert str(error.value) == "answer: is missing: give the right answer, or choose a kind that needs none"
