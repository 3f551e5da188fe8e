"""Observers of a run: the terminal's live table, trackers, metrics, or none.

A Prefect flow takes plain JSON, so an observer can't be its argument: it comes in by a context variable, or is opened
with the run because configuration or settings ask for it (`infra.observing.watching`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from infra.observing.views import IterationView


@dataclass(frozen=True)
class Work:
    """Evaluations, the tokens generated for them, and the seconds that took; also those of an earlier process."""

    evaluations: int = 0
    generated_tokens: int = 0
    seconds: float = 0.0


class Observer(Protocol):
    """Gets the events of a run, from the flow's thread and from task threads; its methods must never raise."""

    def phase(self, text: str) -> None:
        """Report what the run does now (loading the engine, testing, …)."""

    def rows(self, done: int, total: int) -> None:
        """Report how many rows of the evaluation group under way are answered."""

    def evaluation(self, work: Work) -> None:
        """Report an evaluation group that this process made and whose scores are committed."""

    def work(self, work: Work, reused_evaluations: int) -> None:
        """Report the evaluations of the next iteration (or the test), and how many of them were not made here."""

    def timing(self, part: str, seconds: float) -> None:
        """Report how long a part of the work took."""

    def iteration(self, view: IterationView) -> None:
        """Report a finished iteration; a resumed run reports every iteration again, from the first."""

    def end(self, summary: Mapping[str, Any]) -> None:
        """Report the summary of a run that came to its end."""


class NullObserver:
    """An observer that does nothing."""

    def phase(self, text: str) -> None:
        """Ignore it."""

    def rows(self, done: int, total: int) -> None:
        """Ignore it."""

    def evaluation(self, work: Work) -> None:
        """Ignore it."""

    def work(self, work: Work, reused_evaluations: int) -> None:
        """Ignore it."""

    def timing(self, part: str, seconds: float) -> None:
        """Ignore it."""

    def iteration(self, view: IterationView) -> None:
        """Ignore it."""

    def end(self, summary: Mapping[str, Any]) -> None:
        """Ignore it."""


class ObserverGroup:
    """Passes every event on to several observers."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def phase(self, text: str) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.phase(text)

    def rows(self, done: int, total: int) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.rows(done, total)

    def evaluation(self, work: Work) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.evaluation(work)

    def work(self, work: Work, reused_evaluations: int) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.work(work, reused_evaluations)

    def timing(self, part: str, seconds: float) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.timing(part, seconds)

    def iteration(self, view: IterationView) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.iteration(view)

    def end(self, summary: Mapping[str, Any]) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.end(summary)


_observer: ContextVar[Observer] = ContextVar("observer")


def current_observer() -> Observer:
    """Return the observer of the runs of this context."""
    return _observer.get(NullObserver())


@contextmanager
def use_observer(observer: Observer) -> Iterator[None]:
    """Let `observer` observe the runs made inside the block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)
