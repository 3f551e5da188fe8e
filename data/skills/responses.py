"""Previous responses before the questions of a training split: right ones, and wrong ones that might be right.

Experts that are to work together (docs/systems.md) learn from them to take over a right answer and correct a wrong one.
"""

from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np

from swarm.errors import InputError

MOST_RESPONSES = 3
"""Previous responses before one question, at most."""

Corrupt = Callable[[np.random.Generator, str, str], str]
"""Makes a wrong answer from (question, right answer)."""


def with_responses(data: dict[str, Any], response: str = "Answer: {response}") -> dict[str, Any]:
    """Return a generated data set whose training questions have previous responses before them, a line each.

    Their number is drawn evenly from 0 to `MOST_RESPONSES`; each is right with probability 1/2, independently.

    Args:
        data: what `data.skills.generate.generate` returns; the dev and test splits stay as they are.
        response: one line; `{number}` counts from 1.

    Raises:
        InputError: for this skill no wrong answers are known.

    """
    skill = data["dataset"]
    if skill not in CORRUPT:
        known = ", ".join(CORRUPT)
        raise InputError(f"skill {skill!r} can't have previous responses: leave --responses out, or choose of {known}")
    # The 1 keeps these draws apart from those of the questions.
    sequence = np.random.SeedSequence([data["seed"], 1, *skill.encode()])
    rng = np.random.Generator(np.random.Philox(cast(Any, sequence)))
    changed = deepcopy(data)
    for example in changed["train"]:
        drawn = responses(rng, skill, example["question"], example["answer"], int(rng.integers(MOST_RESPONSES + 1)))
        example["question"] = "\n".join((*_lines(drawn, response), example["question"]))
    return changed


def responses(
    rng: np.random.Generator, skill: str, question: str, answer: str, count: int, right: float = 0.5
) -> list[str]:
    """Draw `count` responses to a question of `skill`, each right with probability `right`."""
    return [answer if rng.random() < right else CORRUPT[skill](rng, question, answer) for _ in range(count)]


def _lines(drawn: list[str], response: str) -> list[str]:
    return [
        response.replace("{number}", str(number)).replace("{response}", text) for number, text in enumerate(drawn, 1)
    ]


def _misplaced(rng: np.random.Generator, question: str, answer: str) -> str:
    """Swap two of the answer's items, as a hurried sorter does."""
    items = answer.split()
    first, second = rng.permutation(len(items))[:2]
    items[first], items[second] = items[second], items[first]
    return " ".join(items)


def _another_word(rng: np.random.Generator, question: str, answer: str) -> str:
    words = [word for word in question.partition(": ")[2].split() if word != answer]
    return words[int(rng.integers(len(words)))]


def _another_day(rng: np.random.Generator, question: str, answer: str) -> str:
    day = datetime.strptime(f"{answer} 2023", "%B %d %Y")  # noqa: DTZ007 (a day of the calendar, in no time zone)
    wrong = day + timedelta(days=_offset(rng))
    return f"{wrong:%B} {wrong.day}"


def _another_number(rng: np.random.Generator, question: str, answer: str) -> str:
    number, offset = int(answer), _offset(rng)
    return str(number + (offset if number >= _FURTHEST else abs(offset)))  # never negative, as right answers are


def _opposite(rng: np.random.Generator, question: str, answer: str) -> str:
    return {"yes": "no", "no": "yes", "Yes": "No", "No": "Yes"}[answer]


_FURTHEST = 9
"""How far a wrong number or day is from the right one, at most."""


def _offset(rng: np.random.Generator) -> int:
    distance = int(rng.integers(1, _FURTHEST + 1))
    return distance if rng.random() < 0.5 else -distance


CORRUPT: dict[str, Corrupt] = {
    "sorting": _misplaced,
    "picking": _another_word,
    "reversing": _misplaced,
    "arithmetic": _another_number,
    "dates": _another_day,
    "units": _another_number,
    "connectivity": _opposite,
    "shortest_path": _another_number,
    "nlgraph_connectivity": _opposite,
    "nlgraph_cycle": _opposite,
    "nlgraph_shortest_path": _another_number,
}
"""How a wrong answer to each skill is made."""
