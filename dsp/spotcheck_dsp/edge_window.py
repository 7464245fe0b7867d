"""Edge windows: boxes of whole mains cycles, convolved; and a sum of cosines.

Convolved with power, boxes average without ripple: every multiple of the mains frequency falls on
a zero as many times as there are boxes, so with four of them a relative frequency error d leaves
about d⁴ of the ripple. Boxes of four cycles do the same for bursts that repeat within four. The
window is a B-spline; its integral, the smooth step, is how an energy register is read.

Interharmonics beat between those zeros. The sum of cosines has no deep zeros but a stopband: it
leaves next to nothing of anything from 0.3 of the mains frequency upward.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Kernel(Protocol):
    """What smooths the edges of a window. Distances are in mains cycles; `str` names it."""

    @property
    def width_cycles(self) -> float:
        """From its first to its last instant."""

    @property
    def half_width_cycles(self) -> float:
        """What it reaches to either side."""

    def window(self, x_cycles: Array) -> Array:
        """Weight at a distance from the centre, in units of 1/cycle (integral 1)."""

    def smooth_step(self, x_cycles: Array) -> Array:
        """Integral of the window from −∞: 0 before, 1 after, ½ at the centre."""


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
            distance = np.maximum(x + (self.boxes / 2 - j), 0.0)
            term = np.full_like(x, (-1.0) ** j * math.comb(self.boxes, j))
            # Ten times as quick as to raise an array to a power.
            for _ in range(power):
                term *= distance
            total += term
        return total

    def __str__(self) -> str:
        boxes = "box" if self.boxes == 1 else "boxes"
        cycles = "cycle" if self.box_cycles == 1 else "cycles"
        return f"{self.boxes} {boxes} of {self.box_cycles} {cycles}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CosineKernel:
    """A sum of cosines over so many cycles: 1 + Σ a_k cos(2πkx/width), as Blackman's window is."""

    width_cycles: float
    """From its first to its last instant."""
    coefficients: tuple[float, ...]
    """a_1, a_2, …"""

    @property
    def half_width_cycles(self) -> float:
        """What it reaches to either side."""
        return self.width_cycles / 2

    def window(self, x_cycles: Array) -> Array:
        """Weight at a distance from the centre, in units of 1/cycle (integral 1).

        Args:
            x_cycles: Distances in cycles, any shape.
        """
        cosine = np.cos(2 * np.pi / self.width_cycles * x_cycles)
        first, second = _clenshaw(self.coefficients, cosine)
        total = (1.0 + first * cosine - second) / self.width_cycles
        return np.where(np.abs(x_cycles) <= self.half_width_cycles, total, 0.0)

    def smooth_step(self, x_cycles: Array) -> Array:
        """Integral of the window from −∞: 0 before, 1 after, ½ at the centre.

        Args:
            x_cycles: Distances in cycles, any shape.
        """
        inside = np.clip(x_cycles / self.width_cycles, -0.5, 0.5)
        integrals = tuple(a / (2 * np.pi * k) for k, a in enumerate(self.coefficients, 1))
        first, _ = _clenshaw(integrals, np.cos(2 * np.pi * inside))
        total = 0.5 + inside + first * np.sin(2 * np.pi * inside)
        # Outside it is 0 or 1 to the last bit, so that a window knows which samples it needs.
        return np.where(inside <= -0.5, 0.0, np.where(inside >= 0.5, 1.0, total))

    def gain(self, cycles_per_cycle: Array) -> Array:
        """What it leaves of a ripple of so many times the mains frequency (Fourier transform).

        Args:
            cycles_per_cycle: Frequencies in units of the mains frequency, any shape.
        """
        x = self.width_cycles * cycles_per_cycle
        total = np.sinc(x)
        for k, coefficient in enumerate(self.coefficients, 1):
            total += coefficient / 2 * (np.sinc(x - k) + np.sinc(x + k))
        return np.asarray(total, np.float64)

    def __str__(self) -> str:
        return f"cosine sum of {self.width_cycles:g} cycles"


def _clenshaw(coefficients: tuple[float, ...], cosine: Array) -> tuple[Array, Array]:
    """Two sums b with Σ a_k cos kθ = b₁ cos θ − b₂ and Σ a_k sin kθ = b₁ sin θ (Clenshaw 1955)."""
    first, second = np.zeros_like(cosine), np.zeros_like(cosine)
    for coefficient in reversed(coefficients):
        first, second = coefficient + 2 * cosine * first - second, first
    return first, second


DEFAULT_KERNEL = EdgeKernel(boxes=4, box_cycles=4)
"""For windows of 24 cycles and more: bursts of up to four cycles fall on its zeros."""
QUICK_KERNEL = EdgeKernel(boxes=4, box_cycles=1)
"""For the quick display, for readings, and for windows from 6 cycles."""
STOPBAND_KERNEL = CosineKernel(
    width_cycles=20.0,
    coefficients=(1.536421041797, 0.680345051011, 0.159892873072, 0.016403330426, 0.000430353033),
)
"""For interharmonics, in windows of 28 cycles and more: at most 3.3e-8 of any ripple from 0.3 of
the mains frequency is left, and 7e-10 behind a rectangle of 25 cycles or more.

The coefficients are the minimax solution (linear program) for the ripple behind that rectangle,
which itself falls as 1/f. Twenty cycles because the least ripple that any kernel can leave falls as
1/cosh(0.3 π width) (Dolph 1946)."""
FEWEST_CYCLES_FOR_STOPBAND = 28.0
"""A rectangle of eight cycles stays between the edges."""
LOWEST_MAINS_HZ = 45.0
"""Without a frequency the cycle of the lowest mains is taken, so that the stopband of a fixed
kernel begins at 13.5 Hz whatever the mains is."""

HALF_WIDTH_CYCLES = QUICK_KERNEL.half_width_cycles
"""The quick kernel reaches two cycles to either side."""
window = QUICK_KERNEL.window


def candidate_kernels(cycles: float) -> tuple[Kernel, ...]:
    """The kernels among which the data may choose: the longest boxes first, then the stopband.

    Args:
        cycles: Mains cycles in the window.

    Raises:
        ValueError: fewer than two cycles.
    """
    boxes = longest_kernel(cycles)
    if cycles < FEWEST_CYCLES_FOR_STOPBAND:
        return (boxes,)
    return (boxes, STOPBAND_KERNEL)


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
