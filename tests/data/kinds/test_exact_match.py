from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data.examples import Example, InvalidExample, Split
from data.kinds.exact_match import ExactMatch
from data.requests import Completion, Generate, LogLikelihoods
from swarm.errors import EvaluationError

MATCHES = ["number", "word", "text", "reference"]
NO_NUMBER = (
    "is not a number: write the number alone, or after reasoning in a last line #### NUMBER; "
    "for answers of words set match: word"
)
HUB = "She sells 16 - 3 - 4 = <<16-3-4=9>>9 eggs.\nShe makes 9 * 2 = $18.\n#### {}"
"""An answer as GSM8K's file on the hub has it."""


def task(match: str, **fields: Any) -> ExactMatch:
    return ExactMatch.model_validate({"kind": "exact_match", "data": "set.json", "match": match, **fields})


def example(answer: str, dataset: str = "set", split: Split = "dev") -> Example:
    return Example(dataset, split, 0, "0", "question", answer)


def score(config: ExactMatch, asked: Example, text: str) -> tuple[str, float]:
    prediction = config.prediction(asked, Completion(text, 1))
    return prediction, config.judge(asked, prediction)


@pytest.mark.parametrize("match", MATCHES)
@pytest.mark.parametrize(("number", "text"), [("18", "18"), ("1,234", "1,234"), ("-5", "-5"), ("18 ", "18")])
def test_the_answer_of_a_gsm8k_row_is_what_stands_after_its_marks(match: str, number: str, text: str) -> None:
    asked, config = example(HUB.format(number)), task(match)
    config.check_example(asked)
    assert score(config, asked, text)[1] == 1
    assert score(config, asked, "9")[1] == 0


def test_thousands_of_a_gsm8k_row_may_be_separated_or_not() -> None:
    scores = [score(task("number"), example(HUB.format("1,234")), text)[1] for text in ("1234", "$1,234.00", "234")]
    assert scores == [1, 1, 0]


def test_a_gsm8k_row_is_shown_with_its_reasoning_but_where_the_whole_text_counts() -> None:
    assert task("number").worked_answer(example(HUB.format(18))) == HUB.format(18)
    assert task("text").worked_answer(example(HUB.format(18))) == "18"


@pytest.mark.parametrize("answer", ["18", "Yes", "#### 18\nor so", "##### 18", "a #### 18"])
def test_other_answers_are_compared_whole_and_keep_their_key(answer: str) -> None:
    assert task("word").facts(example(answer)) == {"choices": (), "answer": answer}


@pytest.mark.parametrize(
    ("match", "answer", "text", "prediction", "points"),
    [
        ("number", "18", "9 eggs at $2 make $18.", "18", 1),
        ("number", "18", "18 eggs and 3 left", "3", 0),
        ("number", "1,234", "1234", "1234", 1),
        ("number", "1234", "It is 1,234.00.", "1234", 1),
        ("number", "-3", "so x = -3.", "-3", 1),
        ("number", "3", "so x = -3.", "-3", 0),
        ("number", "2", "12", "12", 0),
        ("number", "2", "two", "", 0),
        ("word", "Yes", " yes, there is.", "yes, there is.", 1),
        ("word", "Yes", "Yesterday", "yesterday", 0),
        ("word", "2", "12", "12", 0),
        ("word", "2", "2.5", "2.5", 0),
        ("word", "2", "1,2", "1,2", 0),
        ("word", "2", "-2", "-2", 0),
        ("word", "2", "It is 2.", "it is 2.", 1),
        ("word", "2", "1, 2", "1, 2", 1),
        ("word", "-2", "x=-2", "x=-2", 1),
        ("word", "New  York", "in new\nyork!", "in new york!", 1),
        ("word", "C++", "It is C++.", "it is c++.", 1),
        ("word", "a.c", "abc", "abc", 0),
        ("text", "1 4 7", " 1 4  7.\n", "1 4 7", 1),
        ("text", "1 4 7", "1 4 7 9", "1 4 7 9", 0),
        ("text", "Green Bird", "green bird", "green bird", 1),
        ("reference", "2", "12", "12", 1),
        ("reference", "Yes", "yes", "yes", 0),
        ("reference", "2", " no 2 here ", "no 2 here", 1),
    ],
)
def test_a_completion_is_matched(match: str, answer: str, text: str, prediction: str, points: float) -> None:
    assert score(task(match), example(answer), text) == (prediction, points)


