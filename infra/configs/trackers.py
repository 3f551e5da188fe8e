"""The names of the trackers that a configuration may ask for: the built-in ones and those of plugins."""

from typing import Annotated

from data.plugins import PluginName, Plugins

TRACKER_PLUGINS = Plugins("model_swarms.trackers", "track", ("mlflow", "tensorboard", "trackio", "wandb"))
"""Each built-in name is also that of the tracker's package, and of the extra that installs it.

Each entry point is a function (or class) that takes a `TrackedRun` and returns a `Tracker`
(`infra/observing/trackers/base.py`).
"""

TrackerName = Annotated[str, PluginName(TRACKER_PLUGINS)]
