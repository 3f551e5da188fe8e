"""The model under training: its adapter, its optimiser, its batches and its checkpoints."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from experts.base_models import BaseModel
from experts.files import publish_folder, read_json
from experts.tensors import open_tensors
from experts.training_config import Source, TrainingConfig
from swarm.canonical import canonical_json, content_hash
from swarm.errors import InputError

_IGNORED = -100
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")

logger = logging.getLogger(__name__)


def adapter_weights(folder: Path) -> Path:
    """Return the weights file of the expert in `folder` that a training starts from; `InputError` if there is none."""
    path = folder / "adapter_model.safetensors"
    if not path.is_file():
        raise InputError(f"start: {folder} holds no adapter (adapter_model.safetensors): train it first")
    return path


class Trainer:
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
            self._load(_tensors(adapter_weights(start)), start)
        self.model.train()
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(self.parameters, lr=config.learning_rate, weight_decay=0.0)
        self.encodings = [[self._encode(*pair) for pair in source.pairs] for source in sources]

    def _load(self, tensors: dict[str, torch.Tensor], start: Path) -> None:
        shapes = {name: tensor.shape for name, tensor in self.adapter().items()}
        if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
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
            progress = read_json(folder / "progress.json")
            if progress["identity"] != content_hash(identity):
                return 0, []
            losses = [float(loss) for loss in progress["losses"]]
            adapter, moments = _tensors(folder / "adapter.safetensors"), _tensors(folder / "moments.safetensors")
            states = [{key: moments[f"{i}.{key}"] for key in _MOMENTS} for i in range(len(self.parameters))]
        except (OSError, ValueError, KeyError, TypeError) as error:
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
        source_indices = rng.choice(len(self.sources), size=self.config.batch_size, p=shares / shares.sum())
        rows = [self.encodings[source][int(rng.integers(len(self.encodings[source])))] for source in source_indices]
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
        is_completion = labels[:, 1:] != _IGNORED
        logits = decoder.lm_head(hidden[:, :-1][is_completion])
        return torch.nn.functional.cross_entropy(logits, labels[:, 1:][is_completion])


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    with open_tensors(path) as file:
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
