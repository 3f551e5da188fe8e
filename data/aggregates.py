"""Several tasks' utilities to one (docs/algorithms.md §1, "Objectives")."""

import math
from collections.abc import Sequence
from typing import Literal

Aggregate = Literal["mean", "harmonic_mean", "min"]
"""How the utilities of an objective's tasks become its utility."""


def combine(aggregate: Aggregate, utilities: Sequence[float], weights: Sequence[float]) -> float:
    """Return the utility in [0, 1] of tasks with these utilities in [0, 1] and positive weights.

    A harmonic mean is 0 if a utility is; `min` has no use for weights.
    """
    if aggregate == "min":
        return min(utilities)
    if aggregate == "mean":
        weighted = math.fsum(weight * value for weight, value in zip(weights, utilities, strict=True))
        return min(1.0, weighted / math.fsum(weights))
    if min(utilities) == 0:
        return 0.0
    shares = math.fsum(weight / value for weight, value in zip(weights, utilities, strict=True))
    return min(1.0, math.fsum(weights) / shares)
