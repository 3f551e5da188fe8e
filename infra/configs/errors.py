"""Describe what is wrong with a configuration in one line: the field, its value, and what to do."""

import difflib
import re
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel as Schema
from pydantic import ValidationError
from pydantic_core import ErrorDetails

Location = tuple[int | str, ...]

_TAGGED_FIELDS = ("scorer",)
"""The fields that are discriminated unions; so is every list of them."""


def describe(error: ValidationError, schema: type[Schema]) -> str:
    """Return the first thing that `error` says is wrong with a value of `schema`, and how many more there are."""
    errors = _causes(error)
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{_describe(errors[0], schema)}{more}"


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Leave out the lists that pydantic calls too short because it left out an item that is itself wrong."""
    errors = error.errors(include_url=False)
    return [
        entry
        for entry in errors
        if entry["type"] != "too_short"
        or not any(len(other["loc"]) > len(entry["loc"]) == _shared_length(entry, other) for other in errors)
    ]


def _shared_length(first: ErrorDetails, other: ErrorDetails) -> int:
    pairs = zip(first["loc"], other["loc"], strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(first["loc"]), len(other["loc"])))


def _describe(error: ErrorDetails, schema: type[Schema]) -> str:
    location, context = _without_tags(error["loc"]), error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return f"unknown field {_path(location)!r}: {nearest(str(location[-1]), _fields_at(schema, location[:-1]))}"
        case "missing":
            return f"field {_path(location)!r} is missing: add it"
        case "union_tag_not_found":
            return f"field {_path((*location, _tag_field(context)))!r} is missing: add it"
        case "union_tag_invalid":
            kinds = re.findall(r"'([^']+)'", context["expected_tags"])
            field, choices = _path((*location, _tag_field(context))), ", ".join(kinds)
            return f"field {field!r}: there is no {context['tag']!r}, only {choices}: {nearest(context['tag'], kinds)}"
        case "too_short":
            count, least = context["actual_length"], context["min_length"]
            return f"field {_path(location)!r}: has {count} and needs at least {least}: add {least - count} or more"
    return _in_its_words(location, error, schema)


def _in_its_words(location: Location, error: ErrorDetails, schema: type[Schema]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    field, separator, rest = message.partition(": ")
    if separator and field in _fields_at(schema, location):  # a check of several fields, that names one of them
        location, message = (*location, field), rest
    elif location:
        message = message[:1].lower() + message[1:]
    is_shown = error["type"] == "value_error" and repr(error["input"]) in message
    value = "" if is_shown or isinstance(error["input"], dict | list) else f" (it is {error['input']!r})"
    return f"field {_path(location)!r}: {message}{value}" if location else message


def nearest(name: str, names: Sequence[str]) -> str:
    """Return what to do about `name`, which is none of `names`."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else "remove it or choose another"


def _path(location: Location) -> str:
    return ".".join(map(str, location))


def _tag_field(context: dict[str, Any]) -> str:
    return str(context["discriminator"]).strip("'")


def _without_tags(location: Location) -> Location:
    """Leave out the kinds that pydantic puts, after index or field, into the place of a discriminated union's field."""
    return tuple(
        part
        for index, part in enumerate(location)
        if isinstance(part, int) or index == 0 or not _is_tagged(location[index - 1])
    )


def _is_tagged(part: int | str) -> bool:
    return isinstance(part, int) or part in _TAGGED_FIELDS


def _fields_at(schema: type[Schema], location: Location) -> list[str]:
    schemas = [schema]
    for part in location:
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
