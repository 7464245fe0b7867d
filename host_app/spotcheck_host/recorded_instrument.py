"""A recording that an instrument made, corrected by that instrument's correction set."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import CorrectionSetError, RecordingError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_recording.recording import (
    Block,
    Channel,
    Quantity,
    Recording,
    RecordingFacts,
    Rows,
    Segment,
    StreamedRecording,
)

Array = NDArray[np.float64]

LARGEST_FRACTION = 1e-3
"""A value is taken for a scaled code when it lies this near to one."""


class CorrectedRecording(StreamedRecording):
    """A recording whose values are converter codes, or codes scaled by the correction set.

    Gain and offset make volts and amperes of the codes; skew and phase lag, a delay both, become
    the channel's skew; sampling rate and times are the set's.
    """

    def __init__(
        self,
        recording: Recording,
        correction: CorrectionSet,
        voltage_range: str | None,
        current_range: str | None,
        *,
        holds_codes: bool = False,
    ) -> None:
        """Find the corrections of each channel.

        Args:
            recording: What was recorded.
            correction: The correction set of the instrument that recorded.
            voltage_range: Range of the voltages; may be left out where the set has but one.
            current_range: Range or clamp of the currents; likewise.
            holds_codes: Whether values are codes (WAV, FLAC) rather than volts and amperes.

        Raises:
            CorrectionSetError: a range is not in the set, or which one it is was not said.
        """
        self.correction = correction
        self._clock_factor = 1 + correction.sample_rate_relative_error.value
        self._begin_s = recording.segments[0].start_s
        voltages = {entry.range_name for entry in correction.voltages}
        currents = {entry.range_name for entry in correction.currents}
        self.stream = StreamFormat(
            sample_rate_hz=round(max(s.sample_rate_hz for s in recording.segments)),
            phases=len(recording.channels) // 2,
            voltage_range=_range("voltage", voltage_range, voltages),
            current_range=_range("current", current_range, currents),
        )
        notes = recording.notes
        if correction.demonstration:
            notes = (*notes, "the correction set is a demonstration's")
        facts = RecordingFacts(
            path=recording.path,
            format_name=f"{recording.format_name}, corrected by {correction.certificate}",
            channels=tuple(replace(c, skew_s=self._skew_s(c)) for c in recording.channels),
            segments=self._true_segments(recording.segments),
            notes=notes,
        )
        super().__init__(facts, _CorrectedRows(recording, correction, self.stream, holds_codes))

    def _skew_s(self, channel: Channel) -> float:
        if channel.quantity is Quantity.VOLTAGE:
            return 0.0
        entry = self.correction.current(channel.phase, self.stream)
        lag_s = entry.phase_lag_rad.value / (2 * np.pi * self.correction.nominal_frequency_hz)
        # A current that appears late was, in truth, taken earlier.
        return -float(entry.skew_s.value + lag_s)

    def _true_segments(self, segments: tuple[Segment, ...]) -> tuple[Segment, ...]:
        """Runs at the true sampling rate, from true times on."""
        starts_s = self.true_times_s(np.array([s.start_s for s in segments]))
        return tuple(
            replace(s, sample_rate_hz=s.sample_rate_hz * self._clock_factor, start_s=float(start_s))
            for s, start_s in zip(segments, starts_s, strict=True)
        )

    def true_times_s(self, times_s: Array) -> Array:
        """True times of times that the instrument's own sample clock counted."""
        true: Array = self._begin_s + (times_s - self._begin_s) / self._clock_factor
        return true


class _CorrectedRows:
    """Rows in V and A by a correction set."""

    def __init__(
        self, recording: Recording, correction: CorrectionSet, stream: StreamFormat,
        holds_codes: bool,
    ) -> None:  # fmt: skip
        self._recording = recording
        self._holds_codes = holds_codes
        self._through = (
            f"{correction.certificate} in ranges {stream.voltage_range} and {stream.current_range}"
        )
        gains, offsets = [], []
        for channel in recording.channels:
            if channel.quantity is Quantity.VOLTAGE:
                voltage = correction.voltage(channel.phase, stream)
                gains.append(voltage.gain_v_per_code.value)
                offsets.append(voltage.offset_codes.value)
            else:
                current = correction.current(channel.phase, stream)
                gains.append(current.gain_a_per_code.value)
                offsets.append(current.offset_codes.value)
        self._gains, self._offsets = np.array(gains), np.array(offsets)

    def rows(self, first_sample: int, end_sample: int) -> Iterator[Rows]:
        """Yield (number of the first row, values).

        Raises:
            RecordingError: values are no codes that this set scaled.
        """
        for block in self._recording.blocks(first_sample, end_sample):
            yield block.first_sample, self._corrected(block)

    def _corrected(self, block: Block) -> Array:
        values = block.values
        codes = values if self._holds_codes else values / self._gains + self._offsets
        whole = np.rint(codes)
        off = np.abs(codes - whole) > LARGEST_FRACTION
        if np.any(off):
            row, channel = (int(k) for k in np.argwhere(off)[0])
            name = self._recording.channels[channel].name
            code = f"{codes[row, channel]:.4f}"
            raise RecordingError(
                f"{self._recording.path}: {name} at sample {block.first_sample + row} is {code} "
                f"codes, no whole number: these values were not recorded through {self._through}. "
                "Name the ranges, or state the reference with --reference-uncertainty-percent"
            )
        corrected: Array = (whole - self._offsets) * self._gains
        return corrected

    def close(self) -> None:
        """Close the file."""
        self._recording.close()


def _range(kind: str, asked: str | None, known: set[str]) -> str:
    names = ", ".join(sorted(known))
    if asked is None and len(known) == 1:
        return next(iter(known))
    if asked is None:
        raise CorrectionSetError(
            f"the correction set has several {kind} ranges ({names}); "
            f"say which was in use with --{kind}-range"
        )
    if asked not in known:
        raise CorrectionSetError(
            f"the correction set has no {kind} range {asked!r}; it has {names}"
        )
    return asked
