"""Finished runs, made once: tests plant things in copies of them."""

import json
from pathlib import Path

import pytest
import torch

from flows.searches import BUILT_IN
from tests.searches.swarm_in_process import Swarm
from tests.searches.test_table import TINY
from tests.security.finished_runs import TinyRun
from tests.tiny_search import RUN, make_search


@pytest.fixture(scope="session", params=[search.name for search in BUILT_IN])
def finished_run(
    request: pytest.FixtureRequest, prefect_api: None, tmp_path_factory: pytest.TempPathFactory
) -> TinyRun:
    """A finished run of each line of the table of searches; nobody writes into it."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        Swarm(folder / "runs", patch)("run", make_search(folder, TINY[request.param]))
    summary = json.loads((folder / "runs" / RUN / "summary.json").read_text())
    return TinyRun(folder / "runs", summary)


@pytest.fixture
def stopped_run(finished_run: TinyRun, tmp_path: Path) -> TinyRun:
    """A copy of it, as if it had been stopped just before its end."""
    return finished_run.copied(tmp_path / "runs")
