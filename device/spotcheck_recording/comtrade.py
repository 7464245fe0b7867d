"""COMTRADE recordings (IEC 60255-24:2013 / IEEE C37.111; revisions 1991, 1999 and 2013).

A value is (a·x + b) in the channel's unit, on the side that PS says or, converted by the
transformer's factors, on the other. Sample n of a channel was taken at t_n + skew.
"""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from spotcheck.errors import RecordingChannelError, RecordingError
from spotcheck_recording.channel_map import ChannelMap, MappedChannel, resolve
from spotcheck_recording.comtrade_ascii import AsciiRecords
from spotcheck_recording.comtrade_cfg import AnalogChannel, DataType, Side
from spotcheck_recording.comtrade_data import (
    MISSING_STAMP,
    BinaryRecords,
    RecordReader,
    Records,
)
from spotcheck_recording.comtrade_files import ComtradeFiles, find_files, read_configuration
from spotcheck_recording.recording import (
    Channel,
    Recording,
    RecordingFacts,
    Rows,
    Segment,
    SourceChannel,
    StreamedRecording,
    with_stated_rate,
)
from spotcheck_recording.time_axis import TimeChunk, TimeColumn, find_segments

STAMP_TOLERANCE = 1e-4
"""Stamps that tell another rate than the header by more are worth a note."""
RATE_FROM_HEADER, RATE_FROM_STAMPS = "header", "stamps"


def list_comtrade_channels(path: Path) -> tuple[SourceChannel, ...]:
    """Return the analogue channels of a .cfg, .dat or .cff file.

    Raises:
        RecordingError: the configuration is missing or malformed.
    """
    return tuple(channel.source for channel in read_configuration(path).analog)


def open_comtrade(
    path: Path,
    *,
    channel_map: ChannelMap | None = None,
    side: str = "recorded",
    sample_rate_hz: float | None = None,
    rate_from: str = RATE_FROM_HEADER,
) -> Recording:
    """Open a COMTRADE recording; all record numbers and stamps are checked now.

    Args:
        path: Its .cfg, .dat or .cff file.
        channel_map: Which channel is which; None if phases say it without doubt.
        side: "recorded", "primary" or "secondary" side of the instrument transformers.
        sample_rate_hz: Rate that a person states, within 1 % of the file's.
        rate_from: "header", or "stamps" for the mean rate of each segment by its time stamps.

    Raises:
        RecordingError: the files are malformed or contradict each other.
        RecordingChannelError: it is not certain which channel is which.
    """
    files = find_files(path)
    analog = files.configuration.analog
    sources = [channel.source for channel in analog]
    mapped = resolve(path, sources, channel_map, scale_without_unit=True)
    wanted = _side(path, side)
    factors = [
        channel.factor * _side_factor(path, _checked_gain(path, analog, channel), wanted)
        for channel in mapped
    ]
    reader = _open_records(files)
    try:
        segments, notes = _segments(files, reader, by_stamps=rate_from == RATE_FROM_STAMPS)
        segments = with_stated_rate(path, segments, sample_rate_hz)
    except RecordingError:
        reader.close()
        raise
    facts = RecordingFacts(
        path=path,
        format_name=f"COMTRADE {files.configuration.revision} "
        f"{files.configuration.data_type.value}",
        channels=tuple(_channel(analog, channel) for channel in mapped),
        segments=segments,
        notes=_side_notes(analog, mapped, wanted) + notes,
    )
    return StreamedRecording(facts, _ComtradeRows(files, reader, mapped, factors))


class _ComtradeRows:
    """Rows of the mapped channels in V and A."""

    def __init__(
        self,
        files: ComtradeFiles,
        reader: RecordReader,
        mapped: tuple[MappedChannel, ...],
        factors: list[float],
    ) -> None:
        analog = files.configuration.analog
        self._reader = reader
        self._indices = [channel.source.number - 1 for channel in mapped]
        self._gain = np.array([analog[index].gain for index in self._indices])
        self._offset = np.array([analog[index].offset for index in self._indices])
        self._factor = np.array(factors)

    def rows(self, first_sample: int, end_sample: int) -> Iterator[Rows]:
        for records in self._reader.records(first_sample, end_sample, self._indices):
            values = (records.counts * self._gain + self._offset) * self._factor
            yield records.first_sample, values

    def close(self) -> None:
        self._reader.close()


