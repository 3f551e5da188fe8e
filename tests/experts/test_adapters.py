import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from experts.adapters import read_adapter
from experts.base_models import BaseModel
from swarm.errors import InputError
from tests.tiny import make_expert

Q0 = "model.layers.0.self_attn.q_proj"
A0 = f"base_model.model.{Q0}.lora_A.weight"
B0 = f"base_model.model.{Q0}.lora_B.weight"


@pytest.fixture
def expert(tmp_path: Path, base: BaseModel) -> Path:
    return make_expert(tmp_path / "cot", base.folder, seed=1)


def edit(expert: Path, **fields: object) -> None:
    path = expert / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def replace(expert: Path, **tensors: torch.Tensor | None) -> None:
    path = expert / "adapter_model.safetensors"
    merged = load_file(path) | tensors
    save_file({name: tensor for name, tensor in merged.items() if tensor is not None}, path)


def test_the_scaling_is_folded_into_b(expert: Path, base: BaseModel) -> None:
    stored = load_file(expert / "adapter_model.safetensors")
    adapter = read_adapter(expert, base)
    down, up = adapter.modules[Q0]
    assert (adapter.name, adapter.rank, len(adapter.modules)) == ("cot", 4, 4)
    assert torch.equal(down, stored[A0])
    assert torch.equal(up, stored[B0] * 2.0)


@pytest.mark.parametrize(
    ("fields", "scaling"),
    [
        ({"use_rslora": True}, 8 / 2.0),
        ({"alpha_pattern": {"q_proj": 4}}, 1.0),
        ({"alpha_pattern": {"layers.0.self_attn.q_proj": 2}}, 0.5),
        ({"alpha_pattern": {"k_proj": 4}}, 2.0),
    ],
)
def test_scaling_follows_peft(expert: Path, base: BaseModel, fields: dict[str, object], scaling: float) -> None:
    stored = load_file(expert / "adapter_model.safetensors")[B0]
    edit(expert, **fields)
    assert torch.equal(read_adapter(expert, base).modules[Q0][1], stored * scaling)


def test_a_rank_pattern_sets_the_rank_of_its_modules(expert: Path, base: BaseModel) -> None:
    generator = torch.Generator().manual_seed(0)
    replace(expert, **{A0: torch.randn(2, 32, generator=generator), B0: torch.ones(32, 2)})
    edit(expert, rank_pattern={r"layers\.0\.self_attn\.q_proj": 2})
    adapter = read_adapter(expert, base)
    assert adapter.rank == 4
    assert torch.equal(adapter.modules[Q0][1], torch.full((32, 2), 8 / 2))


def test_the_id_depends_on_the_folded_tensors_alone(tmp_path: Path, base: BaseModel) -> None:
    one = make_expert(tmp_path / "one", base.folder, seed=1)
    same = make_expert(tmp_path / "same", base.folder, seed=1)
    other = make_expert(tmp_path / "other", base.folder, seed=2)
    scaled = make_expert(tmp_path / "scaled", base.folder, seed=1, alpha=16)
    edit(same, lora_dropout=0.5)
    ids = [read_adapter(folder, base).id for folder in (one, same, other, scaled)]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
    assert all(len(identity) == 64 for identity in ids)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"peft_type": "IA3"}, "peft_type is IA3"),
        ({"use_dora": True}, "use_dora is true"),
        ({"lora_bias": True}, "lora_bias is true"),
        ({"bias": "all"}, "bias is 'all'"),
        ({"fan_in_fan_out": True}, "fan_in_fan_out is true"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save is ['lm_head']"),
        ({"layer_replication": [[0, 1]]}, "layer_replication is set"),
        ({"init_lora_weights": "pissa_niter_4"}, "init_lora_weights is 'pissa_niter_4', which changes the base model"),
        ({"lora_alpha": float("inf")}, "lora_alpha is [inf]"),
        ({"rank_pattern": {"q_proj": 0}}, "rank_pattern is {'q_proj': 0}"),
    ],
)
def test_other_kinds_of_adapter_are_refused(
    expert: Path, base: BaseModel, fields: dict[str, object], reason: str
) -> None:
    edit(expert, **fields)
    assert refusal(expert, base) == (
        f"expert 'cot': {expert}/adapter_config.json: {reason}: only plain LoRA adapters can be combined"
    )


def test_a_missing_folder_is_refused(tmp_path: Path, base: BaseModel) -> None:
    assert refusal(tmp_path / "gone", base) == (f"expert 'gone': there is no folder {tmp_path}/gone: correct the path")


def test_a_missing_configuration_is_refused(expert: Path, base: BaseModel) -> None:
    (expert / "adapter_config.json").unlink()
    assert refusal(expert, base) == (
        f"expert 'cot': {expert} has no adapter_config.json: save it by PEFT's save_pretrained"
    )


def test_a_configuration_that_is_no_json_is_refused(expert: Path, base: BaseModel) -> None:
    (expert / "adapter_config.json").write_text("{")
    message = refusal(expert, base)
    assert message.startswith(f"expert 'cot': {expert}/adapter_config.json is no JSON (")
    assert message.endswith("): copy the adapter again")


