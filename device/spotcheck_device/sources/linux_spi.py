"""SPI bus and GPIO edges through the Linux kernel's own interface: spidev and GPIO v2.

Kept thin, because no machine that runs the tests has either: sizes and numbers are held against
the kernel's headers, and what is above it is tested on a simulated bus. Never tried on hardware.
"""

import fcntl
import os
import select
import struct
from array import array
from pathlib import Path

SPI_MODE_1 = 1
"""CPOL 0, CPHA 1."""
BITS_PER_WORD = 8
SPI_IOC_WR_MODE = 0x4001_6B01
SPI_IOC_WR_BITS_PER_WORD = 0x4001_6B03
SPI_IOC_WR_MAX_SPEED_HZ = 0x4004_6B04
SPI_IOC_MESSAGE_1 = 0x4020_6B00
SPI_TRANSFER = struct.Struct("<QQIIHBBBBBB")
"""spi_ioc_transfer: tx_buf, rx_buf, len, speed_hz, delay_usecs, bits_per_word, and five bytes."""

GPIO_V2_GET_LINE = 0xC250_B407
GPIO_V2_INPUT = 1 << 2
GPIO_V2_EDGE_FALLING = 1 << 5
LINE_REQUEST = struct.Struct("<64I32sQI5I240sII5Ii")
"""gpio_v2_line_request: offsets, consumer, config (flags, number of attributes, padding,
attributes), number of lines, size of the event buffer, padding, file."""
LINE_EVENT = struct.Struct("<QIIII6I")
"""gpio_v2_line_event: timestamp_ns (monotonic), id, offset, seqno, line_seqno, padding."""
EVENTS_KEPT = 1024
"""Edges that the kernel keeps while nobody reads."""


class SpidevBus:
    """One `/dev/spidevB.C`; a `SpiBus`."""

    def __init__(self, path: Path, speed_hz: int) -> None:
        """Open it in SPI mode 1.

        Raises:
            OSError: there is no such bus, or it cannot run so.
        """
        self._speed_hz = speed_hz
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(self._file, SPI_IOC_WR_MODE, struct.pack("<B", SPI_MODE_1))
            fcntl.ioctl(self._file, SPI_IOC_WR_BITS_PER_WORD, struct.pack("<B", BITS_PER_WORD))
            fcntl.ioctl(self._file, SPI_IOC_WR_MAX_SPEED_HZ, struct.pack("<I", speed_hz))
        except OSError:
            os.close(self._file)
            raise

    def transfer(self, data: bytes) -> bytes:
        """Exchange bytes.

        Raises:
            OSError: the bus is gone.
        """
        sent, received = array("B", data), array("B", bytes(len(data)))
        message = SPI_TRANSFER.pack(
            sent.buffer_info()[0], received.buffer_info()[0], len(data), self._speed_hz,
            0, BITS_PER_WORD, 0, 0, 0, 0, 0,
        )  # fmt: skip
        fcntl.ioctl(self._file, SPI_IOC_MESSAGE_1, message)
        return received.tobytes()

    def close(self) -> None:
        """Give the bus back."""
        os.close(self._file)


class GpioEdges:
    """Falling edges of one GPIO line, stamped by the kernel; a `DataReady`."""

    def __init__(self, chip: Path, line: int) -> None:
        """Ask for the line.

        Raises:
            OSError: there is no such line, or it is in use.
        """
        request = bytearray(line_request(line))
        chip_file = os.open(chip, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.ioctl(chip_file, GPIO_V2_GET_LINE, request)
        finally:
            os.close(chip_file)
        self._file: int = LINE_REQUEST.unpack(request)[-1]
        os.set_blocking(self._file, False)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)

    def wait(self, timeout_s: float) -> tuple[int, ...]:
        """Instants (monotonic, ns) of the edges since the last call; waits for the first.

        Raises:
            OSError: the line is gone.
        """
        if not self._poll.poll(1000 * timeout_s):
            return ()
        return event_instants(os.read(self._file, EVENTS_KEPT * LINE_EVENT.size))

    def close(self) -> None:
        """Give the line back."""
        os.close(self._file)


def line_request(line: int) -> bytes:
    """The request for the falling edges of one line."""
    return LINE_REQUEST.pack(
        line, *(0,) * 63, b"spotcheck", GPIO_V2_INPUT | GPIO_V2_EDGE_FALLING, 0, *(0,) * 5, b"",
        1, EVENTS_KEPT, *(0,) * 5, 0,
    )  # fmt: skip


def event_instants(events: bytes) -> tuple[int, ...]:
    """Instants (monotonic, ns) of line events as the kernel gives them."""
    return tuple(event[0] for event in LINE_EVENT.iter_unpack(events))
