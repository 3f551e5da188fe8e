"""The base model, loaded once, and one forward pass over packed tokens."""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM
from transformers.utils.logging import disable_progress_bar

from experts.base_models import BaseModel
from infra.engines.packed.attention import PACKED, ForwardPass
from infra.engines.packed.last_layer import LastLayer
from infra.engines.packed.packed_weights import PackedWeights
from infra.engines.packed.shortcuts import take_shortcuts
from infra.engines.tokenizer import load_tokenizer
from swarm.errors import EvaluationError, InputError


class ResidentModel:
    """A causal language model in memory, in evaluation mode, and its tokenizer."""

    def __init__(self, base: BaseModel, device: torch.device, dtype: torch.dtype):
        """Load `base` from its safetensors; nothing is downloaded and no code of the model's is run.

        Raises:
            InputError: transformers can't load it, or its attention can't be packed; the message says why.

        """
        self.tokenizer, self.model = _load(base, dtype)
        self.model.to(device).eval().requires_grad_(False)
        if device.type == "cpu":
            take_shortcuts(self.model)
        self._last_layer = LastLayer(self.model)
        self._packed_weights = PackedWeights(self.model)
        self.device = device
        self.longest: int | None = getattr(self.model.config, "max_position_embeddings", None)

    @property
    def end_tokens(self) -> frozenset[int]:
        """The tokens that end a text."""
        ends = self.model.generation_config.eos_token_id
        ends = self.tokenizer.eos_token_id if ends is None else ends
        return frozenset([] if ends is None else [ends] if isinstance(ends, int) else ends)

    @property
    def layers(self) -> int:
        """The number of layers."""
        return int(self.model.config.get_text_config().num_hidden_layers)

    @property
    def cache_bytes(self) -> int:
        """Bytes of the keys and values of one token."""
        config = self.model.config.get_text_config()
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return int(2 * self.layers * heads * size * self.model.dtype.itemsize)

    def refresh_weights(self, final: bool = False) -> None:
        """Have passes use the weights as they are now; if `final`, they never change again, which saves memory."""
        self._packed_weights.pack(final)

    def forward(
        self,
        ids: Sequence[int],
        positions: Sequence[int],
        forward_pass: ForwardPass,
        logits_of: Sequence[int] | None = None,
    ) -> torch.Tensor:
        """Read `ids` at `positions` (both [tokens]) as `forward_pass` says.

        Returns the logits [len(logits_of), vocabulary]; `logits_of` are indices of tokens, all of them if None.
        """
        index = None if logits_of is None else torch.as_tensor(logits_of, device=self.device)
        with self._last_layer.only(index):
            logits: torch.Tensor = self.model(
                input_ids=torch.as_tensor(ids, device=self.device)[None],
                position_ids=torch.as_tensor(positions, device=self.device)[None],
                use_cache=False,
                logits_to_keep=0 if index is None else index,
                forward_pass=forward_pass,
            ).logits
        return logits[0]


def _load(base: BaseModel, dtype: torch.dtype) -> tuple[Any, Any]:
    disable_progress_bar()
    tokenizer = load_tokenizer(base)
    try:
        model = AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation=PACKED,
        )
    except (ValueError, KeyError, ImportError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"base model {base.name!r} can't be loaded: {first}: use another or repair it") from error
    if not model._supports_attention_backend:
        kind = type(model).__name__
        raise InputError(f"base model {base.name!r}: attention of {kind} can't be packed: set engine.kind: vllm")
    return tokenizer, model


def check_finite(values: torch.Tensor) -> None:
    """Raise `EvaluationError` if `values`, taken from logits, are not all finite."""
    if not bool(torch.isfinite(values).all()):
        raise EvaluationError("the model's logits are NaN or infinite: a recipe's weights are too large for this dtype")
