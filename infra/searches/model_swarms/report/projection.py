"""Positions [N, n] drawn on paper: principal components by singular value decomposition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from swarm.arrays import Floats

_FLAT = 1e-9
"""A component with less than this share of the variance is rounding error."""


@dataclass(frozen=True)
class Projection:
    """A flat map of a space of n coefficients.

    Attributes:
        mean: [n], where the map's origin lies.
        axes: [2, n], orthonormal; a row of zeros where the points fill less than two dimensions.
        shares: the share of the points' variance along each axis, 0 … 1.

    """

    mean: Floats
    axes: Floats
    shares: tuple[float, float]

    @property
    def is_flat(self) -> bool:
        """Whether the points lie on a line, as those of two experts always do."""
        return self.shares[1] < _FLAT

    def __call__(self, points: ArrayLike) -> Floats:
        """Return where `points` [..., n] are on the map, [..., 2]."""
        coordinates: Floats = (np.asarray(points, dtype=np.float64) - self.mean) @ self.axes.T
        return coordinates


def principal_components(points: Sequence[ArrayLike] | Floats) -> Projection:
    """Return the projection of `points` [m, n] on the two directions in which they differ most (Jolliffe 2002, §3.5).

    An axis points to where its largest coefficient is positive, so that the same points give the same map.
    """
    values = np.asarray(points, dtype=np.float64)
    mean = values.mean(axis=0)
    _, singular, directions = np.linalg.svd(values - mean, full_matrices=False)
    variances = np.square(singular)
    total = float(variances.sum())
    axes, shares = np.zeros((2, values.shape[1])), [0.0, 0.0]
    for k in range(min(2, len(directions))):
        shares[k] = float(variances[k] / total) if total > 0 else 0.0
        if shares[k] >= _FLAT:
            axes[k] = directions[k] * np.sign(directions[k, np.argmax(np.abs(directions[k]))])
    return Projection(mean, axes, (shares[0], shares[1]))
