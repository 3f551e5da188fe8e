"""What the tests of commands work with."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from swarm.state import State
from tests.world import World as World


@dataclass(frozen=True)
class CommandOutcome:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """What it printed, without the spaces that fill a table."""
        return [line.rstrip() for line in self.out.splitlines()]

    @property
    def error(self) -> str:
        """The one line that a refused command writes."""
        assert self.out == ""
        [line] = self.err.splitlines()
        return line


LETTERS = "ABCDEFGHIJKL"


def letters_data() -> dict[str, Any]:
    """Multiple choice, so that even a random model is right now and then."""

    def example(letter: str, question: str) -> dict[str, Any]:
        return {"question": question, "choices": {"A": letter, "B": letter.lower() * 2}, "answer": "A"}

    return {
        "dataset": "letters",
        "dev": [example(letter, f"Which is {letter}?") for letter in LETTERS],
        "test": [example(letter, f"Which one is {letter}?") for letter in LETTERS],
        "train": [{"question": f"Say {letter}", "answer": letter} for letter in LETTERS],
    }


def words_data() -> dict[str, Any]:
    """Return the same questions without choices."""
    return {
        split: [{name: value for name, value in example.items() if name != "choices"} for example in examples]
        for split, examples in letters_data().items()
        if split != "dataset"
    }


Command = Callable[..., CommandOutcome]
"""Runs `swarm` with the given arguments."""

RecordRun = Callable[..., list[State]]
"""Records a search; returns its iterations."""
