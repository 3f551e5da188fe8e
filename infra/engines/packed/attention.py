"""Attention over packed tokens, given to transformers as an attention implementation of its own.

A forward pass reads the tokens of many texts, one after another in one row. The model passes the pass's `step` on to
`packed_attention`, and the step knows which queries meet which keys; transformers makes no mask.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from swarm.errors import InputError

PACKED = "packed_population"
"""The name under which transformers knows the implementation."""

BLOCK = 32
"""Queries that a CPU attends with at a time; a multiple of what its kernel itself takes at a time."""


class Step(Protocol):
    """What one forward pass computes besides each token alone."""

    @property
    def longest(self) -> int:
        """The most tokens that a token sees, itself included."""
        ...

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Return what each token takes from the tokens it sees: [tokens, heads, size].

        Args:
            layer: which layer's keys and values these are.
            query: [tokens, heads, size].
            key: [tokens, groups, size]; heads / groups queries share one.
            value: [tokens, groups, size].
            scale: factor of the scores.

        """
        ...


def packed_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    step: Step,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    s_aux: torch.Tensor | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Compute a layer's attention for transformers: tensors are [1, heads, tokens, size], the result [1, tokens, …].

    Raises:
        InputError: the model's attention is of a form that is not supported here.

    """
    if attention_mask is not None or softcap is not None or s_aux is not None:
        raise InputError("the base model's attention (soft cap or sinks) can't be packed: set engine.kind: vllm")
    if sliding_window is not None and step.longest > sliding_window:
        raise InputError(
            f"a text of {step.longest} tokens exceeds the base model's attention window of {sliding_window}: "
            "shorten the prompts or set engine.kind: vllm"
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer: int = module.layer_idx  # type: ignore[assignment]
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    return step.attend(layer, q, k, v, scale).unsqueeze(0), None


AttentionInterface.register(PACKED, packed_attention)


def own(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Attend [B, heads, t, size] to [B, groups, s, size]: causally if t = s > 1, else to all that `mask` allows."""
    causal = query.shape[2] > 1
    if causal:
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale, enable_gqa=True)
    folded = query.view(len(query), key.shape[1], -1, query.shape[3])  # a group's queries meet the same keys
    return scaled_dot_product_attention(folded, key, value, attn_mask=mask, scale=scale).view_as(query)


def triangle(columns: int, like: torch.Tensor) -> torch.Tensor:
    """Return [BLOCK, columns] for `causal`: 0, but −∞ above the diagonal of the last BLOCK columns."""
    late = torch.ones(BLOCK, columns, dtype=torch.bool, device=like.device).triu_(columns - BLOCK + 1)
    return torch.zeros(BLOCK, columns, dtype=like.dtype, device=like.device).masked_fill_(late, float("-inf"))


def causal(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, mask: torch.Tensor
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Attend [B, heads, t, size] to [B, groups, s, size], of which the last t are the queries' own; on a CPU.

    A few queries at a time, with all keys that one of them sees: PyTorch's causal kernel takes as long for a text of
    100 tokens as if every query saw every key, and up to 1.4 times as long as this. `mask` is a `triangle` of at least
    s columns. Yields which queries, and what they take.
    """
    tokens, before = query.shape[2], key.shape[2] - query.shape[2]
    for start in range(0, tokens, BLOCK):
        part, seen = slice(start, min(start + BLOCK, tokens)), before + min(start + BLOCK, tokens)
        rows = mask[start - part.stop :, mask.shape[1] - seen :]
        keys, values = key[:, :, :seen], value[:, :, :seen]
        yield part, weighted(query[:, :, part], keys, values, scale, mask=rows[None, None])[0]


def weighted(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attend as `own` does (causally only if `causal`); also return log Σ exp(score) [B, heads, t]."""
    if query.device.type != "cpu":
        return weighted_anywhere(query, key, value, scale, causal, mask)
    out, total = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, causal, attn_mask=mask, scale=scale
    )
    return out, total


def weighted_anywhere(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what `weighted` returns, by public operations alone: PyTorch has no public attention that gives totals."""
    accurate = torch.promote_types(key.dtype, torch.float32)
    heads = query.unflatten(1, (key.shape[1], -1))  # [B, groups, heads a group, t, size]
    scores = torch.matmul(heads, key.unsqueeze(2).mT).to(accurate).mul_(scale)
    if causal:
        scores.masked_fill_(scores.new_ones(scores.shape[-2:], dtype=torch.bool).triu_(1), float("-inf"))
    if mask is not None:
        scores += mask.unsqueeze(2)
    total = scores.logsumexp(-1)
    shares = scores.sub_(total.unsqueeze(-1)).exp_().to(value.dtype)
    return torch.matmul(shares, value.unsqueeze(2)).flatten(1, 2), total.flatten(1, 2)


def joined(parts: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Return the attention over all keys from those over disjoint parts of them, as `weighted` returns them."""
    (out, total), *others = parts
    for other, weight in others:
        share = torch.sigmoid(weight - total).unsqueeze(-1).to(out.dtype)
        total = torch.logaddexp(total, weight)
        out = torch.lerp(out, other, share)
    return out
