"""A base model is whole only with the tensors that its architecture needs; shards and headers say what is where."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from experts.base_models import resolve_base_model
from experts.tensors import INDEX, stored_tensors
from swarm.errors import InputError
from tests.tiny import make_base

Tensors = dict[str, torch.Tensor]
NORM, QUERY = "model.norm.weight", "model.layers.0.self_attn.q_proj.weight"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_base(tmp_path / "base")


def resolve(folder: Path, tmp_path: Path) -> None:
    resolve_base_model(str(folder), tmp_path / "cache")


def edit(folder: Path, change: Callable[[Tensors], object]) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def quantise(tensors: Tensors) -> None:
    tensors[QUERY] = tensors[QUERY].to(torch.int8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tensors: tensors.pop(NORM), f"tensor {NORM} is missing"),
        (lambda tensors: [tensors.pop(n) for n in list(tensors) if "layers.1" in n], "and 6 more are missing"),
        (lambda tensors: tensors.update({"v_head.weight": torch.ones(3)}), "tensor v_head.weight is left over"),
        (lambda tensors: tensors.update({"a\x1b": torch.ones(3)}), r"tensor a\x1b is left over"),
        (lambda tensors: tensors.update({NORM: torch.ones(3)}), f"tensor {NORM} is [3], its config.json needs [32]"),
        (quantise, f"tensor {QUERY} is I8, and config.json has no quantization_config"),
    ],
)
def test_tensors_that_the_architecture_does_not_have(
    folder: Path, tmp_path: Path, change: Callable[[Tensors], object], message: str
) -> None:
    edit(folder, change)
    with pytest.raises(InputError) as error:
        resolve(folder, tmp_path)
    assert message in str(error.value)
    assert str(error.value).isprintable()


def test_layers_that_the_configuration_has_more_of(folder: Path, tmp_path: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"model.layers.2.*missing"):
        resolve(folder, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: None,
        lambda tensors: tensors.update({"lm_head.weight": tensors["model.embed_tokens.weight"].clone()}),
        lambda tensors: tensors.update({"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}),
        lambda tensors: tensors.update({name: tensor.half() for name, tensor in tensors.items()}),
    ],
    ids=["as it is saved", "with its tied head", "with an old buffer", "float16"],
)
def test_forms_that_are_whole(folder: Path, tmp_path: Path, change: Callable[[Tensors], object]) -> None:
    edit(folder, change)
    resolve(folder, tmp_path)


def test_nothing_is_written_to_the_terminal(folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    resolve(folder, tmp_path)
    assert capfd.readouterr() == ("", "")


def shard(folder: Path, first: list[str], second: list[str]) -> dict[str, str]:
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    for number, names in enumerate((first, second)):
        save_file({name: tensors[name] for name in names}, folder / f"part-{number}.safetensors")
    return {name: f"part-{number}.safetensors" for number, names in enumerate((first, second)) for name in names}


def test_a_tensor_that_is_in_another_shard_than_the_index_says(folder: Path, tmp_path: Path) -> None:
    names = sorted(load_file(folder / "model.safetensors"))
    where = shard(folder, names[:5], names[5:])
    (folder / INDEX).write_text(json.dumps({"weight_map": where}))
    resolve(folder, tmp_path)
    (folder / INDEX).write_text(json.dumps({"weight_map": {**where, names[0]: where[names[-1]]}}))
    with pytest.raises(InputError, match="is not where the index says"):
        resolve(folder, tmp_path)


def test_a_tensor_that_is_in_two_shards(folder: Path) -> None:
    names = sorted(load_file(folder / "model.safetensors"))
    shard(folder, names[:5], names[4:])
    with pytest.raises(InputError, match=r"is in part-0.safetensors and in part-1.safetensors"):
        stored_tensors(folder)


def test_a_header_that_names_a_tensor_twice(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = content[8 : 8 + size].decode().rstrip()
    entry = json.dumps({NORM: json.loads(header)[NORM]})[1:-1]
    twice = (header[:-1] + "," + entry + "}").encode()
    path.write_bytes(struct.pack("<Q", len(twice)) + twice + content[8 + size :])
    with pytest.raises(InputError, match=f"an object has the key '{NORM}' twice"):
        stored_tensors(folder)
