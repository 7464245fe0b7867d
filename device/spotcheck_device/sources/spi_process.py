"""An ADS131M08 that is read in a process of its own.

It keeps two conversions, 62 µs at 32 kS/s; a thread beside the event loop would get its turn only
every few milliseconds. The other process does nothing but read, and never waits for this one.
"""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable

from spotcheck.errors import SampleSourceError, SpotcheckError
from spotcheck_device.sources.address import parse_source_address
from spotcheck_device.sources.ads131m08 import Ads131m08, stamped_frames
from spotcheck_device.sources.frame_pipe import PortionReader, PortionWriter
from spotcheck_device.sources.numbered_stream import StampedFrames
from spotcheck_device.sources.orders import SpiOrder
from spotcheck_device.sources.sampler import RawFrames
from spotcheck_device.sources.spi_converter import open_spi, stream_format_of
from spotcheck_wire.sample_stream import StreamFormatMessage

READY = "ready"
_READ_WAIT_S = 0.25
_END_WAIT_S = 2.0


class PipedConverter:
    """The end of the pipe at which frames come out; a `Converter`."""

    def __init__(
        self, file: int, inputs: tuple[int, ...], stream_format: StreamFormatMessage
    ) -> None:
        """Take the pipe's reading end, which `close` closes.

        Args:
            file: The pipe.
            inputs: The converter's channels that are wanted.
            stream_format: What the stream looks like.
        """
        self._file = file
        self._inputs = inputs
        self._portions = PortionReader(file)
        self.stream_format = stream_format
        self.starts_here = True

    def read(self) -> RawFrames:
        """The frames that have come.

        Raises:
            OSError: the process that reads the converter has ended.
        """
        return self._portions.read(_READ_WAIT_S)

    def close(self) -> None:
        """Stop taking frames."""
        os.close(self._file)

    def first_edge_ns(self, stamped: StampedFrames) -> int:
        """Instant of the first edge after the start, whether or not its frame was read."""
        first_edge_ns = self._portions.first_edge_ns
        return int(stamped.stamps_ns[0]) if first_edge_ns is None else first_edge_ns

    def arrival_ns(self, now_ns: int) -> int:
        """The same: the kernel stamps edges on the monotonic clock."""
        return now_ns

    def decode(self, raw: RawFrames) -> StampedFrames:
        """Codes of what was read.

        Raises:
            SampleSourceError: the converter was reset, or has begun anew in its frame.
        """
        return stamped_frames(raw, self._inputs)


class SpiProcess(PipedConverter):
    """A converter on this board's bus, read by a process that is started with it."""

    def __init__(self, address: str, order: SpiOrder) -> None:
        """Start the process and wait until it has configured the converter.

        Args:
            address: The source's address, which the process is given.
            order: What it means.

        Raises:
            SampleSourceError: what the process says is wrong.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spotcheck_device.sources.spi_process", address],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        output = self._process.stdout
        told = _first_line(output.fileno()) if output is not None else ""
        if output is None or told != READY:
            self._end()
            raise SampleSourceError(told or "the process that reads the converter has ended")
        super().__init__(os.dup(output.fileno()), order.inputs, stream_format_of(order))

    def close(self) -> None:
        """End the process, which lets the converter rest."""
        super().close()
        self._end()

    def _end(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def read_for_ever(converter: Ads131m08, file: int, is_over: Callable[[], bool]) -> None:
    """Read a converter into a pipe until it is over, or nobody reads any more.

    Args:
        converter: It is closed at the end.
        file: The pipe's writing end.
        is_over: Asked between portions.
    """
    writer = PortionWriter(file)
    with contextlib.closing(converter), contextlib.suppress(OSError):
        while not is_over():
            frames = converter.read()
            if converter.first_edge_ns is not None:
                writer.put(frames, converter.first_edge_ns)


def _first_line(file: int) -> str:
    """Byte by byte: what follows the line is frames."""
    line = b""
    while (byte := os.read(file, 1)) not in (b"", b"\n"):
        line += byte
    return line.decode("utf-8", "replace")


def _input_is_closed() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main(address: str) -> int:
    """Read the converter at an address into standard output until standard input closes."""
    try:
        order = parse_source_address("samples", address)
        if not isinstance(order, SpiOrder):
            raise SampleSourceError(f"{address} is no converter on an SPI bus")
        converter = open_spi(order)
    except SpotcheckError as error:
        print(error, flush=True)
        return 1
    print(READY, flush=True)
    read_for_ever(converter, sys.stdout.fileno(), _input_is_closed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
