"""The newest raw samples and pulses: what a recording of the next measurement begins with."""

from collections import deque

from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.samples import SampleBlock
from spotcheck_device.measuring_session import IDLE_MEMORY_S


class RawMemory:
    """The newest raw blocks and batches, a little longer than an idle session remembers."""

    def __init__(self, sample_rate_hz: int, slot_length: int) -> None:
        # A slot's sums reach back to the sample before it, and slots begin at whole indexes.
        self._samples = round(IDLE_MEMORY_S * sample_rate_hz) + 2 * slot_length
        self.blocks: deque[SampleBlock] = deque()
        self.batches: deque[PulseBatch] = deque()

    def add_block(self, block: SampleBlock) -> bool:
        """Add a block; false when it does not follow the last one, and the memory begins anew."""
        behind = self.blocks[-1].end_sample - block.first_sample if self.blocks else 0
        if behind:
            self.blocks.clear()
        if behind > 0:
            self.batches.clear()  # the stream has started anew, and its stamps with it
        self.blocks.append(block)
        while self.blocks[0].end_sample <= block.end_sample - self._samples:
            self.blocks.popleft()
        self._forget_batches()
        return not behind

    def add_batch(self, batch: PulseBatch) -> None:
        """Add a batch."""
        self.batches.append(batch)
        self._forget_batches()

    def _forget_batches(self) -> None:
        newest = self.batches[-1].complete_to_stamp if self.batches else 0
        oldest = newest - self._samples * STAMP_SUBDIVISION
        if self.blocks:
            oldest = self.blocks[0].first_sample * STAMP_SUBDIVISION
        while self.batches and self.batches[0].complete_to_stamp < oldest:
            self.batches.popleft()
