"""One search of a tiny model, made once; most tests look at what it left, or go on from a copy of that."""

from pathlib import Path

import pytest
import torch

from infra.configs.yaml_files import load_config
from infra.searches.model_swarms.config import ModelSwarmsConfig
from tests.flows.searches import SMALL, Searched, call
from tests.installed import package_tested
from tests.tiny_search import make_search

torch.set_num_threads(1)
_EXTRAS = {
    "test_remote_*.py": ("moto", "dev-ops"),
    "test_ray_*.py": ("ray", "ray"),
    "test_watched_*.py": ("tensorboard", "tensorboard"),
}
collect_ignore_glob = [files for files, (package, extra) in _EXTRAS.items() if not package_tested(package, extra)]


@pytest.fixture(scope="session")
def search_config(tmp_path_factory: pytest.TempPathFactory) -> ModelSwarmsConfig:
    return load_config(make_search(tmp_path_factory.mktemp("search")), ModelSwarmsConfig, SMALL)


@pytest.fixture(scope="session")
def searched(prefect_api: None, search_config: ModelSwarmsConfig, tmp_path_factory: pytest.TempPathFactory) -> Searched:
    runs = tmp_path_factory.mktemp("searched")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWARM_RUNS", str(runs))
        outcome = call(search_config)
    assert outcome.is_completed(), outcome.message
    flow_run = outcome.state_details.flow_run_id
    assert flow_run is not None
    return Searched(search_config, runs, flow_run, outcome.result())


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs folder of the test, empty."""
    monkeypatch.setenv("SWARM_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv("SWARM_DATABASE_URL", raising=False)
    return tmp_path / "runs"