def test_a_configuration_without_a_rank_is_refused(expert: Path, base: BaseModel) -> None:
    (expert / "adapter_config.json").write_text('{"peft_type": "LORA", "lora_alpha": 1}')
    assert refusal(expert, base) == (
        f"expert 'cot': {expert}/adapter_config.json: r: Field required: save the adapter again"
    )


def test_missing_weights_are_refused(expert: Path, base: BaseModel) -> None:
    (expert / "adapter_model.safetensors").unlink()
    assert refusal(expert, base) == f"expert 'cot': {expert} has no adapter_model.safetensors: copy it again"


def test_a_pickle_is_never_loaded(expert: Path, base: BaseModel) -> None:
    (expert / "adapter_model.safetensors").rename(expert / "adapter_model.bin")
    assert refusal(expert, base) == (
        f"expert 'cot': {expert} has no adapter_model.safetensors: "
        "adapter_model.bin is never loaded: save the adapter as safetensors"
    )


@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"\xff" * 64, b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_corrupt_weights_are_refused(expert: Path, base: BaseModel, content: bytes) -> None:
    path = expert / "adapter_model.safetensors"
    path.write_bytes(content)
    message = refusal(expert, base)
    assert message.startswith(f"{path} is truncated or corrupt (")
    assert message.endswith("): copy it again")


def test_truncated_weights_are_refused(expert: Path, base: BaseModel) -> None:
    path = expert / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    assert refusal(expert, base).startswith(f"{path} is truncated or corrupt (")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_tensor_that_is_not_finite_is_named(expert: Path, base: BaseModel, value: float) -> None:
    bad = torch.zeros(4, 32)
    bad[3, 31] = value
    replace(expert, **{A0: bad})
    assert refusal(expert, base) == (f"expert 'cot': tensor {A0} has NaN or infinite values: train or copy it again")


def test_a_module_that_the_base_lacks_is_refused(expert: Path, base: BaseModel) -> None:
    stranger = "base_model.model.model.layers.9.self_attn.q_proj"
    replace(
        expert, **{f"{stranger}.lora_A.weight": torch.zeros(4, 32), f"{stranger}.lora_B.weight": torch.zeros(32, 4)}
    )
    assert refusal(expert, base) == (
        "expert 'cot' is an expert of another base model than 'tiny', which has no module "
        "model.layers.9.self_attn.q_proj: use its own base model or leave it out"
    )


@pytest.mark.parametrize(
    ("name", "shape", "needed"), [(A0, (4, 48), "[r, 32]"), (B0, (48, 4), "[32, r]"), (A0, (32,), "[r, 32]")]
)
def test_a_shape_that_does_not_fit_the_base_is_refused(
    expert: Path, base: BaseModel, name: str, shape: tuple[int, ...], needed: str
) -> None:
    replace(expert, **{name: torch.zeros(shape)})
    assert refusal(expert, base) == (
        f"expert 'cot' is an expert of another base model than 'tiny': tensor {name} is {list(shape)}, "
        f"the base needs {needed}: use its own base model or leave it out"
    )


def test_another_base_in_the_provenance_is_refused(expert: Path, base: BaseModel) -> None:
    (expert / "provenance.json").write_text(json.dumps({"base_sha256": "2" * 64}))
    assert refusal(expert, base) == (
        f"expert 'cot' is an expert of another base model: {expert}/provenance.json says base_sha256 222222222222…, "
        "but 'tiny' is 111111111111…: use its own base model or leave it out"
    )


def test_the_same_base_in_the_provenance_is_accepted(expert: Path, base: BaseModel) -> None:
    (expert / "provenance.json").write_text(json.dumps({"base_sha256": "1" * 64}))
    assert read_adapter(expert, base).name == "cot"


@pytest.mark.parametrize(("down", "up", "declared"), [(2, 4, 4), (4, 2, 4), (2, 2, 4)])
def test_ranks_that_disagree_are_refused(expert: Path, base: BaseModel, down: int, up: int, declared: int) -> None:
    replace(expert, **{A0: torch.zeros(down, 32), B0: torch.zeros(32, up)})
    assert refusal(expert, base) == (
        f"expert 'cot': tensor base_model.model.{Q0}: A has rank {down}, B has rank {up} and adapter_config.json says "
        f"{declared}: save or copy the adapter again"
    )


def test_a_factor_without_its_partner_is_refused(expert: Path, base: BaseModel) -> None:
    replace(expert, **{B0: None})
    assert refusal(expert, base) == f"expert 'cot': tensor {B0} is missing: save or copy the adapter again"


def test_a_tensor_that_is_no_factor_is_refused(expert: Path, base: BaseModel) -> None:
    replace(expert, **{"base_model.model.lm_head.weight": torch.zeros(2, 2)})
    assert refusal(expert, base) == (
        "expert 'cot': tensor base_model.model.lm_head.weight is not a LoRA factor of a Linear module: leave it out"
    )


def test_an_adapter_without_tensors_is_refused(expert: Path, base: BaseModel) -> None:
    save_file({}, expert / "adapter_model.safetensors")
    assert refusal(expert, base) == (
        "expert 'cot': adapter_model.safetensors has no tensors: save or copy the adapter again"
    )


def refusal(folder: Path, base: BaseModel) -> str:
    with pytest.raises(InputError) as caught:
        read_adapter(folder, base)
    message = str(caught.value)
    assert "\n" not in message
    return message