def _open_records(files: ComtradeFiles) -> RecordReader:
    kind = AsciiRecords if files.configuration.data_type is DataType.ASCII else BinaryRecords
    try:
        file = files.data_path.open("rb")
    except OSError as error:
        raise RecordingError(
            f"{files.data_path}: cannot be read: {error}; check the file"
        ) from error
    try:
        return kind(files, file)
    except RecordingError:
        file.close()
        raise


def _channel(analog: tuple[AnalogChannel, ...], mapped: MappedChannel) -> Channel:
    return Channel(
        source=mapped.source,
        quantity=mapped.quantity,
        phase=mapped.phase,
        skew_s=analog[mapped.source.number - 1].skew_s,
    )


def _checked_gain(
    path: Path, analog: tuple[AnalogChannel, ...], mapped: MappedChannel
) -> AnalogChannel:
    channel = analog[mapped.source.number - 1]
    if channel.gain == 0:
        raise RecordingChannelError(
            f"{path}: a of channel {mapped.source.number} ({mapped.source.key}) is 0, so that it "
            f"holds no waveform; map another channel"
        )
    return channel


def _side(path: Path, side: str) -> Side:
    try:
        return Side(side)
    except ValueError:
        raise RecordingError(
            f"{path}: the side {side!r} is not known; say recorded, primary or secondary"
        ) from None


def _side_factor(path: Path, channel: AnalogChannel, wanted: Side) -> float:
    """Return the factor that converts values of a channel to the wanted side."""
    if wanted in (Side.RECORDED, channel.recorded_side):
        return 1.0
    source = channel.source
    if channel.primary is None or channel.secondary is None:
        raise RecordingError(
            f"{path}: channel {source.number} ({source.key}) has no transformer factors (files of "
            f"1991 have none); use the recorded side and give the ratio with --scale"
        )
    if channel.primary <= 0 or channel.secondary <= 0:
        raise RecordingError(
            f"{path}: channel {source.number} ({source.key}) has the transformer factors "
            f"{channel.primary:g} and {channel.secondary:g}; use the recorded side and give the "
            f"ratio with --scale"
        )
    ratio = channel.primary / channel.secondary
    return ratio if wanted is Side.PRIMARY else 1.0 / ratio


def _side_notes(
    analog: tuple[AnalogChannel, ...], mapped: tuple[MappedChannel, ...], wanted: Side
) -> tuple[str, ...]:
    if wanted is not Side.RECORDED:
        return (f"values are those of the {wanted.value} side",)
    sides = {analog[channel.source.number - 1].recorded_side for channel in mapped}
    if len(sides) > 1:
        return ("some channels hold values of the primary, others of the secondary side",)
    side = sides.pop()
    return () if side is None else (f"values are as recorded: those of the {side.value} side",)


def _checked_records(files: ComtradeFiles, reader: RecordReader) -> Iterator[Records]:
    """Read numbers and stamps of the whole file; numbers must rise by 1."""
    last = None
    for records in reader.records(0, files.configuration.sample_count, []):
        numbers = records.numbers
        before = numbers[0] - 1 if last is None else last
        steps = np.diff(numbers, prepend=before)
        if (steps != 1).any():
            row = int((steps != 1).argmax())
            raise RecordingError(
                f"{files.data_path}, {reader.where(records.first_sample + row)}: sample "
                f"{records.first_sample + row + 1} is numbered {numbers[row]} after "
                f"{numbers[row] - steps[row]}; samples are lost or the file is damaged, "
                f"copy it again"
            )
        last = int(numbers[-1])
        yield records


