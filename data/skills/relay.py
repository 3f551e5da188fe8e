"""Seeded *relay* questions, which need two steps; each expert of a system is trained on one step.

A relay question is "Which letter is third? Sort these letters: K W L Q F". `relay` answers it (L); `relay_first`
answers with what has to be found first, the sorted letters; `relay_second` has previous responses below the question,
as the later nodes of a system read them (docs/systems.md), and answers it. Questions and splits are those of `relay`.
"""

from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np

from data.skills.questions import ORDINALS

RESPONSE = "Response: {response}"
"""How a previous response is shown: a line below the question."""

ASKED = "Answer:"
"""The end of every question; previous responses follow it."""

_LETTERS = 5
_SURE_LIST, _SURE_LETTER = 0.95, 0.8
"""The probability that a response is right if it is a list, and if it is a letter."""


@dataclass(frozen=True)
class Relay:
    """A question, and its answer by steps."""

    question: str
    letters: tuple[str, ...]
    position: int

    @property
    def middle(self) -> str:
        """The result of the first step: the letters in order."""
        return " ".join(sorted(self.letters))

    @property
    def answer(self) -> str:
        """The letter that was asked for."""
        return sorted(self.letters)[self.position]


def relay(rng: np.random.Generator) -> Relay:
    """Draw five different letters, and which of them, once in order, is asked for."""
    letters = tuple(ascii_uppercase[index] for index in rng.permutation(26)[:_LETTERS])
    position = int(rng.integers(_LETTERS))
    return Relay(f"Which letter is {ORDINALS[position]}? Sort these letters: {' '.join(letters)}", letters, position)


def with_responses(rng: np.random.Generator, puzzle: Relay) -> str:
    """Return the question with one to three previous responses: sorted letters, and guesses at the answer.

    Three quarters have a list among them. Without one, the guesses are mostly right: nothing else is to be had.
    """
    count = int(rng.integers(1, 4))
    lists = int(rng.integers(1, count + 1)) if rng.random() < 0.75 else 0
    responses = [_list(rng, puzzle) for _ in range(lists)] + [_letter(rng, puzzle, lists) for _ in range(count - lists)]
    lines = (RESPONSE.replace("{response}", responses[index]) for index in rng.permutation(count))
    return "\n".join((puzzle.question, ASKED, *lines))


def _list(rng: np.random.Generator, puzzle: Relay) -> str:
    """Return the letters in order or, now and then, with two neighbours swapped."""
    items = sorted(puzzle.letters)
    if rng.random() >= _SURE_LIST:
        at = int(rng.integers(_LETTERS - 1))
        items[at : at + 2] = items[at + 1], items[at]
    return " ".join(items)


def _letter(rng: np.random.Generator, puzzle: Relay, lists: int) -> str:
    if rng.random() < (0.5 if lists else _SURE_LETTER):
        return puzzle.answer
    return puzzle.letters[int(rng.integers(_LETTERS))]
