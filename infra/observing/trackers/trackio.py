"""Trackio: a run in its local database (TRACKIO_DIR), or on the server or Space that its own settings name."""

import io
from collections.abc import Mapping
from contextlib import redirect_stdout

import trackio

from infra.observing.trackers.base import PROJECT, Scalar, TrackedRun


class Trackio:
    """One run of the project model-swarms."""

    def __init__(self, run: TrackedRun) -> None:
        with redirect_stdout(io.StringIO()):  # it has no setting to be quiet, and standard output is for results
            self._run = trackio.init(
                project=PROJECT,
                name=run.id,
                config=dict(run.config),
                resume="allow",
                embed=False,
                auto_log_gpu=False,
                auto_log_cpu=False,
            )
        self._next = self._run._next_step  # where the resumed run goes on; there is no public name for it

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        """See `Tracker.log`."""
        if iteration >= self._next:
            self._run.log(dict(figures), step=iteration)

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        """See `Tracker.finish`."""
        rows = [f"| {key} | {value} |" for key, value in summary.items()]
        self._run.log({"summary": trackio.Markdown("\n".join(["| field | value |", "|---|---|", *rows]))})

    def close(self) -> None:
        """See `Tracker.close`."""
        with redirect_stdout(io.StringIO()):
            trackio.finish()  # of this thread: it keeps its run in a context variable
