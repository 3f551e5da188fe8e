"""Load, call and check score functions that users write and name as `module:function` in a configuration."""

from dataclasses import dataclass
from pathlib import Path

from data.examples import Example
from data.score_process import ScoreProcess
from data.user_code import is_name
from swarm.errors import EvaluationError, InputError


class ScoreFunctionError(EvaluationError):
    """A score function failed: as it would again, so the evaluation is not tried again before somebody mended it."""


LARGEST = 1e100
"""The largest size of a score: sums of larger ones would overflow."""

DEFAULT_SECONDS = 60.0
"""Seconds that a call may take where the config says nothing."""


@dataclass(frozen=True)
class LoadedFunction:
    """A score function, ready to be called: `function(example, completion) -> float`, higher is better.

    It gets a copy of the example, and the completion without spaces around it, and runs in a process of its own.

    Attributes:
        name: as the config names it.
        process: runs it.
        seconds: that a call may take.

    """

    name: str
    process: ScoreProcess
    seconds: float = DEFAULT_SECONDS

    @property
    def sha256(self) -> str:
        """The SHA-256 of its source file's bytes, which are those that are run."""
        return self.process.sha256

    def score(self, example: Example, completion: str) -> float:
        """Return the function's score.

        Raises:
            ScoreFunctionError: it raised something, returned something else than a finite number, took too long, or
                ended its process.

        """
        try:
            score = self.process.call(example, completion, self.seconds)
        except EvaluationError as error:
            remedy = ": make it faster, or raise the task's timeout" if "took longer than" in str(error) else ""
            raise ScoreFunctionError(f"{self._for(example)} {error}{remedy}") from error
        if abs(score) > LARGEST:
            raise ScoreFunctionError(f"{self._for(example)} returned {score}, which is no finite number")
        return score

    def _for(self, example: Example) -> str:
        return f"the score function {self.name} for {example.location} of {example.dataset}"


def check_name(name: str) -> str:
    """Return `name` if it is `module:function` in identifiers (the module's may be dotted), else raise `ValueError`."""
    if not is_name(name):
        raise ValueError(f"{name!r} is not module:function: write for instance scoring:rhymes for rhymes in scoring.py")
    return name


def load_function(name: str, folder: Path, seconds: float = DEFAULT_SECONDS) -> LoadedFunction:
    """Return the score function `name`, from `folder` or else from where Python looks for modules.

    Raises:
        InputError: there is no such module or function, or importing it failed.

    """
    try:
        return LoadedFunction(name, ScoreProcess(check_name(name), folder), seconds)
    except InputError as error:
        raise InputError(f"score {name!r}: {error}") from error
