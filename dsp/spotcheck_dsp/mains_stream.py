"""Frequency, phasors and harmonics of a stream of codes, as they come.

Codes are decimated as far as the harmonics allow (to 10 kS/s or more: the *analysis*), then further
as the fundamental alone allows (the *track*); where no harmonics are wanted, to the track at once.
Along the track every channel is demodulated every two cycles with four boxes of one cycle; a
parabola through the phases of a second gives the frequency, and tells where ten or twelve cycles
begin and end. These are resampled out of the analysis to 160 values a cycle by a Kaiser–Bessel
kernel, transformed, and divided by the response of all filters on the way. What lies between two
bins is divided likewise, which is not quite how it leaks (`window_ends` has the rest): groups of
harmonics are right, interharmonics nearly.

Decimation is done in float32: it rounds at 2⁻²⁵ of a code's range, below the step of a 24-bit
converter. What is exact, and kept as evidence, is in `slot_sums`; figures of a finished window of
samples are better from `window_quantities` and `cycle_spectrum`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp._mains_stream import MainsCore, variants
from spotcheck_dsp.decimation_filter import (
    DecimationFilter,
    HalvingFilter,
    halving_filter,
    quartering_filter,
)
from spotcheck_dsp.harmonics.cycle_resampling import HIGHEST_SHARE_OF_RATE, ResamplingKernel
from spotcheck_dsp.harmonics.cycle_spectrum import HIGHEST_ORDER, CycleSpectrum, highest_order
from spotcheck_dsp.mains_tracking import HIGHEST_HZ, LOWEST_HZ, coarse_frequency_hz
from spotcheck_dsp.slot_sums import LARGEST_CODE

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

WAVEFORM_KERNELS = tuple(variants())
"""What this processor can run, the fastest first; they agree within rounding."""
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 4e3, 200e3
MOST_PHASES = 4
STEPS_PER_CYCLE = 160
"""Values a cycle that a window is resampled to."""
_LANES = 8
_LEAST_ANALYSIS_HZ = 10_000.0
_LEAST_TRACK_HZ = 2_400.0
_BAND_HZ = 3_400.0
"""Order 51 at 65 Hz, and a little."""
_TRACK_BAND_HZ = 80.0
_LEAKAGE = 1e-6
_LEAST_BETA = 19.5
_SEGMENTS = 64
_SERIES_TERMS = 24
_KEPT_S = 1.2
"""Twelve cycles at 40 Hz, twelve more until they are known, a piece, and what filters reach."""
_SEARCH_S = 0.3
_MOST_AT_ONCE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSpectrum:
    """The spectrum of ten or twelve whole cycles of a stream."""

    start_sample: float
    """Where the cycles begin, in samples since sample 0."""
    end_sample: float
    """Where they end and the next ones begin."""
    spectrum: CycleSpectrum
    """RMS phasors of the bins, in codes; phase 0 for a cosine at the middle of the cycles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamStep:
    """What a block of samples completed."""

    instants: Array
    """(n,) instants of the phasors, two cycles apart, in samples since sample 0."""
    phasors: Complex
    """(n, channels) RMS phasors of the fundamental in codes; cosine phase at the instant."""
    spectra: tuple[StreamSpectrum, ...]
    """Of the cycles that ended, without gaps."""


