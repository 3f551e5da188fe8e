from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRMSNorm

from infra.engines.packed.shortcuts import take_shortcuts
from tests.tiny import LAYERS, make_base

PARTS = 4 * LAYERS + 1
"""Two norms, a gate and a rotation in each layer, and the last norm."""


@pytest.fixture
def model(tmp_path: Path) -> torch.nn.Module:
    return AutoModelForCausalLM.from_pretrained(make_base(tmp_path / "tiny")).eval()


@torch.no_grad()
def test_a_model_gives_the_same_after_every_shortcut(model: torch.nn.Module) -> None:
    ids = torch.arange(40).view(2, 20)
    wanted = model(ids).logits
    assert take_shortcuts(model) == PARTS
    torch.testing.assert_close(model(ids).logits, wanted, rtol=1e-4, atol=1e-5)


def test_another_model_of_the_class_stays_as_it_is(model: torch.nn.Module) -> None:
    before = LlamaAttention.forward, LlamaRMSNorm.forward
    take_shortcuts(model)
    assert (LlamaAttention.forward, LlamaRMSNorm.forward) == before


class ShiftedNorm(LlamaRMSNorm):
    """As Gemma has it."""

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        normed: torch.Tensor = super().forward(hidden_states) / self.weight
        return normed * (1 + self.weight)


def test_a_part_that_computes_something_else_stays(model: torch.nn.Module) -> None:
    norm = ShiftedNorm(32)
    model.model.norm = norm  # type: ignore[union-attr]
    assert take_shortcuts(model) == PARTS - 1
    assert "forward" not in vars(norm)


def test_shortcuts_are_for_float32_only(model: torch.nn.Module) -> None:
    assert take_shortcuts(model.to(torch.bfloat16)) == 0


def test_the_global_generator_is_not_touched(model: torch.nn.Module) -> None:
    before = torch.get_rng_state()
    take_shortcuts(model)
    assert torch.equal(torch.get_rng_state(), before)
