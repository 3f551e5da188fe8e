"""Read a configuration file, with `--set key=value` overrides; say in one line what is wrong with it."""

import difflib
import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel as Schema
from pydantic import ValidationError

from swarm.errors import InputError

Config = TypeVar("Config", bound=Schema)


def load_config(path: Path, schema: type[Config], overrides: Sequence[str] = ()) -> Config:
    """Read the YAML file at `path` as a `schema`; relative paths in it are relative to its folder.

    Args:
        path: a YAML file with one mapping.
        schema: the pydantic model that it must fit.
        overrides: `dotted.key=value` texts; values are read as YAML.

    Raises:
        InputError: naming the file, the field, the value seen and what to do.

    """
    value = _read_mapping(path)
    for override in overrides:
        _override(value, override)
    return validate(value, schema, str(path), folder=path.parent.resolve())


def validate(value: dict[str, Any], schema: type[Config], source: str, folder: Path | None = None) -> Config:
    """Return `value` as a `schema`; errors name `source`.

    Raises:
        InputError: in one line, for the first thing that is wrong.

    """
    try:
        return schema.model_validate(value, context={"folder": folder})
    except ValidationError as error:
        raise InputError(f"{source}: {_describe(error, schema)}") from error


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file: check the path") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: can't be read ({error}): give a YAML file") from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: is not valid YAML ({reason}): correct that line") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no mapping of fields to values: see docs/configuration.md for an example")
    return value


def _override(value: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise InputError(f"--set {override!r}: write it as key=value, e.g. --set search.particles=10")
    *parents, last = key.split(".")
    target: Any = value
    try:
        for parent in parents:
            target = target[int(parent)] if isinstance(target, list) else target.setdefault(parent, {})
        target[int(last) if isinstance(target, list) else last] = yaml.safe_load(text)
    except (IndexError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
        raise InputError(f"--set {override!r}: there is no such field to set: check the dotted key") from error


def _describe(error: ValidationError, schema: type[Schema]) -> str:
    first = error.errors(include_url=False)[0]
    place = [part for part in first["loc"] if not _is_tag(part, first["loc"])]
    field = ".".join(map(str, place))
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(place[-1]), _fields_at(schema, place[:-1]), n=1)
        hint = f"did you mean {near[0]!r}?" if near else "remove it"
        return f"unknown field {field!r}: {hint}{more}"
    if first["type"] == "missing":
        return f"field {field!r} is missing: add it{more}"
    message = first["msg"].removeprefix("Value error, ")
    if not place:
        return f"{message}{more}"
    seen = "" if isinstance(first["input"], dict | list) else f" (it is {first['input']!r})"
    return f"field {field!r}: {message[0].lower()}{message[1:]}{seen}{more}"


def _is_tag(part: int | str, location: tuple[int | str, ...]) -> bool:
    """Whether `part` is the kind that pydantic puts into the location of a discriminated union's field."""
    index = location.index(part)
    return isinstance(part, str) and index > 0 and isinstance(location[index - 1], int)


def _fields_at(schema: type[Schema], place: Sequence[int | str]) -> list[str]:
    schemas = [schema]
    for part in place:
        if isinstance(part, str):
            fields = [s.model_fields[part].annotation for s in schemas if part in s.model_fields]
            schemas = [model for annotation in fields for model in _models(annotation)]
    return sorted({name for s in schemas for name in s.model_fields})


def _models(annotation: Any) -> list[type[Schema]]:
    if isinstance(annotation, type) and issubclass(annotation, Schema):
        return [annotation]
    if get_origin(annotation) in (Union, types.UnionType, list) or get_args(annotation):
        return [model for argument in get_args(annotation) for model in _models(argument)]
    return []
