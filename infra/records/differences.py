"""Describe the differences between two JSON values for people."""

from collections.abc import Iterator
from typing import Any

from swarm.canonical import canonical_json

MAX_DIFFERENCES = 5
"""The most differences that a message writes out."""

_LONGEST = 40


def differences(old: Any, new: Any) -> str:
    """Return one line with the differing fields, as `a.b: 1 → 2; …`; beyond `MAX_DIFFERENCES` they are only counted."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    lines = [
        f"{field}: {_shorten_value(before, field)} → {_shorten_value(after, field)}"
        for field in dict.fromkeys([*before, *after])
        if field not in before or field not in after or before[field] != after[field]
    ]
    more = len(lines) - MAX_DIFFERENCES
    return "; ".join(lines[:MAX_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")


def _leaves(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    children = [*value.items()] if isinstance(value, dict) else [*enumerate(value)] if isinstance(value, list) else []
    if not children:
        yield field, canonical_json(value)
    for name, child in children:
        yield from _leaves(child, f"{field}.{name}" if field else str(name))


def _shorten_value(leaves: dict[str, str], field: str) -> str:
    text = leaves.get(field, "absent")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
