"""Fine-tune a LoRA expert (peft) on prompts and completions; killed at any moment, it goes on from its last checkpoint.

Every batch is a pure function of (seed, step), so a resumed training sees the batches an uninterrupted one would.
"""

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from pydantic import BaseModel as Schema
from pydantic import ConfigDict, Field
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from experts.base_models import BaseModel
from experts.files import file_sha256, publish_folder
from experts.tensors import open_tensors
from swarm.canonical import canonical_json, content_hash
from swarm.errors import InputError

CHECKPOINT_EVERY = 25
"""Steps between two checkpoints: the most that a kill costs."""

_IGNORED = -100
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")

logger = logging.getLogger(__name__)


class TrainingConfig(Schema):
    """How one expert is trained."""

    model_config = ConfigDict(extra="forbid")

    rank: int = Field(8, ge=1, description="Rank of the LoRA update.")
    alpha: float = Field(16, gt=0, description="The update is scaled by alpha / rank.")
    targets: list[str] = Field(["q_proj", "k_proj", "v_proj", "o_proj"], min_length=1, description="Adapted modules.")
    steps: int = Field(150, ge=1, description="Optimiser steps.")
    batch_size: int = Field(16, ge=1, description="Examples a step.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate of AdamW; linear warm-up and decay.")
    warmup: int = Field(10, ge=0, description="Steps of linear warm-up.")
    seed: int = Field(0, ge=0, description="Decides the initial adapter and every batch.")
    threads: int = Field(1, ge=1, description="Threads PyTorch uses; part of what the resulting bits depend on.")


@dataclass(frozen=True)
class Source:
    """Training examples of one origin, and the share of each batch that is drawn from them.

    Attributes:
        name: shown in the provenance.
        sha256: content hash of the data.
        share: > 0; relative to the other sources' shares.
        pairs: (prompt, completion) texts.

    """

    name: str
    sha256: str
    share: float
    pairs: Sequence[tuple[str, str]]


Progress = Callable[[int, int, float], None]
"""Called with (steps done, steps in all, loss in nats per token) after each step."""


def train_expert(
    base: BaseModel,
    config: TrainingConfig,
    sources: Sequence[Source],
    folder: Path,
    start: Path | None = None,
    progress: Progress | None = None,
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
        return _finished(folder, identity)
    torch.set_num_threads(config.threads)
    trainer = _Trainer(base, config, sources, start)
    checkpoint = folder.parent / f".{folder.name}.training"
    done, losses = trainer.restore(checkpoint, identity)
    for step in range(done, config.steps):
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
        "start": None if start is None else {"name": start.name, "sha256": file_sha256(_weights(start))},
        "base_sha256": base.sha256,
        "data": [{"name": source.name, "sha256": source.sha256, "share": source.share} for source in sources],
        "config": config.model_dump(),
        "versions": {name: version(name) for name in ("torch", "transformers", "peft")},
    }


def _weights(folder: Path) -> Path:
    path = folder / "adapter_model.safetensors"
    if not path.is_file():
        raise InputError(f"start: {folder} holds no adapter (adapter_model.safetensors): train it first")
    return path


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with open_tensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def _finished(folder: Path, identity: dict[str, Any]) -> dict[str, Any]:
    try:
        provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        provenance = None
    wanted = ("base_sha256", "data", "start", "config")
    if isinstance(provenance, dict) and all(provenance.get(key) == identity[key] for key in wanted):
        return provenance
    raise InputError(f"{folder} already holds something else: remove it, or train into another folder")


