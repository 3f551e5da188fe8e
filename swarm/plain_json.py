"""Read JSON that anybody may have written: bounded in size, depth and numbers, and every error one line."""

import json
import math
import re
from collections import Counter
from typing import Any

MOST_BYTES = 128 << 20
"""The largest text that is read: the largest tokenizers have some 40 MB."""
MOST_LEVELS = 100
"""The most lists and objects inside each other: what is read may be written, compared and shown by recursion."""
MOST_DIGITS = 300
"""The most digits of a whole number: it can still be made a float."""

_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]|[\ud800-\udfff]")
_LONGEST_KEY = 60


class JsonError(ValueError):
    """A text that is no JSON, or not of the kind that is read; the message is one line.

    Attributes:
        line: where JSON's syntax is broken, from 1; None if it is not.
        column: the place in that line, from 1; None as `line` is.
        reason: the message without the place.

    """

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason if line is None else f"{reason}: line {line} column {column}")
        self.reason = reason
        self.line = line
        self.column = column


def parse_json(
    content: bytes | str, most_bytes: int = MOST_BYTES, *, allow_infinity: bool = False, check_text: bool = True
) -> Any:
    """Return the value of a JSON text, in UTF-8 if it is bytes.

    Args:
        content: the text.
        most_bytes: the largest text that is read.
        allow_infinity: whether NaN and infinite numbers are read: they are no JSON, but Python and transformers write
            them.
        check_text: whether texts with half a character (a lone surrogate), which can't be printed or hashed, are
            refused.

    Raises:
        JsonError: the text is larger than `most_bytes`, no UTF-8, no JSON, nested deeper than `MOST_LEVELS`, or has a
            key twice in one object, a number that is too large, or half a character.

    """
    if len(content) > most_bytes:
        raise JsonError(f"it has more than {most_bytes} bytes")
    text = _decode(content) if isinstance(content, bytes) else content
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_repeated_keys,
            parse_int=_whole_number,
            parse_float=float if allow_infinity else _finite_number,
            parse_constant=float if allow_infinity else _refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise JsonError(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise _too_deep() from None
    _check_depth(value)
    if check_text and _HALF_CHARACTER.search(text) is not None:
        _check_characters(value)
    return value


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")  # editors on Windows write a byte order mark
    except UnicodeDecodeError as error:
        raise JsonError(f"byte {error.start} is not UTF-8") from None


def _without_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        key = repr(Counter(key for key, _ in pairs).most_common(1)[0][0])
        shown = key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY] + "…"
        raise JsonError(f"an object has the key {shown} twice")
    return value


def _whole_number(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise JsonError(f"a number has {len(text)} digits, and at most {MOST_DIGITS} are read")
    return int(text)


def _finite_number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise JsonError(f"the number {text[:_LONGEST_KEY]} is too large")
    return value


def _refuse_constant(name: str) -> float:
    raise JsonError(f"{name} is no number of JSON")


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, list | dict) else []
    for _ in range(MOST_LEVELS):
        level = [
            item
            for parent in level
            for item in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(item, list | dict)
        ]
        if not level:
            return
    raise _too_deep()


def _too_deep() -> JsonError:
    return JsonError(f"lists and objects are nested deeper than {MOST_LEVELS}")


def _check_characters(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise JsonError("a text holds half a character (a lone surrogate)") from None
