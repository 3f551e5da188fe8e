"""A process of its own that tracks a run and then waits; its arguments: the tracker, the run's id, its folder."""

import signal
import sys
import time
from pathlib import Path

from infra.observing.trackers.base import LAST, TrackedRun
from infra.observing.trackers.registry import open_tracker

if __name__ == "__main__":
    name, run, folder = sys.argv[1:]
    tracker = open_tracker(name, TrackedRun(run, "first", Path(folder), {}))  # type: ignore[arg-type]
    for iteration in range(2):
        tracker.log(iteration, {"utility/best": iteration / 4, LAST: float(iteration)})
    time.sleep(1)
    sys.stdout.write("told\n")
    sys.stdout.flush()
    signal.pause()
