"""What a run tells its trackers, and that it neither waits for them nor fails with them."""

import logging
from collections.abc import Mapping
from threading import Event

import pytest

from infra.configs.trackers import TrackerName
from infra.observing.observer import Work
from infra.observing.trackers import tracking
from infra.observing.trackers.base import LAST, Scalar, TrackedRun, Tracker, flatten
from infra.observing.trackers.channel import Channel
from infra.observing.trackers.registry import require_trackers
from infra.observing.trackers.tracking import Tracking, figures
from infra.observing.views import IterationView
from swarm.errors import InputError


class Remembers:
    """A tracker that keeps what it is told, and fails when told to."""

    def __init__(self, fails_at: int = -1) -> None:
        self.told: list[object] = []
        self._fails_at = fails_at

    def log(self, iteration: int, figures: Mapping[str, float]) -> None:
        if iteration == self._fails_at:
            raise ConnectionError("the server is gone\nand more")
        self.told.append((iteration, dict(figures)))

    def finish(self, summary: Mapping[str, Scalar]) -> None:
        self.told.append(dict(summary))

    def close(self) -> None:
        self.told.append("closed")


def view(iteration: int, *utilities: float | None) -> IterationView:
    known = [utility for utility in utilities if utility is not None]
    best = max(known) if known else None
    return IterationView(iteration, 5, utilities, best, "", 0, None, (), (), {"step length": 0.5})


def tracked(monkeypatch: pytest.MonkeyPatch, run: TrackedRun, **trackers: Tracker) -> Tracking:
    monkeypatch.setattr(tracking, "open_tracker", lambda name, run: trackers[name])
    return Tracking(list(trackers), run)  # type: ignore[arg-type]


def test_an_iteration_s_figures_are_its_utilities_its_cost_and_what_its_algorithm_adds() -> None:
    assert figures(view(3, 0.25, None, 0.75), Work(2, 100, 4.0), evaluations=7) == {
        "step length": 0.5,
        "utility/particle 00": 0.25,
        "utility/particle 02": 0.75,
        "utility/best": 0.75,
        "utility/mean": 0.5,
        "tokens/second": 25.0,
        "evaluations/iteration": 2,
        LAST: 7,
    }


def test_an_iteration_that_evaluated_nobody_has_no_utility() -> None:
    assert set(figures(view(1, None, None), Work(), evaluations=4)) == {"step length", "evaluations/iteration", LAST}


def test_trackers_are_told_every_iteration_and_the_end_with_the_paths(
    monkeypatch: pytest.MonkeyPatch, run: TrackedRun
) -> None:
    first, second = Remembers(), Remembers()
    told = tracked(monkeypatch, run, mlflow=first, wandb=second)
    for iteration in range(2):
        told.work(Work(4, 10, 1.0), reused_evaluations=0)
        told.iteration(view(iteration, 0.5))
    told.end({"run": "first", "ending_best": {"test": 0.75}})
    told.close()
    assert first.told == second.told
    assert [entry[1][LAST] for entry in first.told[:2]] == [4, 8]
    assert first.told[2:] == [
        {
            "run": "first",
            "ending_best.test": 0.75,
            "report": str(run.folder / "report.html"),
            "adapter": str(run.folder / "best"),
        },
        "closed",
    ]


def test_a_tracker_that_fails_is_logged_once_and_told_no_more_while_others_go_on(
    monkeypatch: pytest.MonkeyPatch, run: TrackedRun, caplog: pytest.LogCaptureFixture
) -> None:
    failing, other = Remembers(fails_at=1), Remembers()
    told = tracked(monkeypatch, run, mlflow=failing, wandb=other)
    with caplog.at_level(logging.WARNING):
        for iteration in range(4):
            told.iteration(view(iteration, 0.5))
        told.close()
    assert [entry[0] for entry in failing.told] == [0]
    assert [entry[0] for entry in other.told[:-1]] == [0, 1, 2, 3]
    assert caplog.messages == ["tracker mlflow: given up, the run goes on: ConnectionError: the server is gone"]


@pytest.mark.parametrize("error", [OSError("no such folder"), SystemExit(1)])
def test_a_tracker_that_can_t_be_opened_is_logged(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    def cannot() -> Tracker:
        raise error

    channel = Channel("mlflow", cannot)
    channel.tell(lambda tracker: tracker.log(0, {}))
    channel.end()
    channel.wait(60)
    assert caplog.messages == [f"tracker mlflow: given up, the run goes on: {type(error).__name__}: {error}"]


def test_trackers_that_hang_are_given_up_together(
    monkeypatch: pytest.MonkeyPatch, run: TrackedRun, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracking, "CLOSING_SECONDS", 0.05)
    released = Event()

    class Hangs(Remembers):
        def log(self, iteration: int, figures: Mapping[str, float]) -> None:
            released.wait(60)

    told = tracked(monkeypatch, run, mlflow=Hangs(), wandb=Hangs())
    told.iteration(view(0, 0.5))
    told.close()
    assert caplog.messages == [f"tracker {name}: it did not end in time: given up" for name in ("mlflow", "wandb")]
    released.set()


def test_a_tracker_that_is_not_installed_is_refused_with_the_command_that_installs_it(
    name: TrackerName, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_trackers([name])
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    with pytest.raises(InputError) as refused:
        require_trackers([name])
    assert str(refused.value) == (
        f"track: {name!r} is not installed: install it with: pip install --editable '.[{name}]', or take it out"
    )


def test_nested_settings_are_told_flat() -> None:
    nested = {"a": {"b": 1, "c": [{"d": None}, True]}, "e": "f", "g": {}}
    assert flatten(nested) == {"a.b": 1, "a.c.0.d": None, "a.c.1": True, "e": "f"}
