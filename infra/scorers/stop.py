"""Ending what waits: a run that is left does not sit out a service's pauses."""

import threading

from infra.engines.host import EvaluationInterrupted


class Stop:
    """A request to end, seen by every thread that waits or is about to begin something."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """Ask everybody to end."""
        self._asked.set()

    def check(self) -> None:
        """Raise `EvaluationInterrupted` if somebody asked."""
        if self._asked.is_set():
            raise EvaluationInterrupted("the run was ended")

    def wait(self, seconds: float) -> None:
        """Wait so long, or raise `EvaluationInterrupted` as soon as somebody asks."""
        if self._asked.wait(seconds):
            raise EvaluationInterrupted("the run was ended")
