import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from experts.adapters import read_adapter
from experts.base_models import BaseModel
from experts.basis import Basis, FullBasis, load_basis
from experts.materialise import materialise_full
from swarm.errors import InputError
from swarm.recipes import BASE, Recipe, Space
from tests.tiny import make_base, make_expert


def test_adapters_are_padded_to_one_rank_and_one_set_of_modules(tmp_path: Path, base: BaseModel) -> None:
    small = make_expert(tmp_path / "small", base.folder, seed=1, rank=2, targets=("q_proj",))
    large = make_expert(tmp_path / "large", base.folder, seed=2, rank=6, targets=("q_proj", "down_proj"))
    basis = load_basis([small, large], base)
    adapters = [read_adapter(folder, base) for folder in (small, large)]
    assert isinstance(basis, Basis)
    assert (basis.names, basis.ranks, basis.rank) == (("small", "large"), (2, 6), 6)
    assert basis.ids == tuple(adapter.id for adapter in adapters)
    assert sorted(basis.modules) == sorted(adapters[1].modules)
    for module, (downs, ups) in basis.modules.items():
        assert torch.equal(downs[1], adapters[1].modules[module][0])
        assert torch.equal(ups[1], adapters[1].modules[module][1])
        assert not downs[0, 2:].any()
        assert not ups[0, :, 2:].any()
    query, feed = "model.layers.1.self_attn.q_proj", "model.layers.1.mlp.down_proj"
    assert torch.equal(basis.modules[query][0][0, :2], adapters[0].modules[query][0])
    assert torch.equal(basis.modules[query][1][0, :, :2], adapters[0].modules[query][1])
    assert not basis.modules[feed][0][0].any()


def test_no_experts_are_refused(base: BaseModel) -> None:
    with pytest.raises(InputError, match="there are no experts: name at least one folder"):
        load_basis([], base)


def test_adapters_and_full_models_are_not_mixed(tmp_path: Path, base: BaseModel) -> None:
    adapter = make_expert(tmp_path / "lora", base.folder, seed=1)
    full = make_base(tmp_path / "full", seed=3)
    assert refusal([adapter, full], base) == "expert 'full' is a full model but 'lora' is not: give only one kind"


def test_a_folder_of_neither_kind_is_refused(tmp_path: Path, base: BaseModel) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal([tmp_path / "empty"], base) == (
        f"expert 'empty': {tmp_path}/empty has no adapter_config.json: save it by PEFT's save_pretrained"
    )


def test_full_models_stay_on_disk_and_are_known_by_their_content(tmp_path: Path, base: BaseModel) -> None:
    one, same, other = (make_base(tmp_path / name, seed=seed) for name, seed in (("1", 3), ("2", 3), ("3", 4)))
    shard(same)
    basis = load_basis([one, same, other], base)
    assert isinstance(basis, FullBasis)
    assert basis.ids[0] == basis.ids[1] != basis.ids[2]
    assert basis.folders == (one, same, other)


def test_a_full_model_recipe_is_the_sum_of_the_tensors(tmp_path: Path, base: BaseModel) -> None:
    one, other = make_base(tmp_path / "one", seed=3), make_base(tmp_path / "other", seed=4)
    shard(other)
    basis = load_basis([one, other], base)
    assert isinstance(basis, FullBasis)
    made = dict(materialise_full(basis, Recipe((*basis.ids, BASE), (1.5, -0.75, 0.25), Space.FACTORS)))
    first, third = (load_file(folder / "model.safetensors") for folder in (one, base.folder))
    second = {k: v for file in sorted(other.glob("*.safetensors")) for k, v in load_file(file).items()}
    assert list(made) == sorted(first)
    for name, tensor in made.items():
        wanted = 1.5 * first[name].double() - 0.75 * second[name].double() + 0.25 * third[name].double()
        torch.testing.assert_close(tensor.double(), wanted, rtol=1e-5, atol=1e-6)


