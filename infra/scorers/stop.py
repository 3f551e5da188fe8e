"""A request to stop: a run that ends does not wait until a service's pauses are over."""

import threading

from infra.engines.host import EvaluationInterrupted


class Stop:
    """A request to end, seen by every thread that waits or is about to begin something."""

    def __init__(self) -> None:
        self._request = threading.Event()

    def ask(self) -> None:
        """Ask everybody to end."""
        self._request.set()

    def check(self) -> None:
        """Raise `EvaluationInterrupted` if somebody asked."""
        if self._request.is_set():
            raise EvaluationInterrupted("the run was ended")

    def wait(self, seconds: float) -> None:
        """Wait so long, or raise `EvaluationInterrupted` as soon as somebody asks."""
        if self._request.wait(seconds):
            raise EvaluationInterrupted("the run was ended")
