"""The groups that one engine answers at the same time: their rows as one count, and each one's share of the time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class GroupUnderWay:
    """One group.

    Attributes:
        total: its rows in all.
        done: those that are answered.
        seconds: once it has ended, its share of the time: while k groups were under way, each counts a k-th of it.

    """

    total: int
    done: int = 0
    seconds: float = 0.0


class UnderWay:
    """Thread-safe. The seconds of all groups together are the time in which any was under way."""

    def __init__(self, on_rows: Callable[[int, int], None]) -> None:
        """`on_rows` hears (rows finished, rows in all) of the groups since the last moment without any."""
        self._on_rows = on_rows
        self._lock = threading.Lock()
        self._counted: list[GroupUnderWay] = []
        self._working = 0
        self._each = 0.0
        self._read = time.perf_counter()

    @contextmanager
    def group(self, rows: int) -> Iterator[GroupUnderWay]:
        """Count a group of so many rows as under way for the length of the block; one that fails was never there."""
        group = GroupUnderWay(rows)
        with self._lock:
            if not self._working:
                self._counted = []
            self._counted.append(group)
            begun = self._advance(+1)
        try:
            yield group
        except BaseException:
            with self._lock:
                self._counted.remove(group)
            raise
        finally:
            with self._lock:
                group.seconds = self._advance(-1) - begun

    def report(self, group: GroupUnderWay, done: int) -> None:
        """Say that `done` rows of `group` are answered."""
        with self._lock:
            group.done = done
            self._on_rows(sum(g.done for g in self._counted), sum(g.total for g in self._counted))

    def _advance(self, change: int) -> float:
        now = time.perf_counter()
        if self._working:
            self._each += (now - self._read) / self._working
        self._read = now
        self._working += change
        return self._each
