"""What is found out about real GPUs: their names for leases, and what `swarm doctor` says; and the benchmark runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from cli.machine.compute import compute_checks
from data.requests import Generate
from experts.base_models import BaseModel
from experts.basis import load_basis
from infra.engines.config import EngineConfig
from infra.engines.gpu.lease import Gpu, bind
from infra.engines.gpu.leased_engine import LeasedEngine, visible_gpus
from infra.engines.kinds import open_engine
from swarm.recipes import Recipe, Space
from tests.tiny import make_base, make_expert

CUDA = torch.device("cuda")
ROOT = Path(__file__).parents[2]
CHILD = """
import sys, torch
from infra.engines.gpu.leased_engine import visible_gpus
sys.stdout.write(" ".join(f"{gpu.index}:{gpu.uuid}" for gpu in visible_gpus(torch.device("cuda"))))
"""


class Waited(Exception):
    pass


def refuse(*_: int) -> None:
    raise Waited


def test_a_gpu_keeps_its_name_when_its_number_changes() -> None:
    gpus = visible_gpus(CUDA)
    assert [gpu.index for gpu in gpus] == list(range(torch.cuda.device_count()))
    assert visible_gpus(torch.device("cuda", gpus[-1].index)) == gpus[-1:]
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": f"GPU-{gpus[-1].uuid}"}
    command = [sys.executable, "-c", CHILD]
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == f"0:{gpus[-1].uuid}"


def test_an_engine_on_a_gpu_waits_for_who_computes_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    base = BaseModel("tiny", make_base(tmp_path / "base"), "1" * 64)
    basis = load_basis([make_expert(tmp_path / "one", base.folder, seed=1)], base)
    recipes, requests = [Recipe(basis.ids, (1.0,), Space.FACTORS)], [Generate("two plus", 3)]
    engine = open_engine(EngineConfig(device="cuda:0"), base, basis)
    assert isinstance(engine, LeasedEngine)
    other = bind(tmp_path / "cache" / "gpus", [Gpu(0, visible_gpus(CUDA)[0].uuid)])
    with other.hold(refuse), pytest.raises(Waited):
        engine.run(recipes, [requests] * len(recipes), refuse)
    assert len(engine.run(recipes, [requests] * len(recipes))[0]) == 1
    engine.close()
    other.close()


def test_the_doctor_names_every_gpu() -> None:
    checks = {check.name: check for check in compute_checks()}
    for index in range(torch.cuda.device_count()):
        assert torch.cuda.get_device_name(index) in checks[f"GPU {index}"].found
    assert "transformers on cuda, bfloat16" in checks["engine: auto"].found


def test_the_benchmark_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARM_CACHE", str(tmp_path / "cache"))
    command = [sys.executable, "-m", "bench.gpu.population", "--quick"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert torch.cuda.get_device_name(0) in ended.stdout
