import json
from pathlib import Path

import pytest

from experts.base_models import BaseModel
from infra.engines.config import EngineConfig
from infra.engines.kinds import engine_identity

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
