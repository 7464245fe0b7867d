"""A recording that an instrument made, corrected by that instrument's correction set."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import CorrectionSetError, RecordingError
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_recording.recording import Block, Channel, Quantity, Recording, Segment

LARGEST_FRACTION = 1e-3
"""A value is taken for a scaled code when it lies this near to one."""


class CorrectedRecording:
    """A recording whose values are converter codes, or codes scaled by the correction set.

    Gain and offset make volts and amperes of the codes; skew and phase lag, a delay both, become
    the channel's skew; the sampling rate is the set's.
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
        self._recording = recording
        self._holds_codes = holds_codes
        self.correction = correction
        voltages = {entry.range_name for entry in correction.voltages}
        currents = {entry.range_name for entry in correction.currents}
        self.stream = StreamFormat(
            sample_rate_hz=round(max(s.sample_rate_hz for s in recording.segments)),
            phases=len(recording.channels) // 2,
            voltage_range=_range("voltage", voltage_range, voltages),
            current_range=_range("current", current_range, currents),
        )
        entries = [
            correction.voltage(c.phase, self.stream).gain_v_per_code
            if c.quantity is Quantity.VOLTAGE
            else correction.current(c.phase, self.stream).gain_a_per_code
            for c in recording.channels
        ]
        offsets = [
            correction.voltage(c.phase, self.stream).offset_codes
            if c.quantity is Quantity.VOLTAGE
            else correction.current(c.phase, self.stream).offset_codes
            for c in recording.channels
        ]
        self._gains = np.array([entry.value for entry in entries])
        self._offsets = np.array([entry.value for entry in offsets])

    @property
    def path(self) -> Path:
        """The file."""
        return self._recording.path

    @property
    def format_name(self) -> str:
        """Format for people."""
        return f"{self._recording.format_name}, corrected by {self.correction.certificate}"

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels with the set's delays."""
        return tuple(replace(c, skew_s=self._skew_s(c)) for c in self._recording.channels)

    def _skew_s(self, channel: Channel) -> float:
        if channel.quantity is Quantity.VOLTAGE:
            return 0.0
        entry = self.correction.current(channel.phase, self.stream)
        lag_s = entry.phase_lag_rad.value / (2 * np.pi * self.correction.nominal_frequency_hz)
        # A current that appears late was, in truth, taken earlier.
        return -float(entry.skew_s.value + lag_s)

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Runs at the true sampling rate, from true times on."""
        factor = 1 + self.correction.sample_rate_relative_error.value
        starts_s = self.true_times_s(np.array([s.start_s for s in self._recording.segments]))
        return tuple(
            replace(s, sample_rate_hz=s.sample_rate_hz * factor, start_s=float(start_s))
            for s, start_s in zip(self._recording.segments, starts_s, strict=True)
        )

    def true_times_s(self, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """True times of times that the instrument's own sample clock counted."""
        start_s = self._recording.segments[0].start_s
        factor = 1 + self.correction.sample_rate_relative_error.value
        true: NDArray[np.float64] = start_s + (times_s - start_s) / factor
        return true

    @property
    def sample_count(self) -> int:
        """Samples per channel."""
        return self._recording.sample_count

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know."""
        if not self.correction.demonstration:
            return self._recording.notes
        return (*self._recording.notes, "the correction set is a demonstration's")

    def blocks(self, first_sample: int = 0, end_sample: int | None = None) -> Iterator[Block]:
        """Values in V and A by the correction set.

        Raises:
            RecordingError: values are no codes that this set scaled.
        """
        for block in self._recording.blocks(first_sample, end_sample):
            yield replace(block, values=self._corrected(block))

    def _corrected(self, block: Block) -> NDArray[np.float64]:
        values = block.values
        codes = values if self._holds_codes else values / self._gains + self._offsets
        whole = np.rint(codes)
        off = np.abs(codes - whole) > LARGEST_FRACTION
        if np.any(off):
            row, channel = (int(k) for k in np.argwhere(off)[0])
            name = self.channels[channel].name
            code = f"{codes[row, channel]:.4f}"
            raise RecordingError(
                f"{self.path}: {name} at sample {block.first_sample + row} is {code} "
                f"codes, no whole number: these values were not recorded through "
                f"{self.correction.certificate} in ranges {self.stream.voltage_range} and "
                f"{self.stream.current_range}. Name the ranges, or state the reference with "
                "--reference-uncertainty-percent"
            )
        corrected: NDArray[np.float64] = (whole - self._offsets) * self._gains
        return corrected

    def close(self) -> None:
        """Close the file."""
        self._recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


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
