"""Text as scorers compare it and as messages show it."""

import re
import unicodedata

_LONGEST_SHOWN = 60
_FINAL_LINE = re.compile(r"(?:\A|\n)[ \t]*####(?!#)(?P<answer>[^\n]*\S)\s*\Z")


def normalise(text: str) -> str:
    """Return `text` without differences of case, of spaces and line breaks, and of Unicode's compatibility forms."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def final_answer(answer: str) -> str:
    """Return what stands after `####` in the last line of `answer`, as in GSM8K's file; without that, all of it."""
    match = _FINAL_LINE.search(answer)
    return match["answer"].strip() if match else answer


def show_value(value: object) -> str:
    """Return `value` as a message shows it: quoted, on one line, cut after 60 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
