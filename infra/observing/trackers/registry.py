"""The trackers that a configuration can name. A new one is one file, one name in `infra/configs/trackers.py`, one line.

Installed packages add trackers of their own by entry points of the group `model_swarms.trackers`: each names what takes
a `TrackedRun` and returns a `Tracker`. None of them is imported before a configuration asks for it.
"""

import importlib.util
from collections.abc import Callable, Sequence
from typing import cast

from data.entry_points import Extension, describe_entry_point, entry_points_of, extension_of, load_entry_point
from infra.configs.trackers import BUILT_IN_TRACKERS, TRACKERS_GROUP, TrackerName
from infra.observing.trackers.base import TrackedRun, Tracker
from swarm.errors import InputError


def require_trackers(names: Sequence[TrackerName]) -> None:
    """Raise `InputError` if one of the trackers is not installed, or can't be loaded."""
    for name in names:
        if name not in BUILT_IN_TRACKERS:
            _load(name)
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
    tracker: Tracker = _load(name)(run)
    return tracker


def tracker_extensions() -> tuple[Extension, ...]:
    """Return the entry points of `TRACKERS_GROUP` that installed packages offer; each is loaded to see if it can be."""
    return tuple(extension_of(point, _problem_of(name)) for name, point in entry_points_of(TRACKERS_GROUP).items())


def _problem_of(name: str) -> str | None:
    if name in BUILT_IN_TRACKERS:
        return f"{name} is the name of a built-in tracker"
    try:
        _load(name)
    except InputError as error:
        return str(error)
    return None


def _load(name: str) -> Callable[[TrackedRun], Tracker]:
    """Return what opens the tracker called `name` of an installed package; `InputError` if there is none that works."""
    point = entry_points_of(TRACKERS_GROUP).get(name)
    if point is None:
        raise InputError(f"track: there is no {name!r}: install the package that has it, or take it out")
    try:
        opener = load_entry_point(point)
    except InputError as error:
        raise InputError(f"track: {error}: correct or uninstall it, or take {name!r} out") from error
    if not callable(opener):
        raise InputError(f"track: {describe_entry_point(point)} can't be called: it must take a TrackedRun")
    return cast("Callable[[TrackedRun], Tracker]", opener)
