"""The operations that `bench.evaluation.comparison` divides by time are those that PyTorch counts for a row alone."""

from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM

from bench.evaluation.parts.arithmetic import Shapes, shared_length
from experts.base_models import BaseModel
from experts.basis import Basis, load_basis
from experts.export import export_adapter
from swarm.recipes import Recipe, Space
from tests.tiny import make_expert


@pytest.fixture(scope="module")
def basis(base: BaseModel, tmp_path_factory: pytest.TempPathFactory) -> Basis:
    expert = make_expert(tmp_path_factory.mktemp("experts") / "one", base.folder, seed=1, rank=3)
    loaded = load_basis([expert], base)
    assert isinstance(loaded, Basis)
    return loaded


def counted(base: BaseModel, basis: Basis, folder: Path, prompt: int, new: int) -> int:
    """Generate `new` tokens after `prompt` alone with PEFT; return PyTorch's count of all matrix products."""
    export_adapter(basis, Recipe(basis.ids, (1.0,), Space.FACTORS), folder, base)
    plain = AutoModelForCausalLM.from_pretrained(base.folder, attn_implementation="eager")
    model = PeftModel.from_pretrained(plain, folder)
    ids = torch.arange(10, 10 + prompt)[None]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.generate(
            input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new, do_sample=False
        )
    return int(counter.get_total_flops())


@pytest.mark.parametrize(("prompt", "new"), [(1, 1), (1, 6), (17, 1), (17, 6)])
def test_all_but_the_masked_half_of_attention_is_what_pytorch_counts(
    base: BaseModel, basis: Basis, tmp_path: Path, prompt: int, new: int
) -> None:
    shapes = Shapes.of(base.folder, basis)
    masked = 4 * shapes.attention * (prompt * (prompt - 1) // 2)  # the prompt's own upper triangle, which is not needed
    assert counted(base, basis, tmp_path / "adapter", prompt, new) == shapes.needed(prompt, new) + masked


def test_a_beginning_that_rows_share_is_needed_once_a_particle(base: BaseModel, basis: Basis) -> None:
    shapes = Shapes.of(base.folder, basis)
    apart = shapes.population([20, 30], [[3, 4], [1, 1]])
    assert apart == sum(shapes.needed(*row) for row in [(20, 3), (30, 4), (20, 1), (30, 1)])
    read_twice = shapes.needed(12, 1) - 2 * shapes.head
    assert shapes.population([20, 30], [[3, 4], [1, 1]], shared=12) == apart - 2 * read_twice


def test_every_prompt_keeps_a_token_of_its_own() -> None:
    assert shared_length([[1, 2, 3], [1, 2, 4, 5]]) == 2
    assert shared_length([[1, 2, 3], [1, 2, 3, 4]]) == 2
    assert shared_length([[1], [1, 2]]) == 0
