"""Links to hosts, over TCP and over a serial port; each carries the same records."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from spotcheck.errors import ConfigurationError
from spotcheck_device.device_trust import DeviceTrust
from spotcheck_device.host_line import HostLine, HostLineCallbacks
from spotcheck_device.host_link import HostLink
from spotcheck_device.serial_stream import SerialStream, open_serial
from spotcheck_trust.peers import Peer
from spotcheck_wire.host_messages import HostMessage
from spotcheck_wire.serial_carrier import CarriedRecords, CarrierEvent, SerialCarrier

_RETRY_S = 0.5
_READ_BYTES = 1 << 16
_SERIAL_BAUD = 921_600
_PUMP_PAUSE_S, _IDLE_PAUSE_S = 0.005, 0.05
_LOOK_S = 1.0
MOST_CONNECTIONS = 16
"""Connections at once, paired or not; more are closed at once."""
SHOW_WHO_S = 10.0
"""A connection that has not shown in this time whose it is, is closed."""


class HostLinks:
    """All hosts that are connected; what is sent goes to each."""

    def __init__(
        self,
        trust: DeviceTrust,
        *,
        on_connect: Callable[[HostLink], None],
        on_message: Callable[[HostLink, HostMessage], None],
        on_disconnect: Callable[[HostLink], None],
        on_notice: Callable[[str, str], None],
    ) -> None:
        """No host is connected yet.

        Args:
            trust: The device's key, pairings and code.
            on_connect: Told of a paired host that can be spoken to.
            on_message: Told what it says.
            on_disconnect: Told that it is gone.
            on_notice: Told, by code and text, what a person should know.
        """
        self._trust = trust
        self._on_notice = on_notice
        self._connections = 0
        self._links: set[HostLink] = set()

        def connected(link: HostLink) -> None:
            self._links.add(link)
            on_connect(link)

        def disconnected(link: HostLink) -> None:
            self._links.discard(link)
            on_disconnect(link)

        self._callbacks = HostLineCallbacks(
            connected=connected,
            message=on_message,
            disconnected=disconnected,
            paired=self._tell_of_pairing,
        )

    @property
    def links(self) -> tuple[HostLink, ...]:
        """Hosts that can be spoken to."""
        return tuple(self._links)

    def send(self, message: HostMessage) -> None:
        """Send to every host."""
        for link in self.links:
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
                    await self._serve_line(stream)
                finally:
                    stream.close()
            await asyncio.sleep(_RETRY_S)

    def _tell_of_pairing(self, peer: Peer) -> None:
        text = f"paired with {peer.name} ({peer.key_id}) by {peer.paired_by.value}"
        self._on_notice("paired", text)

    def _line(self, transport: asyncio.WriteTransport, carrier: SerialCarrier | None) -> HostLine:
        def write(data: bytes) -> None:
            if data and not transport.is_closing():
                transport.write(carrier.carry(data) if carrier is not None else data)

        return HostLine(
            self._trust,
            self._callbacks,
            write=write,
            unsent_bytes=transport.get_write_buffer_size,
            over_cable=carrier is not None,
        )

    async def _serve_socket(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._connections += 1
        try:
            if self._connections <= MOST_CONNECTIONS:
                line = self._line(writer.transport, None)
                with _attended(line, writer.close):
                    await self._read_socket(reader, line)
        except ConfigurationError as error:
            self._on_notice("pairing-damaged", str(error))
        except OSError:
            pass  # the host has gone
        finally:
            self._connections -= 1
            writer.close()

    async def _read_socket(self, reader: asyncio.StreamReader, line: HostLine) -> None:
        deadline_s = asyncio.get_running_loop().time() + SHOW_WHO_S
        try:
            while not line.is_over:
                limit = None if line.link is not None else deadline_s
                async with asyncio.timeout_at(limit):
                    data = await reader.read(_READ_BYTES)
                if not data:
                    return
                line.receive(data)
        except TimeoutError:
            return
        finally:
            line.close()

    async def _serve_line(self, stream: SerialStream) -> None:
        cable = _Cable(self._line, stream.transport)
        try:
            while data := await stream.reader.read(_READ_BYTES):
                cable.receive(data)
        finally:
            cable.end_session()


class _Cable:
    """The sessions of one serial line, one after the other."""

    def __init__(
        self,
        new_line: Callable[[asyncio.WriteTransport, SerialCarrier], HostLine],
        transport: asyncio.WriteTransport,
    ) -> None:
        self._new_line = new_line
        self._transport = transport
        self._carrier = SerialCarrier(device_side=True)
        self._line: HostLine | None = None
        self._attending = contextlib.ExitStack()

    def receive(self, data: bytes) -> None:
        events, answers = self._carrier.feed(data)
        if answers:
            self._transport.write(answers)
        for event in events:
            if isinstance(event, CarriedRecords):
                self._take_records(event.data)
            else:
                self.end_session()
                if event is CarrierEvent.BEGUN:
                    self._line = self._new_line(self._transport, self._carrier)
                    self._attending.enter_context(_attended(self._line, self._cut))

    def end_session(self) -> None:
        self._attending.close()
        if self._line is not None:
            self._line.close()
        self._line = None

    def _take_records(self, data: bytes) -> None:
        if self._line is not None:
            self._line.receive(data)
            if self._line.is_over:
                self._cut()

    def _cut(self) -> None:
        self.end_session()
        self._transport.write(self._carrier.end())


@contextlib.contextmanager
def _attended(line: HostLine, cut: Callable[[], None]) -> Iterator[None]:
    """Send on, while a line is served, what waited; cut it when its pairing is taken back."""
    now_s = asyncio.get_running_loop().time

    async def attend() -> None:
        look_s = now_s() + _LOOK_S
        while True:
            behind = line.link is not None and line.link.has_work
            await asyncio.sleep(_PUMP_PAUSE_S if behind else _IDLE_PAUSE_S)
            if line.link is not None and line.link.has_work:
                line.link.pump()
            if now_s() >= look_s:
                look_s = now_s() + _LOOK_S
                if line.was_forgotten:
                    cut()
                    return

    attending = asyncio.ensure_future(attend())
    try:
        yield
    finally:
        attending.cancel()
