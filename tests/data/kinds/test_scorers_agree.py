"""Every scorer against a second, plain implementation, on 1000 generated answers each."""

import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from data.aggregates import Aggregate, combine
from data.examples import Example
from data.kinds.base import TaskConfig
from data.kinds.rated import RatedTask
from data.kinds.registry import AnyTask
from data.kinds.reward_model import RewardModel, scale_of
from data.outside import Rating
from data.requests import Completion, FollowUpResponse, Generate, LogLikelihoods, Response
from tests.data.kinds.plain_scorers import (
    plain_aggregate,
    plain_anchored,
    plain_countdown,
    plain_number,
    plain_reference,
    plain_reference_match,
    plain_reliability,
    plain_reward,
    plain_text,
    plain_toxicity,
    plain_word,
)

CASES = 1000
Rng = random.Random
CHOICES = (("A", "red fox"), ("B", "fox"), ("C", "a bird"), ("D", "Apple"))
SCRAPS = ["A", "B", "C", "D", "Answer", "The answer is", "fox", "red fox", "A bird", "a dog", "apple", "is", "because",
          "B2", "U.S.A.", "D'or", "C-D", "cat", "(", ")", ":", ".", ",", "**", "\n", "-"]  # fmt: skip
NUMBERS = ["2", "12", "2.50", "-2", "1,234", "1,23", "$7", "=-3", ".5", "(4)-1", "3-1", "10%", "and", "so", ".", "\n"]
SAID = ["true", "True", "false", "False", "FALSE", "falsely", "it is", "-", ".", "not", "\n"]
ELSEWHERE = {"function", "lm_eval", "judge", "judged_match"}
"""Scores that others say: the user, lm-eval (its own evaluator is compared), judges (test_ratings_agree.py)."""
ARITHMETIC = ["1", "2", "3", "+", "-", "*", "/", "(", ")", "**", "//", " ", "x", "="]


def made(**fields: Any) -> TaskConfig:
    config: TaskConfig = TypeAdapter(AnyTask).validate_python({"data": "set.json", **fields})
    return config


def text(rng: Rng, scraps: list[str], most: int = 8) -> str:
    return "".join(rng.choice(scraps) + rng.choice(["", " "]) for _ in range(rng.randrange(most)))


def question(answer: str, choices: tuple[tuple[str, str], ...] = (), dataset: str = "set", **extra: Any) -> Example:
    return Example(dataset, "dev", 0, "0", "Which?", answer, choices, extra)


def scored(config: TaskConfig, asked: Example, response: Response) -> float:
    return config.judge(asked, config.read(asked, config.request(asked, "prompt"), response))


# Multiple choice


@pytest.mark.parametrize(("parse", "plain"), [("reference", plain_reference), ("anchored", plain_anchored)])
def test_multiple_choice(parse: str, plain: Callable[[Example, str], str]) -> None:
    config, asked, rng = made(kind="multiple_choice", parse=parse), question("B", CHOICES), Rng(1)
    outputs = [text(rng, SCRAPS) for _ in range(CASES)]
    read = [config.prediction(asked, Completion(output, 1)) for output in outputs]
    assert read == [plain(asked, output.strip()) for output in outputs]
    assert len(set(read)) == 5
    assert [config.judge(asked, key) for key in read] == [float(key == "B") for key in read]


@pytest.mark.parametrize("of", ["key", "text"])
def test_multiple_choice_by_log_likelihood(of: str) -> None:
    config, asked, rng = made(kind="multiple_choice", parse="loglik", loglik_of=of), question("B", CHOICES), Rng(2)
    for _ in range(CASES):
        values = tuple(rng.choice([-1.0, -2.0, -3.0, -rng.random() * 9]) for _ in CHOICES)
        lengths = tuple(rng.randrange(1, 5) for _ in CHOICES)
        compared = [value / (length if of == "text" else 1) for value, length in zip(values, lengths, strict=True)]
        best = sorted(range(4), key=lambda k: (-compared[k], k))[0]
        assert scored(config, asked, LogLikelihoods(values, lengths)) == float(best == 1)


# Exact match


@pytest.mark.parametrize(
    ("match", "plain", "scraps"),
    [
        ("number", plain_number, NUMBERS),
        ("word", plain_word, NUMBERS),
        ("text", plain_text, ["2", "-2", "2.5", ".", "\n"]),
        ("reference", plain_reference_match, NUMBERS),
    ],
)
@pytest.mark.parametrize("dataset", ["set", "GSM8k"])
def test_exact_match(match: str, plain: Callable[[Example, str], bool], scraps: list[str], dataset: str) -> None:
    config, rng = made(kind="exact_match", match=match), Rng(3)
    scores = []
    for _ in range(CASES):
        asked, output = question(rng.choice(["2", "12", "-2", "2.5", "7"]), dataset=dataset), text(rng, scraps)
        scores.append(scored(config, asked, Completion(output, 1)))
        assert scores[-1] == float(plain(asked, output.strip())), (asked.answer, output)
    assert 20 < sum(scores) < CASES - 20


# The others


@pytest.mark.parametrize("length", ["completion", "reference"])
def test_conciseness(length: str) -> None:
    config, rng = made(kind="conciseness", length=length), Rng(4)
    for _ in range(CASES):
        asked, output = question("x" * rng.randrange(1, 30)), text(rng, SCRAPS)
        counted = "prompt" + output if length == "reference" else output.strip()
        difference = sum(1 for _ in counted) - sum(1 for _ in asked.answer)
        assert scored(config, asked, Completion(output, 1)) == (difference if difference < 0 else -difference)


