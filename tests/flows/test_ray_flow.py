"""The flow over a pool of two actors ends where the flow over one engine in its process does."""

import os
import re
import signal
from pathlib import Path

import pytest

from infra.engines.config import RayConfig
from infra.observing.observer import NullObserver, use_observer
from infra.observing.views import IterationView
from infra.searches.model_swarms.config import ModelSwarmsConfig
from tests.flows.searches import Searched, call, finished


@pytest.fixture
def pooled(searched: Searched, ray_address: str) -> ModelSwarmsConfig:
    ray = RayConfig(address=ray_address, actors=2)
    engine = searched.config.engine.model_copy(update={"kind": "ray", "ray": ray})
    return searched.config.model_copy(update={"engine": engine})


def test_a_run_over_a_pool_ends_the_same_though_an_actor_is_killed_half_way(
    searched: Searched, runs: Path, pooled: ModelSwarmsConfig
) -> None:
    killer = KillsAnActorAfterTheFirstIteration(runs / "tiny" / "run.log")
    with use_observer(killer):
        outcome = call(pooled)
    assert killer.killed
    assert outcome.result()["state_sha256"] == searched.summary["state_sha256"]
    assert outcome.result()["best_adapter_sha256"] == searched.summary["best_adapter_sha256"]
    assert finished(runs) == finished(searched.runs)


class KillsAnActorAfterTheFirstIteration(NullObserver):
    def __init__(self, log: Path) -> None:
        self.killed = 0
        self._log = log

    def iteration(self, view: IterationView) -> None:
        if not self.killed:
            first = re.search(r"the actor in process (\d+) of node \S+ is ready", self._log.read_text())
            assert first is not None
            self.killed = int(first[1])
            os.kill(self.killed, signal.SIGKILL)
