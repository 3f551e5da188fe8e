"""What the answers of the packed engine depend on besides their inputs, known without loading a model."""

from importlib.metadata import version

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.resolved import resolve
from infra.engines.tokenizer import appended_identity
from swarm.canonical import canonical_json

ENGINE_VERSION = 7
"""Raised by hand whenever the same inputs may give other answers than before."""


def packed_identity(config: EngineConfig, base: BaseModel, here: bool = True) -> str:
    """Return, as canonical JSON, what the answers of the packed engine of `config` over `base` depend on.

    The number of workers and the index of the GPU are no part of it. `here` is false for an engine on another machine,
    whose device must be named.

    Raises:
        InputError: a GPU is asked for that this machine does not have.

    """
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
            **appended_identity(base),
            "libraries": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }
    )
