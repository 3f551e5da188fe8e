"""Combine the utilities of several tasks into one (docs/algorithms.md §1, "Objectives")."""

import math
from collections.abc import Sequence
from typing import Literal

Aggregate = Literal["mean", "harmonic_mean", "min"]
"""The rule by which the utilities of an objective's tasks become its utility."""


def combine(aggregate: Aggregate, utilities: Sequence[float], weights: Sequence[float]) -> float:
    """Return the utility of tasks with these utilities and positive weights.

    It lies between the least and the greatest of them. A harmonic mean is for utilities of at least 0, and is 0 if one
    of them is; `min` has no use for weights.
    """
    if aggregate == "min":
        return min(utilities)
    if aggregate == "mean":
        weighted_sum = math.fsum(weight * value for weight, value in zip(weights, utilities, strict=True))
        return _between(utilities, weighted_sum / math.fsum(weights))
    if min(utilities) == 0:
        return 0.0
    shares = math.fsum(weight / value for weight, value in zip(weights, utilities, strict=True))
    return _between(utilities, math.fsum(weights) / shares)


def _between(utilities: Sequence[float], value: float) -> float:
    """Return `value`, moved to the least or greatest utility if rounding took it beyond."""
    return min(max(value, min(utilities)), max(utilities))