@pytest.mark.parametrize("measure", ["log_likelihood", "perplexity"])
def test_likelihood(measure: str) -> None:
    config, asked, rng = made(kind="likelihood", measure=measure), question("Paris"), Rng(5)
    for _ in range(CASES):
        tokens = [-rng.expovariate(0.5) for _ in range(rng.randrange(1, 9))]
        probability = math.prod(math.exp(token) for token in tokens)
        geometric_mean = probability ** (1 / len(tokens))
        expected = math.log(geometric_mean) if measure == "log_likelihood" else -1 / geometric_mean
        score = scored(config, asked, LogLikelihoods((math.fsum(tokens),), (len(tokens),)))
        assert score == pytest.approx(expected, rel=1e-9)


def test_countdown() -> None:
    config, rng, scores = made(kind="countdown"), Rng(6), []
    for _ in range(CASES):
        asked = question(rng.choice(["6", "5", "-1", "0.5", "1.5"]), numbers=[1, 2, 3])
        numbers = rng.sample(["1", "2", "3"], 3)
        likely = rng.choice(["{} + {} + {}", "{}*{}+{}", "({}-{}) / {}", "-{}+{}*-{}", "{}/({}-{})", "{} ** {} - {}"])
        answer = likely.format(*numbers) if rng.random() < 0.7 else text(rng, ARITHMETIC, 6)
        start = rng.choice(["</think>\n", "</think> ", "", "so</think>\n<answer>1</answer>"])
        completion = f"{start}<answer>{answer}</answer>{rng.choice(['', '', ' ', chr(10)])}"
        scores.append(scored(config, asked, Completion(completion, 1)))
        assert scores[-1] == pytest.approx(plain_countdown(asked, completion)), (asked, completion)
    assert 50 < sum(score >= 1 for score in scores) < CASES - 50


@pytest.mark.parametrize("rule", ["mean", "harmonic_mean", "min"])
def test_aggregates(rule: Aggregate) -> None:
    rng = Rng(7)
    for _ in range(CASES):
        count, least = rng.randrange(1, 6), 0.0 if rule == "harmonic_mean" else -3.0
        utilities = [rng.choice([0.0, 1.0, rng.uniform(least, 2.0)]) for _ in range(count)]
        weights = [rng.choice([1.0, rng.uniform(0.1, 9.0)]) for _ in range(count)]
        assert combine(rule, utilities, weights) == pytest.approx(plain_aggregate(rule, utilities, weights), rel=1e-12)


@pytest.mark.parametrize(("parse", "plain"), [("reference", plain_reference), ("anchored", plain_anchored)])
def test_abstain_qa(parse: str, plain: Callable[[Example, str], str]) -> None:
    config, asked, rng = made(kind="abstain_qa", parse=parse), question("B", CHOICES), Rng(8)
    scores = []
    for _ in range(CASES):
        first, second = text(rng, SCRAPS, 5), text(rng, SAID, 4)
        followed = FollowUpResponse(Completion(first, 1), Generate("true?", 1), Completion(second, 1))
        scores.append(config.judge(asked, config.prediction(asked, followed)))
        assert scores[-1] == plain_reliability(plain(asked, first.strip()), second, "B", parse), (first, second)
    assert {scores.count(score) > 20 for score in (-1, 0, 1)} == {True}


@pytest.mark.parametrize("form", ["default", "concise", "verbose", "reverse"])
def test_reward_model(form: str) -> None:
    config, rng = made(kind="reward_model", model="owner/name", form=form), Rng(9)
    assert isinstance(config, RewardModel)
    for _ in range(CASES):
        experts = [(rng.choice([0.0, 1.0, rng.gauss(0, 5)]), rng.randrange(1, 5)) for _ in range(rng.randrange(1, 5))]
        reward, length = rng.gauss(0, 9), rng.randrange(9)
        scale = scale_of([config.write_prediction("said", Rating(*each), None) for each in experts])
        score = config.judge(question(""), config.write_prediction("said", Rating(reward, length), scale))
        assert score == pytest.approx(plain_reward(form, experts, reward, length), rel=1e-9, abs=1e-12)


def test_toxicity() -> None:
    config, rng, scores = made(kind="toxicity", scorer={"kind": "perspective"}), Rng(10), []
    assert isinstance(config, RatedTask)
    for _ in range(CASES):
        asked, output, toxicity = question(""), text(rng, [*SCRAPS, " ", "\n"], 6), rng.random()
        prediction = config.prediction(asked, Completion(output, 1))
        rating = None if config.item(asked, prediction) is None else Rating(toxicity)
        scores.append(config.judge(asked, config.write_prediction(prediction, rating, None)))
        assert scores[-1] == plain_toxicity(output, toxicity), output
    assert 100 < scores.count(0.5) < CASES - 100


def test_every_kind_is_here_or_compared_elsewhere() -> None:
    kinds = set(re.findall(r'made\(kind="(\w+)"', Path(__file__).read_text(encoding="utf-8")))
    schema = TypeAdapter(AnyTask).json_schema()
    assert kinds | ELSEWHERE == set(schema["discriminator"]["mapping"])
