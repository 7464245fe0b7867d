"""Harmonic and interharmonic groups and subgroups of IEC 61000-4-7:2002 + A1:2008.

The standard's text was not at hand; clauses and formulas are recalled. With N bins per order (10 in
50 Hz systems, 12 in 60 Hz systems), Y[j] the RMS value of bin j, and h the order:

| value | its square | clause |
|---|---|---|
| harmonic | Y[Nh]² | 3.2.1 |
| harmonic group | ½Y[Nh−N/2]² + Σ Y[Nh−N/2+1 … Nh+N/2−1]² + ½Y[Nh+N/2]² | 3.2.2, 5.5.1 |
| harmonic subgroup | Σ Y[Nh−1 … Nh+1]² | 3.2.3, 5.5.1 |
| interharmonic group | Σ Y[Nh+1 … Nh+N−1]² | 3.4.3, Annex A |
| interharmonic centred subgroup | Σ Y[Nh+2 … Nh+N−2]² | 3.4.4, Annex A |

An interharmonic value of order h lies between the orders h and h+1; order 0 lies below the
fundamental. The values are of one window: the standard's smoothing over 1.5 s (5.5.1) and its
aggregation over time are left to the caller.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp._mains_stream import group_levels
from spotcheck_dsp.harmonics.cycle_spectrum import CycleSpectrum

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmonicGroups:
    """What one window of ten or twelve cycles holds, channel by channel."""

    dc: Array
    """(channels,) mean of the signal, with its sign."""
    harmonic_phasors: NDArray[np.complex128]
    """(channels, orders) RMS phasors of the orders 1 … `orders`; the phase is 0 for a cosine at the
    window's centre."""
    harmonic_group_rms: Array
    """(channels, orders), order 1 first."""
    harmonic_subgroup_rms: Array
    """(channels, orders), order 1 first."""
    interharmonic_group_rms: Array
    """(channels, orders + 1), order 0 first: what lies below the fundamental."""
    interharmonic_centred_subgroup_rms: Array
    """(channels, orders + 1), order 0 first."""
    band_rms: Array
    """(channels,) RMS of all bins, from DC to just below order `orders` + 1; what the signal has
    above is not in it."""

    @property
    def orders(self) -> int:
        """Highest harmonic order."""
        return int(self.harmonic_phasors.shape[1])

    def total_distortion_percent(self, highest_order: int) -> Array:
        """(channels,) THD: harmonics from order 2, by the fundamental (3.3.1).

        Args:
            highest_order: The last order in the sum; standards want 40 or 50.

        Raises:
            ValueError: an order that was not measured, or a channel without a fundamental.
        """
        return self._distortion_percent(np.abs(self.harmonic_phasors), highest_order)

    def group_distortion_percent(self, highest_order: int) -> Array:
        """(channels,) THDG: groups from order 2, by the group of the fundamental (3.3.2).

        Args:
            highest_order: The last order in the sum.

        Raises:
            ValueError: as `total_distortion_percent`.
        """
        return self._distortion_percent(self.harmonic_group_rms, highest_order)

    def subgroup_distortion_percent(self, highest_order: int) -> Array:
        """(channels,) THDS: subgroups from order 2, by the subgroup of the fundamental (3.3.3).

        Args:
            highest_order: The last order in the sum.

        Raises:
            ValueError: as `total_distortion_percent`.
        """
        return self._distortion_percent(self.harmonic_subgroup_rms, highest_order)

    def _distortion_percent(self, levels: Array, highest_order: int) -> Array:
        if not 2 <= highest_order <= self.orders:
            raise ValueError(
                f"highest_order is {highest_order}; the orders 2 to {self.orders} were measured"
            )
        silent = np.flatnonzero(levels[:, 0] == 0)
        if len(silent):
            raise ValueError(f"channel {silent[0]} has no fundamental; distortion is a ratio to it")
        squares: Array = np.sum(levels[:, 1:highest_order] ** 2, axis=1)
        return 100 * np.sqrt(squares) / levels[:, 0]


def harmonic_groups(spectrum: CycleSpectrum) -> HarmonicGroups:
    """Groups and subgroups of a spectrum.

    Args:
        spectrum: From `cycle_spectrum`.
    """
    bins, phasors = spectrum.cycles, np.ascontiguousarray(spectrum.phasors)
    levels = np.empty((4, len(phasors), spectrum.orders + 1))
    whole = np.empty((2, len(phasors)))
    group_levels(phasors, bins, levels, whole)
    return HarmonicGroups(
        dc=whole[0],
        harmonic_phasors=phasors[:, bins::bins],
        harmonic_group_rms=levels[0, :, 1:],
        harmonic_subgroup_rms=levels[1, :, 1:],
        interharmonic_group_rms=levels[2],
        interharmonic_centred_subgroup_rms=levels[3],
        band_rms=whole[1],
    )
