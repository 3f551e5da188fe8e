"""Measure how a run's time is spent, by part."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from infra.observing.observer import Observer
from infra.records.store import Records


class RunClock:
    """Counts seconds by part, from any thread; the time of no part is orchestration."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._last_flush = time.perf_counter()
        self._lock = threading.Lock()

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Count the seconds spent in the block as time of `part`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.count(part, time.perf_counter() - start)

    def count(self, part: str, seconds: float) -> None:
        """Count `seconds` as time of `part`."""
        with self._lock:
            self._seconds[part] += seconds

    def flush(self, records: Records, run: str, iteration: int, observer: Observer) -> None:
        """Write the time since the last flush to the records, as spent in `iteration` of `run`, by part."""
        now = time.perf_counter()
        with self._lock:
            parts = dict(self._seconds)
            self._seconds.clear()
        parts["orchestration"] = max(0.0, now - self._last_flush - sum(parts.values()))
        self._last_flush = now
        records.add_timings(run, iteration, parts)
        for part, seconds in parts.items():
            observer.timing(part, seconds)
