import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.identity import engine_identity, resolve
from swarm.errors import InputError

BASE = BaseModel("tiny", Path("/nowhere"), "a" * 64)
CPU = EngineConfig(device="cpu")


@pytest.mark.parametrize(
    "change", [{"dtype": "bfloat16"}, {"threads": 2}, {"token_budget": 77}], ids=lambda change: next(iter(change))
)
def test_what_changes_answers_changes_the_identity(change: dict[str, object]) -> None:
    assert engine_identity(CPU.model_copy(update=change), BASE) != engine_identity(CPU, BASE)


@pytest.mark.parametrize("change", [{"workers": 7}, {"group_size": 3}, {"threads": 1}], ids=str)
def test_what_changes_no_answer_leaves_the_identity(change: dict[str, object]) -> None:
    assert engine_identity(CPU.model_copy(update=change), BASE) == engine_identity(CPU, BASE)


def test_the_identity_names_base_and_libraries_but_no_path() -> None:
    identity = json.loads(engine_identity(CPU, BASE))
    assert identity["base"] == "a" * 64
    assert sorted(identity["libraries"]) == ["tokenizers", "torch", "transformers"]
    assert (identity["device"], identity["dtype"], identity["threads"]) == ("cpu", "float32", 1)
    assert "nowhere" not in json.dumps(identity)
    moved = BaseModel("other name", Path("/elsewhere"), "a" * 64)
    assert engine_identity(CPU, moved) == engine_identity(CPU, BASE)


def test_another_tokenizer_or_configuration_changes_the_identity(tmp_path: Path) -> None:
    base = BaseModel("tiny", tmp_path, "a" * 64)
    (tmp_path / "config.json").write_text('{"rope_theta": 1}')
    before = engine_identity(CPU, base)
    (tmp_path / "config.json").write_text('{"rope_theta": 2}')
    assert engine_identity(CPU, base) != before


def test_a_cpu_computes_in_float32_with_single_threads_on_every_core() -> None:
    resolved = resolve(CPU)
    assert (resolved.device, resolved.dtype, resolved.threads) == (torch.device("cpu"), torch.float32, 1)
    assert resolved.workers >= 1


def test_a_gpu_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match=r"engine\.device: cuda:99: PyTorch sees \d+ GPUs here: use auto or cpu"):
        resolve(EngineConfig(device="cuda:99"))


@pytest.mark.parametrize("field", [{"device": "tpu"}, {"kind": "other"}, {"threads": 0}, {"speed": "high"}], ids=str)
def test_a_wrong_field_is_refused_when_the_config_is_read(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EngineConfig.model_validate(field)


def test_every_field_is_described() -> None:
    assert all(field.title and field.description for field in EngineConfig.model_fields.values())
