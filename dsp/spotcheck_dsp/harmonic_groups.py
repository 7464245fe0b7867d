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
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.cycle_spectrum import CycleSpectrum

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
    bins, phasors = spectrum.cycles, spectrum.phasors
    powers = phasors.real**2 + phasors.imag**2
    # Every value is a weighted sum over the bins from one order to just below the next; what a
    # group has below its order lies with the order before.
    sums = (powers.reshape(-1, bins) @ _weights(bins)).reshape(len(powers), -1, 6)
    interharmonic, centred, upper, lower, upper_sub, lower_sub = np.moveaxis(sums, 2, 0)
    return HarmonicGroups(
        dc=phasors[:, 0].real.copy(),
        harmonic_phasors=phasors[:, bins::bins],
        harmonic_group_rms=np.sqrt(lower[:, :-1] + upper[:, 1:]),
        harmonic_subgroup_rms=np.sqrt(lower_sub[:, :-1] + upper_sub[:, 1:]),
        interharmonic_group_rms=np.sqrt(interharmonic),
        interharmonic_centred_subgroup_rms=np.sqrt(centred),
        band_rms=np.sqrt(powers.sum(axis=1)),
    )


@lru_cache
def _weights(bins: int) -> Array:
    """(bins, 6) weights of the bins from an order on: interharmonic group and centred subgroup,
    then what belongs to the group of this order and of the next, and to their subgroups."""
    places = np.arange(bins)
    half = bins // 2
    columns = [
        places >= 1,
        (places >= 2) & (places <= bins - 2),
        (places < half) + 0.5 * (places == half),
        (places > half) + 0.5 * (places == half),
        places <= 1,
        places == bins - 1,
    ]
    weights: Array = np.stack(columns, axis=1).astype(np.float64)
    return weights
