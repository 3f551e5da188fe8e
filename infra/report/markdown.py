"""Texts of others inside Markdown: they are shown as they are, and format, link and run nothing."""

import re

from swarm.names import printable

_SPECIAL = re.compile(r"([\\`*\[\]<>|~&$!]|(?<![0-9A-Za-z])_|_(?![0-9A-Za-z]))")  # inside a word _ is a letter


def plain(text: str) -> str:
    """Return `text` as one line of Markdown that shows it."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def code(text: str) -> str:
    """Return `text` as one line of Markdown that shows it as code."""
    line = printable(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"
