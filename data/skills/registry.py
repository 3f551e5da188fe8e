"""Every skill by its name: what can be generated."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

from data.skills.countdown import countdown
from data.skills.graphs import GRAPH_QUESTIONS
from data.skills.questions import QUESTIONS, QuestionGenerator
from data.skills.relay import Relay, relay, with_responses


@dataclass(frozen=True)
class SkillExample:
    """One example drawn by a skill.

    Attributes:
        asked: two examples with equal ones ask the same; a data set holds only one of them.
        fields: the example as its file has it, but for `id`.

    """

    question_key: Hashable
    fields: dict[str, Any]


Skill = Callable[[np.random.Generator], SkillExample]
"""Draws one example; the generator is the only source of chance."""


def _asking(question: QuestionGenerator, **fields: Any) -> Skill:
    def draw(rng: np.random.Generator) -> SkillExample:
        text, answer = question(rng)
        return SkillExample(text, {"question": text, "answer": answer, **fields})

    return draw


def _countdown(rng: np.random.Generator) -> SkillExample:
    puzzle = countdown(rng)
    # The order of the numbers makes no other puzzle.
    return SkillExample((*sorted(puzzle["numbers"]), puzzle["target"]), puzzle)


def _relay(parts: Callable[[np.random.Generator, Relay], tuple[str, str]]) -> Skill:
    def draw(rng: np.random.Generator) -> SkillExample:
        puzzle = relay(rng)
        # What only one of the relay's skills draws comes from a generator of its own, so that all ask the same.
        question, answer = parts(np.random.default_rng(int(rng.integers(2**63))), puzzle)
        return SkillExample(puzzle.question, {"question": question, "answer": answer})

    return draw


SKILLS: dict[str, Skill] = {
    **{name: _asking(question) for name, question in QUESTIONS.items()},
    **{f"nlgraph_{domain}": _asking(question, domain=domain) for domain, question in GRAPH_QUESTIONS.items()},
    "countdown": _countdown,
    "relay": _relay(lambda rng, puzzle: (puzzle.question, puzzle.answer)),
    "relay_first": _relay(lambda rng, puzzle: (puzzle.question, puzzle.middle)),
    "relay_second": _relay(lambda rng, puzzle: (with_responses(rng, puzzle), puzzle.answer)),
}
"""Every skill by its name."""

FAMILIES = {"relay_first": "relay", "relay_second": "relay"}
"""Skills that ask what another skill asks, in the same splits, and that other skill's name."""
