"""Holds the one engine of a run: opened when the first evaluation really needs it, used by one group at a time."""

import threading
import time
from collections.abc import Callable, Sequence

from data.requests import Request, Response
from infra.engines.base import Engine
from swarm.recipes import Recipe


class Interrupted(Exception):
    """The run was ended while an engine worked; what it was working on is lost, and evaluated again on resuming."""


class EngineHost:
    """Opens an engine on first use; thread-safe."""

    def __init__(self, open_engine: Callable[[], Engine], on_rows: Callable[[int, int], None]) -> None:
        self._open_engine = open_engine
        self._on_rows = on_rows
        self._engine: Engine | None = None
        self._lock = threading.Lock()
        self._interrupted = threading.Event()

    def run(self, population: Sequence[Recipe], requests: Sequence[Request]) -> tuple[list[list[Response]], float]:
        """Answer as `Engine.run` does; also return the seconds it took, waiting for other groups left out.

        Raises:
            Interrupted: the host was closed meanwhile.

        """
        with self._lock:
            self._check()
            if self._engine is None:
                self._engine = self._open_engine()
            start = time.perf_counter()
            responses = self._engine.run(population, requests, self._progress)
            return responses, time.perf_counter() - start

    def close(self) -> None:
        """End the evaluation under way, at its next batch, and give back the engine's memory."""
        self._interrupted.set()
        with self._lock:
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    def _progress(self, done: int, total: int) -> None:
        self._check()
        self._on_rows(done, total)

    def _check(self) -> None:
        if self._interrupted.is_set():
            raise Interrupted("the run was ended")
