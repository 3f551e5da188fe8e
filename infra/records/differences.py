"""What differs between two JSON values, for a person."""

from collections.abc import Iterator
from typing import Any

from swarm.canonical import canonical_json

SHOWN = 5
"""So many differences are written out."""

_LONGEST = 40


def differences(old: Any, new: Any) -> str:
    """Return the fields that differ as `a.b: 1 → 2; …`, on one line; at most `SHOWN`, then how many more there are."""
    before, after = dict(_leaves(old)), dict(_leaves(new))
    found = [
        f"{field}: {_shown(before, field)} → {_shown(after, field)}"
        for field in dict.fromkeys([*before, *after])
        if field not in before or field not in after or before[field] != after[field]
    ]
    more = len(found) - SHOWN
    return "; ".join(found[:SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _leaves(value: Any, field: str = "") -> Iterator[tuple[str, str]]:
    children = [*value.items()] if isinstance(value, dict) else [*enumerate(value)] if isinstance(value, list) else []
    if not children:
        yield field, canonical_json(value)
    for name, child in children:
        yield from _leaves(child, f"{field}.{name}" if field else str(name))


def _shown(leaves: dict[str, str], field: str) -> str:
    text = leaves.get(field, "absent")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
