"""Who watches a run while it goes: the terminal's live table, trackers, metrics, or nobody.

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
    """Is told what a run does; is called from the flow's thread and from task threads, and must never raise."""

    def phase(self, text: str) -> None:
        """Say what the run does now (loading the engine, testing, …)."""

    def rows(self, done: int, total: int) -> None:
        """Say how many rows of the evaluation group under way are answered."""

    def evaluation(self, work: Work) -> None:
        """Say that this process made an evaluation group, whose scores are committed."""

    def work(self, work: Work, reused: int) -> None:
        """Say what the next iteration (or the test) was made of; `reused` of the evaluations were not made here."""

    def timing(self, part: str, seconds: float) -> None:
        """Say how long a part of the work took."""

    def iteration(self, view: IterationView) -> None:
        """Give a finished iteration; a resumed run gives every one again, from the first."""

    def end(self, summary: Mapping[str, Any]) -> None:
        """Give the summary of a run that came to its end."""


class Nobody:
    """An observer that does nothing."""

    def phase(self, text: str) -> None:
        """Ignore it."""

    def rows(self, done: int, total: int) -> None:
        """Ignore it."""

    def evaluation(self, work: Work) -> None:
        """Ignore it."""

    def work(self, work: Work, reused: int) -> None:
        """Ignore it."""

    def timing(self, part: str, seconds: float) -> None:
        """Ignore it."""

    def iteration(self, view: IterationView) -> None:
        """Ignore it."""

    def end(self, summary: Mapping[str, Any]) -> None:
        """Ignore it."""


class Everybody:
    """Passes what it is told on to several observers."""

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

    def work(self, work: Work, reused: int) -> None:
        """Pass it on."""
        for observer in self._observers:
            observer.work(work, reused)

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
    """Return who observes the runs of this context."""
    return _observer.get(Nobody())


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Let `observer` watch the runs made inside the block."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)
