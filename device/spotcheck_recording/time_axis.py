"""From a streamed column of times to equidistant segments and their rates.

A first pass finds segments and the least-squares line of times over index (slope of a straight
line, e.g. JCGM 100:2008, H.3.3). A second pass takes the roundest rate that explains every stamp
to within its printed resolution: a file of "0.000078", "0.000156" was sampled at 12800 S/s, not
at the 12820 S/s of its first interval.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.recording import Segment

GAP_INTERVALS = 1.5
"""A longer step between two samples begins a new segment."""
JITTER_SHARE = 0.1
"""Steps that differ more from the segment's interval are refused."""
INTERVAL_STEPS = 16
"""The median of at most so many first steps of a segment is the first guess of its interval."""
FLOAT_SLACK_ULP = 4
"""Times may be rounded by so many units in the last place of the largest time."""
MOST_DECIMALS = 9
"""Candidate rates have at most so many decimals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeChunk:
    """Consecutive times of a file."""

    times_s: NDArray[np.float64]
    """Times, shape (rows,)."""
    resolution_s: float
    """One unit of the last digit of the finest time so far; 0 if only floats limit it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """A column of times that can be streamed more than once."""

    path: Path
    """The file, for messages."""
    chunks: Callable[[], Iterable[TimeChunk]]
    """Starts a pass from the first row."""
    where: Callable[[int], str]
    """Names a 0-based row for people, such as "line 12"."""


@dataclass(slots=True, kw_only=True)
class _Line:
    """Running sums of a segment's least-squares line, about its first guess."""

    first_sample: int
    """Row of the segment's first time."""
    start_s: float
    """Its first time."""
    interval_s: float
    """First guess of the interval."""
    count: int = 0
    """Times so far."""
    sum_y: float = 0.0
    """Sum of deviations from the first guess, s."""
    sum_ky: float = 0.0
    """Sum of index times deviation, s."""

    def add(self, times_s: NDArray[np.float64]) -> None:
        k = np.arange(self.count, self.count + len(times_s), dtype=np.float64)
        y = (times_s - self.start_s) - k * self.interval_s
        self.sum_y += float(y.sum())
        self.sum_ky += float((k * y).sum())
        self.count += len(times_s)

    def rate_hz(self) -> float:
        n = float(self.count)
        if n < 2:
            return 0.0
        slope = 12.0 * (self.sum_ky - (n - 1) / 2 * self.sum_y) / (n * (n * n - 1))
        return 1.0 / (self.interval_s + slope)


def find_segments(column: TimeColumn) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    """Find the equidistant segments of a column of times.

    Returns:
        The segments with their rates in S/s, and notes on rates that no round number explains.

    Raises:
        RecordingError: no times, times that go back, stand still, jitter or are no numbers.
    """
    scan = _SegmentScan(column)
    for chunk in column.chunks():
        scan.feed(chunk)
    segments = _with_lone_samples(column, scan.finish())
    return _with_round_rates(column, segments, scan.resolution_s)


class _SegmentScan:
    """First pass: where segments begin, and their least-squares lines."""

    def __init__(self, column: TimeColumn) -> None:
        self._column = column
        self._lines: list[_Line] = []
        self._open: _Line | None = None
        self._rows = 0
        self._last_s = -math.inf
        self._pending = np.empty(0)
        self.resolution_s = 0.0
        """Resolution of the times seen so far, s."""

    def feed(self, chunk: TimeChunk) -> None:
        self.resolution_s = chunk.resolution_s
        self._check_rising(chunk.times_s)
        self._split(np.concatenate((self._pending, chunk.times_s)), final=False)

    def finish(self) -> list[_Line]:
        if not self._rows:
            raise RecordingError(f"{self._column.path}: holds no samples; record again")
        self._split(self._pending, final=True)
        return self._lines

    def _refuse(self, row: int, what: str) -> RecordingError:
        return RecordingError(
            f"{self._column.path}, {self._column.where(row)}: {what}; "
            f"mend the time column or state the rate for a file without one"
        )

    def _check_rising(self, times_s: NDArray[np.float64]) -> None:
        bad = ~np.isfinite(times_s)
        if bad.any():
            raise self._refuse(self._rows + int(bad.argmax()), "the time is no finite number")
        steps = np.diff(times_s, prepend=self._last_s)
        if (steps <= 0).any():
            row = int((steps <= 0).argmax())
            before = self._last_s if row == 0 else times_s[row - 1]
            what = "stands still" if steps[row] == 0 else "goes back"
            raise self._refuse(
                self._rows + row, f"the time {what}, from {before!s} s to {times_s[row]!s} s"
            )
        self._rows += len(times_s)
        if len(times_s):
            self._last_s = float(times_s[-1])

    def _split(self, times_s: NDArray[np.float64], *, final: bool) -> None:
        """Add times to the open segment; begin segments where the step is too long.

        A segment is begun only when enough steps are known to tell its interval. While one is
        open, the first of `times_s` is its last time once more, to know the step from it.
        """
        while len(times_s):
            if self._open is None:
                if len(times_s) <= INTERVAL_STEPS and not final:
                    break
                row = self._rows - len(times_s)
                interval_s = self._first_interval_s(np.diff(times_s[: INTERVAL_STEPS + 1]))
                self._open = _Line(
                    first_sample=row, start_s=float(times_s[0]), interval_s=interval_s
                )
                self._lines.append(self._open)
                self._open.add(times_s[:1])
            times_s = self._extend(self._open, times_s)
            if self._open is not None:
                break
        self._pending = times_s

    def _first_interval_s(self, steps_s: NDArray[np.float64]) -> float:
        """Return the median of the steps before the first that must be a gap."""
        if not len(steps_s):
            return 0.0
        shortest = np.minimum.accumulate(steps_s)
        gaps = steps_s > GAP_INTERVALS * shortest + 2 * self.resolution_s
        return float(np.median(steps_s[: int(gaps.argmax())] if gaps.any() else steps_s))

    def _extend(self, line: _Line, times_s: NDArray[np.float64]) -> NDArray[np.float64]:
        steps = np.diff(times_s)
        gaps = steps > GAP_INTERVALS * line.interval_s + self.resolution_s
        end = int(gaps.argmax()) if gaps.any() else len(steps)
        allowed = JITTER_SHARE * line.interval_s + 2 * self.resolution_s
        bad = np.abs(steps[:end] - line.interval_s) > allowed
        if bad.any():
            k = int(bad.argmax())
            row = self._rows - len(times_s) + k + 1
            raise self._refuse(
                row,
                f"the step of {steps[k]:.9g} s differs by more than 10 % from the segment's "
                f"interval of {line.interval_s:.9g} s",
            )
        line.add(times_s[1 : end + 1])
        if gaps.any():
            self._open = None
            return times_s[end + 1 :]
        return times_s[end:]


