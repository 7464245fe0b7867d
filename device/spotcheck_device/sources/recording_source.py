"""A recording of the device as a live stream: what it recorded comes again, at its pace or faster.

Samples only: pulses come from the front end. `spotcheck replay` measures both again.
"""

import asyncio
import math
from collections.abc import Iterator

from spotcheck.errors import RecordingError
from spotcheck.samples import SampleBlock
from spotcheck_device.replay import OpenedRecording, open_recording, recorded_blocks
from spotcheck_device.sources.orders import Pace, RecordingOrder
from spotcheck_device.sources.port import FRONT_END_COUNTER_HZ, SourceListener
from spotcheck_wire.sample_stream import StreamFormatMessage

BLOCK_S = 0.05
"""Longest block that is given at once."""
CREDIT_AHEAD_S = 1.0


class RecordingSource:
    """Gives a recording once, then ends; a `LiveSource`."""

    def __init__(self, order: RecordingOrder, listener: SourceListener) -> None:
        """Nothing is opened before `run`."""
        self._order = order
        self._listener = listener
        self._granted = 0
        self._more = asyncio.Event()
        self._ahead = 0

    async def run(self) -> None:
        """Give the recording, tell its end, and be silent until cancelled."""
        try:
            # Files are read in a thread: a disk may hang, and the loop must not.
            opened = await asyncio.to_thread(open_recording, self._order.folder)
            self._listener.on_format(self._format(opened))
            await self._give(opened)
        except RecordingError as error:
            self._listener.on_loss(str(error))
        else:
            self._listener.on_loss("the recording has come to its end")
        await asyncio.get_running_loop().create_future()

    def grant_up_to(self, sample: int) -> None:
        """Let samples before `sample` come, and a second more."""
        self._granted = max(self._granted, sample + self._ahead)
        self._more.set()

    def add_marker(self, sample_index: int) -> None:
        """Nothing: recorded samples have their number."""

    def _format(self, opened: OpenedRecording) -> StreamFormatMessage:
        stream = opened.head.stream
        self._ahead = round(CREDIT_AHEAD_S * stream.sample_rate_hz)
        return StreamFormatMessage(
            sample_rate_hz=stream.sample_rate_hz,
            phases=stream.phases,
            voltage_range=stream.voltage_range,
            current_range=stream.current_range,
            epoch_utc_ns=opened.head.epoch_utc_ns,
            counter_hz=FRONT_END_COUNTER_HZ,
        )

    async def _give(self, opened: OpenedRecording) -> None:
        rate_hz = opened.head.stream.sample_rate_hz
        blocks = _short(recorded_blocks(opened), math.ceil(BLOCK_S * rate_hz))
        loop = asyncio.get_running_loop()
        begin_s = loop.time() - opened.head.first_sample / rate_hz
        while (block := await asyncio.to_thread(next, blocks, None)) is not None:
            if self._order.pace is Pace.REAL_TIME:
                await asyncio.sleep(begin_s + block.end_sample / rate_hz - loop.time())
            else:
                await self._wait_for_credit(block, opened.head.first_sample + self._ahead)
            self._listener.on_block(block)

    async def _wait_for_credit(self, block: SampleBlock, first_second: int) -> None:
        """The first grant of all is for the first second, wherever the recording begins."""
        while not self._granted or block.first_sample >= max(self._granted, first_second):
            self._more.clear()
            await self._more.wait()


def _short(blocks: Iterator[SampleBlock], longest: int) -> Iterator[SampleBlock]:
    for block in blocks:
        codes, sample_bytes = memoryview(block.codes), 4 * block.channels
        for at in range(0, block.sample_count, longest):
            yield SampleBlock(
                first_sample=block.first_sample + at,
                channels=block.channels,
                codes=codes[at * sample_bytes : (at + longest) * sample_bytes],
            )