def _publish(trainer: "_Trainer", folder: Path, provenance: dict[str, Any], base: BaseModel) -> None:
    tensors = {name: tensor.half().contiguous() for name, tensor in trainer.adapter().items()}
    with publish_folder(folder) as temporary:
        save_file(tensors, temporary / "adapter_model.safetensors", metadata={"format": "pt"})
        config = trainer.model.peft_config["default"]
        config.inference_mode = True
        config.base_model_name_or_path = base.name
        config.save_pretrained(temporary)
        (temporary / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")


class _Trainer:
    """The model, its optimiser and its batches."""

    def __init__(self, base: BaseModel, config: TrainingConfig, sources: Sequence[Source], start: Path | None) -> None:
        self.config = config
        self.sources = sources
        self.tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            base.folder, local_files_only=True, trust_remote_code=False, dtype=torch.float32
        )
        lora = LoraConfig(
            r=config.rank,
            lora_alpha=config.alpha,
            target_modules=config.targets,
            task_type="CAUSAL_LM",
        )
        with torch.random.fork_rng():
            torch.manual_seed(config.seed)
            self.model = get_peft_model(model, lora)
        if start is not None:
            self._load(_tensors(_weights(start)), start)
        self.model.train()
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=config.learning_rate, weight_decay=0.0)
        self.encoded = [[self._encode(*pair) for pair in source.pairs] for source in sources]

    def _load(self, tensors: dict[str, torch.Tensor], start: Path) -> None:
        wanted = {name: tensor.shape for name, tensor in self.adapter().items()}
        if wanted != {name: tensor.shape for name, tensor in tensors.items()}:
            raise InputError(f"start: {start} has other tensors: use the same rank and targets as it has")
        set_peft_model_state_dict(self.model, {name: tensor.float() for name, tensor in tensors.items()})

    def step(self, step: int) -> float:
        """Make optimiser step `step` (from 0) and return its loss, in nats per completion token."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.learning_rate * self._schedule(step)
        loss = self._loss(*self._batch(step))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        return float(loss.item())

    def adapter(self) -> dict[str, torch.Tensor]:
        """Return the adapter's tensors under PEFT's names."""
        return dict(get_peft_model_state_dict(self.model))

    def save(self, folder: Path, identity: dict[str, Any], losses: list[float]) -> None:
        """Publish a checkpoint: adapter, optimiser moments and losses so far."""
        moments: dict[str, torch.Tensor] = {}
        for index, parameter in enumerate(self.parameters):
            state = self.optimiser.state[parameter]
            moments |= {f"{index}.{key}": state[key].contiguous() for key in _MOMENTS}
        with publish_folder(folder) as temporary:
            save_file({n: t.contiguous() for n, t in self.adapter().items()}, temporary / "adapter.safetensors")
            save_file(moments, temporary / "moments.safetensors")
            progress = {"identity": content_hash(identity), "losses": losses}
            (temporary / "progress.json").write_text(canonical_json(progress), encoding="utf-8")

    def restore(self, folder: Path, identity: dict[str, Any]) -> tuple[int, list[float]]:
        """Load the checkpoint in `folder` if it is whole and of this training; return (steps done, their losses)."""
        if not (folder / "progress.json").is_file():
            return 0, []
        try:
            progress = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
            if progress["identity"] != content_hash(identity):
                return 0, []
            losses = [float(loss) for loss in progress["losses"]]
            adapter, moments = _tensors(folder / "adapter.safetensors"), _tensors(folder / "moments.safetensors")
            states = [{key: moments[f"{i}.{key}"] for key in _MOMENTS} for i in range(len(self.parameters))]
        except (ValueError, KeyError, TypeError) as error:
            logger.warning("the checkpoint %s is damaged (%s): training starts again", folder, error)
            return 0, []
        set_peft_model_state_dict(self.model, adapter)
        for parameter, state in zip(self.parameters, states, strict=True):
            self.optimiser.state[parameter] = state
        return len(losses), losses

    def _schedule(self, step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, self.config.warmup))
        return warm * (1 - step / self.config.steps)

    def _encode(self, prompt: str, completion: str) -> tuple[list[int], int]:
        """Return the tokens of an example, ended by end-of-sequence, and how many of them are the prompt's."""
        tokens = self.tokenizer(prompt)["input_ids"]
        answer = self.tokenizer(completion, add_special_tokens=False)["input_ids"]
        return [*tokens, *answer, self.tokenizer.eos_token_id], len(tokens)

    def _batch(self, step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([self.config.seed, step])))
        shares = np.array([source.share for source in self.sources], dtype=np.float64)
        drawn = rng.choice(len(self.sources), size=self.config.batch_size, p=shares / shares.sum())
        rows = [self.encoded[source][int(rng.integers(len(self.encoded[source])))] for source in drawn]
        width = max(len(tokens) for tokens, _ in rows)
        tokens = torch.full((len(rows), width), self.tokenizer.eos_token_id)
        mask = torch.zeros((len(rows), width), dtype=torch.long)
        labels = torch.full((len(rows), width), _IGNORED)
        for row, (sequence, prompt) in enumerate(rows):
            tokens[row, : len(sequence)] = torch.tensor(sequence)
            mask[row, : len(sequence)] = 1
            labels[row, prompt : len(sequence)] = tokens[row, prompt : len(sequence)]
        return tokens, mask, labels

    def _loss(self, tokens: torch.Tensor, mask: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy of the completions; the vocabulary is projected at their positions only."""
        decoder = self.model.get_base_model()
        hidden = decoder.model(input_ids=tokens, attention_mask=mask, use_cache=False).last_hidden_state
        wanted = labels[:, 1:] != _IGNORED
        logits = decoder.lm_head(hidden[:, :-1][wanted])
        return torch.nn.functional.cross_entropy(logits, labels[:, 1:][wanted])
