"""Every number of a configuration has a least and a greatest value, which the form in Prefect's UI knows, too."""

import math
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
from pydantic import BaseModel as Schema
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from data.kinds.registry import BuiltInTask
from flows.searches import BUILT_IN
from infra.configs.training import TrainingFile
from infra.engines.config import EngineConfig
from infra.settings import Settings
from infra.systems.free_question import QuestionFormat

ROOTS: list[type[Schema]] = [*(search.schema for search in BUILT_IN), TrainingFile, Settings, QuestionFormat]


def parts(annotation: Any) -> Iterator[Any]:
    """Yield `annotation` and all that it is made of."""
    yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


def schemas(roots: list[type[Schema]]) -> list[type[Schema]]:
    """Return the models that `roots` are made of, themselves included."""
    seen: dict[type[Schema], None] = {}
    waiting = [*roots, *get_args(BuiltInTask)]
    while waiting:
        schema = waiting.pop()
        if schema not in seen:
            seen[schema] = None
            for field in schema.model_fields.values():
                waiting += [p for p in parts(field.annotation) if isinstance(p, type) and issubclass(p, Schema)]
    return list(seen)


def numbers() -> list[Any]:
    """Return every numeric field as (model, name, field)."""
    return [
        pytest.param(schema, name, field, id=f"{schema.__name__}.{name}")
        for schema in schemas(ROOTS)
        for name, field in schema.model_fields.items()
        if {int, float} & {p for p in parts(field.annotation) if isinstance(p, type)}
    ]


def json_bounds(schema: type[Schema], name: str) -> list[dict[str, Any]]:
    """Return the numeric alternatives of a field in the JSON schema of its model."""
    field = schema.model_json_schema()["properties"][name]
    return [part for part in field.get("anyOf", [field]) if part.get("type") in {"integer", "number"}]


def test_all_the_numbers_are_found() -> None:
    names = {parameter.id for parameter in numbers()}
    assert len(names) > 80
    assert names >= {"EngineConfig.threads", "SearchConfig.particles", "Function.least", "Settings.judge_timeout"}


@pytest.mark.parametrize(("schema", "name", "field"), numbers())
def test_a_number_has_a_least_and_a_greatest_value(schema: type[Schema], name: str, field: FieldInfo) -> None:
    [part] = json_bounds(schema, name)
    assert part.keys() & {"minimum", "exclusiveMinimum"}
    assert part.keys() & {"maximum", "exclusiveMaximum"}


@pytest.mark.parametrize("value", [1e300, -1e300, math.inf, math.nan], ids=str)
@pytest.mark.parametrize(("schema", "name", "field"), numbers())
def test_a_number_beyond_its_bounds_is_refused(schema: type[Schema], name: str, field: FieldInfo, value: float) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(field.annotation if not field.metadata else _annotated(field))
    with pytest.raises(ValidationError):
        adapter.validate_python(value)


def _annotated(field: FieldInfo) -> Any:
    return Annotated[field.annotation, *field.metadata]


@pytest.mark.parametrize(("threads", "workers"), [(512, 512), (1024, 2), (2, 1024)])
def test_threads_of_all_workers_together_are_bounded(threads: int, workers: int) -> None:
    with pytest.raises(ValidationError, match=f"are {threads * workers}, more than 1024: lower one of them"):
        EngineConfig(threads=threads, workers=workers)
