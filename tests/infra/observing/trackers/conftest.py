"""The trackers whose packages are installed, each keeping its files in the test's own folder."""

from pathlib import Path

import pytest

from infra.configs.trackers import TRACKER_PLUGINS, TrackerName
from infra.observing.trackers.base import TrackedRun
from tests.installed import package_tested

INSTALLED = [name for name in TRACKER_PLUGINS.built_in if package_tested(name, name)]


@pytest.fixture(params=INSTALLED)
def name(request: pytest.FixtureRequest) -> TrackerName:
    return request.param


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the person's own settings, and nothing of theirs written."""
    for variable in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "runs" / "first"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "wandb"))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # for child processes; it is read at the import
    if "trackio" in INSTALLED:
        from trackio import sqlite_storage, utils

        for module in (sqlite_storage, utils):
            monkeypatch.setattr(module, "TRACKIO_DIR", tmp_path / "trackio")


@pytest.fixture
def run(tmp_path: Path) -> TrackedRun:
    folder = tmp_path / "runs" / "first"
    folder.mkdir(parents=True)
    (tmp_path / "runs" / ".swarm").mkdir()
    config = {"search.particles": 4, "space": "product", "engine.threads": None, "include_base": True}
    return TrackedRun("first-1a2b3c4d", "first", folder, config)
