"""The edge window: four boxes of one mains cycle.

Convolved with power it averages without ripple: every multiple of the mains frequency falls on a
fourfold zero, so a relative frequency error d leaves about d⁴ of the ripple. It is the cubic
B-spline on four cycles; its integral, the smooth step, is how an energy register is read.
"""

import numpy as np
from numpy.typing import NDArray

HALF_WIDTH_CYCLES = 2.0
"""The window reaches two cycles to either side."""

Array = NDArray[np.float64]
_BINOMIAL = (1.0, -4.0, 6.0, -4.0, 1.0)


def window(x_cycles: Array) -> Array:
    """Weight at a distance from the centre, in units of 1/cycle (integral 1).

    Args:
        x_cycles: Distances in cycles, any shape.
    """
    return _truncated_powers(-np.abs(x_cycles), 3) / 6.0


def smooth_step(x_cycles: Array) -> Array:
    """Integral of the window from −∞: 0 before, 1 after, ½ at the centre.

    Args:
        x_cycles: Distances in cycles, any shape.
    """
    lower = _truncated_powers(-np.abs(x_cycles), 4) / 24.0
    return np.where(x_cycles > 0, 1.0 - lower, lower)


def _truncated_powers(x: Array, power: int) -> Array:
    """Σ (−1)^j C(4,j) (x+2−j)₊^power; called with x ≤ 0, where no cancellation harms."""
    total = np.zeros_like(x)
    for j, factor in enumerate(_BINOMIAL[:3]):
        total += factor * np.maximum(x + HALF_WIDTH_CYCLES - j, 0.0) ** power
    return total
