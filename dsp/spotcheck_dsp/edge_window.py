"""Edge windows: boxes of whole mains cycles, convolved.

Convolved with power they average without ripple: every multiple of the mains frequency falls on a
zero as many times as there are boxes, so with four of them a relative frequency error d leaves
about d⁴ of the ripple. Boxes of four cycles do the same for bursts that repeat within four. The
window is a B-spline; its integral, the smooth step, is how an energy register is read.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeKernel:
    """So many boxes of so many cycles, convolved with each other."""

    boxes: int
    """Boxes, 1 to 4."""
    box_cycles: int
    """Mains cycles of each box."""

    @property
    def width_cycles(self) -> int:
        """From its first to its last instant."""
        return self.boxes * self.box_cycles

    @property
    def half_width_cycles(self) -> float:
        """What it reaches to either side."""
        return self.width_cycles / 2

    def window(self, x_cycles: Array) -> Array:
        """Weight at a distance from the centre, in units of 1/cycle (integral 1).

        Args:
            x_cycles: Distances in cycles, any shape.
        """
        order = self.boxes - 1
        return self._powers(x_cycles, order) / (math.factorial(order) * self.box_cycles)

    def smooth_step(self, x_cycles: Array) -> Array:
        """Integral of the window from −∞: 0 before, 1 after, ½ at the centre.

        Args:
            x_cycles: Distances in cycles, any shape.
        """
        lower = self._powers(x_cycles, self.boxes) / math.factorial(self.boxes)
        return np.where(x_cycles > 0, 1.0 - lower, lower)

    def _powers(self, x_cycles: Array, power: int) -> Array:
        """Σ (−1)^j C(n,j) (x+n/2−j)₊^power at x = −|x|, where no cancellation harms."""
        x = -np.abs(x_cycles) / self.box_cycles
        total = np.zeros_like(x)
        for j in range(self.boxes // 2 + 1):
            distance = x + self.boxes / 2 - j
            term = np.where(distance > 0, np.maximum(distance, 0.0) ** power, 0.0)
            total += (-1) ** j * math.comb(self.boxes, j) * term
        return total

    def __str__(self) -> str:
        boxes = "box" if self.boxes == 1 else "boxes"
        cycles = "cycle" if self.box_cycles == 1 else "cycles"
        return f"{self.boxes} {boxes} of {self.box_cycles} {cycles}"


DEFAULT_KERNEL = EdgeKernel(boxes=4, box_cycles=4)
"""For windows of 24 cycles and more: bursts of up to four cycles fall on its zeros."""
QUICK_KERNEL = EdgeKernel(boxes=4, box_cycles=1)
"""For the quick display, for readings, and for windows from 6 cycles."""

HALF_WIDTH_CYCLES = QUICK_KERNEL.half_width_cycles
"""The quick kernel reaches two cycles to either side."""
window = QUICK_KERNEL.window
smooth_step = QUICK_KERNEL.smooth_step


def longest_kernel(cycles: float) -> EdgeKernel:
    """The longest kernel that leaves a window enough of its flat middle.

    Args:
        cycles: Mains cycles in the window.

    Raises:
        ValueError: fewer than two cycles.
    """
    if cycles < 2:
        raise ValueError(f"{cycles:.4g} mains cycles are too few; two are needed")
    if cycles >= 24:
        return DEFAULT_KERNEL
    if cycles >= 6:
        return QUICK_KERNEL
    # One cycle stays for the rectangle between the two edges.
    return EdgeKernel(boxes=min(4, max(1, int(cycles + 1e-6) - 1)), box_cycles=1)
