"""Attention over packed tokens, given to transformers as an attention implementation of its own.

A forward pass reads the tokens of many sequences, one after another. The model hands its `forward_pass` on to
`packed_attention`, and that knows which queries meet which keys; transformers makes no mask.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface

from swarm.errors import InputError

PACKED = "packed_population"
"""The name under which transformers knows the implementation."""

QUERY_BLOCK = 32
"""Queries that a CPU attends with at a time; a multiple of what its kernel itself takes at a time."""


class ForwardPass(Protocol):
    """What one forward pass computes besides each token alone: its attention."""

    @property
    def longest_context(self) -> int:
        """The most tokens that a token sees, itself included."""
        ...

    def attend(
        self, layer: int, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
    ) -> torch.Tensor:
        """Return the attention of each token to the tokens that it sees: [tokens, heads, size].

        Args:
            layer: which layer's keys and values these are.
            query: [tokens, heads, size].
            key: [tokens, KV heads, size]; several heads share one.
            value: [tokens, KV heads, size].
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
    forward_pass: ForwardPass,
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
    if sliding_window is not None and forward_pass.longest_context > sliding_window:
        raise InputError(
            f"a text of {forward_pass.longest_context} tokens exceeds the base model's attention window of "
            f"{sliding_window}: shorten the prompts or set engine.kind: vllm"
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer: int = module.layer_idx  # type: ignore[assignment]
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    return forward_pass.attend(layer, q, k, v, scale).unsqueeze(0), None


AttentionInterface.register(PACKED, packed_attention)


def attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Attend [B, heads, t, size] to [B, KV heads, s, size]: causally if t = s > 1, else to all that `mask` allows."""
    causal = query.shape[2] > 1
    if causal:
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=scale, enable_gqa=True)
    folded = query.view(len(query), key.shape[1], -1, query.shape[3])  # the queries of a KV head meet the same keys
    return scaled_dot_product_attention(folded, key, value, attn_mask=mask, scale=scale).view_as(query)


def causal_mask(columns: int, like: torch.Tensor) -> torch.Tensor:
    """Return [QUERY_BLOCK, columns] for `attend_in_blocks`: 0, but −∞ above the diagonal of the last columns."""
    future = torch.ones(QUERY_BLOCK, columns, dtype=torch.bool, device=like.device).triu_(columns - QUERY_BLOCK + 1)
    return torch.zeros(QUERY_BLOCK, columns, dtype=like.dtype, device=like.device).masked_fill_(future, float("-inf"))


def attend_in_blocks(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float, mask: torch.Tensor
) -> Iterator[tuple[slice, torch.Tensor]]:
    """Attend [B, heads, t, size] to [B, KV heads, s, size], of which the last t are the queries' own; on a CPU.

    A few queries at a time, with all keys that one of them sees: PyTorch's causal kernel takes as long for a text of
    100 tokens as if every query saw every key, and up to 1.4 times as long as this. `mask` is a `causal_mask` of s or
    more columns. Yields which queries, and their attention.
    """
    tokens, before = query.shape[2], key.shape[2] - query.shape[2]
    for start in range(0, tokens, QUERY_BLOCK):
        part = slice(start, min(start + QUERY_BLOCK, tokens))
        visible = before + part.stop
        part_mask = mask[start - part.stop :, mask.shape[1] - visible :]
        keys, values = key[:, :, :visible], value[:, :, :visible]
        yield part, attend_with_lse(query[:, :, part], keys, values, scale, mask=part_mask[None, None])[0]


def attend_with_lse(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Attend as `attend` does (causally only if `causal`); also return the lse, log Σ exp(score) [B, heads, t]."""
    if query.device.type != "cpu":
        return attend_with_lse_anywhere(query, key, value, scale, causal, mask)
    out, lse = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(
        query, key, value, 0.0, causal, attn_mask=mask, scale=scale
    )
    return out, lse


def attend_with_lse_anywhere(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    scale: float,
    causal: bool = False,
    mask: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what `attend_with_lse` returns, by public operations: PyTorch has no public attention with an lse."""
    accurate = torch.promote_types(key.dtype, torch.float32)
    heads = query.unflatten(1, (key.shape[1], -1))  # [B, KV heads, heads a KV head, t, size]
    scores = torch.matmul(heads, key.unsqueeze(2).mT).to(accurate).mul_(scale)
    if causal:
        scores.masked_fill_(scores.new_ones(scores.shape[-2:], dtype=torch.bool).triu_(1), float("-inf"))
    if mask is not None:
        scores += mask.unsqueeze(2)
    lse = scores.logsumexp(-1)
    shares = scores.sub_(lse.unsqueeze(-1)).exp_().to(value.dtype)
    return torch.matmul(shares, value.unsqueeze(2)).flatten(1, 2), lse.flatten(1, 2)


def merge_attention(parts: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> torch.Tensor:
    """Return the attention over all keys from those over disjoint parts of them, as `attend_with_lse` returns them."""
    (out, lse), *others = parts
    for other_out, other_lse in others:
        share = torch.sigmoid(other_lse - lse).unsqueeze(-1).to(out.dtype)
        lse = torch.logaddexp(lse, other_lse)
        out = torch.lerp(out, other_out, share)
    return out
