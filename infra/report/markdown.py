"""Texts of others inside Markdown: they are shown as they are, and format, link and run nothing."""

import re

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&$!]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")  # inside a word _ is a letter


def plain(text: str) -> str:
    """Return `text` as one line of Markdown that shows it."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def code(text: str) -> str:
    """Return `text` as one line of Markdown that shows it as code."""
    line = visible(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def visible(text: str) -> str:
    """Return `text` on one line, with line breaks and control characters written out."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
