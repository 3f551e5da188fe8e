"""What is wrong with a configuration, in one line: field, value seen, and what to do."""

import difflib
import re
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel as Schema
from pydantic import ValidationError
from pydantic_core import ErrorDetails

Place = tuple[int | str, ...]

_TAGGED = ("scorer",)
"""The fields that are discriminated unions; so is every list of them."""


def describe(error: ValidationError, schema: type[Schema]) -> str:
    """Return the first thing that `error` says is wrong with a value of `schema`, and how many more there are."""
    found = _causes(error)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{_describe(found[0], schema)}{more}"


def _causes(error: ValidationError) -> list[ErrorDetails]:
    """Leave out the lists that pydantic calls too short because it left out an item that is itself wrong."""
    found = error.errors(include_url=False)
    return [
        each
        for each in found
        if each["type"] != "too_short"
        or not any(len(other["loc"]) > len(each["loc"]) == _shared(each, other) for other in found)
    ]


def _shared(one: ErrorDetails, other: ErrorDetails) -> int:
    pairs = zip(one["loc"], other["loc"], strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one["loc"]), len(other["loc"])))


def _describe(error: ErrorDetails, schema: type[Schema]) -> str:
    place, context = _without_tags(error["loc"]), error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            return f"unknown field {_dotted(place)!r}: {nearest(str(place[-1]), _fields_at(schema, place[:-1]))}"
        case "missing":
            return f"field {_dotted(place)!r} is missing: add it"
        case "union_tag_not_found":
            return f"field {_dotted((*place, _tag_field(context)))!r} is missing: add it"
        case "union_tag_invalid":
            kinds = re.findall(r"'([^']+)'", context["expected_tags"])
            field, known = _dotted((*place, _tag_field(context))), ", ".join(kinds)
            return f"field {field!r}: there is no {context['tag']!r}, only {known}: {nearest(context['tag'], kinds)}"
        case "too_short":
            count, least = context["actual_length"], context["min_length"]
            return f"field {_dotted(place)!r}: has {count} and needs at least {least}: add {least - count} or more"
    return _in_its_words(place, error, schema)


def _in_its_words(place: Place, error: ErrorDetails, schema: type[Schema]) -> str:
    message = error["msg"].removeprefix("Value error, ")
    field, separator, rest = message.partition(": ")
    if separator and field in _fields_at(schema, place):  # a check of several fields, that names one of them
        place, message = (*place, field), rest
    elif place:
        message = message[:1].lower() + message[1:]
    told = error["type"] == "value_error" and repr(error["input"]) in message
    seen = "" if told or isinstance(error["input"], dict | list) else f" (it is {error['input']!r})"
    return f"field {_dotted(place)!r}: {message}{seen}" if place else message


def nearest(name: str, names: Sequence[str]) -> str:
    """Return what to do about `name`, which is none of `names`."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else "remove it or choose another"


def _dotted(place: Place) -> str:
    return ".".join(map(str, place))


def _tag_field(context: dict[str, Any]) -> str:
    return str(context["discriminator"]).strip("'")


def _without_tags(location: Place) -> Place:
    """Leave out the kinds that pydantic puts, after index or field, into the place of a discriminated union's field."""
    return tuple(
        part
        for index, part in enumerate(location)
        if isinstance(part, int) or index == 0 or not _is_tagged(location[index - 1])
    )


def _is_tagged(part: int | str) -> bool:
    return isinstance(part, int) or part in _TAGGED


def _fields_at(schema: type[Schema], place: Place) -> list[str]:
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
