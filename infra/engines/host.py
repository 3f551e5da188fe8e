"""Holds the one engine of a run: opens it for the first evaluation, and lets in as many groups as it takes."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from data.requests import Request, Response
from infra.engines.base import Engine, Progress
from infra.engines.running_groups import RunningGroup, RunningGroups
from swarm.recipes import Recipe


class EvaluationInterrupted(Exception):
    """The run was ended while an engine worked; what it was working on is lost, and evaluated again on resuming."""


class EngineHost:
    """Opens an engine on first use, and lets as many groups into it as it has slots; thread-safe."""

    def __init__(
        self,
        open_engine: Callable[[], Engine],
        on_rows: Callable[[int, int], None],
        admit: Callable[[], None] = lambda: None,
    ) -> None:
        """Remember how to open the engine.

        Args:
            open_engine: opens it.
            on_rows: called with (answers finished, answers in all) of all running groups.
            admit: called before a group gets its turn; may raise to refuse it.

        """
        self._open_engine = open_engine
        self._admit = admit
        self._engine: Engine | None = None
        self._turn = threading.Condition()
        self._busy_slots = 0
        self._groups = RunningGroups(on_rows)
        self._interrupted = threading.Event()

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]]
    ) -> tuple[list[list[Response]], float]:
        """Answer as `Engine.run` does; also return the seconds it took, without the wait for other groups.

        While several groups run, each counts an equal share of the time, so that seconds add up to it.

        Raises:
            EvaluationInterrupted: the host was closed meanwhile.
            Exception: what `admit` raised.

        """
        with self._slot() as engine:
            self._admit()
            with self._groups.run(sum(map(len, requests))) as group:
                responses = engine.run(population, requests, self._progress(group))
        return responses, group.seconds

    def close(self) -> None:
        """End the running evaluations, each at its next batch, and give back the engine's memory."""
        self._interrupted.set()
        with self._turn:
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._busy_slots == 0)
            if self._engine is not None:
                self._engine.close()
                self._engine = None

    @contextmanager
    def _slot(self) -> Iterator[Engine]:
        """Wait for a free slot of the engine, and keep it for the length of the block."""
        with self._turn:
            engine = self._the_engine()
            self._turn.wait_for(lambda: self._interrupted.is_set() or self._busy_slots < engine.slots)
            self._check()
            self._busy_slots += 1
        try:
            yield engine
        finally:
            with self._turn:
                self._busy_slots -= 1
                self._turn.notify_all()

    def _the_engine(self) -> Engine:
        self._check()
        if self._engine is None:
            self._engine = self._open_engine()
        return self._engine

    def _progress(self, group: RunningGroup) -> Progress:
        def report(done: int, total: int) -> None:
            self._check()
            self._groups.report(group, done)

        return report

    def _check(self) -> None:
        if self._interrupted.is_set():
            raise EvaluationInterrupted("the run was ended")
