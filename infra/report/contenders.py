"""The comparison of a report: who is compared, and the scale that their small pictures share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A row of the comparison: who, its utility on dev and test, and the test's 95 % interval (None: unknown)."""

    title: str
    note: str
    dev: float | None
    test: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Scale:
    """The span of utilities that a row of small pictures shares."""

    low: float
    high: float

    def __call__(self, value: float) -> str:
        """Return where `value` is, in per cent of the width; a mark at either end is still whole."""
        return f"{3 + 94 * (value - self.low) / (self.high - self.low):.2f}%"


def scale(values: Sequence[float | None]) -> Scale:
    """Return the whole tenths around all `values`."""
    values_or_zero = [value for value in values if value is not None] or [0.0]
    low, high = math.floor(round(10 * min(values_or_zero), 6)), math.ceil(round(10 * max(values_or_zero), 6))
    return Scale(low / 10, max(high, low + 1) / 10)


def contender_scale(rows: Sequence[Contender]) -> Scale:
    """Return the scale on which every utility and interval of the comparison fits."""
    return scale([value for row in rows for value in (row.dev, row.test, *(row.interval or ()))])
