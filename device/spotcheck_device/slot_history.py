"""The slots of a stream from some sample on: exact sums, free of how the stream was cut."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from spotcheck.samples import FULL_SCALE_CODE, SampleBlock, StreamFormat
from spotcheck_dsp.slot_sums import SUMS_PER_PHASE, SlotAccumulator, Slots

_INITIAL_SLOTS = 4096
RECENT_CODES_S = 6.0
"""Codes themselves are kept so long, for a measurement that begins at a sample just past."""


class SlotHistory:
    """Collects blocks into slots and forgets what is no longer needed."""

    def __init__(self, stream: StreamFormat, slot_length: int) -> None:
        """An empty history; the first block sets where it begins."""
        self.slot_length = slot_length
        self._accumulator = SlotAccumulator(phases=stream.phases, slot_length=slot_length)
        self._next_sample: int | None = None
        self._begin_sample = 0
        # Slots live in a buffer that doubles when full: _begin is the place of `first_slot`.
        self._buffer: Slots = np.empty((_INITIAL_SLOTS, stream.phases, SUMS_PER_PHASE), np.int64)
        self._begin = 0
        self.first_slot = 0
        self.end_slot = 0
        self._overloaded_slots: list[int] = []
        self._recent: deque[tuple[int, NDArray[np.int32]]] = deque()
        self._recent_samples = round(RECENT_CODES_S * stream.sample_rate_hz)

    @property
    def is_empty(self) -> bool:
        """Whether no block has come yet."""
        return self._next_sample is None

    @property
    def end_sample(self) -> int:
        """Index of the sample after the last completed slot."""
        return self.end_slot * self.slot_length

    def missing_before(self, block: SampleBlock) -> int:
        """Samples lost between the last block and this one; negative when it comes again."""
        return 0 if self._next_sample is None else block.first_sample - self._next_sample

    def add(self, block: SampleBlock) -> None:
        """Add the next block; the first one is cut to a slot boundary.

        Raises:
            ValueError: the block does not follow the last one, or a code is beyond ±2²³.
        """
        codes = np.frombuffer(block.codes, "<i4").reshape(-1, block.channels)
        if self._next_sample is None:
            self.first_slot = self.end_slot = -(-block.first_sample // self.slot_length)
            self._begin_sample = self.end_sample
        elif self.missing_before(block):
            raise ValueError(f"block at {block.first_sample} does not follow {self._next_sample}")
        codes = codes[max(0, self._begin_sample - block.first_sample) :]
        codes = np.ascontiguousarray(codes, np.int32)
        slots, largest = self._accumulator.add(codes)
        self._next_sample = block.end_sample
        self._recent.append((block.end_sample - len(codes), codes))
        while (
            self._recent[0][0] + len(self._recent[0][1]) < block.end_sample - self._recent_samples
        ):
            self._recent.popleft()
        if largest >= FULL_SCALE_CODE - 1:
            self._note_overload(codes, block.end_sample - len(codes))
        self._append(slots)

    def forget_before(self, sample: int) -> None:
        """Drop slots that end before a sample."""
        keep_from = min(max(self.first_slot, sample // self.slot_length), self.end_slot)
        self._begin += keep_from - self.first_slot
        self.first_slot = keep_from
        if self._overloaded_slots:
            kept = [slot for slot in self._overloaded_slots if slot >= keep_from]
            self._overloaded_slots = kept

    def between(self, first_sample: int, end_sample: int) -> tuple[int, Slots]:
        """Number of the first slot, and the slots that cover an interval as far as they are kept.

        Args:
            first_sample: Start of the interval.
            end_sample: End of the interval.

        Returns:
            A view: it holds until the next block is added.
        """
        first = max(self.first_slot, first_sample // self.slot_length)
        end = max(first, min(self.end_slot, -(-end_sample // self.slot_length)))
        place = self._begin + first - self.first_slot
        return first, self._buffer[place : place + end - first]

    def recent_codes(self) -> tuple[tuple[int, NDArray[np.int32]], ...]:
        """The newest blocks, each with the number of its first sample."""
        return tuple(self._recent)

    def newest_codes(self) -> tuple[int, NDArray[np.int32]]:
        """The last block, with the number of its first sample."""
        return self._recent[-1]

    def overloaded_between(self, first_sample: int, end_sample: int) -> int | None:
        """First sample of the first slot in an interval in which the converter clipped."""
        for slot in self._overloaded_slots:
            if first_sample <= slot * self.slot_length < end_sample:
                return slot * self.slot_length
        return None

    def _note_overload(self, codes: NDArray[np.int32], first_sample: int) -> None:
        clipped = np.flatnonzero((np.abs(codes) >= FULL_SCALE_CODE - 1).any(axis=1))
        found = np.unique((first_sample + clipped) // self.slot_length)
        self._overloaded_slots += [int(slot) for slot in found]

    def _append(self, slots: Slots) -> None:
        held = self.end_slot - self.first_slot
        if self._begin + held + len(slots) > len(self._buffer):
            size = max(_INITIAL_SLOTS, 2 * (held + len(slots)))
            grown = np.empty((size, *self._buffer.shape[1:]), np.int64)
            grown[:held] = self._buffer[self._begin : self._begin + held]
            self._buffer, self._begin = grown, 0
        place = self._begin + held
        self._buffer[place : place + len(slots)] = slots
        self.end_slot += len(slots)
