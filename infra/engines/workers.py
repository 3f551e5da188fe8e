"""Threads that compute independent batches, the progress that they report, and how they end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

from infra.engines.base import Progress

T = TypeVar("T")


class BatchAbandoned(Exception):
    """Another batch failed or was interrupted: nobody waits for the answers of this one."""


class ProgressCounter:
    """Counts the answers that all workers finish; after `stop`, workers end when they next report some."""

    def __init__(self, progress: Progress | None, total: int):
        """Call `progress` with (answers finished, `total`) whenever some are finished."""
        self._progress, self._total, self._done = progress, total, 0
        self._lock, self._stopped = Lock(), False

    def add(self, answers: int) -> None:
        """Count `answers` more; raises `BatchAbandoned` after `stop`, and what the progress callback raises."""
        with self._lock:
            if self._stopped:
                raise BatchAbandoned
            self._done += answers
            if self._progress is not None:
                self._progress(self._done, self._total)

    def stop(self) -> None:
        """End the workers."""
        with self._lock:
            self._stopped = True


def worker_pool(device: torch.device, workers: int, threads: int) -> ThreadPoolExecutor:
    """Return threads that compute with `threads` PyTorch threads each; the calling thread keeps its own number."""
    if device.type != "cpu":
        return ThreadPoolExecutor(1, thread_name_prefix="engine")
    return ThreadPoolExecutor(workers, "engine", initializer=torch.set_num_threads, initargs=(threads,))


@contextmanager
def submit(
    pool: ThreadPoolExecutor, work: Iterable[Callable[[], T]], counter: ProgressCounter
) -> Iterator[list[Future[T]]]:
    """Start `work` in `pool` and give its futures; after an error in the block nothing more starts or goes on."""
    futures = [pool.submit(function) for function in work]
    try:
        yield futures
    except BaseException:
        counter.stop()
        for future in futures:
            future.cancel()
        wait(futures)
        raise
