"""Symmetrical components of three phasors (Fortescue 1918), and the unbalance that they give.

Unbalance after IEC 61000-4-30, 5.7 (from memory): u2 = |U2|/|U1| and u0 = |U0|/|U1| of the
fundamentals. The closed form from three RMS line-to-line voltages stands beside it as a check that
needs no angles.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_unusable

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

_THIRD_TURN = np.exp(2j * np.pi / 3)
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class SymmetricalComponents:
    """Components of one set of three phasors, referred to its first phase."""

    zero: complex
    """RMS phasor of the zero sequence, in the unit of the phasors."""
    positive: complex
    """RMS phasor of the positive sequence: the order 1, 2, 3 in time."""
    negative: complex
    """RMS phasor of the negative sequence: the order 1, 3, 2 in time."""

    @property
    def negative_unbalance_percent(self) -> float:
        """u2 = 100·|negative|/|positive| (IEC 61000-4-30, 5.7.1, from memory).

        Raises:
            ValueError: there is no positive sequence to refer to.
        """
        return self._percent_of_positive(self.negative)

    @property
    def zero_unbalance_percent(self) -> float:
        """u0 = 100·|zero|/|positive| (IEC 61000-4-30, 5.7.1, from memory).

        Raises:
            ValueError: there is no positive sequence to refer to.
        """
        return self._percent_of_positive(self.zero)

    def _percent_of_positive(self, component: complex) -> float:
        if self.positive == 0:
            raise ValueError("there is no positive sequence; an unbalance has nothing to refer to")
        return 100 * abs(component) / abs(self.positive)


def symmetrical_components(phasors: Complex) -> SymmetricalComponents:
    """Zero, positive and negative sequence of three phasors.

    Args:
        phasors: (3,) RMS phasors of the phases 1, 2, 3, in one frame.

    Raises:
        TypeError: no array of numbers.
        ValueError: not three, or not finite.
    """
    refuse_unusable("phasors", phasors, 1)
    if phasors.shape != (3,):
        raise ValueError(f"phasors has the shape {phasors.shape}; three phases are needed")
    one, two, three = (complex(value) for value in phasors)
    turn, back = complex(_THIRD_TURN), complex(np.conj(_THIRD_TURN))
    return SymmetricalComponents(
        zero=(one + two + three) / 3,
        positive=(one + turn * two + back * three) / 3,
        negative=(one + back * two + turn * three) / 3,
    )


def phase_phasors(components: SymmetricalComponents) -> Complex:
    """(3,) phasors of the phases that have these components; the inverse of the above."""
    turn, back = _THIRD_TURN, np.conj(_THIRD_TURN)
    zero, positive, negative = components.zero, components.positive, components.negative
    return np.array(
        [
            zero + positive + negative,
            zero + back * positive + turn * negative,
            zero + turn * positive + back * negative,
        ],
        np.complex128,
    )


def negative_unbalance_of_line_voltages_percent(line_voltages: Array) -> float:
    """u2 from the RMS values of the three line-to-line voltages, without angles.

    u2 = √((1 − √(3 − 6β))/(1 + √(3 − 6β))), β = ΣU⁴/(ΣU²)² (IEC 61000-4-30, 5.7.1, from memory).
    It holds where the three add up to zero, as line-to-line voltages do. Near balance β is a
    difference of rounded fourth powers: u2 below 1e-6 % is lost in double precision.

    Args:
        line_voltages: (3,) fundamentals of U12, U23, U31, RMS.

    Raises:
        TypeError: no array of numbers.
        ValueError: not three, negative, all zero, or no triangle.
    """
    refuse_unusable("line_voltages", line_voltages, 1)
    if line_voltages.shape != (3,) or np.min(line_voltages) < 0 or np.max(line_voltages) == 0:
        raise ValueError(f"line_voltages is {line_voltages}; three RMS values are needed")
    squares = (line_voltages / np.max(line_voltages)) ** 2
    inner = 3 - 6 * float(np.sum(squares**2) / np.sum(squares) ** 2)
    if inner < -_ROUNDING:
        raise ValueError(
            f"line_voltages is {line_voltages}; one is more than the other two together, which "
            f"line-to-line voltages of one system cannot be"
        )
    # Balance lies on the bound inner = 1, which rounding may overstep.
    root = min(1.0, float(np.sqrt(max(0.0, inner))))
    return float(100 * np.sqrt((1 - root) / (1 + root)))