def test_only_the_named_tensors_of_full_models_are_read(tmp_path: Path, base: BaseModel) -> None:
    basis = load_basis([make_base(tmp_path / "one", seed=3)], base)
    assert isinstance(basis, FullBasis)
    recipe = Recipe(basis.ids, (1.0,), Space.FACTORS)
    assert [name for name, _ in materialise_full(basis, recipe, {"model.norm.weight"})] == ["model.norm.weight"]


def test_a_recipe_of_no_full_model_is_refused(tmp_path: Path, base: BaseModel) -> None:
    basis = load_basis([make_base(tmp_path / "one", seed=3)], base)
    assert isinstance(basis, FullBasis)
    with pytest.raises(InputError, match="all coefficients of a recipe of full models are 0"):
        next(materialise_full(basis, Recipe(basis.ids, (0.0,), Space.FACTORS)))


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"model.norm.weight": None}, "missing in it and [32] in the base"),
        ({"model.norm.weight": torch.ones(48)}, "[48] in it and [32] in the base"),
        ({"model.extra.weight": torch.ones(2)}, "[2] in it and missing in the base"),
    ],
)
def test_a_full_model_of_other_tensors_is_refused(
    tmp_path: Path, base: BaseModel, change: dict[str, torch.Tensor | None], seen: str
) -> None:
    full = make_base(tmp_path / "full", seed=3)
    rewrite(full, change)
    (name,) = change
    assert refusal([full], base) == (
        f"expert 'full' is an expert of another base model than 'tiny': tensor {name} is {seen}: leave it out"
    )


def test_a_full_model_that_is_not_finite_is_refused(tmp_path: Path, base: BaseModel) -> None:
    full = make_base(tmp_path / "full", seed=3)
    rewrite(full, {"model.norm.weight": torch.full((32,), float("nan"))})
    assert refusal([full], base) == (
        "expert 'full': tensor model.norm.weight has NaN or infinite values: copy it again"
    )


def test_a_full_model_that_lacks_a_shard_is_refused(tmp_path: Path, base: BaseModel) -> None:
    full = make_base(tmp_path / "full", seed=3)
    shard(full)
    (full / "model-2.safetensors").unlink()
    assert refusal([full], base) == (
        f"{full}/model.safetensors.index.json names model-2.safetensors, which is missing: copy the whole folder again"
    )


@pytest.mark.parametrize("name", ["../model.safetensors", "model.bin", 3])
def test_an_index_that_names_other_files_is_refused(tmp_path: Path, base: BaseModel, name: object) -> None:
    full = make_base(tmp_path / "full", seed=3)
    index = full / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"model.norm.weight": name}}))
    assert refusal([full], base) == f"{index} names {name!r}: only *.safetensors files beside it are loaded"


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"weight_map": 3}'])
def test_an_index_that_is_none_is_refused(tmp_path: Path, base: BaseModel, content: str) -> None:
    full = make_base(tmp_path / "full", seed=3)
    index = full / "model.safetensors.index.json"
    index.write_text(content)
    assert refusal([full], base).startswith(f"{index} is no index of safetensors files (")


def test_a_full_model_without_safetensors_is_refused(tmp_path: Path, base: BaseModel) -> None:
    full = make_base(tmp_path / "full", seed=3)
    (full / "model.safetensors").rename(full / "pytorch_model.bin")
    assert refusal([full], base) == (
        f"{full} has no *.safetensors: other formats are never loaded: save it as safetensors"
    )


def rewrite(full: Path, change: dict[str, torch.Tensor | None]) -> None:
    path = full / "model.safetensors"
    tensors = load_file(path) | change
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)


def shard(full: Path) -> None:
    """Spread a model over two files and an index."""
    path = full / "model.safetensors"
    tensors = load_file(path)
    where = {name: f"model-{1 + index % 2}.safetensors" for index, name in enumerate(sorted(tensors))}
    for file in set(where.values()):
        save_file({name: tensors[name] for name in tensors if where[name] == file}, full / file)
    path.unlink()
    (full / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))


def refusal(folders: list[Path], base: BaseModel) -> str:
    with pytest.raises(InputError) as caught:
        load_basis(folders, base)
    message = str(caught.value)
    assert "\n" not in message
    return message
