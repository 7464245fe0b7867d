"""Reading never waits for the event loop, and what it holds for it is bounded."""

import asyncio
import time

import numpy as np
import pytest

from spotcheck_device.sources import sampler as module
from spotcheck_device.sources.sampler import RawFrames, Sampler

RATE_HZ = 32_000
AT_ONCE = 320


class Reader:
    """Reads a hundredth of a second of frames at once, as fast as it is let."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.reads = 0
        self.fails_after = fails_after
        self.is_closed = False

    def read(self) -> RawFrames:
        if self.reads == self.fails_after:
            raise OSError("unplugged")
        time.sleep(0.0002)
        first = self.reads * AT_ONCE
        self.reads += 1
        return RawFrames(data=b"", stamps_ns=np.arange(first, first + AT_ONCE))

    def close(self) -> None:
        self.is_closed = True


async def everything(sampler: Sampler) -> tuple[list[int], int]:
    """Stamps and dropped frames until the reader fails."""
    stamps: list[int] = []
    all_dropped = 0
    while True:
        try:
            found, dropped = await sampler.next()
        except OSError:
            return stamps, all_dropped
        for raw in found:
            stamps += raw.stamps_ns.tolist()
        all_dropped += dropped


def test_everything_that_is_read_comes_in_order_and_then_the_failure() -> None:
    async def main() -> None:
        reader = Reader(fails_after=50)
        sampler = Sampler(reader, RATE_HZ)
        sampler.start()
        stamps, dropped = await everything(sampler)
        assert (stamps, dropped) == (list(range(50 * AT_ONCE)), 0)
        with pytest.raises(OSError, match="unplugged"):
            await sampler.next()
        await sampler.close()
        assert reader.is_closed

    asyncio.run(main())


def test_loop_that_is_held_up_holds_up_no_reading_and_what_waits_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST_QUEUE_S", 0.1)

    async def main() -> None:
        reader = Reader(fails_after=200)
        sampler = Sampler(reader, RATE_HZ)
        sampler.start()
        while reader.reads < 200:
            time.sleep(0.005)  # the loop is held up: that is what is tested
        stamps, dropped = await everything(sampler)
        # The oldest tenth of a second is kept, so that the gap lies behind it.
        assert stamps == list(range(3200))
        assert dropped == 200 * AT_ONCE - 3200
        await sampler.close()

    asyncio.run(main())


def test_closing_ends_the_thread() -> None:
    async def main() -> None:
        reader = Reader()
        sampler = Sampler(reader, RATE_HZ)
        sampler.start()
        await sampler.next()
        await sampler.close()
        reads = reader.reads
        await asyncio.sleep(0.01)
        assert reader.reads == reads

    asyncio.run(main())