def _with_lone_samples(column: TimeColumn, lines: list[_Line]) -> tuple[Segment, ...]:
    """Give lone samples, which have no rate, the rate of the segment before or after them."""
    rates = [line.rate_hz() for line in lines]
    known = next((rate for rate in rates if rate), 0.0)
    if not known:
        raise RecordingError(
            f"{column.path}: no two samples follow each other, so there is no sampling rate; "
            f"record more, or state the rate"
        )
    segments = []
    for index, (line, rate) in enumerate(zip(lines, rates, strict=True)):
        known = rate or known
        segments.append(
            Segment(
                index=index,
                first_sample=line.first_sample,
                sample_count=line.count,
                sample_rate_hz=known,
                start_s=line.start_s,
            )
        )
    return tuple(segments)


class _Candidates:
    """Second pass over one segment: which round rates explain every time."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        rounded = (round(segment.sample_rate_hz, places) for places in range(MOST_DECIMALS + 1))
        self._spreads = {rate: (0.0, 0.0) for rate in rounded if rate > 0}
        self._count = 0

    def add(self, times_s: NDArray[np.float64], limit_s: float) -> None:
        elapsed = times_s - self.segment.start_s
        k = np.arange(self._count, self._count + len(elapsed), dtype=np.float64)
        for rate, (lowest, highest) in list(self._spreads.items()):
            deviation = elapsed - k / rate
            low, high = min(lowest, float(deviation.min())), max(highest, float(deviation.max()))
            if high - low > limit_s:
                del self._spreads[rate]
            else:
                self._spreads[rate] = (low, high)
        self._count += len(elapsed)

    def roundest(self) -> float | None:
        """Return the rate with the fewest decimals that explains every time, or None."""
        return next(iter(self._spreads), None)


def _with_round_rates(
    column: TimeColumn, segments: tuple[Segment, ...], resolution_s: float
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    rated: list[Segment] = []
    notes: list[str] = []
    for candidates in _second_pass(column, segments, resolution_s):
        segment, rate = candidates.segment, candidates.roundest()
        if rate is None:
            rate = segment.sample_rate_hz
            notes.append(
                f"segment {segment.index + 1}: no round sampling rate explains its times; "
                f"{rate:.9g} S/s by least squares is used"
            )
        rated.append(replace(segment, sample_rate_hz=float(rate)))
    return tuple(rated), tuple(notes)


def _second_pass(
    column: TimeColumn, segments: tuple[Segment, ...], resolution_s: float
) -> Iterator[_Candidates]:
    row = 0
    ahead = iter(segments)
    candidates = _Candidates(next(ahead))
    for chunk in column.chunks():
        times_s = chunk.times_s
        while len(times_s):
            if row == candidates.segment.end_sample:
                yield candidates
                candidates = _Candidates(next(ahead))
            part = times_s[: candidates.segment.end_sample - row]
            ulp_s = math.ulp(float(np.abs(part).max()))
            candidates.add(part, resolution_s + 2 * FLOAT_SLACK_ULP * ulp_s)
            row += len(part)
            times_s = times_s[len(part) :]
    yield candidates
