"""Checks of a search's parameters: one line that names the field, what it must be, and what it is."""

import math

from swarm.errors import InputError


class Checked:
    """A dataclass that checks its own fields; every method raises `InputError` where a field is wrong."""

    def _require(self, name: str, holds: bool, expected: str) -> None:
        if not holds:
            raise InputError(f"{name}: must be {expected}, not {getattr(self, name)!r}")

    def _require_whole(self, **least: int) -> None:
        for name, minimum in least.items():
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            self._require(name, whole and value >= minimum, f"a whole number of at least {minimum}")

    def _number(self, name: str) -> float:
        value = getattr(self, name)
        finite = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        self._require(name, finite, "a finite number")
        return float(value)
