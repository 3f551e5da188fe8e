"""A run that is stopped and resumed, as its trackers and Prometheus see it."""

import socket
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.records.store import Records
from infra.records.values import Purpose
from swarm.state import State
from tests.flows.searches import Searched, call, records_url


class ScrapesAndStops(NullObserver):
    """Reads the metrics after every iteration, and asks the run to stop after the one numbered `last`."""

    def __init__(self, port: int, url: str, last: int) -> None:
        self.scraped: list[dict[str, float]] = []
        self._port, self._url, self._last = port, url, last

    def iteration(self, view: IterationView) -> None:
        if view.iteration == self._last:
            with Records(self._url) as records:
                records.request_stop("tiny")

    def rows(self, done: int, total: int) -> None:
        with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        self.scraped.append({sample.name: sample.value for family in families for sample in family.samples})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        result = int(probe.getsockname()[1])
    monkeypatch.setenv("SWARM_METRICS_PORT", str(result))
    return result


def test_trackers_show_each_iteration_once_and_metrics_count_what_this_process_made(
    searched: Searched, runs: Path, port: int
) -> None:
    config = searched.config.model_copy(update={"track": ["tensorboard"]})
    stopping, second_run = (ScrapesAndStops(port, records_url(runs), last) for last in (0, 99))
    with use_observer(stopping):
        assert call(config).is_cancelled()
    with use_observer(second_run):
        assert call(config).result()["state_sha256"] == searched.summary["state_sha256"]
    with Records(records_url(runs)) as records:
        states = [State.from_json(record.state) for record in records.iterations("tiny")]
        first = {
            links.evaluation.group for links in records.run_evaluations("tiny", Purpose.SEARCH) if not links.iteration
        }
        made = {group.key: group.generated_tokens for group in records.evaluation_groups()}
    assert tensorboard(runs / "tiny", "utility/best") == [
        (state.iteration, pytest.approx(state.global_best.utility)) for state in states if state.global_best
    ]
    assert tensorboard(runs / "tiny", "step length") == [
        (state.iteration, pytest.approx(state.step_length)) for state in states
    ]
    assert stopping.scraped[0]["swarm_evaluations_total"] == 0
    last = second_run.scraped[-1]
    assert last["swarm_cache_hits_total"] == sum(state.to_evaluate.count(True) for state in states[:1])
    assert last["swarm_generated_tokens_total"] <= sum(made.values()) - sum(made[key] for key in first)
    assert last["swarm_iteration"] == states[-1].iteration


def test_other_trackers_are_no_other_run(searched: Searched) -> None:
    tracked = searched.config.model_copy(update={"track": ["tensorboard", "mlflow"]})
    assert tracked.settings() == searched.config.settings()


def tensorboard(folder: Path, figure: str) -> list[tuple[int, float]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard")).Reload().Scalars(figure)
    return [(event.step, event.value) for event in events]
