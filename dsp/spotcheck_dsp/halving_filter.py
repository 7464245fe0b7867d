"""Filters that halve a sample rate and keep a low band clean: Dolph–Chebyshev windows.

Halving folds what lies around half the rate onto what lies around zero. A Dolph–Chebyshev window
of n + 1 taps has n zeros spread so that nothing between half the rate less the band, and half the
rate, passes above one level (C. L. Dolph 1946). Its response is a Chebyshev polynomial, so the
droop in the band is known in closed form and divided out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIZES = (5, 7, 9, 13)
"""Taps that the kernels are made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvingFilter:
    """Response T_n(x₀ cos πf) / T_n(x₀), with f in cycles per sample of the input."""

    taps: int
    """One of `SIZES`; n is one less."""
    band: float
    """What is kept clean, in cycles per sample of the input; less than a quarter."""

    def __post_init__(self) -> None:
        if self.taps not in SIZES:
            raise ValueError(f"taps is {self.taps}; the kernels know {SIZES}")
        if not 0 < self.band < 0.25:
            raise ValueError(f"band is {self.band:g} cycles per sample; 0 to 0.25 is possible")

    @property
    def leakage(self) -> float:
        """Largest share of what folds into the band that is left of it."""
        return float(1 / self._polynomial(np.array(self.stretch)))

    def response(self, frequency: Array) -> Array:
        """Real response; the filter is symmetric, its delay half its length.

        Args:
            frequency: Cycles per sample of the input, any shape.
        """
        raised = self._polynomial(self.stretch * np.cos(np.pi * frequency))
        return raised * self.leakage

    def coefficients(self) -> Array:
        """(taps,) symmetric coefficients, sum 1."""
        order = self.taps - 1
        turns = np.arange(self.taps) / self.taps
        sampled = self.response(turns)
        # Even length in cos(πf): the transform of a symmetric filter centred on its middle tap.
        places = np.arange(self.taps) - order / 2
        found: Array = (np.cos(2 * np.pi * np.outer(places, turns)) @ sampled) / self.taps
        return found

    @property
    def stretch(self) -> float:
        """x₀: puts the band's edge on the end of the polynomial's ripple."""
        return float(1 / np.cos(np.pi * (0.5 - self.band)))

    def _polynomial(self, x: Array) -> Array:
        order = self.taps - 1
        values: Array = np.asarray(
            np.polynomial.chebyshev.chebval(x, [0.0] * order + [1.0]), np.float64
        )
        return values


def halving_filter(band_hz: float, sample_rate_hz: float, leakage: float) -> HalvingFilter:
    """The shortest filter that leaves no more than `leakage` of what folds into a band.

    Args:
        band_hz: What is kept clean; below a quarter of the rate.
        sample_rate_hz: Rate before halving.
        leakage: Largest share that may be left.

    Raises:
        ValueError: not even the longest filter does it.
    """
    band = band_hz / sample_rate_hz
    for taps in SIZES:
        candidate = HalvingFilter(taps=taps, band=band)
        if candidate.leakage <= leakage:
            return candidate
    raise ValueError(
        f"no filter of {SIZES[-1]} taps keeps {band_hz:g} Hz clean at {sample_rate_hz:g} S/s "
        f"within {leakage:g}"
    )
