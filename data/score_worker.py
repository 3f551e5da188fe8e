"""The process in which one score function runs: it loads the function, then answers one line of JSON with another.

`data/score_process.py` starts it and says why it is a process of its own. It is run by nothing else.
"""

import json
import math
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from numbers import Real
from pathlib import Path
from typing import Any

from data.examples import Example
from data.user_code import describe_error, load
from swarm.errors import InputError

LOADED, REFUSED, SCORE, RAISED, RETURNED = "loaded", "refused", "score", "raised", "returned"
"""The keys of answers: the source's SHA-256; why the function can't be loaded; what came of a call."""


def serve(name: str, folder: str, seconds: float, requests_fd: int, answers_fd: int) -> None:
    """Load the score function `name` in `seconds` at most, and answer requests until there are no more.

    A request is {"example", "completion", "seconds"}; a call that takes longer ends this process, whether or not
    somebody still waits for it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C means the command, which ends this process
    with os.fdopen(requests_fd, encoding="ascii") as requests, os.fdopen(answers_fd, "w", encoding="ascii") as answers:

        def answer(value: dict[str, Any]) -> None:
            answers.write(json.dumps(value) + "\n")
            answers.flush()

        function, first = _load(name, Path(folder), seconds)
        answer(first)
        for line in requests if function is not None else ():
            request = json.loads(line)
            assert function is not None
            answer(_call(function, _example(request["example"]), request["completion"], request["seconds"]))
    os._exit(0)  # what the function left running does not matter


def _load(name: str, folder: Path, seconds: float) -> tuple[Callable[..., Any] | None, dict[str, Any]]:
    module, _, attribute = name.partition(":")
    try:
        with _limit(seconds):
            user_object = load(name, folder)
    except InputError as error:
        return None, {REFUSED: str(error)}
    except BaseException as error:  # a module is a program of the user's: it raises what it likes
        return None, {REFUSED: f"importing {module} raised {describe_error(error)}: correct it"}
    if not callable(user_object.value):
        problem = f"{user_object.module} has no function {attribute!r}: define it or name another"
        return None, {REFUSED: problem}
    return user_object.value, {LOADED: user_object.sha256}


def _call(function: Callable[..., Any], example: Example, completion: str, seconds: float) -> dict[str, Any]:
    try:
        with _limit(seconds):
            value = function(example, completion)
            score = _as_float(value)
    except BaseException as error:  # also SystemExit and KeyboardInterrupt: they are the function's
        return {RAISED: describe_error(error)}
    if math.isfinite(score):
        return {SCORE: score}
    return {RETURNED: str(score) if isinstance(value, float) else f"a value of type {type(value).__name__}"}


@contextmanager
def _limit(seconds: float) -> Iterator[None]:
    """End this process if the block takes longer, whatever it does: the default action of SIGALRM needs no Python."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _example(value: dict[str, Any]) -> Example:
    choices = tuple((key, text) for key, text in value["choices"])
    return Example(**{field.name: value[field.name] for field in fields(Example)} | {"choices": choices})


def _as_float(value: object) -> float:
    """Return `value` as a float; NaN if it is none."""
    try:
        return float(value) if isinstance(value, Real) else math.nan
    except OverflowError:
        return math.inf
