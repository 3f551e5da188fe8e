"""Weights & Biases: offline unless somebody is logged in (WANDB_API_KEY, or `wandb login`) or WANDB_MODE says else."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import wandb

from infra.observing.trackers.base import PROJECT, Scalar, TrackedRun

_QUIET = {"silent": True, "console": "off", "disable_git": True, "disable_code": True}
"""Print nothing on the terminal; send neither its output nor the checkout or the code."""

_PRIVATE = {"x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False}


class WeightsAndBiases:
    """One run of the project that WANDB_PROJECT names (model-swarms if it names none)."""

    def __init__(self, run: TrackedRun) -> None:
        logged_in = "WANDB_MODE" in os.environ or wandb.login(prompt=False)
        self._run = wandb.init(
            id=run.id,
            name=run.name,
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            dir=os.environ.get("WANDB_DIR", run.folder),
            config=dict(run.config),
            resume="allow",
            mode=None if logged_in else "offline",
            settings=wandb.Settings(**_QUIET, **_PRIVATE),
        )
        if self._run.offline:
            _remove_earlier(Path(self._run.dir).parent, run.id)

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        if iteration >= self._run.starting_step:  # online, that is where the resumed run goes on
            self._run.log(dict(figures), step=iteration)

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        """See `Tracker.finish`."""
        self._run.summary.update(dict(summary))

    def close(self) -> None:
        """See `Tracker.close`."""
        self._run.finish()
        wandb.teardown()  # it writes in a process of its own, which ends only now


def _remove_earlier(folder: Path, run: str) -> None:
    """Remove what earlier processes wrote of the run: this one tells everything again, and a sync would send both."""
    for earlier in folder.parent.glob(f"offline-run-*-{run}"):
        if earlier != folder:
            shutil.rmtree(earlier)
