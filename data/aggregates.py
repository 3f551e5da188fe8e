"""Several tasks' utilities to one (docs/algorithms.md §1, "Objectives")."""

import math
from collections.abc import Sequence
from typing import Literal

Aggregate = Literal["mean", "harmonic_mean", "min"]
"""How the utilities of an objective's tasks become its utility."""


def combine(aggregate: Aggregate, utilities: Sequence[float], weights: Sequence[float]) -> float:
    """Return the utility of tasks with these utilities and positive weights.

    It lies between the least and the greatest of them. A harmonic mean is for utilities of at least 0, and is 0 if one
    of them is; `min` has no use for weights.
    """
    if aggregate == "min":
        return min(utilities)
    if aggregate == "mean":
        weighted = math.fsum(weight * value for weight, value in zip(weights, utilities, strict=True))
        return _between(utilities, weighted / math.fsum(weights))
    if min(utilities) == 0:
        return 0.0
    shares = math.fsum(weight / value for weight, value in zip(weights, utilities, strict=True))
    return _between(utilities, math.fsum(weights) / shares)


def _between(utilities: Sequence[float], value: float) -> float:
    """Return `value` without what rounding took it below the least or above the greatest utility."""
    return min(max(value, min(utilities)), max(utilities))
