"""Links to hosts, over TCP and over a serial port; each speaks the same frames."""

import asyncio
import contextlib
from collections.abc import Callable

from spotcheck_device.serial_stream import open_serial
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDamaged, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import HostMessage, Notice, decode_host, encode_host

_RETRY_S = 0.5
_READ_BYTES = 1 << 16
_SERIAL_BAUD = 921_600


class HostLink:
    """One connected host."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        """A link that writes to a transport."""
        self._transport = transport
        self._encoder = FrameEncoder()
        self._decoder = FrameDecoder()

    def send(self, message: HostMessage) -> None:
        """Send a message; nothing happens when the host has gone."""
        if not self._transport.is_closing():
            self._transport.write(self._encoder.encode(*encode_host(message)))

    def receive(self, data: bytes) -> list[HostMessage]:
        """Messages that bytes complete; what cannot be read is answered with a notice."""
        messages: list[HostMessage] = []
        for event in self._decoder.feed(data):
            if isinstance(event, Frame):
                try:
                    messages.append(decode_host(event))
                except MessageError as error:
                    self.send(Notice(code="message-not-understood", text=str(error), sample=None))
            elif isinstance(event, FrameDamaged):
                self.send(Notice(code="frame-damaged", text=event.reason, sample=None))
        return messages


class HostLinks:
    """All hosts that are connected; what is sent goes to each."""

    def __init__(
        self,
        *,
        on_connect: Callable[[HostLink], None],
        on_message: Callable[[HostLink, HostMessage], None],
    ) -> None:
        """No host is connected yet."""
        self._on_connect = on_connect
        self._on_message = on_message
        self._links: set[HostLink] = set()

    def send(self, message: HostMessage) -> None:
        """Send to every host."""
        for link in self._links:
            link.send(message)

    async def serve_tcp(self, host: str, port: int) -> asyncio.Server:
        """Accept hosts on an address.

        Raises:
            OSError: the address cannot be used.
        """
        return await asyncio.start_server(self._serve_socket, host, port)

    async def serve_serial(self, path: str) -> None:
        """Serve a host on a serial port, and open it again when it is lost, until cancelled."""
        while True:
            with contextlib.suppress(OSError):
                stream = await open_serial(path, _SERIAL_BAUD)
                try:
                    await self._serve(stream.reader, stream.transport)
                finally:
                    stream.close()
            await asyncio.sleep(_RETRY_S)

    async def _serve_socket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await self._serve(reader, writer.transport)
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, transport: asyncio.WriteTransport) -> None:
        link = HostLink(transport)
        self._links.add(link)
        try:
            self._on_connect(link)
            with contextlib.suppress(OSError):
                while data := await reader.read(_READ_BYTES):
                    for message in link.receive(data):
                        self._on_message(link, message)
        finally:
            self._links.discard(link)
