"""Opening the trackers that a configuration names. A new tracker is one file, one name and one line here."""

import importlib.util
from collections.abc import Sequence
from typing import Literal

from infra.observing.trackers.base import TrackedRun, Tracker
from swarm.errors import InputError

TrackerName = Literal["mlflow", "tensorboard", "trackio", "wandb"]
"""Each is also the name of the tracker's package, and of the extra that installs it."""


def require_trackers(names: Sequence[TrackerName]) -> None:
    """Raise `InputError` if the package of one of the trackers is not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise InputError(
                f"track: {name!r} is not installed: install it with: pip install --editable '.[{name}]', or take it out"
            )


def open_tracker(name: TrackerName, run: TrackedRun) -> Tracker:
    """Open the tracker called `name` for `run`; what fails is the tracker's own exception."""
    match name:
        case "mlflow":
            from infra.observing.trackers.mlflow import MLflow

            return MLflow(run)
        case "tensorboard":
            from infra.observing.trackers.tensorboard import TensorBoard

            return TensorBoard(run)
        case "trackio":
            from infra.observing.trackers.trackio import Trackio

            return Trackio(run)
        case "wandb":
            from infra.observing.trackers.wandb import WeightsAndBiases

            return WeightsAndBiases(run)
