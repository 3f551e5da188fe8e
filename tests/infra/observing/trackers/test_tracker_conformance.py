"""What every tracker keeps to, checked on the files that its own package reads."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from infra.configs.trackers import TrackerName
from infra.observing.trackers.base import LAST, TrackedRun
from infra.observing.trackers.registry import open_tracker
from tests.infra.observing.trackers.tracker_readers import ending, points

CHILD = Path(__file__).with_name("tracker_child.py")


def track(name: TrackerName, run: TrackedRun, iterations: int, end: bool = False) -> None:
    """Follow a run as a process that drives it does: every iteration from the first."""
    tracker = open_tracker(name, run)
    for iteration in range(iterations):
        tracker.log(iteration, {"utility/best": iteration / 4, LAST: float(iteration)})
    if end:
        tracker.finish({"ending_best.test": 0.75, "report": "/runs/first/report.html", "adapter": "/runs/first/best"})
    tracker.close()


def test_a_resumed_run_shows_every_iteration_once_and_how_it_ended(name: TrackerName, run: TrackedRun) -> None:
    track(name, run, 2)
    assert points(name, run, "utility/best") == [(0, 0.0), (1, 0.25)]
    track(name, run, 4, end=True)
    assert points(name, run, "utility/best") == [(0, 0.0), (1, 0.25), (2, 0.5), (3, 0.75)]
    assert points(name, run, LAST) == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]
    shown = ending(name, run)
    assert all(part in shown for part in ("0.75", "/runs/first/report.html", "/runs/first/best"))


@pytest.mark.slow
def test_after_a_kill_every_iteration_is_shown_once(name: TrackerName, run: TrackedRun) -> None:
    command = [sys.executable, str(CHILD), name, run.id, str(run.folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "told\n"
    child.kill()
    child.communicate()
    track(name, run, 3)
    assert points(name, run, "utility/best") == [(0, 0.0), (1, 0.25), (2, 0.5)]


def test_runs_are_kept_apart_by_their_ids(name: TrackerName, run: TrackedRun) -> None:
    track(name, run, 2)
    other = run.folder.with_name("other")
    other.mkdir()
    track(name, replace(run, id="other-5e6f7a8b", folder=other), 3)
    assert points(name, run, "utility/best") == [(0, 0.0), (1, 0.25)]


def test_nothing_is_written_to_the_terminal(
    name: TrackerName, run: TrackedRun, capfd: pytest.CaptureFixture[str]
) -> None:
    track(name, run, 1, end=True)
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == ""
