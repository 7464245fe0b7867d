"""A FIFO of the PIO carried into memory by DMA, and a reader that knows what it has missed."""

import rp2
from machine import mem32

WORD_BYTES = 4
SIZE_WORD = 2
RING_OF_WRITE_ADDRESSES = 1
# Transfers before the channel must be started anew; as many as a small integer can count.
TRANSFERS = (1 << 30) - 1


class RecordRing:
    """Ring of the newest records of one state machine.

    The DMA channel carries on whatever the program does, so nothing is lost as long as the
    program falls behind by no more than the ring; how many records it missed beyond that is
    known from the channel's count of transfers. No interrupt is involved.

    Args:
        fifo: address of the machine's RX FIFO.
        request: number of the FIFO's DMA request.
        address: where the ring begins, a multiple of its bytes.
        words: how many records it holds, a power of two.
    """

    def __init__(self, fifo, request, address, words):
        self._address = address
        self._words = words
        self._mask = words - 1
        # Transfers of the channel's earlier starts, and the number of the next record.
        self._earlier = 0
        self._read = 0
        self._channel = rp2.DMA()
        control = self._channel.pack_ctrl(
            size=SIZE_WORD,
            inc_read=False,
            ring_sel=RING_OF_WRITE_ADDRESSES,
            ring_size=_bits(words * WORD_BYTES),
            treq_sel=request,
        )
        self._channel.config(read=fifo, write=address, count=TRANSFERS, ctrl=control, trigger=True)

    def waiting(self):
        """Return how many records have been written and not yet read, lost ones included."""
        left = self._channel.count  # type: ignore[attr-defined]  # not in the stubs
        if left == 0:
            left = self._start_anew()
        return self._earlier + TRANSFERS - left - self._read

    def take(self):
        """Return the next record; None where it was overwritten.

        Only to be called for records that were waiting.
        """
        word = self.oldest()
        # Asked behind the read: a record that is overwritten between the two is noticed.
        if self.waiting() > self._words:
            return None
        self._read += 1
        return word

    def oldest(self):
        """Return the next record and leave it there."""
        return mem32[self._address + (self._read & self._mask) * WORD_BYTES]

    def skip(self):
        """Pass over all that waits."""
        self._read += self.waiting()

    def pass_over(self):
        """Pass over what was overwritten, and say how many records that were: an even number.

        The oldest half of the ring goes too, or the next record would be overwritten while it
        is read.
        """
        missed = self.waiting() - self._words // 2 + 1 & ~1
        self._read += missed
        return missed

    def _start_anew(self):
        self._earlier += TRANSFERS
        self._channel.config(count=TRANSFERS, trigger=True)
        return self._channel.count  # type: ignore[attr-defined]  # not in the stubs


def _bits(size):
    bits = 0
    while 1 << bits < size:
        bits += 1
    return bits
