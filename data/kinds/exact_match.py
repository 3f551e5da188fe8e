"""Exact match: the answer is right if the completion gives it (docs/algorithms.md §5)."""

import re
from typing import Any, Literal

from pydantic import Field

from data.examples import Example, InvalidExample, Split, require_answer
from data.kinds.base import MOST_NEW_TOKENS, TaskConfig, completion_text
from data.numbers import last_number, whole_number
from data.prompts import QUESTION
from data.requests import Generate, Request, Response
from data.text import final_answer, normalise, show_value

_SHORT_ANSWER, _REASONING = 10, 200
"""New tokens of the public code: for an answer alone, and for one after some steps of reasoning."""

_REFERENCE_WORDS: dict[str, dict[Split, int]] = {"gsm8k": {"dev": 5, "test": 10}}
"""The public code looks at the last words only, for this data set, and at more of them on test than on dev."""


class ExactMatch(TaskConfig):
    """A question with one right answer: the example's `answer`, or what its last line has after `####` (GSM8K's file).

    - `number`: the last number of the completion equals the answer; `1,234.50` is `1234.5`.
    - `word`: the answer stands in the completion as words of its own; case does not matter.
    - `text`: the whole completion is the answer, up to case, spaces and a full stop at its end.
    - `reference`: as the public code: the answer occurs anywhere, so "2" is found in "12".
    """

    version = 1

    kind: Literal["exact_match"] = Field(title="Kind", description="Questions with one right answer.")
    match: Literal["number", "word", "text", "reference"] = Field(
        "word",
        title="Match",
        description="number: the last number equals. word: stands in the completion as words of its own. "
        "text: the whole completion equals. reference: as the papers' public code.",
    )
    max_new_tokens: int | None = Field(
        None,
        title="New tokens",
        ge=1,
        le=MOST_NEW_TOKENS,
        description="An answer is cut after so many tokens; 200 if empty for numbers (reasoning comes first), else 10.",
    )

    def default_template(self, dataset: str) -> str:
        """Return the question alone."""
        return QUESTION

    def check_example(self, example: Example) -> None:
        """Refuse an answer that no completion could match."""
        require_answer(example)
        answer = final_answer(example.answer)
        if self.match == "number" and not whole_number(answer):
            raise InvalidExample(
                "answer",
                f"{show_value(answer)} is not a number: write the number alone, or after reasoning in a last line "
                "#### NUMBER; for answers of words set match: word",
            )
        if self.match == "text" and not _whole_text(answer):
            raise InvalidExample("answer", f"{show_value(example.answer)} has no text: correct it or set match: word")

    def facts(self, example: Example) -> dict[str, Any]:
        """Return what is compared: of an answer with reasoning, its final line."""
        return {**super().facts(example), "answer": final_answer(example.answer)}

    def worked_answer(self, example: Example) -> str:
        """Return the answer with its reasoning, unless nothing else may stand in a completion."""
        answer = super().worked_answer(example)
        return final_answer(answer) if self.match == "text" else answer

    def request(self, example: Example, prompt: str) -> Request:
        """Ask for a completion."""
        reasons = self.match == "number" or (
            self.match == "reference" and _reference_words(example.dataset) is not None
        )
        limit = self.max_new_tokens or (_REASONING if reasons else _SHORT_ANSWER)
        return Generate(prompt, limit, self.stop)

    def prediction(self, example: Example, response: Response) -> str:
        """Return the last number, or the completion as `match` compares it."""
        text = completion_text(response)
        match self.match:
            case "number":
                return last_number(text)
            case "word":
                return normalise(text)
            case "text":
                return _whole_text(text)
            case "reference":
                return _reference_window(example, text)

    def judge(self, example: Example, prediction: str) -> float:
        """Return 1 if `prediction` is or holds the answer, as `match` says, else 0."""
        answer = final_answer(example.answer)
        match self.match:
            case "number":
                return float(prediction == whole_number(answer))
            case "word":
                return float(holds_word(prediction, normalise(answer)))
            case "text":
                return float(prediction == _whole_text(answer))
            case "reference":
                return float(answer in prediction)

    def settings(self, dataset: str) -> dict[str, Any]:
        """Return the kind and how answers are matched."""
        words = _reference_words(dataset) if self.match == "reference" else None
        return {"kind": self.kind, "match": self.match, "words": words}


def holds_word(text: str, word: str) -> bool:
    """Tell whether `word` stands in `text` on its own: "2" does not in "12", "2.5", "1,2" or "-2"."""
    sign = "(?<![-−])" if word[:1].isdigit() else ""
    left, right = rf"(?<!\w)(?<![0-9][.,]){sign}", r"(?!\w)(?![.,][0-9])"
    return re.search(f"{left}{re.escape(word)}{right}", text) is not None


def _reference_words(dataset: str) -> dict[Split, int] | None:
    return _REFERENCE_WORDS.get(dataset.casefold())  # the file calls itself "GSM8k"


def _whole_text(text: str) -> str:
    return normalise(text).rstrip(".").rstrip()


def _reference_window(example: Example, text: str) -> str:
    words = _reference_words(example.dataset)
    return " ".join(text.split(" ")[-words[example.split] :]) if words else text
