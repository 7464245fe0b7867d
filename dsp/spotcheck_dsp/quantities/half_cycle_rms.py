"""RMS(1/2) of IEC 61000-4-30 (3.25 and 5.4.1, from memory): RMS over one cycle, every half-cycle.

Each value covers one cycle that commences at a zero crossing of the fundamental. The crossings
come from the fitted mains: harmonics and notches make no further ones, and through a dip or a
short interruption they go on at the rate of the fit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_unusable
from spotcheck_dsp.mains_fit import MainsFit
from spotcheck_dsp.quantities.cycle_means import means_between

Array = NDArray[np.float64]

_NEWTON_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfCycleRms:
    """RMS values, one each half-cycle."""

    begin_samples: Array
    """(k,) zero crossings at which the cycles commence, in samples."""
    end_samples: Array
    """(k,) where they end, two crossings later; the value is known from then on."""
    rms: Array
    """(k, channels) RMS over each cycle, in the unit of the samples."""

    @property
    def lowest(self) -> Array:
        """(channels,) smallest value: the residual voltage of a dip."""
        lowest: Array = np.min(self.rms, axis=0)
        return lowest

    @property
    def highest(self) -> Array:
        """(channels,) largest value: of a swell, or of an inrush current."""
        highest: Array = np.max(self.rms, axis=0)
        return highest


def fundamental_crossings(mains: MainsFit, first_sample: int, end_sample: int) -> Array:
    """Zero crossings of the fundamental, rising and falling ones alternating.

    Args:
        mains: The fit of the channel whose crossings are wanted.
        first_sample: First sample of the window.
        end_sample: The sample after its last.

    Returns:
        (k,) instants in samples, within half a sample of the window's samples.

    Raises:
        ValueError: the window is empty.
    """
    if end_sample <= first_sample:
        raise ValueError(f"end_sample {end_sample} is not after first_sample {first_sample}")
    low, high = first_sample - 0.5, end_sample - 0.5
    turn_low, turn_high = _turns(mains, np.array([low, high]))
    # cos is 0 a quarter turn after each half turn.
    numbers = np.arange(np.ceil(2 * turn_low - 0.5), np.floor(2 * turn_high - 0.5) + 1)
    wanted = (numbers + 0.5) / 2
    crossings = low + (wanted - turn_low) / (turn_high - turn_low) * (high - low)
    for _ in range(_NEWTON_ROUNDS):
        slopes = np.array([1 / mains.cycle_samples(at) for at in crossings])
        crossings = crossings - (_turns(mains, crossings) - wanted) / slopes
    inside: Array = crossings[(crossings >= low) & (crossings <= high)]
    return inside


def _turns(mains: MainsFit, samples: Array) -> Array:
    """Phase of the fundamental in turns, never wrapped."""
    seconds = (samples - mains.centre_sample) / mains.sample_rate_hz
    turns: Array = mains.phase_rad / (2 * np.pi) + seconds * (
        mains.frequency_hz + seconds * mains.drift_hz_per_s / 2
    )
    return turns


def half_cycle_rms(values: Array, first_sample: int, crossings: Array) -> HalfCycleRms:
    """RMS over one cycle from each crossing but the last two.

    The standard lets each channel commence at its own crossings: call once for each, with the
    crossings of its own fit, or once for all with those of one voltage.

    Args:
        values: (n, channels) equidistant samples.
        first_sample: Instant of the first.
        crossings: (k,) zero crossings of the fundamental, three or more, within the samples.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: fewer than three crossings, not ascending, or outside the samples.
    """
    refuse_unusable("values", values, 2)
    refuse_unusable("crossings", crossings, 1)
    if len(crossings) < 3:
        raise ValueError(f"crossings has {len(crossings)}; a cycle takes three")
    if np.any(np.diff(crossings) <= 0):
        raise ValueError("crossings must ascend")
    begins, ends = crossings[:-2], crossings[2:]
    squares = means_between(values * values, first_sample, begins, ends)
    # Interpolation between samples may leave −1e-17 where the signal is 0.
    return HalfCycleRms(
        begin_samples=begins, end_samples=ends, rms=np.sqrt(np.maximum(squares, 0.0))
    )
