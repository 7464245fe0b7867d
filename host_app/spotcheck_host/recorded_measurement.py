"""Measures a recording: quantities over a window, and register readings at a meter's pulses.

A recording of any length is read once, in pieces of a second that overlap by what the kernel
needs; the pieces tile the window exactly.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_calibration.pulse_energy import EnergiesAtPulses
from spotcheck_dsp.channel_alignment import REACH, aligned
from spotcheck_dsp.edge_window import (
    HALF_WIDTH_CYCLES,
    EdgeKernel,
    longest_kernel,
)
from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.mains_fit import LOWEST_HZ, MainsFit, fit_mains
from spotcheck_dsp.window_quantities import (
    Edge,
    PieceSums,
    WindowQuantities,
    combine_pieces,
    integral_over_samples,
    piece_sums,
    window_edges,
)
from spotcheck_recording.recording import Recording, Segment

Array = NDArray[np.float64]

PIECE_S = 1.0
LONGEST_WHOLE_S = 4.0
"""Windows up to this length are one piece, all of whose samples are used."""
UNSTEADY_SHARE = 0.1
"""A channel whose RMS over a cycle changes by more than this part is not steady."""
_SLACK_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What of a recording is measured."""

    segment: Segment
    """The run of equidistant samples that it lies in."""
    first_sample: int
    """Its first sample."""
    end_sample: int
    """The sample after its last."""

    @property
    def start_s(self) -> float:
        """Recording's time of its first sample."""
        rate = self.segment.sample_rate_hz
        return self.segment.start_s + (self.first_sample - self.segment.first_sample) / rate

    @property
    def duration_s(self) -> float:
        """Its length."""
        return (self.end_sample - self.first_sample) / self.segment.sample_rate_hz

    def sample_at(self, time_s: Array) -> Array:
        """Instants in samples of times of the recording."""
        samples: Array = (
            self.segment.first_sample
            + (time_s - self.segment.start_s) * self.segment.sample_rate_hz
        )
        return samples


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMeasurement:
    """What a window came to."""

    window: Window
    """The window."""
    kernel: EdgeKernel
    """What smoothed its ends."""
    quantities: WindowQuantities
    """What was there."""
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


def choose_window(recording: Recording, start_s: float | None, duration_s: float | None) -> Window:
    """The window that a person asks for; without, the longest run that resolves the mains.

    Raises:
        RecordingError: it lies outside the recording, or spans a gap or a change of rate.
    """
    for option, value in (("--start", start_s), ("--duration", duration_s)):
        if value is not None and not np.isfinite(value):
            raise RecordingError(f"{option} {value} is no time; give seconds")
    segment = _segment(recording, start_s)
    rate = segment.sample_rate_hz
    offset = 0 if start_s is None else int(np.ceil((start_s - segment.start_s) * rate - 1e-6))
    left = segment.sample_count - offset
    wanted = left if duration_s is None else float(np.rint(duration_s * rate))
    if wanted > left:
        begin, end = segment.start_s, segment.start_s + segment.sample_count / rate
        raise RecordingError(
            f"{recording.path}: the window leaves the run of equidistant samples from "
            f"{begin:.6g} s to {end:.6g} s at {rate:g} S/s; nothing is measured across a gap or a "
            f"change of rate. Give --start and --duration within it"
        )
    count = int(wanted)
    if count < 1:
        raise RecordingError(f"{recording.path}: the window has no samples; give a --duration")
    first = segment.first_sample + offset
    return Window(segment=segment, first_sample=first, end_sample=first + count)


def _segment(recording: Recording, start_s: float | None) -> Segment:
    if start_s is None:
        usable = [s for s in recording.segments if s.sample_rate_hz >= 10 * LOWEST_HZ]
        return max(usable or recording.segments, key=lambda s: s.sample_count)
    for segment in recording.segments:
        step = 1 / segment.sample_rate_hz
        end_s = segment.start_s + segment.sample_count * step
        if segment.start_s - step / 2 <= start_s < end_s:
            return segment
    runs = ", ".join(
        f"{s.start_s:.6g} to {s.start_s + s.sample_count / s.sample_rate_hz:.6g} s"
        for s in recording.segments[:8]
    )
    raise RecordingError(
        f"{recording.path}: there are no samples at {start_s:g} s; the recording has {runs}"
    )


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
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            return _Measurement(recording, window, pulses_s).run(progress)
    except ValueError as error:
        if isinstance(error, RecordingError):
            raise
        raise RecordingError(
            f"{recording.path}, {window.start_s:.6g} s to "
            f"{window.start_s + window.duration_s:.6g} s: {error}"
        ) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """Aligned samples around one piece."""

    begin: int
    end: int
    first_sample: int
    values: Array


