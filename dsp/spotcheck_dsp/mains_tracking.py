"""Frequency and phasors from slot sums, by demodulation with the edge window.

Slots decimate: a harmonic near the slot rate folds onto the fundamental, attenuated by the slot
(the 19th and 21st at 1 ms slots: 5 % of their level). Off the nominal frequency the folded part
turns against the fundamental: 2 % of 19th harmonic at 50.3 Hz moves the frequency by 3 mHz.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import HALF_WIDTH_CYCLES, window

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

LOWEST_HZ, HIGHEST_HZ = 40.0, 70.0
_BASELINE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotGrid:
    """Where slots stand on the time axis."""

    first_slot: int
    """Number of the first slot."""
    slot_length: int
    """Samples per slot."""
    sample_rate_hz: float
    """Samples per second."""

    def centres(self, count: int) -> Array:
        """(count,) centres of the slots, in samples since sample 0."""
        first = self.first_slot * self.slot_length + (self.slot_length - 1) / 2
        centres: Array = first + np.arange(count, dtype=np.float64) * self.slot_length
        return centres

    def droop(self, frequency_hz: float) -> float:
        """By how much the mean over a slot shrinks a sinusoid."""
        half = np.pi * frequency_hz / self.sample_rate_hz
        return float(np.sin(half * self.slot_length) / (self.slot_length * np.sin(half)))


@dataclass(frozen=True, slots=True, kw_only=True)
class MainsTrack:
    """Frequency of the mains over time."""

    samples: Array
    """(n,) instants, in samples since sample 0."""
    frequency_hz: Array
    """(n,) frequency at those instants."""

    def cycle_samples(self, samples: Array, sample_rate_hz: float) -> Array:
        """Length of one cycle at given instants, in samples."""
        return sample_rate_hz / np.interp(samples, self.samples, self.frequency_hz)

    @property
    def mean_hz(self) -> float:
        """Mean frequency."""
        return float(np.mean(self.frequency_hz))


def coarse_frequency_hz(slot_means: Array, slot_rate_hz: float) -> float:
    """The strongest frequency between 40 and 70 Hz, to about 0.1 Hz.

    Args:
        slot_means: (n,) mean voltage of each slot, at least 0.15 s long.
        slot_rate_hz: Slots per second.

    Raises:
        ValueError: too short.
    """
    if len(slot_means) < 0.15 * slot_rate_hz:
        raise ValueError(f"{len(slot_means)} slots are too few to find the mains frequency")
    size = 1 << int(np.ceil(np.log2(8 * slot_rate_hz)))
    piece = slot_means[: int(slot_rate_hz)]
    spectrum = np.abs(np.fft.rfft((piece - piece.mean()) * np.hanning(len(piece)), size))
    bins = np.arange(len(spectrum)) * slot_rate_hz / size
    inside = np.flatnonzero((bins >= LOWEST_HZ) & (bins <= HIGHEST_HZ))
    return float(bins[inside[np.argmax(spectrum[inside])]])


def phasors(slot_means: Array, grid: SlotGrid, centres: Array, frequency_hz: float) -> Complex:
    """RMS phasors of the fundamental around each centre, in the frame rotating at `frequency_hz`.

    Args:
        slot_means: (slots, channels) mean of each slot.
        grid: Where the slots stand.
        centres: (n,) instants in samples; at least two cycles away from either end.
        frequency_hz: Frequency of the rotating frame; near the true one.

    Returns:
        (n, channels) complex; √2 · the amplitude's half, phase 0 for a cosine at sample 0.
    """
    cycle = grid.sample_rate_hz / frequency_hz
    first = grid.centres(1)[0]
    reach = int(np.ceil(HALF_WIDTH_CYCLES * cycle / grid.slot_length)) + 1
    nearest = np.rint((centres - first) / grid.slot_length).astype(np.int64)
    index = np.clip(nearest[:, None] + np.arange(-reach, reach + 1), 0, len(slot_means) - 1)
    instants = first + index * grid.slot_length
    weights = window((instants - centres[:, None]) / cycle)
    weights /= weights.sum(axis=1, keepdims=True)
    turned = weights * np.exp(-2j * np.pi * frequency_hz / grid.sample_rate_hz * instants)
    found = np.einsum("nk,nkc->nc", turned, slot_means[index])
    result: Complex = np.sqrt(2.0) * found / grid.droop(frequency_hz)
    return result


def track_mains(voltage_means: Array, grid: SlotGrid) -> MainsTrack:
    """Frequency over time from one voltage channel.

    Args:
        voltage_means: (slots,) mean voltage of each slot, in any unit, at least 0.25 s.
        grid: Where the slots stand.

    Returns:
        Frequencies every 50 ms, each from the phase advance over 0.1 s around it.

    Raises:
        ValueError: too short, or no mains between 40 and 70 Hz.
    """
    slot_rate_hz = grid.sample_rate_hz / grid.slot_length
    rough_hz = coarse_frequency_hz(voltage_means, slot_rate_hz)
    centres = grid.centres(len(voltage_means))
    margin = HALF_WIDTH_CYCLES * grid.sample_rate_hz / rough_hz + grid.slot_length
    baseline = _BASELINE_S * grid.sample_rate_hz
    lags = 2
    points = np.arange(centres[0] + margin, centres[-1] - margin, baseline / lags)
    if len(points) <= lags:
        raise ValueError(f"{len(voltage_means)} slots are too few to track the mains")
    turning = phasors(voltage_means[:, None], grid, points, rough_hz)[:, 0]
    advance = np.angle(turning[lags:] * np.conj(turning[:-lags]))
    frequency = rough_hz + advance / (2 * np.pi * _BASELINE_S)
    return MainsTrack(samples=(points[lags:] + points[:-lags]) / 2, frequency_hz=frequency)
