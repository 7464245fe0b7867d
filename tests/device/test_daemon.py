"""The daemon in this process, between a source and a host that speak their wires."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from spotcheck.plain import to_plain
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.rehearsal import pair_rehearsal
from spotcheck_cli.scenario import Scenario
from spotcheck_device.config import DeviceConfig
from spotcheck_device.daemon import Daemon
from spotcheck_host.host_trust import HostTrust
from spotcheck_wire import host_messages as wire
from spotcheck_wire.message_channel import MessageChannel, TableAgreed
from spotcheck_wire.sample_stream import StreamFormatMessage, encode_format
from spotcheck_wire.secure_session import SecureSession, host_context

FORMAT = StreamFormatMessage(
    sample_rate_hz=8000, phases=1, voltage_range="480V", current_range="C100", epoch_utc_ns=0,
    counter_hz=24_000_000,
)  # fmt: skip


class Host:
    """A connected host."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, trust: HostTrust
    ) -> None:
        self._reader, self._writer = reader, writer
        trusted = trust.devices.certificates()
        context = host_context(trust.identity.path, trusted)
        self._session = SecureSession(context, server_side=False, trusted=trusted)
        self._channel = MessageChannel("a host")
        self._opening = self._channel.opening()
        self._waiting: list[wire.HostMessage] = []
        self._flush()

    def send(self, message: wire.HostMessage) -> None:
        self._session.write(self._channel.encode(message))
        self._flush()

    def _flush(self) -> None:
        self._writer.write(self._session.take_outgoing())

    def _take(self, data: bytes) -> None:
        plaintext = self._session.feed(data)
        if self._session.established and self._opening:
            self._session.write(self._opening)
            self._opening = b""
        self._flush()
        for event in self._channel.feed(plaintext):
            if isinstance(event, TableAgreed):
                self.send(wire.Credit(total_bytes=1 << 40))
            else:
                self._waiting.append(event)  # type: ignore[arg-type]

    def start(self, request_id: str) -> None:
        self.send(
            wire.StartMeasurement(
                request_id=request_id, start_sample=0, meter=to_plain(Scenario().meter()),
                minimum_pulses=5, minimum_duration_ms=1000, maximum_duration_ms=60_000,
                readings=1, conditions={},
            )
        )  # fmt: skip

    async def next(self, kind: type[wire.HostMessage]) -> wire.HostMessage:
        while True:
            while self._waiting:
                message = self._waiting.pop(0)
                if isinstance(message, kind):
                    return message
            data = await self._reader.read(1 << 16)
            assert data
            self._take(data)

    async def outcome(self) -> tuple[str, str, object]:
        """Request, name and reason of the next outcome; no other request's may repeat."""
        message = await self.next(wire.Outcome)
        assert isinstance(message, wire.Outcome)
        self.send(wire.Acknowledge(outcome_id=message.outcome_id))
        return message.request_id, message.outcome_id, message.body["reason"]

    async def stream(self) -> tuple[str, str]:
        """Range and state of the next hello."""
        message = await self.next(wire.DeviceHello)
        assert isinstance(message, wire.DeviceHello)
        return message.current_range, message.state


@asynccontextmanager
async def joined(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> AsyncIterator[tuple[asyncio.StreamWriter, Host]]:
    """What the source writes to the daemon, and the host."""
    sources: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, w: sources.put_nowait(w), "127.0.0.1", 0)
    correction = folder / "correction-set.json"
    correction.write_bytes(demonstration_correction_set().to_bytes())
    port = server.sockets[0].getsockname()[1]
    trust = pair_rehearsal(folder, "SC-1", folder / "host")
    config = DeviceConfig(
        device_id="SC-1",
        state_folder=str(folder / "state"),
        correction_set=str(correction),
        samples=f"127.0.0.1:{port}",
        pulses=str(folder / "no-such-port"),
    )
    running = asyncio.ensure_future(Daemon(config).run(until_input_closes=False))
    source = await sources.get()
    address = ""
    while not address:
        await asyncio.sleep(0.005)
        address = capsys.readouterr().out
    host_port = int(address.rstrip('"}\n').rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", host_port)
    host = Host(reader, writer, trust)
    try:
        await host.stream()
        yield source, host
    finally:
        writer.close()
        source.close()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        server.close()
        await asyncio.sleep(0.02)


def test_outcomes_of_one_boot_number_on_when_the_stream_changes_its_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A host takes an outcome of a known name for a duplicate and drops it."""

    async def work() -> None:
        async with joined(tmp_path, capsys) as (source, host):
            source.write(encode_format(FORMAT))
            assert await host.stream() == ("C100", "idle")
            host.start("r/1")
            host.send(wire.StopMeasurement(request_id="r/1"))
            assert await host.outcome() == ("r/1", "SC-1-1-1", "stopped")

            host.start("r/2")
            await asyncio.sleep(0.05)
            source.write(encode_format(replace(FORMAT, sample_rate_hz=4000)))
            assert await host.outcome() == ("r/2", "SC-1-1-2", "samples lost")

            # A range that was never calibrated: no session, and the count is kept all the same.
            source.write(encode_format(replace(FORMAT, phases=3, current_range="C7")))
            source.write(encode_format(FORMAT))
            while await host.stream() != ("C100", "idle"):
                pass
            host.start("r/3")
            host.send(wire.StopMeasurement(request_id="r/3"))
            assert await host.outcome() == ("r/3", "SC-1-1-3", "stopped")

    asyncio.run(asyncio.wait_for(work(), 20.0))


def test_measurement_goes_on_in_another_range_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def work() -> None:
        async with joined(tmp_path, capsys) as (source, host):
            source.write(encode_format(FORMAT))
            assert await host.stream() == ("C100", "idle")
            host.start("r/1")
            await asyncio.sleep(0.05)
            source.write(encode_format(replace(FORMAT, current_range="C5")))
            notice = await host.next(wire.Notice)
            assert isinstance(notice, wire.Notice)
            assert (notice.code, notice.text) == ("ranges-changed", "r/1 goes on in 480V and C5")
            host.send(wire.StopMeasurement(request_id="r/1"))
            assert await host.outcome() == ("r/1", "SC-1-1-1", "stopped")

    asyncio.run(asyncio.wait_for(work(), 20.0))
