"""Text as scorers compare it and as messages show it."""

import unicodedata

_LONGEST_SHOWN = 60


def normalise(text: str) -> str:
    """Return `text` without differences of case, of spaces and line breaks, and of Unicode's compatibility forms."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def show_value(value: object) -> str:
    """Return `value` as a message shows it: quoted, on one line, cut after 60 characters."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