class MainsStream:
    """Takes blocks of any size; what it gives does not depend on how they were cut."""

    def __init__(
        self, *, phases: int, sample_rate_hz: float, cycles: int = 10, reference_phase: int = 1,
        with_spectra: bool = True, kernel: str = WAVEFORM_KERNELS[0],
    ) -> None:  # fmt: skip
        """Start before sample 0.

        Args:
            phases: 1 to 4; channels are interleaved u1, i1, u2, i2, …
            sample_rate_hz: 4 to 200 kS/s.
            cycles: 10 in 50 Hz systems, 12 in 60 Hz systems (IEC 61000-4-7).
            reference_phase: The phase whose voltage is tracked.
            with_spectra: Whether spectra are wanted; without them a step is quicker.
            kernel: One of `WAVEFORM_KERNELS`.

        Raises:
            ValueError: an argument is out of range.
        """
        _refuse_arguments(phases, sample_rate_hz, cycles, reference_phase)
        if kernel not in WAVEFORM_KERNELS:
            raise ValueError(
                f"kernel is {kernel!r}; this processor runs {', '.join(WAVEFORM_KERNELS)}"
            )
        self._channels, self._cycles, self._with_spectra = 2 * phases, cycles, with_spectra
        self._rate_hz, self._reference = sample_rate_hz, 2 * (reference_phase - 1)
        self._analysis = _to_analysis(sample_rate_hz) if with_spectra else []
        analysis_hz = sample_rate_hz / 2 ** len(self._analysis)
        track = _to_track(analysis_hz)
        self._track_hz = analysis_hz / math.prod(stage.by for stage in track)
        if not with_spectra:
            analysis_hz = self._track_hz
        filters: list[DecimationFilter] = [*self._analysis, *track]
        self._core = MainsCore(
            WAVEFORM_KERNELS.index(kernel),
            self._channels,
            [(stage.coefficients().tolist(), stage.by) for stage in filters],
            len(self._analysis) if with_spectra else len(filters),
            int(_KEPT_S * analysis_hz),
            int(_KEPT_S * self._track_hz),
        )
        self._search_from, self._locked = 0, False
        self._step = 2 ** len(self._analysis)
        self._delay = sum((f.taps - 1) / 2 * 2**k for k, f in enumerate(self._analysis))
        self._kernel, taps = _kernel(analysis_hz)
        self._table = _table(self._kernel, taps)
        self._values = _aligned((STEPS_PER_CYCLE * cycles, _LANES))
        self._transformed = _aligned(self._values.shape)
        self._turns = _turns(len(self._values))
        self._highest = min(HIGHEST_SHARE_OF_RATE, _BAND_HZ / analysis_hz)
        self._inverse = _inverse_response(self._kernel, self._analysis, self._highest)
        self._inverse *= np.sqrt(2.0) / len(self._values)

    @property
    def frequency_hz(self) -> float | None:
        """Frequency at the newest phasor; None before the mains were found, or after an outage."""
        return self._core.tracked[0] * self._rate_hz if self._locked else None

    @property
    def drift_hz_per_s(self) -> float | None:
        """Rate of change of the frequency over the last second."""
        return self._core.tracked[1] * self._rate_hz**2 if self._locked else None

    def add(self, codes: NDArray[np.int32]) -> StreamStep:
        """Phasors and spectra that a block completes.

        Args:
            codes: (samples, 2·phases) int32.

        Raises:
            ValueError: wrong shape or type, or a code beyond ±2²³; the block leaves no trace.
        """
        if codes.ndim != 2 or codes.shape[1] != self._channels or codes.dtype != np.int32:
            raise ValueError(
                f"codes are {codes.dtype} {codes.shape}; expected int32 (n, {self._channels})"
            )
        if codes.size and (codes.max() > LARGEST_CODE or codes.min() < -LARGEST_CODE):
            raise ValueError("a code lies beyond ±2²³; the front end delivers 24 bits")
        return self.add_checked(np.ascontiguousarray(codes))

    def add_checked(self, codes: NDArray[np.int32]) -> StreamStep:
        """As `add`, for codes that `SlotAccumulator.add` has taken: it has checked them.

        Args:
            codes: (samples, 2·phases) int32, C-contiguous.
        """
        piece = int(_MOST_AT_ONCE_S * self._rate_hz)
        if len(codes) <= piece:
            return self._add_piece(codes)
        return _joined([self._add_piece(codes[k : k + piece]) for k in range(0, len(codes), piece)])

    def _add_piece(self, codes: NDArray[np.int32]) -> StreamStep:
        self._core.add(codes)
        step = self._follow()
        # Mains that are lost may be found again further on in the same piece.
        while not self._locked and (another := self._follow()) is not None:
            step = another if step is None else _joined([step, another])
        if step is None:
            return StreamStep(
                instants=np.empty(0), phasors=np.empty((0, self._channels), complex), spectra=()
            )
        return step

    def _follow(self) -> StreamStep | None:
        """What the mains give as far as they have come; None where there are none yet."""
        core = self._core
        if not self._locked:
            self._locked = self._search()
        if not self._locked:
            return None
        core.follow()
        spectra = tuple(self._spectra()) if self._with_spectra else ()
        instants, phasors = core.take_phasors()
        if core.lost:
            self._locked, self._search_from = False, core.next_frame
        return StreamStep(instants=instants, phasors=phasors, spectra=spectra)

    def _search(self) -> bool:
        """Lock to the strongest frequency from where it was lost, where there is one."""
        core, count = self._core, int(_SEARCH_S * self._track_hz)
        first, end = core.track_frames
        begin = max(first, self._search_from)
        while end - begin >= count:
            values = core.track_values(self._reference, begin, count)
            rough_hz = coarse_frequency_hz(values, self._track_hz) if np.any(values) else 0.0
            if LOWEST_HZ < rough_hz < HIGHEST_HZ:
                limits = LOWEST_HZ / self._rate_hz, HIGHEST_HZ / self._rate_hz
                core.lock(self._reference, rough_hz / self._rate_hz, *limits, begin)
                return True
            begin = self._search_from = begin + count
        return False

    def _spectra(self) -> Iterator[StreamSpectrum]:
        while (window := self._core.next_window(self._cycles)) is not None:
            yield self._spectrum(*window)

    def _spectrum(self, begin: float, middle: float, end: float) -> StreamSpectrum:
        count = len(self._values)
        # The instant of step k is a parabola through begin, middle and end.
        bend = 2 * (begin + end - 2 * middle) / count**2
        step = (end - begin) / count - count * bend
        self._core.resample(
            (begin - self._delay) / self._step, step / self._step, bend / self._step,
            self._table, self._values,
        )  # fmt: skip
        frequency_hz = self._cycles * self._rate_hz / (end - begin)
        orders = highest_order(self._rate_hz, frequency_hz)
        phasors = np.empty((self._channels, (orders + 1) * self._cycles), np.complex128)
        self._core.spectrum_bins(
            self._values, self._turns, self._step / (end - begin), self._inverse, self._highest,
            self._transformed, phasors,
        )  # fmt: skip
        return StreamSpectrum(
            start_sample=begin,
            end_sample=end,
            spectrum=CycleSpectrum(cycles=self._cycles, orders=orders, phasors=phasors),
        )


