"""The groups that one engine answers at the same time: their progress as one count, and the time that each takes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class RunningGroup:
    """A group of particles that an engine works on.

    Attributes:
        total: how many answers it is to give.
        done: how many of them there are.
        seconds: once it has ended, its share of the time: while k groups run, each of them counts a k-th of it.

    """

    total: int
    done: int = 0
    seconds: float = 0.0


class RunningGroups:
    """Counts progress and shares out time; thread-safe.

    The seconds of all groups together are the time in which at least one was running.
    """

    def __init__(self, on_progress: Callable[[int, int], None]) -> None:
        """Call `on_progress` with (answers finished, answers in all) of the groups since none was running last."""
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._counted: list[RunningGroup] = []
        self._running = 0
        self._shared_seconds = 0.0
        self._updated = time.perf_counter()

    @contextmanager
    def run(self, total: int) -> Iterator[RunningGroup]:
        """Count a group with `total` answers as running for the length of the block; forget it if the block fails."""
        group = RunningGroup(total)
        with self._lock:
            if not self._running:
                self._counted = []
            self._counted.append(group)
            start = self._advance(+1)
        try:
            yield group
        except BaseException:
            with self._lock:
                self._counted.remove(group)
            raise
        finally:
            with self._lock:
                group.seconds = self._advance(-1) - start

    def report(self, group: RunningGroup, done: int) -> None:
        """Say that `done` answers of `group` are finished."""
        with self._lock:
            group.done = done
            self._on_progress(sum(g.done for g in self._counted), sum(g.total for g in self._counted))

    def _advance(self, change: int) -> float:
        """Add the time since the last call to what each running group counts; return that sum."""
        now = time.perf_counter()
        if self._running:
            self._shared_seconds += (now - self._updated) / self._running
        self._updated = now
        self._running += change
        return self._shared_seconds
