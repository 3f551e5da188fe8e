from pathlib import Path

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from infra.engines.packed.packed_weights import PackedWeights
from tests.tiny import LAYERS, make_base

LINEARS = 7 * LAYERS + 1
IDS = torch.arange(40).view(2, 20)


@pytest.fixture
def model(tmp_path: Path) -> nn.Module:
    model: nn.Module = AutoModelForCausalLM.from_pretrained(make_base(tmp_path / "tiny")).eval()
    return model


def packed(model: nn.Module) -> int:
    return sum("packed" in vars(module) for module in model.modules())


def logits(model: nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model(IDS).logits
    return found


def test_the_packed_products_are_the_plain_ones(model: nn.Module) -> None:
    wanted = logits(model)
    PackedWeights(model).pack()
    assert packed(model) == LINEARS
    torch.testing.assert_close(logits(model), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("tokens", [0, 1, 7, 64, 300])
@pytest.mark.parametrize("bias", [True, False])
def test_any_number_of_tokens_can_be_multiplied(tokens: int, bias: bool) -> None:
    linear = nn.Linear(48, 80, bias=bias).eval()
    inputs = torch.randn(1, 2 * tokens, 48)[:, ::2]
    with torch.inference_mode():
        wanted = linear(inputs)
        PackedWeights(linear).pack(final=True)
        torch.testing.assert_close(linear(inputs), wanted, rtol=1e-5, atol=1e-5)


def test_weights_that_have_changed_are_used_once_they_are_packed_again(model: nn.Module) -> None:
    weights = PackedWeights(model)
    weights.pack()
    down: torch.Tensor = model.get_submodule("model.layers.0.mlp.down_proj").weight.data  # type: ignore[assignment]
    down.mul_(2)
    twin = AutoModelForCausalLM.from_config(model.config).eval()  # type: ignore[attr-defined]
    twin.load_state_dict(model.state_dict())
    weights.pack()
    torch.testing.assert_close(logits(model), logits(twin), rtol=1e-4, atol=1e-5)


def test_final_weights_are_kept_once(model: nn.Module) -> None:
    before = logits(model)
    PackedWeights(model).pack(final=True)
    kept = {name for name, _ in model.named_parameters()}
    assert kept == {"model.embed_tokens.weight", "model.norm.weight"} | {
        f"model.layers.{layer}.{norm}.weight"
        for layer in range(LAYERS)
        for norm in ("input_layernorm", "post_attention_layernorm")
    }
    torch.testing.assert_close(logits(model), before, rtol=1e-4, atol=1e-5)


class Doubled(nn.Linear):
    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(input)


def test_a_module_that_computes_something_else_stays() -> None:
    model = nn.ModuleList([Doubled(4, 4), nn.Linear(4, 4), nn.Linear(4, 4, dtype=torch.bfloat16)])
    PackedWeights(model).pack(final=True)
    assert [module.weight is None for module in model] == [False, True, False]
