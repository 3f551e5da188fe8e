"""The metrics endpoint: what Prometheus reads, and from where."""

import logging
import socket
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.observing.metrics import metrics
from infra.observing.observer import Work
from infra.observing.views import IterationView

VIEW = IterationView(3, 5, (0.25, None, 0.75), 0.875, "", 0, None, (), ())


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scraped(port: int) -> dict[str, float]:
    """Return {metric, with its part if it has one: value}, all of them labelled with the run and its algorithm."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = [sample for family in families for sample in family.samples if not sample.name.endswith("_created")]
    assert all(sample.labels["run"] == "mine" for sample in samples)
    assert all(sample.labels["algorithm"] == "model-swarms" for sample in samples)
    return {sample.name + sample.labels.get("part", ""): sample.value for sample in samples}


def test_what_a_run_did_is_counted(port: int) -> None:
    with metrics(port, "mine", "model-swarms") as observer:
        observer.evaluation(Work(8, 100, 4.0))
        observer.evaluation(Work(8, 100, 2.0))
        observer.work(Work(20, 300, 9.0), reused_evaluations=4)
        observer.timing("evaluation (dev)", 6.0)
        observer.timing("evaluation (dev)", 1.0)
        observer.rows(12, 24)
        observer.iteration(VIEW)
        assert scraped(port) == {
            "swarm_evaluations_total": 16,
            "swarm_cache_hits_total": 4,
            "swarm_generated_tokens_total": 200,
            "swarm_tokens_per_second": 50,
            "swarm_iteration": 3,
            "swarm_utility_best": 0.875,
            "swarm_utility_mean": 0.5,
            "swarm_rows_done": 12,
            "swarm_seconds_totalevaluation (dev)": 7,
        }


def test_what_is_not_known_yet_is_no_number(port: int) -> None:
    with metrics(port, "mine", "model-swarms"):
        unknown = {name for name, value in scraped(port).items() if value != value}
    assert unknown == {
        "swarm_tokens_per_second",
        "swarm_iteration",
        "swarm_utility_best",
        "swarm_utility_mean",
        "swarm_rows_done",
    }


def test_nothing_listens_beyond_the_loopback_interface_or_after_the_run(port: int) -> None:
    with metrics(port, "mine", "model-swarms"):
        with socket.socket() as other:  # taken on 127.0.0.1 alone, so another loopback address is still free
            other.bind(("127.0.0.2", port))
        with socket.socket() as same, pytest.raises(OSError, match="in use"):
            same.bind(("127.0.0.1", port))
    with socket.socket() as after:
        after.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        after.bind(("127.0.0.1", port))


def test_a_port_that_is_taken_is_logged_and_the_run_goes_on(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with metrics(port, "other", "model-swarms"), metrics(port, "mine", "model-swarms") as observer:
        observer.iteration(VIEW)
    assert caplog.record_tuples == [
        (
            "infra.observing.metrics",
            logging.WARNING,
            f"no metrics: SWARM_METRICS_PORT: port {port} can't be had: Address already in use",
        )
    ]
