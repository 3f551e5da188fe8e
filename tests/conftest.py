"""What tests of every kind share: a quiet, closed environment, and one Prefect server for those that need it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.installed import MISSING

QUIET = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PYTHONPATH": str(Path(__file__).parents[1]),  # child processes of tests import the project and its tests
    "TOKENIZERS_PARALLELISM": "false",
}
os.environ.update(QUIET)  # before anything imports what reads it once, at its import

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")  # no test depends on how fast the machine is


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests are missing from this run, and why."""
    for what, remedy in sorted(MISSING.items()):
        terminalreporter.write_line(f"not installed, so its tests were left out: {what} ({remedy})", yellow=True)


@pytest.fixture(scope="session")
def prefect_api() -> Iterator[None]:
    """A Prefect server with an empty database; entering takes seconds, so there is one, for those who ask for it."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.fixture(scope="session")
def ray_address() -> Iterator[str]:
    """The address of a Ray cluster of two nodes, started for those who ask for it."""
    from tests.two_nodes import two_nodes

    with two_nodes() as cluster:
        yield cluster.address
