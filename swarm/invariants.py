"""Check what holds at every iteration of a search (docs/algorithms.md §0): positions sum to 1, velocities to 0."""

import numpy as np

from swarm.arrays import Floats
from swarm.errors import InputError

TOLERANCE = 1e-9
"""How far a row's sum may be from what it should be, in units of max(1, Σ|coefficient|)."""


def check_rows(name: str, rows: Floats, shape: tuple[int, int], total: float | None, iteration: int) -> None:
    """Check that `rows` has the shape [N, n], that it is finite and that each row sums to `total`, if that is given.

    Raises:
        InputError: a number is not finite: the search diverged beyond what float64 holds.
        ValueError: the shape is another, or a sum is off by more than `TOLERANCE`: the state was damaged.

    """
    if rows.shape != shape:
        raise ValueError(f"{name} has the shape {rows.shape} instead of {shape}")
    with np.errstate(over="ignore"):
        scale = np.maximum(1, np.abs(rows).sum(axis=1))
    if not np.isfinite(scale).all():
        raise InputError(f"step_length: {name} diverged at iteration {iteration}: lower step_length or repulsion")
    if total is None:
        return
    error = np.abs(rows.sum(axis=1) - total) / scale
    if error.max() > TOLERANCE:
        raise ValueError(f"a row of {name} misses its sum of {total} by {error.max():.1e} at iteration {iteration}")
