"""Fine-tune a LoRA expert (peft) on prompts and completions; killed at any moment, it goes on from its last checkpoint.

Every batch is a pure function of (seed, step), so a resumed training sees the batches an uninterrupted one would.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from experts.base_models import BaseModel
from experts.files import file_sha256, publish_folder, read_json
from experts.trainer import Trainer, adapter_weights
from experts.training_config import Source, TrainingConfig
from swarm.errors import InputError

CHECKPOINT_EVERY = 25
"""Steps between two checkpoints: the most that a kill costs."""

TrainingProgress = Callable[[int, int, float], None]
"""Called with (steps done, steps in all, loss in nats per token) after each step."""


def train_expert(
    base: BaseModel,
    config: TrainingConfig,
    sources: Sequence[Source],
    folder: Path,
    start: Path | None = None,
    progress: TrainingProgress | None = None,
) -> dict[str, Any]:
    """Train an expert and publish it as `folder`: a PEFT adapter in float16 and `provenance.json`.

    A folder that already holds the expert of the same base, data, start and configuration is left as it is.

    Args:
        base: the base model, which stays as it is.
        config: rank, steps and the like.
        sources: the examples.
        folder: where the expert goes.
        start: the folder of an expert of the same shape to start from; None: a new adapter.
        progress: is told of every step.

    Returns:
        the provenance: base, data hashes and shares, configuration, losses.

    Raises:
        InputError: no data, or `folder` holds something else.

    """
    if not sources or any(not source.pairs for source in sources):
        raise InputError(
            f"expert {folder.name!r} has no training examples: name at least one data file with a train split"
        )
    identity = _identity(base, config, sources, start)
    if folder.exists():
        return _existing_provenance(folder, identity)
    torch.set_num_threads(config.threads)
    trainer = Trainer(base, config, sources, start)
    checkpoint = folder.parent / f".{folder.name}.training"
    first_step, losses = trainer.restore(checkpoint, identity)
    for step in range(first_step, config.steps):
        losses.append(trainer.step(step))
        if (step + 1) % CHECKPOINT_EVERY == 0 and step + 1 < config.steps:
            trainer.save(checkpoint, identity, losses)
        if progress is not None:
            progress(step + 1, config.steps, losses[-1])
    provenance = {**identity, "base": base.name, "losses": losses, "final_loss": float(np.mean(losses[-10:]))}
    _publish(trainer, folder, provenance, base)
    shutil.rmtree(checkpoint, ignore_errors=True)
    return provenance


def _identity(base: BaseModel, config: TrainingConfig, sources: Sequence[Source], start: Path | None) -> dict[str, Any]:
    return {
        "start": None if start is None else {"name": start.name, "sha256": file_sha256(adapter_weights(start))},
        "base_sha256": base.sha256,
        "data": [{"name": source.name, "sha256": source.sha256, "share": source.share} for source in sources],
        "config": config.model_dump(),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
    }


def _existing_provenance(folder: Path, identity: dict[str, Any]) -> dict[str, Any]:
    try:
        provenance = read_json(folder / "provenance.json", allow_infinity=True)
    except (OSError, ValueError):
        provenance = None
    keys = ("base_sha256", "data", "start", "config")
    if isinstance(provenance, dict) and all(provenance.get(key) == identity[key] for key in keys):
        return provenance
    raise InputError(f"{folder} already holds something else: remove it, or train into another folder")


def _publish(trainer: Trainer, folder: Path, provenance: dict[str, Any], base: BaseModel) -> None:
    tensors = {name: tensor.half().contiguous() for name, tensor in trainer.adapter().items()}
    with publish_folder(folder) as temporary:
        save_file(tensors, temporary / "adapter_model.safetensors", metadata={"format": "pt"})
        config = trainer.model.peft_config["default"]
        config.inference_mode = True
        config.base_model_name_or_path = base.name
        config.save_pretrained(temporary)
        (temporary / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