def _joined(steps: list[StreamStep]) -> StreamStep:
    return StreamStep(
        instants=np.concatenate([step.instants for step in steps]),
        phasors=np.concatenate([step.phasors for step in steps]),
        spectra=tuple(spectrum for step in steps for spectrum in step.spectra),
    )


def _refuse_arguments(
    phases: int, sample_rate_hz: float, cycles: int, reference_phase: int
) -> None:
    if not 1 <= phases <= MOST_PHASES:
        raise ValueError(f"phases is {phases}; 1 to {MOST_PHASES} are possible")
    if not LOWEST_RATE_HZ <= sample_rate_hz <= HIGHEST_RATE_HZ:
        raise ValueError(f"sample_rate_hz is {sample_rate_hz:g}; 4,000 to 200,000 is possible")
    if cycles not in (10, 12):
        raise ValueError(f"cycles is {cycles}; IEC 61000-4-7 has 10 or 12 of them")
    if not 1 <= reference_phase <= phases:
        raise ValueError(f"reference_phase is {reference_phase}; there are {phases} phases")


def _inverse_response(
    kernel: ResamplingKernel, analysis: list[HalvingFilter], highest: float
) -> Array:
    """One over the response of all filters before the transform, as a Chebyshev series.

    Args:
        kernel: Resamples the analysis.
        analysis: Filters before it, the first at the rate of the samples.
        highest: End of the series, in cycles per frame of the analysis; the series runs over
            (frequency / highest)².
    """
    points = np.cos(np.pi * (np.arange(_SERIES_TERMS) + 0.5) / _SERIES_TERMS)
    frequency = highest * np.sqrt((points + 1) / 2)
    response = kernel.response(frequency)
    for k, stage in enumerate(reversed(analysis)):
        response *= stage.response(frequency / 2 ** (k + 1))
    turns = np.outer(np.arange(_SERIES_TERMS), np.arccos(points))
    series: Array = np.cos(turns) @ (2 / (_SERIES_TERMS * response))
    series[0] /= 2
    return series


