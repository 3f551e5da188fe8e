"""Numbers as people and models write them."""

import re

_NUMBER = re.compile(
    r"""
    (?P<minus> (?<![\w.)\]]) [-−] (?=\$?[.0-9]) )?  \$?     # "10-3" and "(2)-1" subtract; "= -3" and "-$5" are negative
    (?P<whole> [0-9]{1,3} (?: ,[0-9]{3} )+ (?![0-9]) | [0-9]+ | (?=\.[0-9]) )   # 1,234 | 1234 | the nothing before .5
    (?: \. (?P<part> [0-9]+ ) )?
    """,
    re.VERBOSE,
)


def last_number(text: str) -> str:
    """Return the last number in `text` in its one canonical form (`-1234.5`), or "" if there is none."""
    matches = list(_NUMBER.finditer(text))
    return _canonical(matches[-1]) if matches else ""


def whole_number(text: str) -> str:
    """Return the canonical form of `text` if nothing but a number stands in it, else ""."""
    match = _NUMBER.fullmatch(text.strip())
    return _canonical(match) if match else ""


def _canonical(match: re.Match[str]) -> str:
    # By text: a float would round long numbers, and Decimal.normalize does too.
    whole = match["whole"].replace(",", "").lstrip("0") or "0"
    part = (match["part"] or "").rstrip("0")
    value = f"{whole}.{part}" if part else whole
    return f"-{value}" if match["minus"] and value != "0" else value
