"""The base model, loaded once, and one forward pass of a batch of cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

from experts.base_models import BaseModel
from infra.engines.cache import AppendCache
from swarm.errors import EvaluationError, InputError


@dataclass(frozen=True)
class Cells:
    """What a batch has seen: rows are padded on the left, so that all end at the same column.

    Attributes:
        cache: keys and values of the columns seen.
        mask: [cells, capacity] int64: 0 at padding, 1 elsewhere; None if nothing is padded.
        positions: [cells, 1] the position of each cell's next token.
        columns: how many columns were seen.

    """

    cache: AppendCache
    mask: torch.Tensor | None
    positions: torch.Tensor
    columns: int

    def select(self, cells: torch.Tensor) -> "Cells":
        """Keep (or repeat) some cells."""
        self.cache.select(cells)
        mask = None if self.mask is None else self.mask[cells]
        return Cells(self.cache, mask, self.positions[cells], self.columns)


class ResidentModel:
    """A causal language model in memory, in evaluation mode, and its tokenizer."""

    def __init__(self, base: BaseModel, device: torch.device, dtype: torch.dtype):
        """Load `base` from its safetensors; nothing is downloaded and no code of the model's is run.

        Raises:
            InputError: transformers can't load it; the message says why.

        """
        self.tokenizer, self.model = _load(base, dtype)
        self.model.to(device).eval().requires_grad_(False)
        self.model.get_output_embeddings().register_forward_pre_hook(_contiguous)
        self.device = device
        self.longest: int | None = getattr(self.model.config, "max_position_embeddings", None)

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end a text."""
        ends = self.model.generation_config.eos_token_id
        ends = self.tokenizer.eos_token_id if ends is None else ends
        return frozenset([] if ends is None else [ends] if isinstance(ends, int) else ends)

    def begin(self, rows: Sequence[Sequence[int]], copies: int, further: int) -> tuple[torch.Tensor, Cells]:
        """Read `copies` times `rows`, leaving room for `further` columns; return the last logits [cells, V]."""
        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + list(row) for row in rows], device=self.device)
        lengths = torch.tensor([len(row) for row in rows], device=self.device)
        ids, lengths = ids.repeat(copies, 1), lengths.repeat(copies)
        columns = torch.arange(longest + further, device=self.device)
        mask = (columns >= longest - lengths[:, None]).long()
        positions = (columns[:longest] - (longest - lengths[:, None])).clamp_min(0)
        padded = any(len(row) < longest for row in rows)
        cells = Cells(AppendCache(longest + further), mask if padded else None, positions, 0)
        logits, seen = self._forward(ids, cells, positions, last_only=True)
        return logits[:, -1], replace(seen, positions=lengths[:, None])

    def extend(self, ids: torch.Tensor, cells: Cells, last_only: bool) -> tuple[torch.Tensor, Cells]:
        """Read `ids` [cells, new]; return the logits [cells, new or 1, vocabulary] and what was seen then."""
        positions = cells.positions + torch.arange(ids.shape[1], device=self.device)
        logits, seen = self._forward(ids, cells, positions, last_only)
        return logits, replace(seen, positions=cells.positions + ids.shape[1])

    def _forward(
        self, ids: torch.Tensor, cells: Cells, positions: torch.Tensor, last_only: bool
    ) -> tuple[torch.Tensor, Cells]:
        columns = cells.columns + ids.shape[1]
        logits: torch.Tensor = self.model(
            input_ids=ids,
            attention_mask=None if cells.mask is None else cells.mask[:, :columns],
            position_ids=positions,
            past_key_values=cells.cache,
            use_cache=True,
            logits_to_keep=1 if last_only else 0,
        ).logits
        return logits, replace(cells, columns=columns)


def _load(base: BaseModel, dtype: torch.dtype) -> tuple[Any, Any]:
    disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            base.folder,
            dtype=dtype,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            attn_implementation="sdpa",
        )
    except (ValueError, KeyError, ImportError, OSError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"base model {base.name!r} can't be loaded: {first}: use another or repair it") from error
    return tokenizer, model


def _contiguous(_: torch.nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
    """Copy the last positions out of a batch: PyTorch multiplies a strided slice by the vocabulary row by row."""
    return (inputs[0].contiguous(),)


def check_finite(values: torch.Tensor) -> None:
    """Raise `EvaluationError` if `values`, taken from logits, are not all finite."""
    if not bool(torch.isfinite(values).all()):
        raise EvaluationError("the model's logits are NaN or infinite: a recipe's weights are too large for this dtype")
