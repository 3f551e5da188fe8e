"""Run a user's score function in a process of its own.

Only so can a call that takes for ever be ended (a thread can't, and signals reach the main thread alone, which scores
nothing), and only so can whatever a function does (exit, crash, print, change what it was given, change a library's
settings) leave the run as it was. Process and run exchange JSON by two pipes; what the function prints goes to stderr.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from data.examples import Example
from data.score_worker import LOADED, RAISED, REFUSED, RETURNED, SCORE
from swarm.errors import EvaluationError, InputError

LOADING_SECONDS = 300.0
"""A module whose import takes longer is refused."""

_GRACE = 2.0
"""Seconds that the process, which watches the time itself, may take to end."""

_START = (
    "import json, sys; path, *arguments = json.loads(sys.argv[1]); sys.path[:] = path; "
    "from data.score_worker import serve; serve(*arguments)"
)


class _Running(NamedTuple):
    """A process, and this end of its pipes."""

    process: "subprocess.Popen[bytes]"
    requests: int
    answers: int


class _EndedError(Exception):
    """The process ended, or was ended; the message says how, as the end of a sentence on the function."""


class ScoreProcess:
    """The score function `name` of `folder`, called one call after another; thread-safe.

    A process that ended is replaced by the next call.
    """

    def __init__(self, name: str, folder: Path, sha256: str | None = None) -> None:
        """Start the process and have it load the function, whose source has that SHA-256 if one is given.

        Raises:
            InputError: there is no such function, its module can't be imported, or its source is another.

        """
        self._name, self._folder = name, folder
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._end: Callable[[], object] = lambda: None
        self.sha256 = sha256 or ""
        with self._lock:
            self._start()

    def __deepcopy__(self, _: dict[int, Any]) -> "ScoreProcess":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return ScoreProcess, (self._name, self._folder, self.sha256)

    def call(self, example: Example, completion: str, seconds: float) -> float:
        """Return the function's score of `completion`; it gets an example of its own.

        Raises:
            EvaluationError: it raised something, returned no finite number, took longer than `seconds`, or ended its
                process. The message goes on where "the score function NAME for EXAMPLE" ends.

        """
        request = {"example": asdict(example), "completion": completion, "seconds": seconds}
        with self._lock:
            try:
                if self._running is None:
                    self._start()
                answer = self._exchange(request, seconds)
            except _EndedError as error:
                raise EvaluationError(str(error)) from error
            except InputError as error:
                raise EvaluationError(f"can't be loaded again: {error}") from error
        if isinstance(answer.get(SCORE), float):
            return float(answer[SCORE])
        if RAISED in answer:
            raise EvaluationError(f"raised {answer[RAISED]}")
        if RETURNED in answer:
            raise EvaluationError(f"returned {answer[RETURNED]}, which is no finite number")
        raise EvaluationError("wrote into the pipe that its score comes by: it may print to stdout and stderr only")

    def _start(self) -> None:
        self._running = _start(self._name, self._folder)
        self._end = weakref.finalize(self, _stop, self._running)
        try:
            answer = self._exchange(None, LOADING_SECONDS)
        except _EndedError as error:
            module = self._name.partition(":")[0]
            raise InputError(f"importing {module} {error}: correct it") from error
        if REFUSED in answer:
            self._stop()
            raise InputError(str(answer[REFUSED]))
        sha256 = str(answer.get(LOADED))
        if self.sha256 and sha256 != self.sha256:
            self._stop()
            raise InputError("its source file was changed: put it back, or start the command again")
        self.sha256 = sha256

    def _exchange(self, request: dict[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Send `request`, if there is one, and return the answer; the process is ended if there is none in time."""
        assert self._running is not None
        running = self._running
        try:
            if request is not None:
                _write(running.requests, json.dumps(request).encode("ascii") + b"\n")
            value = json.loads(_read_line(running.answers, time.monotonic() + seconds + _GRACE))
        except (OSError, ValueError):
            value = None
        if isinstance(value, dict):
            return value
        raise _EndedError(self._why_it_ended(running, seconds))

    def _why_it_ended(self, running: _Running, seconds: float) -> str:
        try:
            code = running.process.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            code = -signal.SIGALRM
        self._stop()
        if code == -signal.SIGALRM:
            return f"took longer than {seconds:g} s"
        return f"ended its process ({'exit code' if code >= 0 else 'signal'} {abs(code)})"

    def _stop(self) -> None:
        self._running = None
        self._end()


def _start(name: str, folder: Path) -> _Running:
    child_requests, requests = os.pipe()
    answers, child_answers = os.pipe()
    arguments = json.dumps([sys.path, name, str(folder), LOADING_SECONDS, child_requests, child_answers])
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", _START, arguments],
            stdin=subprocess.DEVNULL,
            stdout=_stderr(),
            pass_fds=(child_requests, child_answers),
        )
    except OSError as error:
        os.close(requests)
        os.close(answers)
        raise InputError(f"no process can be started for it ({error.strerror}): free memory or processes") from error
    finally:
        os.close(child_requests)
        os.close(child_answers)
    return _Running(process, requests, answers)


def _stop(running: _Running) -> None:
    os.close(running.requests)
    os.close(running.answers)
    running.process.kill()
    running.process.wait()


def _stderr() -> int:
    try:
        os.fstat(2)
    except OSError:
        return subprocess.DEVNULL
    return 2


def _write(descriptor: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def _read_line(descriptor: int, deadline: float) -> bytes:
    """Return the next line; raises `OSError` where none comes before `deadline` (`time.monotonic()`)."""
    content = b""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    while not content.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError("no line came in time")
        part = os.read(descriptor, 65536)
        if not part:
            raise OSError("the process ended")
        content += part
    return content
