"""Measures a recording: quantities over a window, and register readings at a meter's pulses.

A recording of any length is read once, in pieces of a second that overlap by what the kernel
needs; the pieces tile the window exactly.

Only samples inside the window are used, edges included. Where channels have skews, samples beyond
it are read too, as many as the values at the window's own instants are interpolated from; where
the run of samples has none there, the window is narrowed.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_calibration.pulse_energy import EnergiesAtPulses
from spotcheck_dsp.channel_alignment import REACH, aligned_between, missing_samples
from spotcheck_dsp.edge_window import HALF_WIDTH_CYCLES, STOPBAND_KERNEL, Kernel, candidate_kernels
from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.mains_fit import LOWEST_HZ, MainsFit, fit_mains
from spotcheck_dsp.measured_window import (
    FEWEST_READINGS,
    RegisterReadings,
    Unsteadiness,
    register_readings,
    steadier,
    unsteadiness,
)
from spotcheck_dsp.window_quantities import (
    Edge,
    WindowQuantities,
    WindowSums,
    integral_over_samples,
    piece_sums,
    window_edges,
)
from spotcheck_host.recorded_window import Window
from spotcheck_recording.recording import Recording

Array = NDArray[np.float64]

PIECE_S = 1.0
LONGEST_WHOLE_S = 4.0
"""Windows up to this length are one piece, all of whose samples are used."""
UNSTEADY_SHARE = 0.1
"""A channel whose RMS over a cycle changes by more than this part is not steady."""
_SLACK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMeasurement:
    """What a window came to."""

    window: Window
    """The window that was measured: what was asked for, as far as all channels reach."""
    kernel: Kernel
    """What smoothed its ends."""
    quantities: WindowQuantities
    """What was there."""
    unsteadiness: Unsteadiness | None
    """How steady the means are; none where the window is too short to tell."""
    pulses_s: Array
    """(n,) times of the pulses whose energies could be read."""
    energies: EnergiesAtPulses
    """Register readings at those pulses, total of the phases."""
    pulses_outside: int
    """Pulses too near to either end of the window, or beyond."""
    unsteady: tuple["Unsteady", ...]
    """Channels that changed much within the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsteady:
    """A channel whose RMS over single cycles changed much within the window."""

    channel: str
    """u1, i1 and so on."""
    smallest: float
    """Smallest RMS over a cycle, V or A."""
    largest: float
    """Largest."""


