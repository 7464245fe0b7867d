"""A converter read in another process: the pipe, and a bus that is not there."""

import asyncio
import os

import numpy as np
import pytest

from spotcheck_device.sources.frame_pipe import PIPE_BYTES, PortionReader, PortionWriter
from spotcheck_device.sources.opening import open_source
from spotcheck_device.sources.port import SourceListener
from spotcheck_device.sources.sampler import RawFrames


def portion(first: int, count: int = 160) -> RawFrames:
    return RawFrames(data=bytes([first % 251]) * 30 * count, stamps_ns=np.arange(count) + first)


def test_portions_come_whole_and_in_order() -> None:
    output, writing = os.pipe()
    writer, reader = PortionWriter(writing), PortionReader(output)
    for first in range(0, 1600, 160):
        writer.put(portion(first), 77)
    stamps: list[int] = []
    data = b""
    while len(stamps) < 1600:
        found = reader.read(1.0)
        stamps += found.stamps_ns.tolist()
        data += found.data
    assert stamps == list(range(1600))
    assert data == b"".join(portion(first).data for first in range(0, 1600, 160))
    assert reader.first_edge_ns == 77
    assert len(reader.read(0.0).stamps_ns) == 0
    os.close(writing)
    with pytest.raises(OSError, match="has ended"):
        reader.read(1.0)
    os.close(output)


def test_writer_does_not_wait_for_a_reader_that_is_held_up() -> None:
    output, writing = os.pipe()
    writer, reader = PortionWriter(writing), PortionReader(output)
    written = 2 * PIPE_BYTES // len(portion(0).data) * 160
    for first in range(0, written, 160):
        writer.put(portion(first), 0)
    stamps: list[int] = []
    while len(found := reader.read(0.0).stamps_ns):
        stamps += found.tolist()
    # The oldest are kept whole; what found no room is left out.
    kept = len(stamps)
    assert 160 * 100 < kept < written
    assert stamps == list(range(kept))
    writer.put(portion(written), 0)
    rest = np.concatenate([reader.read(0.1).stamps_ns for _ in range(2)])
    assert rest.tolist()[-160:] == list(range(written, written + 160))
    for file in (output, writing):
        os.close(file)


def test_bus_that_is_not_there_is_told_by_the_process_that_looked_for_it() -> None:
    losses: list[str] = []

    async def main() -> None:
        source = open_source(
            "spi:/dev/no-spidev0.0?drdy=/dev/gpiochip0:25&rate_hz=8000&phases=1&inputs=0,1"
            "&voltage=480V&current=C100",
            SourceListener(
                on_format=lambda _: None, on_block=lambda _: None, on_loss=losses.append,
                on_gap=lambda _: None,
            ),
        )  # fmt: skip
        running = asyncio.ensure_future(source.run())
        while not losses:
            await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(asyncio.wait_for(main(), 20.0))
    assert losses == ["/dev/no-spidev0.0: No such file or directory; is the bus enabled?"]
