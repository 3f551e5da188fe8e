"""MLflow: a run in the tracking store that MLFLOW_TRACKING_URI names, else in a SQLite file beside the records."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from mlflow import MlflowClient, is_tracking_uri_set
from mlflow.entities import Metric, Param, RunTag
from mlflow.environment_variables import MLFLOW_EXPERIMENT_NAME

from infra.observing.trackers.base import LAST, PROJECT, Scalar, TrackedRun

T = TypeVar("T")

_TAG = "swarm.run"
"""The tag by which a run is found again."""

_BATCH = 100
"""Params, or tags, or metrics that MLflow takes at once."""

_LONGEST = 500
"""Characters of a param or tag that every release of MLflow takes."""


class MLflow:
    """One run of the experiment that MLFLOW_EXPERIMENT_NAME names (model-swarms if it names none)."""

    def __init__(self, run: TrackedRun) -> None:
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # else it tells the terminal of each table it makes
        store = run.folder.parent / ".swarm"
        self._client = MlflowClient(None if is_tracking_uri_set() else f"sqlite:///{store / 'mlflow.db'}")
        self._run = self._find(run) or self._create(run)
        self._client.update_run(self._run, status="RUNNING")
        self._last_iteration = max((metric.step for metric in self._history(LAST)), default=-1)
        self._has_finished = False

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        if iteration <= self._last_iteration:
            return
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, iteration) for name, value in figures.items()]
        for part in _parts(metrics):
            self._client.log_batch(self._run, part)
        self._last_iteration = iteration

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        """See `Tracker.finish`."""
        for part in _parts([RunTag(f"summary.{key}", str(value)[:_LONGEST]) for key, value in summary.items()]):
            self._client.log_batch(self._run, tags=part)
        self._has_finished = True

    def close(self) -> None:
        """See `Tracker.close`."""
        self._client.set_terminated(self._run, "FINISHED" if self._has_finished else "KILLED")

    def _find(self, run: TrackedRun) -> str | None:
        runs = self._client.search_runs([self._experiment(run)], f"tags.`{_TAG}` = '{run.id}'", max_results=1)
        return str(runs[0].info.run_id) if runs else None

    def _create(self, run: TrackedRun) -> str:
        new_run = self._client.create_run(self._experiment(run), run_name=run.name, tags={_TAG: run.id})
        for part in _parts([Param(key, str(value)[:_LONGEST]) for key, value in run.config.items()]):
            self._client.log_batch(new_run.info.run_id, params=part)
        return str(new_run.info.run_id)

    def _experiment(self, run: TrackedRun) -> str:
        name = MLFLOW_EXPERIMENT_NAME.get() or PROJECT
        experiment = self._client.get_experiment_by_name(name)
        if experiment is not None:
            return str(experiment.experiment_id)
        artifacts = None if is_tracking_uri_set() else (run.folder.parent / ".swarm" / "mlflow").as_uri()
        return str(self._client.create_experiment(name, artifacts))

    def _history(self, metric: str) -> list[Metric]:
        return list(self._client.get_metric_history(self._run, metric))


def _parts(entries: Sequence[T]) -> Iterator[list[T]]:
    """Yield parts of `entries` that are as large as MLflow takes at once."""
    for start in range(0, len(entries), _BATCH):
        yield list(entries[start : start + _BATCH])