def _segments(
    files: ComtradeFiles, reader: RecordReader, *, by_stamps: bool
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    if files.configuration.fixed_rates:
        segments, notes = _segments_by_rates(files, reader, by_stamps=by_stamps)
        return segments, notes
    column = TimeColumn(
        path=files.data_path,
        chunks=lambda: _stamp_times(files, reader),
        where=reader.where,
    )
    return find_segments(column)


def _stamp_times(files: ComtradeFiles, reader: RecordReader) -> Iterator[TimeChunk]:
    """Times since the first stamp, for files without stated rates."""
    binary = files.configuration.data_type is not DataType.ASCII
    unit_s = files.configuration.stamp_unit_s
    last, elapsed = None, 0
    for records in _checked_records(files, reader):
        stamps = records.stamps
        missing = stamps == MISSING_STAMP
        if missing.any():
            sample = records.first_sample + int(missing.argmax())
            raise RecordingError(
                f"{files.data_path}, {reader.where(sample)}: sample {sample + 1} has no time "
                f"stamp, and the configuration states no rate; state the sampling rate there"
            )
        steps = np.diff(stamps, prepend=stamps[0] if last is None else last)
        if binary:
            # Stamps of 32 bits start again at 0.
            steps = (steps + 2**31) % 2**32 - 2**31
        times = elapsed + np.cumsum(steps)
        last, elapsed = int(stamps[-1]), int(times[-1])
        yield TimeChunk(times_s=times * unit_s, resolution_s=unit_s)


def _segments_by_rates(
    files: ComtradeFiles, reader: RecordReader, *, by_stamps: bool
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """One segment for each stated rate, placed by its first stamp."""
    rates = files.configuration.rates
    bounds = [0, *(end for _, end in rates)]
    wanted = {sample for first, end in pairwise(bounds) for sample in (first, end - 1)}
    stamps = _stamps_at(files, reader, wanted)
    unit_s = files.configuration.stamp_unit_s
    ordered = [stamps[sample] for sample in sorted(wanted)]
    usable = MISSING_STAMP not in ordered and all(a < b for a, b in pairwise(ordered))
    segments: list[Segment] = []
    if by_stamps and not usable:
        raise RecordingError(
            f"{files.data_path}: time stamps are missing or go back; the rate can only be taken "
            f"from the header"
        )
    notes = [] if usable else ["time stamps are missing or go back; the header's rates alone count"]
    start_s = 0.0
    for index, (rate_hz, end) in enumerate(rates):
        first, count, rate = bounds[index], end - bounds[index], rate_hz
        if usable:
            start_s = (stamps[first] - stamps[0]) * unit_s
            span_s = (stamps[end - 1] - stamps[first]) * unit_s
            if _rates_differ(rate_hz, count, span_s, unit_s):
                by_stamps_hz = (count - 1) / span_s
                used = "stamps' mean" if by_stamps else "header's"
                notes.append(
                    f"segment {index + 1}: the time stamps say {by_stamps_hz:.6g} S/s on average, "
                    f"the header {rate_hz:.6g} S/s; the {used} rate is used"
                )
                rate = by_stamps_hz if by_stamps else rate_hz
        segments.append(
            Segment(
                index=index,
                first_sample=first,
                sample_count=count,
                sample_rate_hz=rate,
                start_s=start_s,
            )
        )
        start_s += count / rate
    return tuple(segments), tuple(notes)


def _stamps_at(files: ComtradeFiles, reader: RecordReader, wanted: set[int]) -> dict[int, int]:
    ahead = sorted(wanted, reverse=True)
    found: dict[int, int] = {}
    for records in _checked_records(files, reader):
        end = records.first_sample + len(records.stamps)
        while ahead and ahead[-1] < end:
            sample = ahead.pop()
            found[sample] = int(records.stamps[sample - records.first_sample])
    return found


def _rates_differ(rate_hz: float, count: int, span_s: float, unit_s: float) -> bool:
    """Whether stamps and header tell rates that differ by more than the stamps' resolution."""
    difference_s = span_s - (count - 1) / rate_hz
    return count > 1 and abs(difference_s) > max(STAMP_TOLERANCE * span_s, 2 * unit_s)
