"""The regular expressions of an adapter's configuration, matched in time that grows with their length alone (RE2).

PEFT matches them with Python's own `re`, whose time can double with every character of a pattern or a name.
"""

import re

import re2

_LONGEST = 1000
_OTHER_MEANINGS = ("{,", "[[", "[:")
"""What RE2 and `re` both take, but read differently."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # it writes to stderr
_OPTIONS.max_mem = 8 << 20


def pattern_problem(pattern: str) -> str | None:
    """Return why modules can't be matched with `pattern` in bounded time and as PEFT does; None if they can."""
    if len(pattern) > _LONGEST:
        return f"it has {len(pattern)} characters, and at most {_LONGEST} are read"
    if not (pattern.isascii() and pattern.isprintable()):
        return "it has characters that no module's name has"
    if any(part in pattern for part in _OTHER_MEANINGS):
        return f"it has one of {' '.join(_OTHER_MEANINGS)}, which are not read"
    try:
        re.compile(pattern)
        _compiled(pattern)
    except re.error as error:
        return str(error)
    except re2.error as error:
        [reason] = error.args
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    except (RecursionError, OverflowError):
        return "it is too deep"
    return None


def matches(pattern: str, module: str) -> bool:
    """Tell whether PEFT takes `module` for one that `pattern`, which has no problem, names."""
    return _compiled(pattern).match(module) is not None


def _compiled(pattern: str) -> "re2._Regexp":
    return re2.compile(rf"(.*\.)?({pattern})$", _OPTIONS)
