"""The slots of a stream from some sample on: exact sums, free of how the stream was cut."""

import numpy as np
from numpy.typing import NDArray

from spotcheck.samples import FULL_SCALE_CODE, SampleBlock, StreamFormat
from spotcheck_dsp.slot_sums import SUMS_PER_PHASE, SlotAccumulator, Slots


class SlotHistory:
    """Collects blocks into slots and forgets what is no longer needed."""

    def __init__(self, stream: StreamFormat, slot_length: int) -> None:
        """An empty history; the first block sets where it begins."""
        self._stream = stream
        self.slot_length = slot_length
        self._accumulator = SlotAccumulator(phases=stream.phases, slot_length=slot_length)
        self._next_sample: int | None = None
        self._pieces: list[Slots] = []
        self.first_slot = 0
        self.end_slot = 0
        self.overloaded_at: int | None = None

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
            skipped = -block.first_sample % self.slot_length
            codes = codes[skipped:]
            self.first_slot = self.end_slot = (block.first_sample + skipped) // self.slot_length
        elif self.missing_before(block):
            raise ValueError(f"block at {block.first_sample} does not follow {self._next_sample}")
        self._next_sample = block.end_sample
        slots, largest = self._accumulator.add(np.ascontiguousarray(codes, np.int32))
        if largest >= FULL_SCALE_CODE - 1:
            self.overloaded_at = block.end_sample
        self._pieces.append(slots)
        self.end_slot += len(slots)

    def forget_before(self, sample: int) -> None:
        """Drop whole pieces that end before a sample."""
        while self._pieces:
            end = (self.first_slot + len(self._pieces[0])) * self.slot_length
            if end > sample:
                return
            self.first_slot += len(self._pieces.pop(0))

    def between(self, first_sample: int, end_sample: int) -> tuple[int, NDArray[np.int64]]:
        """Number of the first slot, and the slots that cover an interval as far as they are kept.

        Args:
            first_sample: Start of the interval.
            end_sample: End of the interval.
        """
        self._join()
        first = max(self.first_slot, first_sample // self.slot_length)
        end = min(self.end_slot, -(-end_sample // self.slot_length))
        return first, self._pieces[0][first - self.first_slot : end - self.first_slot]

    def _join(self) -> None:
        if not self._pieces:
            self._pieces = [np.empty((0, self._stream.phases, SUMS_PER_PHASE), np.int64)]
        elif len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
