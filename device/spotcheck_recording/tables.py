"""Recordings in tables (CSV and Parquet): a column time_s and a column for each channel."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import ChannelMap, MappedChannel, resolve
from spotcheck_recording.recording import (
    Channel,
    Quantity,
    Recording,
    RecordingFacts,
    Rows,
    Segment,
    SourceChannel,
    StreamedRecording,
    checked_rate,
    with_stated_rate,
)
from spotcheck_recording.time_axis import TimeChunk, TimeColumn, find_segments

TIME_COLUMN = "time_s"
"""Name of the column with the times, s."""

_PHYSICAL = re.compile(r"(u[123]_v|i[123]_a)")


class Table(Protocol):
    """A file of columns that is streamed anew in each pass."""

    @property
    def path(self) -> Path:
        """The file."""

    @property
    def format_name(self) -> str:
        """Format for people."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in the file's order."""

    def batches(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Yield finite numbers of these 0-based columns, shape (rows, columns), rows > 0."""

    def time_chunks(self, column: int) -> Iterator[TimeChunk]:
        """Yield a column of times with their resolution."""

    def where(self, row: int) -> str:
        """Name a 0-based row for people, such as "line 12"."""


def table_channels(table: Table) -> tuple[SourceChannel, ...]:
    """Return the columns other than time_s; the unit is known of u1_v, i1_a and so on."""
    return tuple(
        _source(name, number)
        for number, name in enumerate(table.columns, start=1)
        if name != TIME_COLUMN
    )


def open_table(
    table: Table, *, channel_map: ChannelMap | None, sample_rate_hz: float | None
) -> Recording:
    """Open a recording in a table; its times are checked now.

    Args:
        table: The file.
        channel_map: Which column is which; None if they are named u1_v, i1_a and so on.
        sample_rate_hz: Rate that a person states: of a table without time_s, or within 1 % of
            the rate of its times.

    Raises:
        RecordingError: times or values are no equidistant, finite samples.
        RecordingChannelError: it is not certain which column is which.
    """
    mapped = resolve(table.path, table_channels(table), channel_map, scale_without_unit=False)
    rows = _TableRows(table, mapped)
    segments, notes = _segments(table, rows, sample_rate_hz)
    channels = tuple(
        Channel(source=m.source, quantity=m.quantity, phase=m.phase, skew_s=0.0) for m in mapped
    )
    facts = RecordingFacts(
        path=table.path,
        format_name=table.format_name,
        channels=channels,
        segments=segments,
        notes=notes,
    )
    return StreamedRecording(facts, rows)


class _TableRows:
    """Rows of the mapped columns in V and A."""

    def __init__(self, table: Table, mapped: tuple[MappedChannel, ...]) -> None:
        self._table = table
        self._indices = [channel.source.number - 1 for channel in mapped]
        self._factor = np.array([channel.factor for channel in mapped])

    def count(self) -> int:
        """Count the rows of the file."""
        return sum(len(values) for values in self._table.batches(self._indices))

    def rows(self, first_sample: int, end_sample: int) -> Iterator[Rows]:
        row = 0
        for values in self._table.batches(self._indices):
            begin, end = max(first_sample - row, 0), min(end_sample - row, len(values))
            if begin < end:
                yield row + begin, values[begin:end] * self._factor
            row += len(values)
            if row >= end_sample:
                return
        raise RecordingError(
            f"{self._table.path}: ended after {row} rows, but had more when it was opened; "
            f"it was changed meanwhile, open it again"
        )

    def close(self) -> None:
        """Nothing stays open between passes."""


def _source(name: str, number: int) -> SourceChannel:
    quantity = None
    if _PHYSICAL.fullmatch(name):
        quantity = Quantity.VOLTAGE if name.startswith("u") else Quantity.CURRENT
    return SourceChannel(
        key=name,
        number=number,
        unit=quantity.value if quantity else "",
        phase_label="",
        quantity=quantity,
    )


def _segments(
    table: Table, rows: _TableRows, sample_rate_hz: float | None
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    times = [index for index, name in enumerate(table.columns) if name == TIME_COLUMN]
    if len(times) > 1:
        raise RecordingError(
            f"{table.path}: has {len(times)} columns {TIME_COLUMN}; leave one of them"
        )
    if times:
        column = TimeColumn(
            path=table.path, chunks=lambda: table.time_chunks(times[0]), where=table.where
        )
        segments, notes = find_segments(column)
        return with_stated_rate(table.path, segments, sample_rate_hz), notes
    if sample_rate_hz is None:
        raise RecordingError(
            f"{table.path}: has no column {TIME_COLUMN}; add one with the time of each sample in "
            f"seconds, or state the sampling rate"
        )
    count = rows.count()
    if not count:
        raise RecordingError(f"{table.path}: holds no samples; record again")
    segment = Segment(
        index=0,
        first_sample=0,
        sample_count=count,
        sample_rate_hz=checked_rate(table.path, sample_rate_hz),
        start_s=0.0,
    )
    return (segment,), (f"the file has no times; {sample_rate_hz:g} S/s were stated",)
