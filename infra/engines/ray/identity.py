"""What the answers of a pool depend on, and the engine in each of its actors; known without importing Ray."""

from importlib.util import find_spec

import torch

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.local import local_identity
from swarm.errors import InputError


def pool_identity(config: EngineConfig, base: BaseModel, here: bool = True) -> str:
    """Return the identity of the engines in the pool's actors: a pool gives the answers that one of them gives.

    `here` changes nothing: Ray decides on which machines the actors run.

    Raises:
        InputError: Ray is not installed, or it can't be told whether the actors compute on GPUs.

    """
    if find_spec("ray") is None:
        raise InputError("engine.kind: ray: Ray is not installed: pip install 'ray==2.60.*', or use another kind")
    return local_identity(actor_config(config), base, here=False)


def actor_config(config: EngineConfig) -> EngineConfig:
    """Return the configuration of the engine in each actor, its device and its workers decided.

    Raises:
        InputError: it can't be told whether the actors compute on GPUs.

    """
    workers = config.workers or max(1, int(config.ray.cpus) // (config.threads or 1))
    changes = {"kind": config.ray.engine, "device": _device(config), "workers": workers}
    return config.model_copy(update=changes)


def _device(config: EngineConfig) -> str:
    gpus, device = config.ray.gpus, config.device
    if ":" in device:
        raise InputError(f"engine.device: {device}: Ray chooses the GPU of each actor: set it to cuda")
    if device == "auto" and gpus is not None:
        return "cuda" if gpus > 0 else "cpu"
    if device == "auto" and config.ray.address is not None:
        raise InputError(
            "engine.device: auto: what this machine has says nothing about the actors of a running cluster: set it to "
            "cuda or cpu, or set engine.ray.gpus"
        )
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if gpus is not None and (gpus > 0) != (device == "cuda"):
        raise InputError(f"engine.ray.gpus: {gpus:g} does not go with engine.device: {device}: leave it empty")
    return device