def measure(
    recording: Recording,
    window: Window,
    *,
    pulses_s: Array | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> RecordedMeasurement:
    """Measure a window of a recording.

    Args:
        recording: The recording, with channels u1, i1, u2, i2, ….
        window: Which part of it.
        pulses_s: (n,) rising times of the meter's pulses, in the recording's time.
        progress: Told the part that is done, 0 to 1.

    Raises:
        RecordingError: the window is too short, or holds no mains voltage.
    """
    window = _reached_by_all(recording, window)
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _Measurement(recording, window, pulses_s).run(progress)
    except ValueError as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(f"{recording.path}, {window.times}: {error}") from error


def _delays_samples(recording: Recording, window: Window) -> Array:
    skews_s = np.array([channel.skew_s for channel in recording.channels])
    delays: Array = skews_s * window.segment.sample_rate_hz
    return delays


def _reached_by_all(recording: Recording, window: Window) -> Window:
    """The window without the instants at which not every channel has samples on both sides.

    Raises:
        RecordingError: nothing is left.
    """
    before, after = missing_samples(_delays_samples(recording, window))
    segment = window.segment
    first = max(window.first_sample, segment.first_sample + before)
    end = min(window.end_sample, segment.end_sample - after)
    if end <= first:
        raise RecordingError(
            f"{recording.path}, {window.times}: the skews of the channels, {max(before, after)} "
            f"samples, leave nothing of the window; check the skews, or choose another window"
        )
    return replace(window, first_sample=first, end_sample=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Aligned samples around one piece."""

    begin: int
    end: int
    first_sample: int
    values: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """What one of the kernels makes of the window; which to trust is known at its end."""

    kernel: Kernel
    sums: WindowSums
    readings: list[RegisterReadings] = field(default_factory=list)
    ends: list[Edge] = field(default_factory=list)

    def take(self, piece: _Piece, edges: tuple[Edge, Edge], mains: MainsFit) -> None:
        """Measure a piece from where the one before ended."""
        both = (self.ends[-1] if self.ends else edges[0], edges[1])
        span = (piece.begin, piece.end)
        self.sums.add(piece_sums(piece.values, piece.first_sample, both, self.kernel, mains, span))
        self.readings.append(register_readings(piece.values, piece.first_sample, both, self.kernel))
        self.ends.append(edges[1])

    def unsteadiness(self) -> Unsteadiness | None:
        count = 1 + sum(len(piece.samples) - 1 for piece in self.readings)
        return unsteadiness(self.readings) if count >= FEWEST_READINGS else None


class _Measurement:
    """One pass over a window."""

    def __init__(self, recording: Recording, window: Window, pulses_s: Array | None) -> None:
        self._recording = recording
        self._window = window
        self._rate = window.segment.sample_rate_hz
        self._delays = _delays_samples(recording, window)
        self._times_s = np.zeros(0) if pulses_s is None else pulses_s
        self._stamps = window.sample_at(self._times_s)
        self._candidates: list[_Candidate] = []
        self._voltage = 0
        self._smoothed: list[Array] = []
        self._rippled: list[Array] = []
        self._used = np.zeros(len(self._stamps), bool)
        self._energy_before_j = 0.0
        self._first_increment_j: float | None = None
        self._smallest = np.full(len(self._delays), np.inf)
        self._largest = np.zeros(len(self._delays))

    def run(self, progress: Callable[[float], None]) -> RecordedMeasurement:
        window = self._window
        for piece in self._pieces():
            try:
                self._take(piece)
            except ValueError as error:
                if isinstance(error, RecordingError):
                    raise
                part = replace(window, first_sample=piece.begin, end_sample=piece.end)
                where = f"{self._recording.path}, {part.times}"
                raise RecordingError(f"{where}: {error}") from error
            progress((piece.end - window.first_sample) / (window.end_sample - window.first_sample))
        found = [candidate.unsteadiness() for candidate in self._candidates]
        best = steadier(found)
        chosen = self._candidates[best]
        quantities = chosen.sums.quantities()
        if not np.all(np.isfinite(quantities.rms_u_v * quantities.rms_i_a)):
            raise ValueError("the values are too large to be squared; check units and scales")
        return RecordedMeasurement(
            window=window,
            kernel=chosen.kernel,
            quantities=quantities,
            unsteadiness=found[best],
            pulses_s=self._times_s[self._used],
            energies=EnergiesAtPulses(
                smoothed_j=np.concatenate([np.zeros(0), *self._smoothed]),
                with_ripple_j=np.concatenate([np.zeros(0), *self._rippled]),
            ),
            pulses_outside=int(np.sum(~self._used)),
            unsteady=self._unsteady(),
        )

    def _take(self, piece: _Piece) -> None:
        """Measure a piece from where the one before ended."""
        mains = self._fit(piece)
        for candidate in self._candidates:
            candidate.take(piece, self._edges(piece, mains, candidate.kernel), mains)
        self._read_pulses(piece, mains)
        self._watch(piece, mains)

    def _fit(self, piece: _Piece) -> MainsFit:
        if not self._candidates:
            squares = np.mean(piece.values[:, ::2] ** 2, axis=0)
            self._voltage = int(np.argmax(squares))
        voltage = piece.values[:, 2 * self._voltage]
        mains = fit_mains(voltage, piece.first_sample, self._rate)
        if not self._candidates:
            cycles = self._window.duration_s * mains.frequency_hz
            self._candidates = [
                _Candidate(kernel=kernel, sums=WindowSums(self._voltage))
                for kernel in candidate_kernels(cycles)
            ]
        return mains

    def _edges(self, piece: _Piece, mains: MainsFit, kernel: Kernel) -> tuple[Edge, Edge]:
        """Where a piece begins and ends; at the window's ends the kernel just fits in."""
        low = Edge(sample=piece.begin, cycle_samples=mains.cycle_samples(piece.begin))
        high = Edge(sample=piece.end, cycle_samples=mains.cycle_samples(piece.end))
        is_first = piece.begin == self._window.first_sample
        is_last = piece.end == self._window.end_sample
        if is_first or is_last:
            # The piece's samples end where the window does; beyond them its fit knows nothing.
            end_sample = piece.first_sample + len(piece.values)
            outer = window_edges(piece.first_sample, end_sample, mains, kernel)
            low, high = outer[0] if is_first else low, outer[1] if is_last else high
        return low, high

    def _watch(self, piece: _Piece, mains: MainsFit) -> None:
        """Remember the smallest and the largest RMS over a cycle of each channel."""
        inner = slice(piece.begin - piece.first_sample, piece.end - piece.first_sample)
        cycle = int(np.rint(mains.cycle_samples(piece.begin)))
        whole = piece.values[inner]
        count = len(whole) // cycle
        if count:
            squares = whole[: count * cycle].reshape(count, cycle, -1) ** 2
            levels = np.sqrt(squares.mean(axis=1))
            self._smallest = np.minimum(self._smallest, levels.min(axis=0))
            self._largest = np.maximum(self._largest, levels.max(axis=0))

    def _unsteady(self) -> tuple[Unsteady, ...]:
        return tuple(
            Unsteady(channel=channel.name, smallest=float(low), largest=float(high))
            for channel, low, high in zip(
                self._recording.channels, self._smallest, self._largest, strict=True
            )
            if high - low > UNSTEADY_SHARE * high
        )

    def _read_pulses(self, piece: _Piece, mains: MainsFit) -> None:
        """Energies at the pulses of a piece; the register goes on from piece to piece."""
        if not self._stamps.size:
            return
        power = np.sum(piece.values[:, ::2] * piece.values[:, 1::2], axis=1)
        register = EnergyRegister(first_slot=piece.first_sample, slot_length=1, columns=1)
        increments_j = integral_over_samples(power) / self._rate
        if self._first_increment_j is not None:
            # The piece before knew this sample's neighbours on both sides.
            increments_j[0] = self._first_increment_j
        register.extend(increments_j[:, None])
        # The frequency drifts one way within a piece: its longest cycle is at one of the ends.
        cycle = max(mains.cycle_samples(piece.begin), mains.cycle_samples(piece.end))
        margin = HALF_WIDTH_CYCLES * cycle * 1.01 + 3
        low = max(piece.begin, self._window.first_sample + margin)
        high = min(piece.end, self._window.end_sample - 1 - margin)
        here = (self._stamps >= low) & (self._stamps < high)
        stamps = self._stamps[here]
        cycles = np.array([mains.cycle_samples(float(stamp)) for stamp in stamps])
        # An empty reading has no longest cycle.
        smoothed = register.read(stamps, cycles)[:, 0] if stamps.size else np.zeros(0)
        self._smoothed.append(self._energy_before_j + smoothed)
        self._rippled.append(self._energy_before_j + register.read_unfiltered(stamps)[:, 0])
        self._used |= here
        kept = max(0, self._next_first(piece) - piece.first_sample)
        self._energy_before_j += float(np.sum(increments_j[:kept]))
        self._first_increment_j = float(increments_j[kept]) if kept < len(increments_j) else None

    def _next_first(self, piece: _Piece) -> int:
        return max(self._window.first_sample, piece.end - self._margin)

    @property
    def _margin(self) -> int:
        """Samples beyond a piece's ends: half the widest kernel at the lowest frequency."""
        half_s = STOPBAND_KERNEL.half_width_cycles / LOWEST_HZ
        return round((half_s + _SLACK_S) * self._rate)

    def _pieces(self) -> Iterator[_Piece]:
        window, rate = self._window, self._rate
        count = window.end_sample - window.first_sample
        pieces = max(1, round(count / (PIECE_S * rate)))
        if count <= LONGEST_WHOLE_S * rate:
            pieces = 1
        bounds = [window.first_sample + count * k // pieces for k in range(pieces + 1)]
        margin = self._margin
        lowest, highest = self._readable()
        guard = REACH + max(missing_samples(self._delays))
        reader = _Reader(self._recording, lowest, highest)
        for begin, end in itertools.pairwise(bounds):
            first = max(window.first_sample, begin - margin)
            last = min(window.end_sample, end + margin)
            start = max(lowest, first - guard)
            values = reader.read(start, min(highest, last + guard))
            values = aligned_between(values, self._delays, first - start, last - start)
            yield _Piece(begin=begin, end=end, first_sample=first, values=values)

    def _readable(self) -> tuple[int, int]:
        """First sample, and the sample after the last, from which the window is interpolated."""
        window, segment = self._window, self._window.segment
        if not np.any(self._delays):
            return window.first_sample, window.end_sample
        before, after = missing_samples(self._delays)
        return (
            max(segment.first_sample, window.first_sample - before - REACH),
            min(segment.end_sample, window.end_sample + after + REACH),
        )


class _Reader:
    """Overlapping stretches out of blocks that come one after another."""

    def __init__(self, recording: Recording, first_sample: int, end_sample: int) -> None:
        self._blocks = recording.blocks(first_sample, end_sample)
        self._held = np.zeros((0, len(recording.channels)))
        self._first = first_sample

    def read(self, first_sample: int, end_sample: int) -> Array:
        """(end − first, channels); stretches must not begin before the one before."""
        self._held = self._held[first_sample - self._first :]
        self._first = first_sample
        parts = [self._held]
        have = self._first + len(self._held)
        while have < end_sample:
            block = next(self._blocks)
            parts.append(block.values)
            have += len(block.values)
        self._held = np.concatenate(parts)
        return self._held[: end_sample - first_sample]
