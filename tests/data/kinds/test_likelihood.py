import math
from typing import Any

import pytest

from data.examples import Example, InvalidExample
from data.kinds.likelihood import Likelihood
from data.requests import Completion, LogLikelihood, LogLikelihoods, Response
from swarm.errors import EvaluationError

ASKED = Example("set", "dev", 0, "0", "The capital of France is", "Paris")


def task(**fields: Any) -> Likelihood:
    return Likelihood.model_validate({"kind": "likelihood", "data": "set.json", **fields})


def score(config: Likelihood, value: float, tokens: int) -> float:
    return config.judge(ASKED, config.prediction(ASKED, LogLikelihoods((value,), (tokens,))))


def test_the_reference_is_asked_for_after_one_space() -> None:
    assert task().request(ASKED, "It is") == LogLikelihood("It is", (" Paris",))
    assert task().request(ASKED, "<assistant>\n") == LogLikelihood("<assistant>\n", ("Paris",))


def test_the_reference_of_a_choice_is_its_text() -> None:
    asked = Example("set", "dev", 0, "0", "Barks?", "B", (("A", "cat"), ("B", "dog")))
    assert task().request(asked, "Barks?") == LogLikelihood("Barks?", (" dog",))


def test_the_score_is_the_mean_of_the_tokens() -> None:
    assert (score(task(), -3.0, 4), task().bounds) == (-0.75, (None, 0.0))


def test_it_is_the_mean_to_the_last_bit() -> None:
    assert score(task(), -1.0, 3) == -1.0 / 3


def test_a_perplexity_is_negative_so_that_higher_is_better() -> None:
    perplexity = task(measure="perplexity")
    assert score(perplexity, -2 * math.log(5), 2) == pytest.approx(-5)
    assert (score(perplexity, 0.0, 2), perplexity.bounds) == (-1.0, (None, -1.0))


def test_a_perplexity_beyond_numbers_is_a_failed_evaluation() -> None:
    with pytest.raises(EvaluationError) as error:
        score(task(measure="perplexity"), -1000.0, 1)
    assert str(error.value) == (
        "the perplexity of dev[0] is too large for a number (its log-likelihood is -1000 a token): set measure: "
        "log_likelihood"
    )


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Completion("Paris", 1), "the engine did not answer with one log-likelihood for dev[0]"),
        (LogLikelihoods((-1.0, -2.0), (1, 1)), "the engine did not answer with one log-likelihood for dev[0]"),
        (LogLikelihoods((-1.0,), (0,)), "the engine did not answer with one log-likelihood for dev[0]"),
        (LogLikelihoods((float("nan"),), (1,)), "the engine answered with the log-likelihood nan for dev[0]"),
    ],
)
def test_an_answer_without_a_usable_log_likelihood_is_a_failed_evaluation(response: Response, message: str) -> None:
    with pytest.raises(EvaluationError) as error:
        task().prediction(ASKED, response)
    assert str(error.value) == message


def test_an_example_without_a_reference_is_refused() -> None:
    with pytest.raises(InvalidExample, match="answer: is missing"):
        task().check_example(Example("set", "dev", 0, "0", "Hello", ""))
