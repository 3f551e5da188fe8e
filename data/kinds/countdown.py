"""Countdown: reach a number by arithmetic with given ones (Evolution Strategies at Scale, arXiv 2509.24372).

The reward is that of the paper's public code, 0.1 · format + answer (docs/algorithms.md §3), but nothing is run:
its arithmetic is worked out by `data/arithmetic.py`.
"""

import json
import re
from fractions import Fraction
from typing import Any, Literal

from pydantic import Field

from data.arithmetic import value_of
from data.examples import Example, InvalidExample
from data.kinds.base import MOST_NEW_TOKENS, Bounds, TaskConfig, completion_of
from data.prompts import QUESTION
from data.requests import Generate, Request, Response
from data.text import show_value

FORMAT_WEIGHT = 0.1
_THINK, _THOUGHT, _ANSWER, _ANSWERED = "<think>", "</think>", "<answer>", "</answer>"
_TOLERANCE = Fraction(1, 100_000)
"""The public code's; the file writes targets that are no whole numbers with 16 digits."""

_DECIMAL = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


class Countdown(TaskConfig):
    """Numbers, and a target to be reached by arithmetic that uses each of them once.

    The completion goes on after `<think>`, with which the prompt ends. The score is 0.1 · format + answer. Answer is 1
    if the last `<answer>…</answer>` uses every number once and its value is the target, else 0. Format is 1 if the
    completion is `…</think>`, a line break, `<answer>…</answer>` and nothing else; otherwise 0.1 if there is a
    `</think>`, plus 0.5 if there is an answer.
    """

    version = 1

    kind: Literal["countdown"] = Field(title="Kind", description="Numbers to reach a target with.")
    max_new_tokens: int = Field(
        1024,
        title="New tokens",
        ge=1,
        le=MOST_NEW_TOKENS,
        description="An answer is cut after so many tokens; it has to be reasoned out.",
    )

    @property
    def bounds(self) -> Bounds:
        """The score of a right answer in the right format is 1.1."""
        return 0.0, 1.0 + FORMAT_WEIGHT

    def default_template(self, dataset: str) -> str:
        """Return the question alone: the papers' file has the whole prompt."""
        return QUESTION

    def check_example(self, example: Example) -> None:
        """Refuse an example without numbers, or whose target is no number."""
        check_numbers(example)

    def worked_answer(self, example: Example) -> str:
        """Refuse: an equation alone would show no reasoning, and the file has nothing else."""
        raise InvalidExample("target", "has no reasoning that could be shown: leave out 'examples'")

    def facts(self, example: Example) -> dict[str, Any]:
        """Add the numbers: they decide whether an answer is right."""
        return {**super().facts(example), "numbers": example.extra["numbers"]}

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion."""
        return Generate(prompt, self.max_new_tokens, self.stop)

    def prediction(self, example: Example, response: Response) -> str:
        """Return, as JSON, the format's reward and the last answer as it is written (null if there is none)."""
        text = completion_of(response).text  # as it is: spaces at its end are no part of the format
        return json.dumps({"format": format_reward(text), "answer": last_answer(text)}, ensure_ascii=False)

    def judge(self, example: Example, prediction: str) -> float:
        """Return 0.1 · format + answer."""
        read = json.loads(prediction)
        right = read["answer"] is not None and is_right(read["answer"], example.extra["numbers"], example.answer)
        return FORMAT_WEIGHT * float(read["format"]) + float(right)

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind: nothing else is to be set."""
        return {"kind": self.kind}


def check_numbers(example: Example) -> None:
    """Raise `InvalidExample` if `example` is no Countdown."""
    numbers = example.extra.get("numbers")
    if not isinstance(numbers, list) or not numbers or not all(type(n) is int and n >= 0 for n in numbers):
        raise InvalidExample("numbers", f"{show_value(numbers)} is no list of whole numbers: write [44, 19, 35]")
    if not _DECIMAL.fullmatch(example.answer):
        raise InvalidExample("target", f"{show_value(example.answer)} is not a number: write it in digits")


def format_reward(completion: str) -> float:
    """Return how far `completion`, which goes on after `<think>`, has the format, from 0 to 1.

    Searched for by `find`, in linear time: the public code's regular expressions need quadratic time where tags repeat.
    """
    response = _THINK + completion
    answer = response.find(f"{_THOUGHT}\n{_ANSWER}", len(_THINK))
    end = response.removesuffix("\n")
    if answer >= 0 and end.endswith(_ANSWERED) and len(end) - len(_ANSWERED) >= answer + len(f"{_THOUGHT}\n{_ANSWER}"):
        return 1.0
    has_thought = _THOUGHT in completion
    return 0.1 * has_thought + 0.5 * (last_answer(completion) is not None)


def last_answer(completion: str) -> str | None:
    """Return what the last `<answer>…</answer>` holds; None if there is no such thing."""
    answer, position = None, 0
    while (start := completion.find(_ANSWER, position)) >= 0:
        end = completion.find(_ANSWERED, start + len(_ANSWER))
        if end < 0:
            break
        answer, position = completion[start + len(_ANSWER) : end], end + len(_ANSWERED)
    return answer


def is_right(answer: str, numbers: list[int], target: str) -> bool:
    """Tell whether `answer` is arithmetic with each of `numbers` once, and its value is `target`."""
    value = value_of(answer)
    if value is None or sorted(map(int, re.findall("[0-9]+", answer))) != sorted(numbers):
        return False
    return abs(value - Fraction(target)) < _TOLERANCE
