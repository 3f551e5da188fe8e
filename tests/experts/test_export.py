import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from experts.adapters import read_adapter
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from experts.export import export_adapter, export_merged
from experts.files import file_sha256
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space
from tests.tiny import make_base, make_expert

IDS = torch.tensor([[5, 60, 7, 100, 42]])
COEFFICIENTS = (0.75, -0.5, 0.75)


@pytest.fixture(scope="module")
def basis(tmp_path_factory: pytest.TempPathFactory, base: BaseModel) -> Basis:
    folder = tmp_path_factory.mktemp("experts")
    one = make_expert(folder / "one", base.folder, seed=1, rank=2, alpha=6)
    two = make_expert(folder / "two", base.folder, seed=2, rank=5, alpha=5, targets=("q_proj", "down_proj", "k_proj"))
    basis = load_basis([one, two], base)
    assert isinstance(basis, Basis)
    return basis


def recipe(basis: Basis | FullBasis, space: Space) -> Recipe:
    return Recipe((*basis.ids, BASE), COEFFICIENTS, space)


def merged_by_hand(basis: Basis, base: BaseModel, space: Space) -> torch.Tensor:
    """Return the logits of the base model after adding the recipe's update to its weights in float64."""
    model = AutoModelForCausalLM.from_pretrained(base.folder).double()
    for module, (downs, ups) in basis.modules.items():
        downs, ups = downs.double(), ups.double()
        weights = torch.tensor(COEFFICIENTS[:2], dtype=torch.float64)
        if space is Space.FACTORS:
            update = torch.einsum("n,nor->or", weights, ups) @ torch.einsum("n,nri->ri", weights, downs)
        else:
            update = torch.einsum("n,nor,nri->oi", weights, ups, downs)
        model.get_submodule(module).weight.data += update
    logits: torch.Tensor = model(IDS).logits
    return logits


@pytest.mark.parametrize("space", Space)
def test_peft_loads_the_exported_adapter(tmp_path: Path, basis: Basis, base: BaseModel, space: Space) -> None:
    digest = export_adapter(basis, recipe(basis, space), tmp_path / "best", base)
    assert digest == file_sha256(tmp_path / "best" / "adapter_model.safetensors")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base.folder), tmp_path / "best")
    with torch.no_grad():
        logits = model(IDS).logits
    torch.testing.assert_close(logits.double(), merged_by_hand(basis, base, space), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("space", Space)
def test_an_exported_adapter_is_an_expert_again(tmp_path: Path, basis: Basis, base: BaseModel, space: Space) -> None:
    export_adapter(basis, recipe(basis, space), tmp_path / "best", base)
    again = read_adapter(tmp_path / "best", base)
    assert again.rank == (5 if space is Space.FACTORS else 7)
    assert sorted(again.modules) == sorted(basis.modules)


def test_equal_recipes_give_equal_bytes(tmp_path: Path, basis: Basis, base: BaseModel) -> None:
    digests = {export_adapter(basis, recipe(basis, Space.PRODUCT), tmp_path / name, base) for name in "ab"}
    assert len(digests) == 1


def test_the_targets_are_named_as_shortly_as_is_exact(tmp_path: Path, basis: Basis, base: BaseModel) -> None:
    export_adapter(basis, recipe(basis, Space.FACTORS), tmp_path / "all", base)
    config = json.loads((tmp_path / "all" / "adapter_config.json").read_text())
    assert config["target_modules"] == ["down_proj", "k_proj", "q_proj", "v_proj"]
    assert (config["r"], config["lora_alpha"], config["base_model_name_or_path"]) == (5, 5, "tiny")
    some = Basis(basis.ids, basis.names, basis.ranks, dict(list(basis.modules.items())[:1]))
    export_adapter(some, recipe(basis, Space.FACTORS), tmp_path / "some", base)
    config = json.loads((tmp_path / "some" / "adapter_config.json").read_text())
    assert config["target_modules"] == list(some.modules)


@pytest.mark.parametrize("space", Space)
def test_the_merged_model_loads_without_peft(tmp_path: Path, basis: Basis, base: BaseModel, space: Space) -> None:
    export_merged(basis, recipe(basis, space), tmp_path / "merged", base)
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")(IDS).logits
    torch.testing.assert_close(logits.double(), merged_by_hand(basis, base, space), rtol=1e-4, atol=1e-4)
    assert (tmp_path / "merged" / "tokenizer.json").read_bytes() == (base.folder / "tokenizer.json").read_bytes()


def test_full_models_are_merged_in_the_number_format_of_the_base(tmp_path: Path, base: BaseModel) -> None:
    folders = [make_base(tmp_path / name, seed=seed) for name, seed in (("one", 3), ("two", 4))]
    basis = load_basis(folders, base)
    digest = export_merged(basis, recipe(basis, Space.FACTORS), tmp_path / "merged", base)
    assert digest == export_merged(basis, recipe(basis, Space.FACTORS), tmp_path / "again", base)
    parts = [load_file(folder / "model.safetensors") for folder in (*folders, base.folder)]
    for name, tensor in load_file(tmp_path / "merged" / "model.safetensors").items():
        wanted = sum(c * part[name].double() for c, part in zip(COEFFICIENTS, parts, strict=True))
        torch.testing.assert_close(tensor.double(), wanted, rtol=1e-5, atol=1e-6)
        assert tensor.dtype == parts[2][name].dtype


def test_full_models_have_no_adapter(tmp_path: Path, base: BaseModel) -> None:
    basis = load_basis([make_base(tmp_path / "one", seed=3)], base)
    with pytest.raises(InputError, match="full-model experts have no adapter: export the merged model"):
        export_adapter(basis, Recipe(basis.ids, (1.0,), Space.FACTORS), tmp_path / "best", base)
