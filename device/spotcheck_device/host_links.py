"""Links to hosts, over TCP and over a serial port; each speaks the same frames."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from spotcheck_device.event_log import log_event
from spotcheck_device.serial_stream import open_serial
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDamaged, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import HostMessage, Notice, WatchLive, decode_host, encode_host

_RETRY_S = 0.5
_READ_BYTES = 1 << 16
_SERIAL_BAUD = 921_600
LIVE_SHARE = 0.1
"""Largest part of the time that may go into live pictures."""
_LONGEST_PAUSE_S = 0.25


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

    @property
    def is_behind(self) -> bool:
        """Whether the host has not yet taken what was sent; then pictures can wait."""
        return self._transport.get_write_buffer_size() > 0

    def receive(self, data: bytes) -> list[HostMessage]:
        """Messages that bytes complete; what cannot be read is answered with a notice."""
        messages: list[HostMessage] = []
        for event in self._decoder.feed(data):
            if isinstance(event, Frame):
                try:
                    messages.append(decode_host(event))
                except MessageError as error:
                    log_event("message-not-understood", logging.WARNING, text=str(error))
                    self.send(Notice(code="message-not-understood", text=str(error), sample=None))
            elif isinstance(event, FrameDamaged):
                log_event("frame-damaged", logging.WARNING, text=event.reason)
                self.send(Notice(code="frame-damaged", text=event.reason, sample=None))
        return messages


class HostLinks:
    """All hosts that are connected; what is sent goes to each."""

    def __init__(
        self,
        *,
        on_connect: Callable[[HostLink], None],
        on_message: Callable[[HostLink, HostMessage], None],
        on_disconnect: Callable[[HostLink], None],
    ) -> None:
        """No host is connected yet."""
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
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
            self._on_disconnect(link)


@dataclass(slots=True)
class _Watcher:
    """What a host wants to see."""

    interval_s: float
    points: int
    due_s: float


class LiveWatchers:
    """Which hosts watch, and when each gets its next picture; reads no clock of its own."""

    def __init__(self) -> None:
        """Nobody watches."""
        self._watchers: dict[HostLink, _Watcher] = {}
        self._rest_until_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._watchers)

    def watch(self, link: HostLink, wish: WatchLive, now_s: float) -> None:
        """Do as a host wishes, in place of what it wished before."""
        if wish.interval_ms:
            self._watchers[link] = _Watcher(wish.interval_ms / 1000, wish.points, now_s)
        else:
            self.leave(link)

    def leave(self, link: HostLink) -> None:
        """A host watches no longer, or is gone."""
        self._watchers.pop(link, None)

    def due(self, now_s: float) -> list[tuple[HostLink, int]]:
        """Hosts whose picture is due, with the most points of it; each is told once.

        A host that is behind misses a picture: only the newest are worth anything.
        """
        if now_s < self._rest_until_s:
            return []
        found = [(link, w) for link, w in self._watchers.items() if w.due_s <= now_s]
        for _, watcher in found:
            watcher.due_s = now_s + watcher.interval_s
        return [(link, watcher.points) for link, watcher in found if not link.is_behind]

    def rest_after(self, begun_s: float, ended_s: float) -> None:
        """Pictures were made in this time; so many of them that they keep within their share."""
        self._rest_until_s = begun_s + (ended_s - begun_s) / LIVE_SHARE

    def pause_s(self, now_s: float) -> float:
        """Time until somebody may be due, at most a quarter of a second."""
        due_s = min((w.due_s for w in self._watchers.values()), default=now_s + _LONGEST_PAUSE_S)
        return min(max(due_s, self._rest_until_s) - now_s, _LONGEST_PAUSE_S)
