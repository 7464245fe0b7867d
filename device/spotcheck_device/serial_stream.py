"""A serial port as an asyncio stream; pyserial sets it up, the event loop moves the bytes."""

import asyncio
import os
from dataclasses import dataclass

import serial


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialStream:
    """An open serial port."""

    reader: asyncio.StreamReader
    """Received bytes; ends when the port is gone."""
    transport: asyncio.WriteTransport
    """What is written goes out."""
    _port: serial.Serial

    def close(self) -> None:
        """Close the port."""
        self.transport.abort()
        self._port.close()


async def open_serial(path: str, baud: int) -> SerialStream:
    """Open a port raw, 8N1, for this program alone.

    Raises:
        OSError: there is no such port, or it is in use.
    """
    port = serial.Serial(path, baud, exclusive=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    # Each transport closes the file that it is given, so each gets its own.
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader),
        os.fdopen(os.dup(port.fileno()), "rb", 0),
    )
    transport, _ = await loop.connect_write_pipe(
        asyncio.BaseProtocol, os.fdopen(os.dup(port.fileno()), "wb", 0)
    )
    return SerialStream(reader=reader, transport=transport, _port=port)
