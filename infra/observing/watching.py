"""Open the observers that configuration and settings ask for: trackers and metrics."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager

from infra.configs.trackers import TrackerName
from infra.files.run_folder import RunFolder
from infra.observing.metrics import metrics
from infra.observing.observer import Observer, ObserverGroup
from infra.observing.trackers.base import TrackedRun, flatten
from infra.observing.trackers.tracking import Tracking
from infra.records.values import RunRecord
from swarm.canonical import content_hash


@contextmanager
def watch(
    observer: Observer, trackers: Sequence[TrackerName], run: RunRecord, folder: RunFolder, metrics_port: int | None
) -> Iterator[Observer]:
    """Give the observer of the run inside the block: `observer`, with the trackers and metrics opened here."""
    with ExitStack() as stack:
        observers = [observer]
        if metrics_port is not None:
            observers.append(stack.enter_context(metrics(metrics_port, run.name, run.algorithm)))
        if trackers:
            observers.append(stack.enter_context(closing(Tracking(trackers, _tracked_run(run, folder)))))
        yield ObserverGroup(*observers) if len(observers) > 1 else observer


def _tracked_run(run: RunRecord, folder: RunFolder) -> TrackedRun:
    start_hash = content_hash([run.name, run.created_at.isoformat()])[:8]
    config = {**run.config, "algorithm": run.algorithm, "seed": run.seed}
    return TrackedRun(f"{run.name}-{start_hash}", run.name, folder.path, flatten(config))
