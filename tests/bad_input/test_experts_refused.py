"""Experts that are missing, damaged, not what they say, of another base model, or the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.bad_input.broken_world import BreakableWorld, Refused

TENSOR = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.fixture
def two(world: BreakableWorld) -> Path:
    """The expert that a test breaks."""
    return world.expert("two")


@pytest.fixture
def weights(two: Path) -> Path:
    return two / "adapter_model.safetensors"


def test_a_folder_that_is_not_there(world: BreakableWorld, two: Path, refused: Refused) -> None:
    shutil.rmtree(two)
    assert refused("run", world.config) == f"expert 'two': there is no folder {two}: correct the path"


@pytest.mark.parametrize(
    ("size", "reason"),
    [(0, "header too small"), (500, "invalid header length"), (3000, "incomplete metadata, file not fully covered")],
)
def test_truncated_weights(world: BreakableWorld, weights: Path, refused: Refused, size: int, reason: str) -> None:
    weights.write_bytes(weights.read_bytes()[:size])
    message = refused("run", world.config)
    assert message.startswith(f"{weights} is truncated or corrupt (Error while deserializing header: {reason}")
    assert message.endswith("): copy it again")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_tensor_with_a_value_that_is_not_finite(
    world: BreakableWorld, weights: Path, refused: Refused, value: float
) -> None:
    world.edit_tensors(weights, lambda tensors: tensors[TENSOR][2].fill_(value))
    assert refused("run", world.config) == (
        f"expert 'two': tensor {TENSOR} has NaN or infinite values: train or copy it again"
    )


def test_an_adapter_without_its_configuration(world: BreakableWorld, two: Path, refused: Refused) -> None:
    (two / "adapter_config.json").unlink()
    assert refused("run", world.config) == (
        f"expert 'two': {two} has no adapter_config.json: save it by PEFT's save_pretrained"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is no JSON (Expecting property name enclosed in double quotes: line 1 column 2): copy the"),
        (b"\xff", "is no JSON (byte 0 is not UTF-8): copy the"),
        (b"[]", "the file: Input should be a valid dictionary"),
    ],
)
def test_a_configuration_that_is_damaged(
    world: BreakableWorld, two: Path, refused: Refused, content: bytes, message: str
) -> None:
    (two / "adapter_config.json").write_bytes(content)
    named = refused("run", world.config).removeprefix(f"expert 'two': {two}/adapter_config.json").lstrip(": ")
    assert named.startswith(message)


def test_a_folder_in_place_of_the_configuration(world: BreakableWorld, two: Path, refused: Refused) -> None:
    (two / "adapter_config.json").unlink()
    (two / "adapter_config.json").mkdir()
    assert refused("run", world.config).startswith(f"expert 'two': {two}")


@pytest.mark.parametrize("field", ["rank_pattern", "alpha_pattern"])
def test_a_pattern_that_is_no_regular_expression(
    world: BreakableWorld, two: Path, refused: Refused, field: str
) -> None:
    world.edit_json(two / "adapter_config.json", **{field: {"(": 4}})
    message = refused("run", world.config)
    assert message.startswith(f"expert 'two': {two}/adapter_config.json: {field}")


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.int8, torch.bool, torch.complex64])
def test_a_number_format_in_which_experts_cannot_be_combined(
    world: BreakableWorld, weights: Path, refused: Refused, dtype: torch.dtype
) -> None:
    world.edit_tensors(weights, lambda tensors: tensors.update({TENSOR: tensors[TENSOR].to(dtype)}))
    assert refused("run", world.config).startswith(f"expert 'two': tensor {TENSOR} ")


def test_weights_that_would_have_to_be_unpickled(world: BreakableWorld, weights: Path, refused: Refused) -> None:
    weights.rename(weights.with_name("adapter_model.bin"))
    assert refused("run", world.config) == (
        f"expert 'two': {weights.parent} has no adapter_model.safetensors: adapter_model.bin is never loaded: "
        "save the adapter as safetensors"
    )


def test_tensors_whose_rank_is_not_the_configured_one(world: BreakableWorld, two: Path, refused: Refused) -> None:
    world.edit_json(two / "adapter_config.json", r=8)
    message = refused("run", world.config)
    assert message.startswith("expert 'two': tensor base_model.model.model.layers.0.self_attn.q_proj")
    assert message.endswith("adapter_config.json says 8: save or copy the adapter again")


def test_factors_of_different_rank(world: BreakableWorld, weights: Path, refused: Refused) -> None:
    world.edit_tensors(weights, lambda tensors: tensors.update({TENSOR: tensors[TENSOR][:2].contiguous()}))
    message = refused("run", world.config)
    assert "A has rank 2, B has rank 4 and adapter_config.json says 4" in message


def test_an_expert_whose_provenance_names_another_base_model(
    world: BreakableWorld, two: Path, refused: Refused
) -> None:
    (two / "provenance.json").write_text(json.dumps({"base_sha256": "0" * 64}))
    message = refused("run", world.config)
    assert message.startswith(
        f"expert 'two' is an expert of another base model: {two}/provenance.json says base_sha256 000000000000…, "
    )
    assert message.endswith(": use its own base model or leave it out")


def _wider(tensors: dict[str, torch.Tensor]) -> None:
    tensors[TENSOR] = torch.ones(4, 48)


def _deeper(tensors: dict[str, torch.Tensor]) -> None:
    for name in [name for name in tensors if "layers.1." in name]:
        tensors[name.replace("layers.1.", "layers.7.")] = tensors.pop(name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_wider, f": tensor {TENSOR} is [4, 48], the base needs [r, 32]"),
        (_deeper, ", which has no module model.layers.7.self_attn.q_proj"),
    ],
)
def test_an_expert_whose_tensors_are_of_another_base_model(
    world: BreakableWorld,
    weights: Path,
    refused: Refused,
    change: Callable[[dict[str, torch.Tensor]], None],
    reason: str,
) -> None:
    world.edit_tensors(weights, change)
    assert refused("run", world.config) == (
        f"expert 'two' is an expert of another base model than {str(world.base)!r}{reason}: "
        "use its own base model or leave it out"
    )


def test_one_expert_given_twice(world: BreakableWorld, refused: Refused) -> None:
    world.edit_config(experts=["experts/one", "experts/one", "experts/two"])
    assert refused("run", world.config) == "experts: 'one' and 'one' are the same expert: leave one out"


def test_a_copy_of_an_expert_under_another_name(world: BreakableWorld, two: Path, refused: Refused) -> None:
    shutil.rmtree(two)
    shutil.copytree(world.expert("one"), two)
    assert refused("run", world.config) == "experts: 'one' and 'two' are the same expert: leave one out"


def test_two_experts_of_one_name(world: BreakableWorld, two: Path, refused: Refused) -> None:
    shutil.copytree(two, world.folder / "more" / "one")
    world.edit_config(experts=["experts/one", "more/one"])
    assert refused("run", world.config) == "experts: 'one' and 'one' have the same name: rename one's folder"


def test_fewer_particles_than_experts(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "search.particles=2") == (
        "search.particles: 2 can't hold the 3 experts one, two, three: set it to 3 or more"
    )


def test_the_base_counts_as_an_expert_where_it_is_one(world: BreakableWorld, refused: Refused) -> None:
    assert refused("run", world.config, "--set", "search.particles=3", "--set", "include_base=true") == (
        "search.particles: 3 can't hold the 4 experts one, two, three, base: set it to 4 or more"
    )


def test_checking_experts_refuses_what_a_run_would_refuse(
    world: BreakableWorld, weights: Path, refused: Refused
) -> None:
    weights.write_bytes(weights.read_bytes()[:-1])
    message = refused("experts", "check", world.expert("one"), weights.parent, "--base", world.base)
    assert message.startswith(f"{weights} is truncated or corrupt")
