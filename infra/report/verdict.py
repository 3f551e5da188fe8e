"""The headline of a report: what may honestly be said of a run's result."""

from dataclasses import dataclass
from typing import Literal

SIGNIFICANT = 0.05
"""The two-sided p value from which on a difference counts as no evidence."""

Tone = Literal["better", "worse", "undecided"]


@dataclass(frozen=True)
class Verdict:
    """The headline of a report.

    Attributes:
        tone: what the headline comes down to.
        sentence: the headline.
        reason: what it rests on, or what is missing.

    """

    tone: Tone
    sentence: str
    reason: str
