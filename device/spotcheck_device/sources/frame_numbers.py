"""Numbers frames of a converter that does not number them itself, so that no loss stays unseen.

Two things say how many frames were made. The instant of each frame's data-ready edge, as the
kernel stamped it: a stamp may be late but never early, so a frame counts as lost only if every
frame after it within reach agrees. And the front end's marker, which counts the same edges in
hardware: a frame number that it has not reached cannot have been read, and one that it passed long
ago must have been. Docs: docs/formats/sample-sources.md, ADR 0024.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import SampleSourceError

FEWEST_AFTER = 128
"""So many frames after one must have come before it gets its number."""
CERTAIN = 0.25
"""A stamp within this part of a period of its number's instant says that the number is right."""
UNCERTAIN_BEHIND = 16
"""Frames behind a loss that may be from before it, late by a whole number of periods."""
LONGEST_WAIT_S = 0.5
"""Frames that may wait for one whose number is certain."""
STEP_LIMIT = 0.2
"""Periods by which the grid follows the stamps from one time to the next: the host's clock."""
LONGEST_LOSS = 2000
"""Lost frames in a row that stamps can count, with clocks that differ by 100 ppm."""
MARKER_WAY_NS = 2_300_000
"""27 bytes at 115,200 baud, the least that a marker is on its way."""
LONGEST_MARKER_WAY_NS = 100_000_000
"""A marker may come later when this program was held up, but not one marker after another."""
MOST_LATE_MARKERS = 50
"""A second of them, at the most markers that a front end sends."""
BEGAN_TOGETHER_NS = 100_000_000
"""A first marker this near says that front end and source began to count at the same frame."""
LOOSE_NS = 20_000_000
"""Where they did not, a marker may seem so much too early: its way is not known exactly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberedFrames:
    """Frames in the order in which they were given."""

    numbers: NDArray[np.int64]
    """Number of each on the clock of the stream."""
    certain: NDArray[np.bool_]
    """False beside a loss, where a late stamp leaves open on which side of it the frame was."""


_NONE = NumberedFrames(numbers=np.empty(0, np.int64), certain=np.empty(0, np.bool_))


class FrameNumbers:
    """Counts frames against the grid of instants at which they are made."""

    def __init__(self, sample_rate_hz: int) -> None:
        """Nothing has begun; `begin` sets where the grid does."""
        self._period_ns = 1e9 / sample_rate_hz
        self._origin_ns: int | None = None
        self._origin_rest_ns = 0.0
        self._origin_number = 0
        self._next_number = 0
        self._is_started_here = False
        self._is_aligned = False
        self._longest_wait = round(LONGEST_WAIT_S * sample_rate_hz)
        self._earliest_way_ns = 0.0
        self._late_markers = 0
        self._held: NDArray[np.int64] = np.empty(0, np.int64)

    @property
    def is_aligned(self) -> bool:
        """Whether a marker has said where the front end's count stands."""
        return self._is_aligned

    def begin(self, first_edge_ns: int, *, is_started_here: bool) -> None:
        """Set the instant of the first frame, whether or not that frame was read.

        Args:
            first_edge_ns: Its instant.
            is_started_here: Whether the converter made no frame before it.
        """
        self._origin_ns = first_edge_ns
        self._is_started_here = is_started_here

    def add_marker(self, sample_index: int, arrival_ns: int) -> None:
        """Take the front end's count; the first marker aligns both counts.

        Args:
            sample_index: Frame that the front end has counted.
            arrival_ns: When its message arrived, on the clock of the stamps.

        Raises:
            SampleSourceError: the counts cannot both be right.
        """
        if self._origin_ns is None:
            return
        if not self._is_aligned:
            self._align(sample_index, arrival_ns - self._origin_ns)
        periods = sample_index - self._origin_number
        way_ns = arrival_ns - self._origin_ns - self._origin_rest_ns - periods * self._period_ns
        if way_ns < self._earliest_way_ns - self._period_ns:
            raise SampleSourceError(
                f"the front end has counted frame {sample_index} before it was due by the frames "
                "that were read: some were lost without a trace in their times"
            )
        self._late_markers = self._late_markers + 1 if way_ns > LONGEST_MARKER_WAY_NS else 0
        if self._late_markers > MOST_LATE_MARKERS:
            raise SampleSourceError(
                f"the front end has counted frame {sample_index} {way_ns / 1e9:.2f} s after it was "
                "due: front end and converter do not count the same frames"
            )

    def add(self, stamps_ns: NDArray[np.int64]) -> None:
        """Take the stamps of frames that were read, in order.

        Args:
            stamps_ns: Instants of their data-ready edges; late perhaps, never early.
        """
        self._held = np.concatenate((self._held, stamps_ns))

    def discard(self, frames: int) -> None:
        """Forget the oldest frames, which nobody wants numbered."""
        self._held = self._held[frames:]
        self._next_number += frames

    def take(self) -> NumberedFrames:
        """Number the frames that can be numbered by now.

        Raises:
            SampleSourceError: the stamps contradict the count, or more were lost in a row than
                stamps can count.
        """
        ready = len(self._held) - FEWEST_AFTER
        if ready <= 0 or self._origin_ns is None or not self._is_aligned:
            return _NONE
        counted = self._next_number + np.arange(len(self._held))
        since_ns = (self._held - self._origin_ns) - self._origin_rest_ns
        late = np.asarray(since_ns / self._period_ns, np.float64) - (counted - self._origin_number)
        # What is missing before a frame is missing before all that follow it.
        agreed = np.minimum.accumulate(late[::-1])[::-1]
        lost = np.rint(agreed).astype(np.int64)
        _refuse(lost)
        late -= lost
        certain = _certain(lost, np.abs(late) <= CERTAIN)
        ready = self._up_to_certain(certain, ready)
        if not ready:
            return _NONE
        numbers = (counted + lost)[:ready]
        self._follow(late[:ready], int(numbers[-1]) + 1)
        self._held = self._held[ready:]
        return NumberedFrames(numbers=numbers, certain=certain[:ready])

    def _align(self, sample_index: int, since_origin_ns: int) -> None:
        made = round((since_origin_ns - MARKER_WAY_NS) / self._period_ns)
        first = sample_index - made
        self._is_aligned = True
        # Where both began together the count is exact; else it is as exact as the line is quick.
        together = abs(first) * self._period_ns <= BEGAN_TOGETHER_NS
        if not (together and self._is_started_here):
            self._origin_number = first
            self._next_number += first
            self._earliest_way_ns = -LOOSE_NS

    def _up_to_certain(self, certain: NDArray[np.bool_], ready: int) -> int:
        """What is beside a loss is taken together with what decides it."""
        found = np.flatnonzero(certain[:ready])
        if ready - (len(found) and int(found[-1])) > self._longest_wait:
            raise SampleSourceError(
                f"the last {ready} frames came at no instant at which one was due: the converter "
                "does not run at the rate that it was set to"
            )
        return int(found[-1]) + 1 if len(found) else 0

    def _follow(self, late: NDArray[np.float64], next_number: int) -> None:
        """Move the origin up, and the grid with the host's clock."""
        if self._origin_ns is None:
            return
        step = float(np.clip(late.min(), -STEP_LIMIT, STEP_LIMIT))
        moved_ns = self._origin_rest_ns + (
            (next_number - self._origin_number + step) * self._period_ns
        )
        self._origin_ns += int(moved_ns)
        self._origin_rest_ns = moved_ns - int(moved_ns)
        self._origin_number = self._next_number = next_number


def _refuse(lost: NDArray[np.int64]) -> None:
    if lost[0] < 0:
        raise SampleSourceError(
            "frames came before they were due: their times contradict their count"
        )
    longest = int(np.diff(lost, prepend=0).max())
    if longest > LONGEST_LOSS:
        raise SampleSourceError(
            f"about {longest} frames were lost in a row, more than their times can count"
        )


def _certain(lost: NDArray[np.int64], on_time: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether it is known of each frame on which side of every loss it was."""
    certain = np.ones(len(lost), np.bool_)
    for place in np.flatnonzero(np.diff(lost, prepend=0)).tolist():
        first, end = place, min(place + UNCERTAIN_BEHIND, len(lost))
        while first and not on_time[first - 1]:
            first -= 1
        while end < len(lost) and not on_time[end]:
            end += 1
        certain[first:end] = False
    return certain
