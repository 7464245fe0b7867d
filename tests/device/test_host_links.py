"""Hosts on real sockets: who is let in, and what a slow one costs."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from spotcheck_cli.rehearsal import pair_rehearsal
from spotcheck_device import host_links
from spotcheck_device.device_trust import open_device_trust
from spotcheck_device.host_link import WRITE_AHEAD_BYTES, HostLink
from spotcheck_device.host_links import MOST_CONNECTIONS, HostLinks
from spotcheck_host.host_trust import HostTrust
from spotcheck_wire import host_messages as wire
from spotcheck_wire.frames import HOST_MAX_FRAME
from spotcheck_wire.message_channel import MessageChannel
from spotcheck_wire.secure_session import SecureSession, host_context


@dataclass
class Device:
    """Links of a device, and what they told."""

    links: HostLinks
    port: int
    connected: list[HostLink]
    gone: list[HostLink]


class Host:
    """A host that reads only when it is told to."""

    def __init__(self, port: int, trust: HostTrust) -> None:
        self._port = port
        trusted = trust.devices.certificates()
        context = host_context(trust.identity.path, trusted)
        self.session = SecureSession(context, server_side=False, trusted=trusted)
        self.channel = MessageChannel("a host")

    async def connect(self, credit: int) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        while not self.session.established:
            self.writer.write(self.session.take_outgoing())
            self.session.feed(await self.reader.read(1 << 16))
        self.session.write(self.channel.opening())
        self.writer.write(self.session.take_outgoing())
        while not self.channel.agreed:
            self.channel.feed(self.session.feed(await self.reader.read(1 << 16)))
        self.session.write(self.channel.encode(wire.Credit(total_bytes=credit)))
        self.writer.write(self.session.take_outgoing())


def served(folder: Path, work: Callable[[Device, HostTrust], Awaitable[None]]) -> None:
    """Do some work with the links of a device and a host that is paired with it."""

    async def serve() -> None:
        host = pair_rehearsal(folder, "SC-1", folder / "host")
        connected: list[HostLink] = []
        gone: list[HostLink] = []
        links = HostLinks(
            open_device_trust(folder / "state", "SC-1"),
            on_connect=connected.append,
            on_message=lambda link, message: None,
            on_disconnect=gone.append,
            on_notice=lambda code, text: None,
        )
        server = await links.serve_tcp("127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        device = Device(links=links, port=port, connected=connected, gone=gone)
        try:
            await work(device, host)
        finally:
            server.close()
            await asyncio.sleep(0.02)

    asyncio.run(asyncio.wait_for(serve(), 20))


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.005)


def test_slow_host_costs_bounded_memory_and_gets_all_of_it_in_the_end(tmp_path: Path) -> None:
    """It has given any credit and takes nothing: the socket itself holds the device back."""
    blob = [
        wire.BlobChunk(sha256="0" * 64, offset=n * 32_000, total_bytes=1 << 40, data=b"U" * 32_000)
        for n in range(300)
    ]

    async def work(device: Device, trust: HostTrust) -> None:
        host = Host(device.port, trust)
        await host.connect(1 << 40)
        await until(lambda: device.connected)
        (link,) = device.connected
        link.send_transfer("blob", lambda: blob)
        for _ in range(20):
            await asyncio.sleep(0.005)
            assert link._unsent_bytes() <= WRITE_AHEAD_BYTES + 2 * HOST_MAX_FRAME
        assert link.has_work
        heard: list[object] = []
        while len(heard) < len(blob):
            heard += host.channel.feed(host.session.feed(await host.reader.read(1 << 20)))
        assert heard == blob
        host.writer.close()
        await until(lambda: device.gone)

    served(tmp_path, work)


def test_host_that_is_forgotten_while_it_is_connected_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_links, "_LOOK_S", 0.05)

    async def work(device: Device, trust: HostTrust) -> None:
        host = Host(device.port, trust)
        await host.connect(1000)
        await until(lambda: device.connected)
        open_device_trust(tmp_path / "state", "SC-1").hosts.remove("rehearsal")
        while await host.reader.read(1 << 16):
            pass
        await until(lambda: device.gone)
        assert device.links.links == ()
        host.writer.close()

    served(tmp_path, work)


def test_connection_that_does_not_show_whose_it_is_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_links, "SHOW_WHO_S", 0.05)

    async def work(device: Device, _: HostTrust) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        assert await reader.read() == b""
        writer.close()
        assert device.connected == []

    served(tmp_path, work)


def test_connections_beyond_the_most_are_closed_at_once(tmp_path: Path) -> None:
    async def work(device: Device, _: HostTrust) -> None:
        writers = []
        for _number in range(MOST_CONNECTIONS):
            writers.append((await asyncio.open_connection("127.0.0.1", device.port))[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        assert await reader.read() == b""
        for each in (*writers, writer):
            each.close()

    served(tmp_path, work)


def test_stranger_is_cut_off_without_a_word(tmp_path: Path) -> None:
    async def work(device: Device, _: HostTrust) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", device.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answer = await reader.read()
        assert b"spotcheck" not in answer
        assert len(answer) < 20
        writer.close()
        assert device.connected == []

    served(tmp_path, work)
