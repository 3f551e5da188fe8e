"""The trackers that a configuration can name. A new one is one file, one name in `infra/configs/trackers.py`, one line.

Plugins add trackers of their own by entry points of the group `model_swarms.trackers`. None of them is imported before
a configuration asks for it.
"""

import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, cast

from data.plugins import Entry
from infra.configs.trackers import TRACKER_PLUGINS, TrackerName
from infra.observing.trackers.base import TrackedRun, Tracker
from swarm.errors import InputError


def require_trackers(names: Sequence[TrackerName]) -> None:
    """Raise `InputError` if one of the trackers is not installed, or can't be loaded."""
    for name in names:
        if name not in TRACKER_PLUGINS.built_in:
            TRACKER_PLUGINS.load(name, _check_opener)
        elif importlib.util.find_spec(name) is None:
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
    return TRACKER_PLUGINS.load(name, _check_opener)(run)


def tracker_entries() -> list[Entry]:
    """List the trackers that plugins add; each is loaded, to see whether it can be used."""
    return TRACKER_PLUGINS.load_all(_check_opener)[1]


def _check_opener(value: Any, name: str) -> Callable[[TrackedRun], Tracker]:
    if not callable(value):
        raise InputError("can't be called: it must take a TrackedRun")
    return cast("Callable[[TrackedRun], Tracker]", value)
