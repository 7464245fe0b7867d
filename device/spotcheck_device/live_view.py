"""What is there at this moment, for display: quantities, waveforms, harmonics. Sans-IO, clockless.

Nothing of it enters a reading; a reading's quantities come from its own evidence.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.load import Conditions
from spotcheck.plain import to_plain
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_dsp.edge_window import HALF_WIDTH_CYCLES
from spotcheck_dsp.harmonics.four_cycle_harmonics import channel_harmonics
from spotcheck_dsp.slot_sums import UU, Slots
from spotcheck_wire import host_messages as wire

LOOK_S = 0.5
"""Quantities are means over so much."""
OVERLOAD_S = 1.0
"""An overload is shown for so long."""
RECENT_S = 0.25
"""Codes that are kept: four cycles of the slowest mains, and the wait for a zero of U1."""
TRACE_CYCLES = 2
HIGHEST_ORDER = 50
SMALLEST_VOLTAGE_V = 5.0
"""Less is no mains: a tenth of the lowest nominal voltage, 57.7 V, is more."""
LARGEST_DISTORTION_PERCENT = 200.0
"""What is more distorted than this is another signal than mains between 40 and 70 Hz."""
WAITING = "waiting for samples"
NO_STREAM = "no samples"

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]
_NO_HARMONICS: Complex = np.empty((0, 0), np.complex128)


def view_without_stream() -> wire.LiveView:
    """The picture while there is no stream that can be used."""
    return _view(
        _Curves(), sample=0, state=NO_STREAM, conditions=None, obstacle=WAITING, overload=False
    )


class RecentCodes:
    """The newest codes of a stream, at least so many once they have come; nothing spans a gap."""

    def __init__(self, channels: int, count: int) -> None:
        """Nothing has come yet.

        Args:
            channels: Interleaved channels.
            count: Samples to keep.
        """
        self._count = count
        # Twice as long as needed: the kept part moves to the front once per `count` samples.
        self._buffer: NDArray[np.int32] = np.empty((2 * count, channels), np.int32)
        self._filled = 0
        self._next_sample: int | None = None

    def add(self, block: SampleBlock) -> None:
        """Add the next block; one that does not follow begins anew."""
        if block.first_sample != self._next_sample:
            self._filled = 0
        self._next_sample = block.end_sample
        codes = np.frombuffer(block.codes, "<i4").reshape(-1, block.channels)[-self._count :]
        if self._filled + len(codes) > len(self._buffer):
            kept = self._buffer[self._filled - (self._count - len(codes)) : self._filled]
            self._buffer[: len(kept)] = kept
            self._filled = len(kept)
        self._buffer[self._filled : self._filled + len(codes)] = codes
        self._filled += len(codes)

    def clear(self) -> None:
        """Forget what has come."""
        self._filled = 0

    def newest(self) -> NDArray[np.int32]:
        """(n, channels) codes, n at most the count: a view that holds until the next block."""
        return self._buffer[max(0, self._filled - self._count) : self._filled]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curves:
    """Traces and harmonics, ready to be sent."""

    trace_interval_s: float = 0.0
    trace_points: int = 0
    traces: bytes = b""
    harmonic_orders: int = 0
    harmonics: bytes = b""


class LiveViewer:
    """Makes pictures of one stream."""

    def __init__(self, stream: StreamFormat, correction: CorrectionSet) -> None:
        """Nothing has been seen yet.

        Args:
            stream: Rate, phases and ranges.
            correction: The instrument's correction set.

        Raises:
            CorrectionSetError: a range of the stream was not calibrated.
        """
        self._stream, self._correction = stream, correction
        phases = range(1, stream.phases + 1)
        pairs = [(correction.voltage(p, stream), correction.current(p, stream)) for p in phases]
        self._gain = np.array(
            [x.value for u, i in pairs for x in (u.gain_v_per_code, i.gain_a_per_code)]
        )
        self._offset = np.array([x.offset_codes.value for pair in pairs for x in pair])
        self._rate_hz = stream.sample_rate_hz * (1 + correction.sample_rate_relative_error.value)
        self._recent = RecentCodes(stream.channels, round(RECENT_S * stream.sample_rate_hz))

    def add_block(self, block: SampleBlock) -> None:
        """Take the next samples."""
        self._recent.add(block)

    def lose_source(self) -> None:
        """What has come so far is no longer what is there."""
        self._recent.clear()

    def picture(self, session: MeasuringSession, points: int) -> wire.LiveView:
        """What is there now.

        Args:
            session: The session on the same stream.
            points: Most points of a trace.
        """
        values = (self._recent.newest() - self._offset) * self._gain
        conditions, obstacle = None, WAITING
        if len(values):
            conditions, obstacle = self._conditions(session)
        return _view(
            self._curves(values, conditions, points),
            sample=session.end_sample,
            state=session.state.value,
            conditions=conditions,
            obstacle=obstacle,
            overload=session.overloaded_within(OVERLOAD_S),
        )

    def _conditions(self, session: MeasuringSession) -> tuple[Conditions | None, str]:
        """The quantities, or why there are none."""
        slot_length = session.slot_length
        first_slot, slots = session.recent_slots(LOOK_S)
        if not len(slots):
            return None, WAITING
        if absent := self._no_voltage(slots, slot_length):
            return None, absent
        try:
            load = CorrectedLoad(
                slots,
                first_slot=first_slot,
                slot_length=slot_length,
                stream=self._stream,
                correction=self._correction,
            )
            conditions = load.conditions(*load.readable_samples)
        except ValueError:  # the stream has only just begun
            return None, WAITING
        strongest = max(conditions.phases, key=lambda phase: phase.u_v)
        if strongest.thd_u_percent > LARGEST_DISTORTION_PERCENT:
            return None, f"no mains between 40 and 70 Hz in a voltage of {strongest.u_v:.1f} V"
        return conditions, ""

    def _no_voltage(self, slots: Slots, slot_length: int) -> str:
        """All voltages in words, where none is there; empty where one is."""
        u_v = np.sqrt(slots[:, :, UU].mean(axis=0) / slot_length) * self._gain[::2]
        if u_v.max() >= SMALLEST_VOLTAGE_V:
            return ""
        return ", ".join(f"U{phase} is {value:.1f} V" for phase, value in enumerate(u_v, 1))

    def _curves(self, values: Array, conditions: Conditions | None, points: int) -> _Curves:
        nominal_hz = self._correction.nominal_frequency_hz
        cycle = self._rate_hz / (conditions.frequency_hz if conditions else nominal_hz)
        found = self._harmonics(values, cycle) if conditions else _NO_HARMONICS
        count = int(TRACE_CYCLES * cycle) + 1
        start = max(0, len(values) - count)
        if conditions and found.size and conditions.phases[0].u_v >= SMALLEST_VOLTAGE_V:
            middle = len(values) - (_record_length(cycle) + 1) / 2
            latest = len(values) - 1 - TRACE_CYCLES * cycle
            start = _rising_zero(float(np.angle(found[0, 0])), middle, cycle, latest)
        stride = -(-count // points)
        traces = values[start : start + count : stride].T
        return _Curves(
            trace_interval_s=stride / self._rate_hz if traces.size else 0.0,
            trace_points=traces.shape[1],
            traces=traces.astype("<f4").tobytes(),
            harmonic_orders=found.shape[1],
            harmonics=np.abs(found).astype("<f4").tobytes(),
        )

    @staticmethod
    def _harmonics(values: Array, cycle: float) -> Complex:
        """(channels, orders) phasors about the middle of the newest four cycles."""
        record = values[-_record_length(cycle) :]
        if len(record) < _record_length(cycle):
            return _NO_HARMONICS
        return channel_harmonics(record, cycle, min(HIGHEST_ORDER, math.ceil(cycle / 2) - 1))


def _record_length(cycle: float) -> int:
    """Samples that the window over four cycles needs."""
    return math.ceil(2 * HALF_WIDTH_CYCLES * cycle) + 1


def _rising_zero(phase_rad: float, middle: float, cycle: float, latest: float) -> int:
    """Sample nearest to the last rising zero, before `latest`, of a cosine with a phase there."""
    zero = middle - (phase_rad / (2 * np.pi) + 0.25) * cycle
    return round(zero + math.floor((latest - zero) / cycle) * cycle)


def _view(
    curves: _Curves, *, sample: int, state: str, conditions: Conditions | None, obstacle: str,
    overload: bool,
) -> wire.LiveView:  # fmt: skip
    return wire.LiveView(
        sample=sample,
        state=state,
        conditions=to_plain(conditions) if conditions else {},
        obstacle=obstacle,
        overload=overload,
        trace_interval_s=curves.trace_interval_s,
        trace_points=curves.trace_points,
        traces=curves.traces,
        harmonic_orders=curves.harmonic_orders,
        harmonics=curves.harmonics,
    )
