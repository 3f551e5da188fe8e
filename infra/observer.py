"""Who watches a run while it goes: the terminal's live table, or nobody.

A Prefect flow takes plain JSON, so an observer can't be its argument: it comes in by a context variable.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from infra.views.base import IterationView


class Observer(Protocol):
    """Is told what a run does; is called from the flow's thread and from task threads, and must never raise."""

    def phase(self, text: str) -> None:
        """Say what the run does now (loading the engine, testing, …)."""

    def rows(self, done: int, total: int) -> None:
        """Say how many rows of the evaluation group under way are answered."""

    def iteration(self, view: IterationView) -> None:
        """Give a finished iteration."""


class Nobody:
    """An observer that does nothing."""

    def phase(self, text: str) -> None:
        """Ignore it."""

    def rows(self, done: int, total: int) -> None:
        """Ignore it."""

    def iteration(self, view: IterationView) -> None:
        """Ignore it."""


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
