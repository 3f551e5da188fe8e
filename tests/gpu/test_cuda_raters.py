"""Rating models on a GPU: near to the CPU's numbers, the same bits again, and in turns with the engine there."""

from pathlib import Path

import pytest
import torch

from data.outside import Item, Rewarder
from infra.engines.gpu.lease import bind
from infra.engines.gpu.leased_engine import visible_gpus
from infra.scorers.rewarder import RewardScorer, reward_identity
from infra.settings import Settings
from tests.tiny_raters import make_rater

ITEMS = [Item(f"Question {n}?", "so " * n, "") for n in range(40)]


class Waited(Exception):
    pass


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    return Settings()


def rewards(folder: Path, device: str, settings: Settings) -> list[float]:
    scorer = RewardScorer(Rewarder(model=str(folder), device=device), settings)
    try:
        return [rating.value for rating in scorer.score(ITEMS, lambda done, total: None)]
    finally:
        scorer.close()


def test_rewards_of_both_devices_are_alike_and_those_of_one_are_the_same(tmp_path: Path, settings: Settings) -> None:
    folder = make_rater(tmp_path / "reward")
    on_gpu, again, on_cpu = (rewards(folder, device, settings) for device in ("cuda", "cuda", "cpu"))
    assert on_gpu == again
    assert torch.corrcoef(torch.tensor([on_gpu, on_cpu]))[0, 1] > 0.99
    assert on_gpu != on_cpu  # bfloat16
    identities = {reward_identity(Rewarder(model=str(folder), device=device), settings) for device in ("auto", "cpu")}
    assert len(identities) == 2


def test_rating_waits_for_an_engine_that_has_the_gpu(tmp_path: Path, settings: Settings) -> None:
    scorer = RewardScorer(Rewarder(model=str(make_rater(tmp_path / "reward")), device="cuda:0"), settings)
    lease = bind(settings.cache / "gpus", visible_gpus(torch.device("cuda:0")))

    def refuse(done: int, total: int) -> None:
        raise Waited

    with lease.hold(lambda: None), pytest.raises(Waited):
        scorer.score(ITEMS, refuse)
    assert len(scorer.score(ITEMS, lambda done, total: None)) == len(ITEMS)
    lease.close()
    scorer.close()
