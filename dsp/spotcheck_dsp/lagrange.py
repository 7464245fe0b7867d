"""Lagrange's polynomial through equidistant points."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def lagrange_weights(places: Array, points: int) -> Array:
    """What each of the points 0 … points−1 weighs in the polynomial's value at given places.

    Args:
        places: (n,) places between the points.
        points: Points of the polynomial.

    Returns:
        (n, points); each row sums to 1.
    """
    nodes = np.arange(float(points))
    weights = np.ones((len(places), points))
    for k in range(points):
        others = np.delete(nodes, k)
        weights[:, k] = np.prod((places[:, None] - others) / (nodes[k] - others), axis=1)
    return weights
