"""The one kind of array in the algorithms: read-only float64."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def read_only(values: ArrayLike) -> Floats:
    """Return a read-only float64 copy of `values`; −0 becomes 0, for a database's JSON knows no negative zero."""
    array: Floats = np.asarray(values, dtype=np.float64) + 0.0
    array.setflags(write=False)
    return array
