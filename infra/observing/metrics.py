"""A run's metrics for Prometheus, at http://127.0.0.1:SWARM_METRICS_PORT/metrics while the run is under way."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from infra.observing.observer import NullObserver, Work
from infra.observing.views import IterationView

logger = logging.getLogger(__name__)

_HOST = "127.0.0.1"
"""Only this machine may read: there is no authentication."""


class Metrics(NullObserver):
    """An observer that counts; every metric has the labels `run` and `algorithm`.

    Counters count what this process did: a resumed run begins at 0 again, which Prometheus expects of counters.
    """

    def __init__(self, registry: CollectorRegistry, run: str, algorithm: str) -> None:
        self._registry = registry
        self._labels = {"run": run, "algorithm": algorithm}
        self._evaluations = self._counter("swarm_evaluations", "Recipes evaluated.")
        self._reused = self._counter("swarm_cache_hits", "Evaluations that were found, and not made.")
        self._tokens = self._counter("swarm_generated_tokens", "Tokens generated.")
        self._speed = self._gauge("swarm_tokens_per_second", "Tokens generated a second, in the last group.")
        self._iteration = self._gauge("swarm_iteration", "The last finished iteration; the first is 0.")
        self._best = self._gauge("swarm_utility_best", "The best utility so far.")
        self._mean = self._gauge("swarm_utility_mean", "The mean utility of the last iteration.")
        self._rows = self._gauge("swarm_rows_done", "Rows answered, of the groups under way.")
        self._seconds = Counter("swarm_seconds", "Seconds by part.", (*self._labels, "part"), registry=registry)

    def rows(self, done: int, total: int) -> None:
        """See `Observer.rows`."""
        self._rows.set(done)

    def evaluation(self, work: Work) -> None:
        """See `Observer.evaluation`."""
        self._evaluations.inc(work.evaluations)
        self._tokens.inc(work.generated_tokens)
        if work.seconds > 0:
            self._speed.set(work.generated_tokens / work.seconds)

    def work(self, work: Work, reused_evaluations: int) -> None:
        """See `Observer.work`."""
        self._reused.inc(reused_evaluations)

    def timing(self, part: str, seconds: float) -> None:
        """See `Observer.timing`."""
        self._seconds.labels(**self._labels, part=part).inc(seconds)

    def iteration(self, view: IterationView) -> None:
        """See `Observer.iteration`."""
        self._iteration.set(view.iteration)
        utilities = [utility for utility in view.utilities if utility is not None]
        if utilities:
            self._mean.set(sum(utilities) / len(utilities))
        if view.best is not None:
            self._best.set(view.best)

    def _counter(self, name: str, help_text: str) -> Counter:
        return Counter(name, help_text, tuple(self._labels), registry=self._registry).labels(**self._labels)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        gauge = Gauge(name, help_text, tuple(self._labels), registry=self._registry).labels(**self._labels)
        gauge.set(math.nan)  # not known yet, which 0 would not say
        return gauge


@contextmanager
def metrics(port: int, run: str, algorithm: str) -> Iterator[Metrics]:
    """Serve a run's metrics during the block; if the port can't be opened, only a warning is logged."""
    registry = CollectorRegistry()
    observer = Metrics(registry, run, algorithm)
    try:
        server, thread = start_http_server(port, _HOST, registry)
    except OSError as error:
        logger.warning("no metrics: SWARM_METRICS_PORT: port %d can't be had: %s", port, error.strerror)
        yield observer
        return
    try:
        yield observer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
