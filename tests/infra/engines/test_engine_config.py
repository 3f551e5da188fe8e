import pytest
from pydantic import ValidationError

from infra.engines.config import EngineConfig
from infra.engines.kinds import ENGINES


@pytest.mark.parametrize("field", [{"device": "tpu"}, {"kind": "other"}, {"threads": 0}, {"speed": "high"}], ids=str)
def test_a_wrong_field_is_refused_when_the_config_is_read(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EngineConfig.model_validate(field)


def test_every_field_is_described() -> None:
    assert all(field.title and field.description for field in EngineConfig.model_fields.values())


def test_the_form_offers_the_built_in_kinds() -> None:
    schema = EngineConfig.model_json_schema()["properties"]["kind"]
    assert (schema["enum"], schema["type"]) == (list(ENGINES), "string")


def test_an_unknown_kind_is_refused_with_the_kinds_that_there_are() -> None:
    with pytest.raises(ValidationError) as caught:
        EngineConfig.model_validate({"kind": "other"})
    assert [error["msg"] for error in caught.value.errors()] == ["Input should be 'transformers', 'vllm' or 'ray'"]
