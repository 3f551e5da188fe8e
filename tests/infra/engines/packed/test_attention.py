"""Attention by parts against PyTorch's own over everything at once, in float64."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from infra.engines.packed.attention import (
    QUERY_BLOCK,
    attend,
    attend_in_blocks,
    attend_with_lse,
    attend_with_lse_anywhere,
    causal_mask,
    merge_attention,
    packed_attention,
)
from swarm.errors import InputError

SCALE = 0.3


def states(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def tensors() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return states(2, 6, 5, 16), states(2, 3, 12, 16, seed=1), states(2, 3, 12, 16, seed=2)


def whole(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Attend to all keys, the last five of which are the queries' own."""
    allowed = torch.ones(5, 12, dtype=torch.bool).tril(7)
    return scaled_dot_product_attention(query, key, value, attn_mask=allowed, scale=SCALE, enable_gqa=True)


@pytest.mark.parametrize("function", [attend_with_lse, attend_with_lse_anywhere])
def test_parts_merge_to_the_attention_over_everything(function, tensors) -> None:  # type: ignore[no-untyped-def]
    query, key, value = tensors
    first = function(query, key[:, :, :3], value[:, :, :3], SCALE)
    second = function(query, key[:, :, 3:7], value[:, :, 3:7], SCALE)
    last = function(query, key[:, :, 7:], value[:, :, 7:], SCALE, causal=True)
    torch.testing.assert_close(merge_attention([first, second, last]), whole(query, key, value), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("function", [attend_with_lse, attend_with_lse_anywhere])
def test_a_masked_key_counts_for_nothing(function, tensors) -> None:  # type: ignore[no-untyped-def]
    query, key, value = tensors
    mask = torch.zeros(2, 1, 1, 12, dtype=torch.float64)
    mask[..., :4] = float("-inf")
    out, lse = function(query, key, value, SCALE, mask=mask)
    expected, expected_lse = function(query, key[:, :, 4:], value[:, :, 4:], SCALE)
    torch.testing.assert_close((out, lse), (expected, expected_lse), rtol=1e-6, atol=1e-6)


def test_attention_is_causal_over_a_prompt_and_free_for_one_token(tensors) -> None:  # type: ignore[no-untyped-def]
    query, key, value = tensors
    prompt = attend(query, key[:, :, 7:], value[:, :, 7:], SCALE)
    expected = scaled_dot_product_attention(
        query, key[:, :, 7:], value[:, :, 7:], is_causal=True, scale=SCALE, enable_gqa=True
    )
    torch.testing.assert_close(prompt, expected)
    torch.testing.assert_close(attend(query[:, :, -1:], key, value, SCALE), whole(query, key, value)[:, :, -1:])


@pytest.mark.parametrize("tokens", [1, 5, QUERY_BLOCK, QUERY_BLOCK + 1, 3 * QUERY_BLOCK + 7])
@pytest.mark.parametrize("before", [0, 11])
@pytest.mark.parametrize("room", [0, 40])
def test_blocks_of_queries_see_what_is_before_them_and_themselves(tokens: int, before: int, room: int) -> None:
    keys = before + tokens
    query, key, value = states(2, 6, tokens, 16), states(2, 3, keys, 16, seed=1), states(2, 3, keys, 16, seed=2)
    attention = torch.full_like(query, float("nan"))
    for queries, part in attend_in_blocks(query, key, value, SCALE, causal_mask(max(keys, QUERY_BLOCK) + room, query)):
        attention[:, :, queries] = part
    allowed = torch.ones(tokens, keys, dtype=torch.bool).tril(before)
    expected = scaled_dot_product_attention(query, key, value, attn_mask=allowed, scale=SCALE, enable_gqa=True)
    torch.testing.assert_close(attention, expected, rtol=1e-6, atol=1e-6)


class Nothing:
    longest_context = 9

    def attend(self, *_: object) -> torch.Tensor:
        return torch.zeros(1, 1, 1)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"softcap": 50.0}, "the base model's attention (soft cap or sinks) can't be packed: set engine.kind: vllm"),
        (
            {"sliding_window": 8},
            "a text of 9 tokens exceeds the base model's attention window of 8: shorten the prompts or set "
            "engine.kind: vllm",
        ),
    ],
)
def test_an_attention_of_another_form_is_refused(form: dict[str, float], message: str) -> None:
    module = torch.nn.Module()
    module.layer_idx = 0  # type: ignore[assignment]
    tensor = states(1, 1, 1, 4)
    with pytest.raises(InputError) as error:
        packed_attention(module, tensor, tensor, tensor, None, forward_pass=Nothing(), **form)  # type: ignore[arg-type]
    assert str(error.value) == message
    packed_attention(module, tensor, tensor, tensor, None, forward_pass=Nothing(), sliding_window=9)
