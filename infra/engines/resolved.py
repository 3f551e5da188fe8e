"""An engine's configuration with every `auto` decided for this machine."""

import os
from dataclasses import dataclass

import torch

from infra.engines.config import EngineConfig
from swarm.errors import InputError

_TOKEN_BUDGETS = {"cpu": 2048, "cuda": 32768}
_CACHE_GIB = {"cpu": 1.0, "cuda": 16.0}
_MOST_WORKERS = 16


@dataclass(frozen=True)
class Resolved:
    """An engine's configuration with every `auto` decided for this machine.

    Attributes:
        device: where the model lies.
        dtype: the number format of its weights and activations.
        threads: PyTorch threads a worker.
        workers: batches computed at the same time; answers don't depend on it.
        token_budget: prompt tokens of a forward pass.
        cache_gib: GiB of keys and values that a worker keeps.

    """

    device: torch.device
    dtype: torch.dtype
    threads: int
    workers: int
    token_budget: int
    cache_gib: float


def resolve(config: EngineConfig, here: bool = True) -> Resolved:
    """Decide every `auto` of `config` for this machine; `here` is false for an engine on another one.

    Raises:
        InputError: a GPU is asked for that this machine does not have.

    """
    device = _device(config.device) if here else torch.device(config.device)
    on_cpu = device.type == "cpu"
    automatic = torch.float32 if on_cpu else torch.bfloat16
    dtype = automatic if config.dtype == "auto" else getattr(torch, config.dtype)
    threads = config.threads or 1
    workers = (config.workers or min(_MOST_WORKERS, max(1, _cores() // threads))) if on_cpu else 1
    token_budget = config.token_budget or _TOKEN_BUDGETS[device.type]
    return Resolved(device, dtype, threads, workers, token_budget, config.cache_gib or _CACHE_GIB[device.type])


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"engine.device: {name}: PyTorch sees {torch.cuda.device_count()} GPUs here: use auto or cpu")
    return device


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
