"""A search for a system, killed inside one evaluation after the other: each process dies at a chosen engine call."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.crash_records import ending
from tests.crash.crash_trials import Processes
from tests.prefect_server import prefect_server
from tests.tiny_search import HETEROGENEOUS, make_search

ROOT = Path(__file__).parents[2]
CHILDREN = {"PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
SETTINGS = {**HETEROGENEOUS, "search": {**HETEROGENEOUS["search"], "max_iterations": 2}}
LAST_CALLS = (1, 3, 6, 8)
"""In the first evaluation at once, in its middle, in the second or third of that process, and later still."""

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Processes]:
    config = make_search(tmp_path, SETTINGS)
    with prefect_server(tmp_path / "prefect") as environment:
        for name, value in {**environment, **CHILDREN}.items():
            monkeypatch.setenv(name, value)
        yield Processes(tmp_path, config)


def test_a_search_killed_at_call_after_call_ends_as_if_nothing_had_happened(processes: Processes) -> None:
    expected, _ = processes.uninterrupted("whole")
    runs = processes.folder / "killed"
    runs.mkdir()
    config = str(processes.folder / "run.yaml")
    for call in LAST_CALLS:
        process = processes.start(runs, ["flow", config, str(call)])
        process.join(600)
        assert process.exitcode == -9, f"ended with {process.exitcode} instead of dying at call {call}"
    last = processes.start(runs, ["flow", config])
    last.join(600)
    assert last.exitcode == 0
    found = ending(runs)
    assert (found.state, found.adapter) == (expected.state, expected.adapter)
    assert found.groups == expected.groups and found.repeated == 0
    best = [
        sorted(path.name for path in (folder / "tiny" / "best").rglob("*"))
        for folder in (runs, processes.folder / "whole")
    ]
    assert best[0] == best[1]
