"""Engines that count their calls, or interrupt the run at one of them, as Ctrl-C in that moment does."""

import os
import signal
from collections.abc import Sequence
from typing import Any

import pytest

import infra.run.open_run
from data.requests import Request, Response
from infra.engines.base import Engine, Progress
from swarm.recipes import Recipe


def ended_calls(patch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets an entry whenever the engine of a run has answered a call."""
    calls: list[int] = []
    real = infra.run.open_run.open_engine

    def counting(*arguments: Any) -> Engine:
        return _CountingEngine(real(*arguments), calls)

    patch.setattr(infra.run.open_run, "open_engine", counting)
    return calls


class _CountingEngine:
    """A real engine."""

    slots = 1

    def __init__(self, engine: Engine, calls: list[int]) -> None:
        self._engine, self._calls = engine, calls

    @property
    def identity(self) -> str:
        return self._engine.identity

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        answers = self._engine.run(population, requests, progress)
        self._calls.append(len(population))
        return answers

    def close(self) -> None:
        self._engine.close()


class InterruptedEngine(_CountingEngine):
    """A real engine whose process is interrupted after so many calls, at the first progress of the next."""

    limit = 0

    @classmethod
    def install(cls, patch: pytest.MonkeyPatch, calls: int) -> None:
        """Let the engines of runs interrupt the process after `calls`."""
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell has put into the background
        real = infra.run.open_run.open_engine
        counted: list[int] = []

        def interrupting(*arguments: Any) -> Engine:
            engine = cls(real(*arguments), counted)
            engine.limit = calls
            return engine

        patch.setattr(infra.run.open_run, "open_engine", interrupting)

    def run(
        self, population: Sequence[Recipe], requests: Sequence[Sequence[Request]], progress: Progress | None = None
    ) -> list[list[Response]]:
        interrupted = len(self._calls) >= self.limit

        def report(done: int, total: int) -> None:
            nonlocal interrupted
            if interrupted:
                interrupted = False
                os.kill(os.getpid(), signal.SIGINT)
            if progress is not None:
                progress(done, total)

        return super().run(population, requests, report)
