"""Multiple choice: the answer is right if it names the right choice (docs/algorithms.md §5)."""

import math
import re
from typing import Any, ClassVar, Literal

from pydantic import Field

from data.examples import Example, InvalidExample
from data.kinds.base import MOST_NEW_TOKENS, TaskConfig, completion_text
from data.prompts import CHOICES, QUESTION, space_after
from data.requests import Generate, LogLikelihood, LogLikelihoods, Request, Response
from data.text import normalise
from swarm.errors import EvaluationError

UNANSWERED = ""
"""The prediction of a completion that names no choice."""

_REFERENCE_UNANSWERED = "Z"
_ASK = f"Question: {QUESTION}\n{CHOICES}\nThe answer is"
_TEMPLATE = f"Please choose an option that best answers the question.\n{_ASK}"
_REFERENCE_TEMPLATES = {
    "hellaswag": f"Please choose an option that best completes the sentence.\n{_ASK}",
    "knowledge_crosswords": _ASK,
}
"""The data sets that the public code asks in words of their own."""


class MultipleChoice(TaskConfig):
    """A question with lettered choices.

    - `anchored`: the first key that stands alone in the completion, or else the choice whose text occurs first.
    - `loglik`: the choice whose key (or text, by its mean token) the model finds likeliest; nothing is generated.
    - `reference`: as the public code: the first key found anywhere in the first 5 characters, then in the last 5,
      then a choice's text; so "Answer: C" is read as A.
    """

    version = 1
    reads_choices: ClassVar[bool] = True

    kind: Literal["multiple_choice"] = Field(title="Kind", description="Questions with lettered choices.")
    parse: Literal["anchored", "loglik", "reference"] = Field(
        "anchored",
        title="Parse",
        description="anchored: a letter that stands alone, then the choice's text. loglik: the likeliest choice, "
        "nothing is generated. reference: as the papers' public code.",
    )
    loglik_of: Literal["key", "text"] = Field(
        "key",
        title="Log-likelihood of",
        description="What parse: loglik compares: the choices' letters, or their texts (mean of the tokens).",
    )
    max_new_tokens: int = Field(
        10,
        title="New tokens",
        ge=1,
        le=MOST_NEW_TOKENS,
        description="An answer is cut after so many tokens; parse: loglik needs none.",
    )

    def placeholders(self) -> tuple[str, ...]:
        """Require the choices in a template, unless their texts are compared without being shown."""
        return (QUESTION,) if self._by_text else (QUESTION, CHOICES)

    def default_template(self, dataset: str) -> str:
        """Return the public code's prompt, which ends in "The answer is"."""
        return _REFERENCE_TEMPLATES.get(dataset.casefold(), _TEMPLATE) if self.parse == "reference" else _TEMPLATE

    def check_example(self, example: Example) -> None:
        """Refuse an example without choices."""
        if not example.choices:
            raise InvalidExample("choices", "is missing: write {'A': …, 'B': …} or set kind: exact_match")

    def worked_answer(self, example: Example) -> str:
        """Return the key of the right choice, or its text where texts are compared."""
        return dict(example.choices)[example.answer] if self._by_text else example.answer

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion, or for the log-likelihoods of the choices."""
        if self.parse != "loglik":
            return Generate(prompt, self.max_new_tokens, self.stop, self._stop_pattern(example))
        space = space_after(prompt)
        column = 0 if self.loglik_of == "key" else 1
        return LogLikelihood(prompt, tuple(space + choice[column] for choice in example.choices))

    @property
    def _by_text(self) -> bool:
        return self.parse == "loglik" and self.loglik_of == "text"

    def _stop_pattern(self, example: Example) -> str:
        return anchored_stop_pattern(example) if self.parse == "anchored" else reference_stop_pattern(example)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the key of the choice that `response` names."""
        match self.parse:
            case "anchored":
                return anchored_choice(example, completion_text(response))
            case "loglik":
                return _likeliest_choice(example, response, by_mean=self.loglik_of == "text")
            case "reference":
                return reference_choice(example, completion_text(response))

    def judge(self, example: Example, prediction: str) -> float:
        """Return 1 if `prediction` is the key of the right choice, else 0."""
        return float(prediction == example.answer)

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind and how answers are parsed."""
        loglik_of = self.loglik_of if self.parse == "loglik" else None
        return {"kind": self.kind, "parse": self.parse, "loglik_of": loglik_of}


def anchored_choice(example: Example, text: str) -> str:
    """Return the first key that stands alone in `text`, else the choice whose text occurs first, else "".

    A key stands alone if no letter, digit, hyphen or apostrophe touches it. "A" and "I" are also words: followed by
    a word in lower case they are read as such ("A dog", "I think"), except in "A is", "A because", "A since".
    """
    match = re.search(_standing_alone(example), text)
    return match["key"] if match else _first_text(example, normalise(text))


def anchored_stop_pattern(example: Example) -> str:
    """Return a regular expression that matches a completion as soon as its `anchored_choice` is a key for good.

    The key that stands alone is followed by enough of the text to know that it does, whatever comes next.
    """
    word_follows = r"(?<=[AI])\s+(?:[^\sa-z]|[a-z]+[^a-z])"
    other_follows = r"(?:(?<![AI])\s|[^\w\s'’-]|-[^\w])"
    return rf"{_standing_alone(example)}(?={word_follows}|{other_follows})"


def reference_stop_pattern(example: Example) -> str:
    """Return a regular expression that matches a completion once its first 5 characters are there and hold a key."""
    patterns = (rf".{{0,{5 - len(key)}}}{re.escape(key)}" for key, _ in example.choices if len(key) <= 5)
    return rf"(?s)\A\s*(?=\S.{{4}})(?:{'|'.join(patterns)})"


def reference_choice(example: Example, text: str) -> str:
    """Return the choice that the public code reads in `text`, or "Z"."""
    keys = [key for key, _ in example.choices]
    choices = [key for key in keys if key in text[:5]] or [key for key in keys if key in text[-5:]]
    choices = choices or [key for key, choice in example.choices if choice.lower() in text.lower()]
    return choices[0] if choices else _REFERENCE_UNANSWERED


def _standing_alone(example: Example) -> str:
    keys = "|".join(re.escape(key) for key, _ in sorted(example.choices, key=lambda choice: -len(choice[0])))
    word = r"(?!(?<=[AI])\s+(?!(?:is|because|since)\b)[a-z])"
    return rf"(?<![\w'’-])(?<!\w\.)(?P<key>{keys})(?![\w'’]|-\w){word}"


def _first_text(example: Example, text: str) -> str:
    occurrences = []
    for order, (key, choice) in enumerate(example.choices):
        choice_text = normalise(choice)
        match = re.search(rf"(?<!\w){re.escape(choice_text)}(?!\w)", text)
        if match:  # of texts that begin together the longest is meant: "cat food", not "cat"
            occurrences.append((match.start(), -len(choice_text), order, key))
    return min(occurrences)[-1] if occurrences else UNANSWERED


def _likeliest_choice(example: Example, response: Response, by_mean: bool) -> str:
    if not isinstance(response, LogLikelihoods) or len(response.values) != len(example.choices):
        raise EvaluationError(f"the engine did not answer with one log-likelihood a choice for {example.location}")
    if not all(map(math.isfinite, response.values)):
        raise EvaluationError(f"the engine answered with log-likelihoods {response.values} for {example.location}")
    values = [
        value / max(1, length) if by_mean else value
        for value, length in zip(response.values, response.lengths, strict=True)
    ]
    return example.choices[values.index(max(values))][0]
