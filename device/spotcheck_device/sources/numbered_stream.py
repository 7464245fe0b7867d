"""Frames of a converter as blocks of the stream, and its gaps with their cause; sans-IO."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spotcheck.samples import SampleBlock
from spotcheck_device.sources.frame_numbers import FrameNumbers, NumberedFrames
from spotcheck_device.sources.port import SampleGap

WAITING_FOR_FRONT_END_S = 1.0
"""Frames that are kept until the front end's first marker says what number they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedFrames:
    """Frames that were read one after another."""

    codes: NDArray[np.int32]
    """(frames, channels), u1, i1[, u2, i2, u3, i3]."""
    stamps_ns: NDArray[np.int64]
    """Instant of each frame's data-ready edge, as the kernel stamped it."""
    whole: NDArray[np.bool_]
    """Whether checksum and status are right; the codes of other frames are never used."""


StreamPart: TypeAlias = SampleBlock | SampleGap


class NumberedStream:
    """Turns frames and markers into blocks and gaps."""

    def __init__(self, sample_rate_hz: int, channels: int) -> None:
        """A stream that has not begun."""
        self._numbers = FrameNumbers(sample_rate_hz)
        self._most_waiting = round(WAITING_FOR_FRONT_END_S * sample_rate_hz)
        self._codes: NDArray[np.int32] = np.empty((0, channels), np.int32)
        self._whole: NDArray[np.bool_] = np.empty(0, np.bool_)
        self._next_sample: int | None = None
        self._found_no_room = 0

    def begin(self, first_edge_ns: int, *, is_started_here: bool) -> None:
        """Set where the stream begins.

        Args:
            first_edge_ns: Instant of the first frame's data-ready edge.
            is_started_here: Whether the converter was started for this stream: then frames that
                are missing before the first one read are a gap too.
        """
        self._numbers.begin(first_edge_ns, is_started_here=is_started_here)
        self._next_sample = 0 if is_started_here else None

    def add_marker(self, sample_index: int, arrival_ns: int) -> None:
        """Take the front end's count of frames.

        Raises:
            SampleSourceError: it contradicts the frames that were read.
        """
        self._numbers.add_marker(sample_index, arrival_ns)

    def note_no_room(self, frames: int) -> None:
        """Say that frames were read and dropped because too many were waiting."""
        self._found_no_room += frames

    def feed(self, frames: StampedFrames) -> list[StreamPart]:
        """Blocks and gaps that frames complete, in stream order.

        Args:
            frames: What was read, in order.

        Raises:
            SampleSourceError: the frames cannot be placed in time.
        """
        self._numbers.add(frames.stamps_ns)
        self._codes = np.concatenate((self._codes, frames.codes))
        self._whole = np.concatenate((self._whole, frames.whole))
        if not self._numbers.is_aligned:
            self._keep_newest()
        return list(self._parts(self._numbers.take()))

    def _keep_newest(self) -> None:
        """Nothing has been given yet, so what is too old has never been part of the stream."""
        surplus = len(self._codes) - self._most_waiting
        if surplus > 0:
            self._numbers.discard(surplus)
            self._codes, self._whole = self._codes[surplus:], self._whole[surplus:]
            self._next_sample = None

    def _parts(self, found: NumberedFrames) -> Iterator[StreamPart]:
        ready = len(found.numbers)
        codes, whole = self._codes[:ready], self._whole[:ready]
        self._codes, self._whole = self._codes[ready:], self._whole[ready:]
        # What the front end had not begun to count has no number.
        usable = np.flatnonzero(whole & found.certain & (found.numbers >= 0))
        if len(usable) == 0:
            return
        damaged, uncertain = found.numbers[~whole], found.numbers[whole & ~found.certain]
        for run in np.split(usable, np.flatnonzero(np.diff(found.numbers[usable]) != 1) + 1):
            first = int(found.numbers[run[0]])
            if self._next_sample is not None and first != self._next_sample:
                yield self._gap(self._next_sample, first, damaged, uncertain)
            block = SampleBlock(
                first_sample=first,
                channels=codes.shape[1],
                codes=np.ascontiguousarray(codes[run[0] : run[-1] + 1], "<i4").tobytes(),
            )
            self._next_sample = block.end_sample
            yield block

    def _gap(
        self, first: int, end: int, damaged: NDArray[np.int64], uncertain: NDArray[np.int64]
    ) -> SampleGap:
        wrong, beside = _within(damaged, first, end), _within(uncertain, first, end)
        unread = end - first - wrong - beside
        causes = [f"damaged on the bus or not fresh: {wrong}"] if wrong else []
        if unread and self._found_no_room:
            causes.append(f"no room for them: {unread}")
            self._found_no_room = 0
        elif unread:
            causes.append(f"not read in time: {unread}")
        if beside:
            causes.append(f"of uncertain number beside them: {beside}")
        return SampleGap(first_sample=first, samples=end - first, cause="; ".join(causes))


def _within(numbers: NDArray[np.int64], first: int, end: int) -> int:
    return int(((numbers >= first) & (numbers < end)).sum())
