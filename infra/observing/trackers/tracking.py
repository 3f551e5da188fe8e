"""The observer that passes a run's figures on to its trackers."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from infra.configs.trackers import TrackerName
from infra.observing.observer import NullObserver, Work
from infra.observing.trackers.base import LAST, Scalar, TrackedRun, flatten
from infra.observing.trackers.channel import Channel
from infra.observing.trackers.registry import open_tracker
from infra.observing.views import IterationView

CLOSING_SECONDS = 60.0
"""How long the end of a run waits for its trackers at most."""


class Tracking(NullObserver):
    """Tells every tracker of a run each iteration's figures, and in the end the summary."""

    def __init__(self, names: Sequence[TrackerName], run: TrackedRun) -> None:
        self._run = run
        self._channels = [Channel(name, partial(open_tracker, name, run)) for name in dict.fromkeys(names)]
        self._work = Work()
        self._evaluations = 0

    def work(self, work: Work, reused_evaluations: int) -> None:
        """See `Observer.work`."""
        self._work = work
        self._evaluations += work.evaluations

    def iteration(self, view: IterationView) -> None:
        """See `Observer.iteration`."""
        values = figures(view, self._work, self._evaluations)
        for channel in self._channels:
            channel.tell(lambda tracker: tracker.log(view.iteration, values))

    def end(self, summary: Mapping[str, Any]) -> None:
        """See `Observer.end`."""
        folder = self._run.folder
        values: dict[str, Scalar] = {
            **flatten(summary),
            "report": str(folder / "report.html"),
            "adapter": str(folder / "best"),
        }
        for channel in self._channels:
            channel.tell(lambda tracker: tracker.finish(values))

    def close(self) -> None:
        """End every tracker, after what it was told; those that take too long are given up."""
        deadline = time.monotonic() + CLOSING_SECONDS
        for channel in self._channels:
            channel.end()
        for channel in self._channels:
            channel.wait(max(0.0, deadline - time.monotonic()))


def figures(view: IterationView, work: Work, evaluations: int) -> dict[str, float]:
    """Return the figures of an iteration for trackers; `evaluations` counts from the first iteration on."""
    utilities = {index: utility for index, utility in enumerate(view.utilities) if utility is not None}
    result = {**view.figures, **{f"utility/particle {index:02d}": utility for index, utility in utilities.items()}}
    if view.best is not None:
        result["utility/best"] = view.best
    if utilities:
        result["utility/mean"] = sum(utilities.values()) / len(utilities)
    if work.seconds > 0:
        result["tokens/second"] = work.generated_tokens / work.seconds
    return {**result, "evaluations/iteration": work.evaluations, LAST: evaluations}
