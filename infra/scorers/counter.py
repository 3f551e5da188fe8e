"""Counts of the scorers' work, to which several threads add."""

import threading
from collections import Counter


class Counts:
    """Thread-safe sums by name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sums: Counter[str] = Counter()

    def add(self, **more: int) -> None:
        """Add to the sums."""
        with self._lock:
            self._sums.update(more)

    def read(self) -> dict[str, int]:
        """Return the sums so far, by name."""
        with self._lock:
            return dict(sorted(self._sums.items()))