@pytest.mark.parametrize("dataset", ["gsm8k", "GSM8k"])
def test_reference_looks_at_the_last_5_words_of_gsm8k_on_dev_and_at_10_on_test(dataset: str) -> None:
    text = "42 is right but one two three four five six"
    assert score(task("reference"), example("42", dataset, "dev"), text) == ("two three four five six", 0)
    assert score(task("reference"), example("42", dataset, "test"), text) == (text, 1)
    assert score(task("reference"), example("42", "other", "dev"), text) == (text, 1)


@pytest.mark.parametrize(
    ("config", "dataset", "limit"),
    [
        (task("number"), "set", 200),
        (task("word"), "gsm8k", 10),
        (task("reference"), "GSM8k", 200),
        (task("reference"), "nlgraph", 10),
        (task("number", max_new_tokens=7), "set", 7),
    ],
)
def test_answers_after_reasoning_get_more_tokens(config: ExactMatch, dataset: str, limit: int) -> None:
    assert config.request(example("1", dataset), "prompt") == Generate("prompt", limit)


def test_stop_strings_are_passed_on() -> None:
    assert task("text", stop=["\n", "Q:"]).request(example("1"), "prompt") == Generate("prompt", 10, ("\n", "Q:"))


@pytest.mark.parametrize(
    ("match", "answer", "message"),
    [
        ("number", "Yes", f"answer: 'Yes' {NO_NUMBER}"),
        ("number", "They are two.\n#### two", f"answer: 'two' {NO_NUMBER}"),
        ("text", ".", "answer: '.' has no text: correct it or set match: word"),
    ],
)
def test_an_answer_that_nothing_could_match_is_refused(match: str, answer: str, message: str) -> None:
    with pytest.raises(InvalidExample) as error:
        task(match).check_example(example(answer))
    assert str(error.value) == message


def test_another_type_of_response_is_a_failed_evaluation() -> None:
    with pytest.raises(EvaluationError) as error:
        task("word").prediction(example("1"), LogLikelihoods((0.0,), (1,)))
    assert str(error.value) == "the engine answered with LogLikelihoods where a Completion was asked for"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"stop": [""]}, "at least 1 character"),
        ({"max_new_tokens": 0}, "greater than or equal to 1"),
        ({"weight": 0}, "greater than 0"),
        ({"weight": float("inf")}, "finite number"),
        ({"dev": 0}, "greater than or equal to 1"),
        ({"sample": 3}, "Extra inputs are not permitted"),
        ({"match": "regex"}, "'number', 'word', 'text' or 'reference'"),
        ({"template": "Q:"}, "template 'Q:' has no {question}: write it where the text belongs"),
        ({"system": "be brief"}, "system 'be brief' has no place in a raw prompt: set prompt: chat or remove it"),
    ],
)
def test_a_wrong_field_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        task(**{"match": "word", **fields})
    assert message in str(error.value)


@given(st.sampled_from(MATCHES), st.text(min_size=1), st.text(), st.sampled_from(["gsm8k", "set"]))
def test_scoring_never_raises(match: str, answer: str, text: str, dataset: str) -> None:
    assert score(task(match), example(answer, dataset), text)[1] in (0.0, 1.0)


@given(st.sampled_from(MATCHES), st.integers(-(10**6), 10**6), st.sampled_from(["{}", "{}.", " {}\n"]))
def test_the_right_answer_alone_is_right_in_every_mode(match: str, answer: int, written: str) -> None:
    assert score(task(match), example(str(answer)), written.format(answer))[1] == 1
