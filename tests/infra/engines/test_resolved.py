import pytest
import torch

from infra.engines.config import EngineConfig
from infra.engines.resolved import resolve
from swarm.errors import InputError


def test_a_cpu_computes_in_float32_with_single_threads_on_every_core() -> None:
    resolved = resolve(EngineConfig(device="cpu"))
    assert (resolved.device, resolved.dtype, resolved.threads) == (torch.device("cpu"), torch.float32, 1)
    assert resolved.workers >= 1


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"engine\.device: cuda:99: PyTorch sees \d+ GPUs here: use auto or cpu"):
        resolve(EngineConfig(device="cuda:99"))