def _to_analysis(sample_rate_hz: float) -> list[HalvingFilter]:
    """Filters to the lowest rate that carries the harmonics."""
    filters: list[HalvingFilter] = []
    rate_hz = sample_rate_hz
    while rate_hz / 2 >= _LEAST_ANALYSIS_HZ:
        filters.append(halving_filter(_BAND_HZ, rate_hz, _LEAKAGE))
        rate_hz /= 2
    return filters


def _to_track(rate_hz: float) -> list[DecimationFilter]:
    """Filters from a rate to the lowest that carries the fundamental."""
    filters: list[DecimationFilter] = []
    while rate_hz / 2 >= _LEAST_TRACK_HZ:
        make = quartering_filter if rate_hz / 4 >= _LEAST_TRACK_HZ else halving_filter
        filters.append(make(_TRACK_BAND_HZ, rate_hz, _LEAKAGE))
        rate_hz /= filters[-1].by
    return filters


def _kernel(analysis_hz: float) -> tuple[ResamplingKernel, int]:
    """The shortest kernel in whole vectors of taps whose stop band is deep enough.

    Its distances are in frames of the analysis. What 160 values a cycle alias onto order 50 and
    below lies from order 109 on, of 45 Hz at least; what the frames themselves repeat, from 0.6 of
    their rate on.
    """
    stop = min(
        (STEPS_PER_CYCLE - HIGHEST_ORDER - 1) * 45.0 / analysis_hz, 1 - HIGHEST_SHARE_OF_RATE
    )
    taps = _LANES
    while 2 * np.pi * (taps / 2) * stop < _LEAST_BETA:
        taps += _LANES
    return ResamplingKernel(half_width_steps=taps / 2, beta=2 * np.pi * (taps / 2) * stop), taps


def _table(kernel: ResamplingKernel, taps: int) -> Array:
    """(segments, 4, taps) cubics through the kernel at Chebyshev's points of each segment."""
    points = np.cos(np.pi * (np.arange(4) + 0.5) / 4) / 2
    powers = np.vander(points, 4, increasing=True)
    fractions = (np.arange(_SEGMENTS)[:, None] + 0.5 + points) / _SEGMENTS
    distances = np.arange(taps) - taps / 2 + 1 - fractions[:, :, None]
    table: Array = np.ascontiguousarray(np.linalg.solve(powers[None], kernel.weight(distances)))
    return table


def _aligned(shape: tuple[int, int]) -> Array:
    """Zeros that begin where a line of the cache does."""
    room = np.zeros(shape[0] * shape[1] + _LANES)
    skipped = -room.ctypes.data % 64 // room.itemsize
    return room[skipped : skipped + shape[0] * shape[1]].reshape(shape)


def _turns(count: int) -> Array:
    """(2·count,) cosine and −sine of n/count of a turn, one after the other."""
    angles = 2 * np.pi * np.arange(count) / count
    return np.stack([np.cos(angles), -np.sin(angles)], axis=1).ravel()
