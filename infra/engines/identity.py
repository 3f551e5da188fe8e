"""What an engine's answers depend on besides their inputs, known without loading a model."""

import os
from dataclasses import dataclass
from importlib.metadata import version

import torch

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from swarm.canonical import canonical_json
from swarm.errors import InputError

ENGINE_VERSION = 7
"""Raised by hand whenever the same inputs may give other answers than before."""

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


def engine_identity(config: EngineConfig, base: BaseModel, here: bool = True) -> str:
    """Return, as canonical JSON, what the answers of the engine of `config` over `base` depend on.

    No model is loaded. Equal identities, populations and requests give equal bits; the number of workers and the
    index of the GPU are no part of it. `here` is false for an engine on another machine, whose device must be named.

    Raises:
        InputError: a GPU is asked for that this machine does not have.

    """
    if config.kind == "ray":
        from infra.engines.ray.pool import pool_identity

        return pool_identity(config, base)
    if config.kind == "vllm":
        from infra.engines.vllm.identity import vllm_identity

        return vllm_identity(config, base)
    resolved = resolve(config, here)
    return canonical_json(
        {
            "engine": config.kind,
            "version": ENGINE_VERSION,
            "base": base.sha256,
            "base_description": base.description_sha256(),
            "device": resolved.device.type,
            "dtype": str(resolved.dtype).removeprefix("torch."),
            "threads": resolved.threads if resolved.device.type == "cpu" else None,
            "token_budget": resolved.token_budget,
            "cache_gib": resolved.cache_gib,
            "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }
    )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise InputError(f"engine.device: {name}: PyTorch sees {torch.cuda.device_count()} GPUs here: use auto or cpu")
    return device


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
