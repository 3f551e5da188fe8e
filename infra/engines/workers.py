"""Threads that compute independent jobs, what they report, and how they end."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

import torch

from infra.engines.base import Progress

T = TypeVar("T")


class Abandoned(Exception):
    """Another job failed or was interrupted: nobody waits for this one's answers."""


class Report:
    """Counts the rows that all workers finish; after `stop`, workers end at their next report."""

    def __init__(self, progress: Progress | None, total: int):
        """`progress` hears (rows finished, `total`)."""
        self._progress, self._total, self._done = progress, total, 0
        self._lock, self._stopped = Lock(), False

    def add(self, rows: int) -> None:
        """Count `rows` more; raises `Abandoned` after `stop`, and what the progress callback raises."""
        with self._lock:
            if self._stopped:
                raise Abandoned
            self._done += rows
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
def submitted(pool: ThreadPoolExecutor, jobs: Iterable[Callable[[], T]], report: Report) -> Iterator[list[Future[T]]]:
    """Give the jobs' futures; after a failure or an interrupt nothing more is started, and nothing goes on."""
    futures = [pool.submit(job) for job in jobs]
    try:
        yield futures
    except BaseException:
        report.stop()
        for future in futures:
            future.cancel()
        wait(futures)
        raise
