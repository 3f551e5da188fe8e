"""The names of the trackers that a configuration may ask for: the built-in ones and those of installed packages."""

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from data.entry_points import entry_points_of

TRACKERS_GROUP = "model_swarms.trackers"
"""The group of the entry points that name a function from a `TrackedRun` to a `Tracker`."""

BuiltInTracker = Literal["mlflow", "tensorboard", "trackio", "wandb"]
"""Each is also the name of the tracker's package, and of the extra that installs it."""

BUILT_IN_TRACKERS: tuple[str, ...] = get_args(BuiltInTracker)


def tracker_names() -> tuple[str, ...]:
    """Return every name that may be asked for; a built-in name always means the built-in tracker."""
    return tuple(dict.fromkeys((*BUILT_IN_TRACKERS, *entry_points_of(TRACKERS_GROUP))))


if TYPE_CHECKING:
    TrackerName: TypeAlias = str
else:
    TrackerName = Literal[tracker_names()]
