"""Load, call and check score functions that users write and name as `module:function` in a configuration."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

from data.examples import Example
from data.user_code import describe_error, is_name, load
from swarm.errors import EvaluationError, InputError

ScoreFunction = Callable[[Example, str], float]
"""Scores a completion (without spaces around it) of what `example` asks; higher is better."""

LARGEST = 1e100
"""The largest size of a score: sums of larger ones would overflow."""


@dataclass(frozen=True)
class LoadedFunction:
    """A score function, ready to be called.

    Attributes:
        name: as the config names it.
        call: the function.
        sha256: of its source file's bytes, which are those that were run.

    """

    name: str
    call: ScoreFunction
    sha256: str

    def score(self, example: Example, completion: str) -> float:
        """Return the function's score.

        Raises:
            EvaluationError: it raised something, or returned something else than a finite number.

        """
        try:
            value = self.call(example, completion)
        except (Exception, SystemExit) as error:
            raise EvaluationError(f"{self._for(example)} raised {describe_error(error)}") from error
        score = _as_float(value)
        if not abs(score) <= LARGEST:  # NaN is not
            raise EvaluationError(f"{self._for(example)} returned {_kind_of(value)}, which is no finite number")
        return score

    def _for(self, example: Example) -> str:
        return f"the score function {self.name} for {example.location} of {example.dataset}"


def check_name(name: str) -> str:
    """Return `name` if it is `module:function` in identifiers (the module's may be dotted), else raise `ValueError`."""
    if not is_name(name):
        raise ValueError(f"{name!r} is not module:function: write for instance scoring:rhymes for rhymes in scoring.py")
    return name


def load_function(name: str, folder: Path) -> LoadedFunction:
    """Return the score function `name`, from `folder` or else from where Python looks for modules.

    Raises:
        InputError: there is no such module or function, or importing it failed.

    """
    try:
        user_object = load(check_name(name), folder)
    except InputError as error:
        raise InputError(f"score {name!r}: {error}") from error
    if not callable(user_object.value):
        function = name.partition(":")[2]
        raise InputError(
            f"score {name!r}: {user_object.module} has no function {function!r}: define it or name another"
        )
    return LoadedFunction(name, user_object.value, user_object.sha256)


def _as_float(value: object) -> float:
    """Return `value` as a float; NaN if it is none."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf


def _kind_of(value: object) -> str:
    """Return a user's value as messages show it: its own text may be long, or may raise an error."""
    return str(value) if isinstance(value, float) else f"a value of type {type(value).__name__}"