class _Measurement:
    """One pass over a window."""

    def __init__(self, recording: Recording, window: Window, pulses_s: Array | None) -> None:
        self._recording = recording
        self._window = window
        self._rate = window.segment.sample_rate_hz
        skews = np.array([channel.skew_s for channel in recording.channels])
        self._delays = skews * self._rate
        self._times_s = np.zeros(0) if pulses_s is None else pulses_s
        self._stamps = window.sample_at(self._times_s)
        self._kernel = longest_kernel(1e9)
        self._voltage = 0
        self._sums: list[PieceSums] = []
        self._smoothed: list[Array] = []
        self._rippled: list[Array] = []
        self._used = np.zeros(len(self._stamps), bool)
        self._energy_before_j = 0.0
        self._first_increment_j: float | None = None
        self._smallest = np.full(len(skews), np.inf)
        self._largest = np.zeros(len(skews))

    def run(self, progress: Callable[[float], None]) -> RecordedMeasurement:
        window = self._window
        begin: Edge | None = None
        for piece in self._pieces():
            mains = self._fit(piece)
            low, high = self._edges(piece, mains)
            begin = begin or low
            self._sums.append(
                piece_sums(
                    piece.values,
                    piece.first_sample,
                    (begin, high),
                    self._kernel,
                    mains,
                    (piece.begin, piece.end),
                )
            )
            self._read_pulses(piece, mains)
            self._watch(piece, mains)
            begin = high
            progress((piece.end - window.first_sample) / (window.end_sample - window.first_sample))
        quantities = combine_pieces(self._sums, self._voltage)
        if not np.all(np.isfinite(quantities.rms_u_v * quantities.rms_i_a)):
            raise ValueError("the values are too large to be squared; check units and scales")
        return RecordedMeasurement(
            window=window,
            kernel=self._kernel,
            quantities=quantities,
            pulses_s=self._times_s[self._used],
            energies=EnergiesAtPulses(
                smoothed_j=np.concatenate([np.zeros(0), *self._smoothed]),
                with_ripple_j=np.concatenate([np.zeros(0), *self._rippled]),
            ),
            pulses_outside=int(np.sum(~self._used)),
            unsteady=self._unsteady(),
        )

    def _fit(self, piece: _Piece) -> MainsFit:
        if not self._sums:
            squares = np.mean(piece.values[:, ::2] ** 2, axis=0)
            self._voltage = int(np.argmax(squares))
        voltage = piece.values[:, 2 * self._voltage]
        mains = fit_mains(voltage, piece.first_sample, self._rate)
        if not self._sums:
            cycles = self._window.duration_s * mains.frequency_hz
            self._kernel = longest_kernel(cycles)
        return mains

    def _edges(self, piece: _Piece, mains: MainsFit) -> tuple[Edge, Edge]:
        """Where a piece begins and ends; at the window's ends the kernel just fits in."""
        window = self._window
        low, high = window_edges(window.first_sample, window.end_sample, mains, self._kernel)
        if piece.begin > window.first_sample:
            low = Edge(sample=piece.begin, cycle_samples=mains.cycle_samples(piece.begin))
        if piece.end < window.end_sample:
            high = Edge(sample=piece.end, cycle_samples=mains.cycle_samples(piece.end))
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
        cycle = mains.cycle_samples((piece.begin + piece.end) / 2)
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
        half_s = self._kernel.half_width_cycles / LOWEST_HZ
        return round((half_s + _SLACK_S) * self._rate)

    def _pieces(self) -> Iterator[_Piece]:
        window, rate = self._window, self._rate
        count = window.end_sample - window.first_sample
        pieces = max(1, round(count / (PIECE_S * rate)))
        if count <= LONGEST_WHOLE_S * rate:
            pieces = 1
        bounds = [window.first_sample + count * k // pieces for k in range(pieces + 1)]
        margin = self._margin
        guard = REACH + int(np.max(np.abs(self._delays), initial=0.0)) + 1
        reader = _Reader(self._recording, window)
        for begin, end in itertools.pairwise(bounds):
            first = max(window.first_sample, begin - margin)
            last = min(window.end_sample, end + margin)
            from_sample = max(window.first_sample, first - guard)
            values = reader.read(from_sample, min(window.end_sample, last + guard))
            values = aligned(values, self._delays)[first - from_sample :][: last - first]
            yield _Piece(begin=begin, end=end, first_sample=first, values=values)


class _Reader:
    """Overlapping stretches out of blocks that come one after another."""

    def __init__(self, recording: Recording, window: Window) -> None:
        self._blocks = recording.blocks(window.first_sample, window.end_sample)
        self._held = np.zeros((0, len(recording.channels)))
        self._first = window.first_sample

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
