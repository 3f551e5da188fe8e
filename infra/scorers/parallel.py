"""Send several requests to a service at once, up to a limit."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from infra.scorers.stop import Stop

T = TypeVar("T")
R = TypeVar("R")

_LOOK = 0.5
"""The seconds between two checks whether the run was ended, while requests are under way."""


class Parallel:
    """Calls functions in a fixed number of threads; after `close` it is never used again."""

    def __init__(self, threads: int, stop: Stop) -> None:
        self._pool, self._stop = ThreadPoolExecutor(threads, thread_name_prefix="scorer"), stop

    def map(self, function: Callable[[T], R], items: Sequence[T], progress: Callable[[int, int], None]) -> list[R]:
        """Return `function` of each item, in their order; the first failure ends those that have not begun.

        Raises:
            Exception: what `function` or `progress` raised first.

        """
        futures = [self._pool.submit(function, item) for item in items]
        try:
            self._watch(futures, progress)
        finally:
            for future in futures:
                future.cancel()
        return [future.result() for future in futures]

    def close(self) -> None:
        """Start no more calls and wait for those under way, so that what they use can be closed."""
        self._pool.shutdown(cancel_futures=True)

    def _watch(self, futures: Sequence["Future[R]"], progress: Callable[[int, int], None]) -> None:
        pending = set(futures)
        while pending:
            self._stop.check()
            finished_futures, pending = wait(pending, timeout=_LOOK, return_when=FIRST_COMPLETED)
            for future in finished_futures:
                future.result()
            progress(len(futures) - len(pending), len(futures))
