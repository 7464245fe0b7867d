"""What every recording of waveforms looks like, whatever its file format."""

import enum
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError

MAX_BLOCK_SAMPLES = 65_536
"""A block never holds more samples per channel, so that memory stays bounded."""

STATED_RATE_TOLERANCE = 0.01
"""A rate that a person states replaces rates of the file within this relative distance."""

Rows = tuple[int, NDArray[np.float64]]
"""Number of the first row, and values of shape (rows, channels)."""


class Quantity(enum.Enum):
    """What a channel measures; the value is its SI unit."""

    VOLTAGE = "V"
    CURRENT = "A"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceChannel:
    """A channel as the file describes it, before anybody says what it is for."""

    key: str
    """How a person names it: column name, COMTRADE ch_id, or "1" in WAV and FLAC."""
    number: int
    """1-based position in the file."""
    unit: str
    """Unit as the file says it; "" if it says none."""
    phase_label: str
    """COMTRADE's phase identification; "" elsewhere."""
    quantity: Quantity | None
    """What the unit makes it; None if the unit is unknown or neither V nor A."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel of the file in its place in the measurement."""

    source: SourceChannel
    """The channel of the file."""
    quantity: Quantity
    """Voltage or current."""
    phase: int
    """1, 2 or 3."""
    skew_s: float
    """Sample n of this channel was taken at t_n + skew_s (IEC 60255-24:2013, field skew)."""

    @property
    def name(self) -> str:
        """u1, i1, u2 and so on."""
        return f"{'u' if self.quantity is Quantity.VOLTAGE else 'i'}{self.phase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Equidistant samples without a gap."""

    index: int
    """0-based position among the recording's segments."""
    first_sample: int
    """Number of its first sample within the whole file, from 0."""
    sample_count: int
    """Samples per channel."""
    sample_rate_hz: float
    """Samples per second and channel."""
    start_s: float
    """The recording's time of its first sample, by the file's time column or stamps."""

    @property
    def end_sample(self) -> int:
        """Number of the sample after its last."""
        return self.first_sample + self.sample_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Consecutive samples of one segment."""

    segment: Segment
    """The segment that they belong to."""
    first_sample: int
    """Number of the first of them within the whole file, from 0."""
    values: NDArray[np.float64]
    """Shape (samples, channels), in V and A, channels in the recording's order."""


class Recording(Protocol):
    """An open recording; a context manager that closes its file."""

    @property
    def path(self) -> Path:
        """The file that was opened."""

    @property
    def format_name(self) -> str:
        """Format for people, such as "COMTRADE 1999 BINARY"."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Order of the columns: u1, i1[, u2, i2, u3, i3]."""

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in the file's order."""

    @property
    def sample_count(self) -> int:
        """Samples per channel in the whole file."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about this file."""

    def blocks(self, first_sample: int = 0, end_sample: int | None = None) -> Iterator[Block]:
        """Stream samples first_sample to end_sample (exclusive; None is the file's end).

        Yields:
            Blocks of at most `MAX_BLOCK_SAMPLES`, never across segments.

        Raises:
            RecordingError: a sample is missing or is no number, or the range is outside.
        """

    def close(self) -> None:
        """Close the file."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFacts:
    """What is known of a recording once it is open."""

    path: Path
    """The file that was opened."""
    format_name: str
    """Format for people."""
    channels: tuple[Channel, ...]
    """Columns of the blocks."""
    segments: tuple[Segment, ...]
    """All segments."""
    notes: tuple[str, ...]
    """What a person should know."""


class RowSource(Protocol):
    """Delivers rows of the chosen channels in V and A, as they come from the file."""

    def rows(self, first_sample: int, end_sample: int) -> Iterator[Rows]:
        """Yield (number of the first row, values of shape (rows, channels)), without gaps."""

    def close(self) -> None:
        """Close the file."""


class StreamedRecording:
    """The `Recording` of every format: facts, and rows cut into blocks."""

    def __init__(self, facts: RecordingFacts, source: RowSource) -> None:
        self._facts = facts
        self._source = source

    @property
    def path(self) -> Path:
        """The file that was opened."""
        return self._facts.path

    @property
    def format_name(self) -> str:
        """Format for people."""
        return self._facts.format_name

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Columns of the blocks."""
        return self._facts.channels

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All segments in the file's order."""
        return self._facts.segments

    @property
    def sample_count(self) -> int:
        """Samples per channel in the whole file."""
        return self._facts.segments[-1].end_sample

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about this file."""
        return self._facts.notes

    def blocks(self, first_sample: int = 0, end_sample: int | None = None) -> Iterator[Block]:
        """Stream a range of samples; see `Recording.blocks`."""
        end = self.sample_count if end_sample is None else end_sample
        if not 0 <= first_sample <= end <= self.sample_count:
            raise RecordingError(
                f"{self.path}: samples {first_sample} to {end} are outside the recording, "
                f"which has {self.sample_count}; choose a range within it"
            )
        return cut_into_blocks(self._source.rows(first_sample, end), self.segments)

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def cut_into_blocks(rows: Iterator[Rows], segments: Sequence[Segment]) -> Iterator[Block]:
    """Cut rows as they come at the segments' ends and at `MAX_BLOCK_SAMPLES`."""
    starts = [segment.first_sample for segment in segments]
    for first, values in rows:
        done = 0
        while done < len(values):
            segment = segments[bisect_right(starts, first + done) - 1]
            stop = min(done + MAX_BLOCK_SAMPLES, segment.end_sample - first, len(values))
            yield Block(segment=segment, first_sample=first + done, values=values[done:stop])
            done = stop


def with_stated_rate(
    path: Path, segments: tuple[Segment, ...], sample_rate_hz: float | None
) -> tuple[Segment, ...]:
    """Replace the rates that lie within 1 % of the rate that a person states.

    Raises:
        RecordingError: the stated rate is no rate, or no segment is near it.
    """
    if sample_rate_hz is None:
        return segments
    stated = checked_rate(path, sample_rate_hz)
    replaced = tuple(
        replace(segment, sample_rate_hz=stated)
        if abs(segment.sample_rate_hz / stated - 1) <= STATED_RATE_TOLERANCE
        else segment
        for segment in segments
    )
    if all(segment.sample_rate_hz != stated for segment in replaced):
        rates = ", ".join(f"{rate:g}" for rate in sorted({s.sample_rate_hz for s in segments})[:10])
        raise RecordingError(
            f"{path}: {stated:g} S/s was stated, but the file says {rates} S/s, more than 1 % "
            f"away; state the rate of this file or leave it out"
        )
    return replaced


def checked_rate(path: Path, sample_rate_hz: float) -> float:
    """Return a stated rate in S/s, or say what is wrong with it."""
    if not 0 < sample_rate_hz < 1e12:
        raise RecordingError(
            f"{path}: a sampling rate of {sample_rate_hz} S/s was stated; "
            f"state a positive number of samples per second"
        )
    return float(sample_rate_hz)
