"""Names and texts that somebody else chose: what a name may be, and how any text is shown on one line of a terminal."""

from swarm.errors import InputError

MOST_BYTES = 200
"""The longest name: file systems take 255 bytes, and a temporary file's name has a few more than the name itself."""


def check_name(name: str, kind: str) -> str:
    """Return `name` if it can be part of a path, an id and a line of a terminal; `kind` says in messages what it names.

    Raises:
        InputError: it is empty, too long, or has a path separator, a character that can't be printed (control
            characters, those that turn the direction of writing, halves of characters), a space at an end, or a dash
            or a dot at its beginning.

    """
    shown = repr(name if len(name) <= MOST_BYTES else name[:40] + "…")
    if len(name.encode("utf-8", "surrogatepass")) > MOST_BYTES:
        raise InputError(f"{kind} {shown} is longer than {MOST_BYTES} bytes: rename it")
    if not name or not name.isprintable() or name != name.strip():
        raise InputError(f"{kind} {shown} is empty or has characters that can't be printed: rename it")
    if "/" in name or "\\" in name or name.startswith(("-", ".")):
        raise InputError(f"{kind} {shown} begins with '-' or '.', or has a '/' or '\\': rename it")
    return name


def printable(text: str, kept: str = "") -> str:
    """Return `text` with every character that a terminal would obey, or hide, written as an escape.

    Line breaks and tabs are among them, unless they are `kept`.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in kept else repr(letter)[1:-1] for letter in text)
