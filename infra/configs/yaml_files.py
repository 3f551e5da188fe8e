"""Read a configuration file, with `--set key=value` overrides; say in one line what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel as Schema
from pydantic import ValidationError

from data.plain_yaml import read_yaml
from infra.configs.errors import describe
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
    return validate(apply_overrides(read_mapping(path), overrides), schema, str(path), folder=path.parent.resolve())


def validate(value: dict[str, Any], schema: type[Config], source: str, folder: Path | None = None) -> Config:
    """Return `value` as a `schema`; errors name `source`.

    Raises:
        InputError: in one line, for the first thing that is wrong.

    """
    try:
        return schema.model_validate(value, context={"folder": folder})
    except ValidationError as error:
        raise InputError(f"{source}: {describe(error, schema)}") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """Return the mapping in the YAML file at `path`; raises `InputError` if there is none."""
    try:
        value = read_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path}: there is no such file: check the path") from error
    except OSError as error:
        raise InputError(f"{path}: can't be read ({error.strerror}): give a YAML file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8: save the file as UTF-8") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path}: is not valid YAML ({error}): correct it") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: holds no mapping of fields to values: see docs/configuration.md for an example")
    return value


def apply_overrides(value: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Set the fields that `overrides` (`dotted.key=value`) name in `value`, and return it.

    Raises:
        InputError: one of them is no such text, or names no field.

    """
    for override in overrides:
        _override(value, override)
    return value


def _override(value: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    *parents, last = key.split(".")
    if not separator or not all((*parents, last)):
        raise InputError(f"--set {override!r}: write it as key=value, e.g. --set search.particles=10")
    try:
        new = read_yaml(text)
    except yaml.YAMLError as error:
        raise InputError(f"--set {override!r}: the value is not valid YAML ({error}): correct or quote it") from error
    target: Any = value
    try:
        for parent in parents:
            target = target[_index(parent)] if isinstance(target, list) else target.setdefault(parent, {})
        target[_index(last) if isinstance(target, list) else last] = new
    except (IndexError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"--set {override!r}: there is no such field to set: check the dotted key") from error


def _index(text: str) -> int:
    if not text.isdecimal():  # -1 would be the last item
        raise IndexError(text)
    return int(text)
