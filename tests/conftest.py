"""What tests of every kind share: a quiet, closed environment, their markers, and what is made once for all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from tests import needs
from tests.installed import MISSING

if TYPE_CHECKING:
    from experts.base_models import BaseModel

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


needs.watch()


def pytest_configure(config: pytest.Config) -> None:
    """Let `pytest -n` run the tests of a file in one worker: fixtures of a module are made once then."""
    if getattr(config.option, "numprocesses", None) and config.option.dist in ("no", "load"):
        config.option.dist = "loadfile"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark tests by what they need."""
    for item in items:
        needs.mark(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let a test that forgot a marker fail."""
    needs.begin(item)
    try:
        return (yield)
    finally:
        needs.end()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that prints the summary what this worker of `pytest -n` did not find."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output["missing"] = MISSING


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a worker of `pytest -n` did not find."""
    MISSING.update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests are missing from this run, and why."""
    for what, remedy in sorted(MISSING.items()):
        terminalreporter.write_line(f"not installed, so its tests were left out: {what} ({remedy})", yellow=True)


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny base model, which no test writes into."""
    from tests.tiny import make_base

    return make_base(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def base(base_folder: Path) -> BaseModel:
    """The tiny base model under a made-up hash, for tests that don't look at its own."""
    from experts.base_models import BaseModel

    return BaseModel("tiny", base_folder, "1" * 64)


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
