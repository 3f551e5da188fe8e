"""A rating service on loopback, and settings that name it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import infra.scorers.endpoint
from infra.settings import Settings
from tests.rating_server import RatingService, rating_service

torch.set_num_threads(1)


@pytest.fixture
def service() -> Iterator[RatingService]:
    with rating_service() as running:
        yield running


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a service does not say how long to wait, wait a hundredth of the time."""
    monkeypatch.setattr(infra.scorers.endpoint, "_FIRST_PAUSE", 0.01)


@pytest.fixture
def settings(service: RatingService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SWARM_JUDGE_URL", f"{service.url}/v1")
    monkeypatch.setenv("SWARM_JUDGE_API_KEY", "key-of-the-judge")
    monkeypatch.setenv("SWARM_PERSPECTIVE_URL", service.url)
    monkeypatch.setenv("SWARM_PERSPECTIVE_API_KEY", "key-of-perspective")
    monkeypatch.setenv("SWARM_PERSPECTIVE_PER_SECOND", "1000")
    return Settings()
