"""Filters that lower a sample rate and keep a low band clean.

Decimation by n folds what lies around the multiples of an n-th of the rate onto what lies around
zero. Where the band is wide, a Dolph–Chebyshev window halves the rate: n + 1 taps have n zeros,
spread so that nothing between half the rate less the band, and half the rate, passes above one
level (C. L. Dolph 1946). Where it is narrow, boxes of four samples, convolved, quarter it: their
zeros lie on the quarter and on the half, as often as there are boxes, and four samples are read
once where two halvings read six. Both responses are known in closed form; the droop in the band is
divided out.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALVING_TAPS = (5, 7, 9, 13)
"""Taps of the halving filters that the kernels are made for."""
QUARTERING_BOXES = (3, 4, 5)
"""Boxes of the quartering filters that the kernels are made for."""


class DecimationFilter(Protocol):
    """A symmetric filter before all samples but every `by`-th are left out."""

    @property
    def by(self) -> int:
        """Every so many samples one is kept."""

    @property
    def taps(self) -> int:
        """Length in samples of the input."""

    @property
    def leakage(self) -> float:
        """Largest share of what folds into the band that is left of it."""

    def response(self, frequency: Array) -> Array:
        """Real response; the delay is half the length.

        Args:
            frequency: Cycles per sample of the input, any shape.
        """

    def coefficients(self) -> Array:
        """(taps,) symmetric coefficients, sum 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HalvingFilter:
    """Response T_n(x₀ cos πf) / T_n(x₀), with f in cycles per sample of the input."""

    taps: int
    """One of `HALVING_TAPS`; n is one less."""
    band: float
    """What is kept clean, in cycles per sample of the input; less than a quarter."""

    def __post_init__(self) -> None:
        if self.taps not in HALVING_TAPS:
            raise ValueError(f"taps is {self.taps}; the kernels know {HALVING_TAPS}")
        if not 0 < self.band < 0.25:
            raise ValueError(f"band is {self.band:g} cycles per sample; 0 to 0.25 is possible")

    @property
    def by(self) -> int:
        """Every second sample is kept."""
        return 2

    @property
    def leakage(self) -> float:
        """Largest share of what folds into the band that is left of it."""
        return float(1 / self._polynomial(np.array(self._stretch)))

    def response(self, frequency: Array) -> Array:
        """Real response; the filter is symmetric, its delay half its length.

        Args:
            frequency: Cycles per sample of the input, any shape.
        """
        raised = self._polynomial(self._stretch * np.cos(np.pi * frequency))
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
    def _stretch(self) -> float:
        """x₀: puts the band's edge on the end of the polynomial's ripple."""
        return float(1 / np.cos(np.pi * (0.5 - self.band)))

    def _polynomial(self, x: Array) -> Array:
        order = self.taps - 1
        values: Array = np.asarray(
            np.polynomial.chebyshev.chebval(x, [0.0] * order + [1.0]), np.float64
        )
        return values


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarteringFilter:
    """Response (sin 4πf / (4 sin πf))^boxes, with f in cycles per sample of the input."""

    boxes: int
    """One of `QUARTERING_BOXES`, each of four samples."""
    band: float
    """What is kept clean, in cycles per sample of the input; less than an eighth."""

    def __post_init__(self) -> None:
        if self.boxes not in QUARTERING_BOXES:
            raise ValueError(f"boxes is {self.boxes}; the kernels know {QUARTERING_BOXES}")
        if not 0 < self.band < 0.125:
            raise ValueError(f"band is {self.band:g} cycles per sample; 0 to 0.125 is possible")

    @property
    def by(self) -> int:
        """Every fourth sample is kept."""
        return 4

    @property
    def taps(self) -> int:
        """Length in samples of the input."""
        return 3 * self.boxes + 1

    @property
    def leakage(self) -> float:
        """Largest share of what folds into the band that is left of it.

        It is left at the band's edge next to the quarter of the rate: nearer to a zero there is
        less, and around the half the response is lower.
        """
        return float(np.abs(self.response(np.array(0.25 - self.band))))

    def response(self, frequency: Array) -> Array:
        """Real response; the filter is symmetric, its delay half its length.

        Args:
            frequency: Cycles per sample of the input, any shape.
        """
        # sin 4x / (4 sin x) without a quotient that would be 0/0 at 0.
        box = np.cos(np.pi * frequency) * np.cos(2 * np.pi * frequency)
        return np.asarray(box**self.boxes, np.float64)

    def coefficients(self) -> Array:
        """(taps,) symmetric coefficients, sum 1."""
        found = np.ones(1)
        for _ in range(self.boxes):
            found = np.convolve(found, np.full(4, 0.25))
        return found


def halving_filter(band_hz: float, sample_rate_hz: float, leakage: float) -> HalvingFilter:
    """The shortest halving filter that leaves no more than `leakage` of what folds into a band.

    Args:
        band_hz: What is kept clean; below a quarter of the rate.
        sample_rate_hz: Rate before halving.
        leakage: Largest share that may be left.

    Raises:
        ValueError: not even the longest filter does it.
    """
    band = band_hz / sample_rate_hz
    for taps in HALVING_TAPS:
        candidate = HalvingFilter(taps=taps, band=band)
        if candidate.leakage <= leakage:
            return candidate
    raise ValueError(
        f"no filter of {HALVING_TAPS[-1]} taps keeps {band_hz:g} Hz clean at "
        f"{sample_rate_hz:g} S/s within {leakage:g}"
    )


def quartering_filter(band_hz: float, sample_rate_hz: float, leakage: float) -> QuarteringFilter:
    """The shortest quartering filter that leaves no more than `leakage` of what folds into a band.

    Args:
        band_hz: What is kept clean; below an eighth of the rate.
        sample_rate_hz: Rate before quartering.
        leakage: Largest share that may be left.

    Raises:
        ValueError: not even the longest filter does it.
    """
    band = band_hz / sample_rate_hz
    for boxes in QUARTERING_BOXES:
        candidate = QuarteringFilter(boxes=boxes, band=band)
        if candidate.leakage <= leakage:
            return candidate
    raise ValueError(
        f"no filter of {QUARTERING_BOXES[-1]} boxes keeps {band_hz:g} Hz clean at "
        f"{sample_rate_hz:g} S/s within {leakage:g}"
    )
