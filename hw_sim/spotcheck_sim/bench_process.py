"""The simulated bench as a process of its own: samples over TCP, pulses through the firmware.

    plant ─► samples ─► TCP, on credit ──────────────────────────────► board
       └──► edges ─► MicroPython firmware ─► pty ─► line relay ─► pty ─► board

Stream time advances only where the board has given credit, so that nothing is lost however fast
or slow either side is.
"""

import asyncio
import contextlib
import json
import os
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from spotcheck.errors import DeviceLostError
from spotcheck_sim.bench import (
    COUNTS_PER_SAMPLE,
    MARKER_INTERVAL_SAMPLES,
    BenchConfig,
    SimulatedBench,
)
from spotcheck_sim.line_relay import LineFaults, LineRelay
from spotcheck_sim.pty_port import PtyPort
from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import (
    StreamCredit,
    StreamDecoder,
    StreamFormatMessage,
    encode_block,
    encode_end,
    encode_format,
)

CHUNKS_PER_SECOND = 10
"""Blocks, and promises of completeness, in a second of stream time."""

_FIFO_RECORD = struct.Struct("<cBI")
_COUNTER_NOW = b"T"
_METER_INPUT = 0
_READ_BYTES = 65536


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchProcessConfig:
    """What the bench's process needs to know beyond the bench itself."""

    bench: BenchConfig
    """The bench."""
    seed: int
    """Seed of everything random, the line's damage included."""
    micropython: Path
    """MicroPython's unix port."""
    firmware: Path
    """`device/firmware/main.py`."""
    wire_folder: Path
    """`device/spotcheck_wire`, whose codec the firmware imports."""
    port: int = 0
    """TCP port on loopback for the samples; 0: any free one."""
    real_time: bool = False
    """Whether stream time keeps to the wall clock as well as to the credit."""
    epoch_utc_ns: int = 1_767_225_600_000_000_000
    """UTC of sample 0, in ns since 1970; by default 2026-01-01, so that runs repeat."""
    boot_id: int = 1
    """Number of the front end's boot."""
    end_sample: int | None = None
    """Sample before which the stream ends; None: it never does. Rounded up to a whole block."""
    line_faults: LineFaults = field(default_factory=LineFaults)
    """Damage on the pulse front end's line."""


class _Client:
    """The board's connection for samples."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.credit = 0
        self.first_send_at_s: float | None = None
        self.first_sample = 0

    @property
    def is_gone(self) -> bool:
        return self.writer.is_closing()


class BenchProcess:
    """Server of samples and keeper of the firmware; an asynchronous context manager."""

    def __init__(self, config: BenchProcessConfig) -> None:
        """Set up the plant; nothing runs before the context is entered."""
        self._config = config
        self._bench = SimulatedBench(config.bench, config.seed)
        self._chunk = self._bench.stream_format.sample_rate_hz // CHUNKS_PER_SECOND
        self._client: _Client | None = None
        self._changed = asyncio.Event()
        self._cleanup = contextlib.AsyncExitStack()

    @property
    def addresses(self) -> dict[str, str]:
        """Where the board finds samples (`host:port`) and pulses (path of a tty)."""
        port = self._server.sockets[0].getsockname()[1]
        return {"samples": f"127.0.0.1:{port}", "pulses": self._board_line.path}

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self._start(stack)
            self._cleanup = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._cleanup.aclose()

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        self._board_line = PtyPort(self._to_firmware)
        stack.callback(self._board_line.close)
        relay = LineRelay(
            self._config.line_faults,
            self._bench.counter_hz,
            self._config.seed,
            self._board_line.write,
            self._board_line.close,
        )
        self._firmware_line = PtyPort(relay.feed)
        stack.callback(self._firmware_line.close)
        self._firmware = await self._start_firmware()
        stack.push_async_callback(self._stop_firmware)
        self._server = await asyncio.start_server(
            self._serve_client, "127.0.0.1", self._config.port
        )
        stack.push_async_callback(self._stop_server)

    def _to_firmware(self, data: bytes) -> None:
        self._firmware_line.write(data)

    async def _start_firmware(self) -> asyncio.subprocess.Process:
        arguments = {
            "--serial": self._firmware_line.path,
            "--counter-hz": str(self._bench.counter_hz),
            "--marker-interval": str(MARKER_INTERVAL_SAMPLES),
            "--boot-id": str(self._config.boot_id),
        }
        return await asyncio.create_subprocess_exec(
            self._config.micropython,
            self._config.firmware,
            *(word for pair in arguments.items() for word in pair),
            stdin=asyncio.subprocess.PIPE,
            env={**os.environ, "MICROPYPATH": f"{self._config.wire_folder}:.frozen"},
        )

    async def _stop_firmware(self) -> None:
        if self._firmware.stdin is not None:
            self._firmware.stdin.close()
        try:
            await asyncio.wait_for(self._firmware.wait(), timeout=2.0)
        except TimeoutError:
            self._firmware.kill()
            await self._firmware.wait()

    async def _stop_server(self) -> None:
        self._server.close()
        await self._server.wait_closed()
        client, self._client = self._client, None
        if client is not None:
            client.writer.close()
            with contextlib.suppress(ConnectionError):
                await client.writer.wait_closed()

    async def _serve_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection of the board; a new one takes over from the one before."""
        if self._client is not None:
            self._client.writer.close()
        client = self._client = _Client(writer)
        writer.write(encode_format(self._format_message()))
        # A board that vanishes or sends nonsense loses its connection, not the bench.
        with contextlib.suppress(ConnectionError, StreamDamagedError):
            await self._take_credit(client, reader)
        writer.close()
        if self._client is client:
            self._client = None

    async def _take_credit(self, client: _Client, reader: asyncio.StreamReader) -> None:
        decoder = StreamDecoder()
        while data := await reader.read(_READ_BYTES):
            for message in decoder.feed(data):
                if isinstance(message, StreamCredit):
                    client.credit = max(client.credit, message.up_to_sample)
            self._changed.set()

    def _format_message(self) -> StreamFormatMessage:
        stream_format = self._bench.stream_format
        return StreamFormatMessage(
            sample_rate_hz=stream_format.sample_rate_hz,
            phases=stream_format.phases,
            voltage_range=stream_format.voltage_range,
            current_range=stream_format.current_range,
            epoch_utc_ns=self._config.epoch_utc_ns,
            counter_hz=self._bench.counter_hz,
        )

    async def run(self) -> None:
        """Stream until cancelled.

        Raises:
            DeviceLostError: The firmware ended.
        """
        streaming = asyncio.ensure_future(self._stream())
        ended = asyncio.ensure_future(self._firmware.wait())
        try:
            await asyncio.wait({streaming, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done() or isinstance(streaming.exception(), ConnectionError):
                status = await self._firmware.wait()
                raise DeviceLostError(f"the front end's firmware ended with status {status}")
            await streaming
        finally:
            for task in (streaming, ended):
                task.cancel()
            await asyncio.gather(streaming, ended, return_exceptions=True)

    async def _stream(self) -> None:
        while not self._at_end:
            end = self._bench.next_sample + self._chunk
            client = await self._client_with_credit(end)
            await self._keep_pace(client, end)
            await self._send_edges(end)
            block = self._bench.next_block(self._chunk)
            message = encode_block(block.first_sample, block.sample_count, block.codes)
            await self._send(client, message)
        client = await self._client_with_credit(self._bench.next_sample)
        await self._send(client, encode_end(self._bench.next_sample))
        await asyncio.Event().wait()

    @property
    def _at_end(self) -> bool:
        end = self._config.end_sample
        return end is not None and self._bench.next_sample >= end

    async def _client_with_credit(self, end: int) -> _Client:
        while True:
            client = self._client
            if client is not None and not client.is_gone and client.credit >= end:
                return client
            self._changed.clear()
            await self._changed.wait()

    async def _keep_pace(self, client: _Client, end: int) -> None:
        if not self._config.real_time:
            return
        now_s = asyncio.get_running_loop().time()
        if client.first_send_at_s is None:
            client.first_send_at_s, client.first_sample = now_s, self._bench.next_sample
        rate_hz = self._bench.truth.true_sample_rate_hz
        due_s = client.first_send_at_s + (end - client.first_sample) / rate_hz
        await asyncio.sleep(max(0.0, due_s - now_s))

    async def _send_edges(self, end: int) -> None:
        """Everything that the counter catches before `end`, then what it shows at `end`."""
        records = [(edge.kind.value, edge.count) for edge in self._bench.edges_up_to(end)]
        records.append((_COUNTER_NOW, end * COUNTS_PER_SAMPLE))
        fifo = self._firmware.stdin
        if fifo is None:
            raise DeviceLostError("the front end's firmware has no event FIFO")
        packed = (
            _FIFO_RECORD.pack(kind, _METER_INPUT, count & 0xFFFFFFFF) for kind, count in records
        )
        fifo.write(b"".join(packed))
        await fifo.drain()

    async def _send(self, client: _Client, message: bytes) -> None:
        # A block for a board that has just gone is lost; the board sees the gap in the index.
        with contextlib.suppress(ConnectionError):
            if not client.is_gone:
                client.writer.write(message)
                await client.writer.drain()


async def serve(config: BenchProcessConfig) -> None:
    """Run the bench until standard input, a pipe or a terminal, closes.

    One line of JSON on standard output says where everything is:
    `{"samples": "127.0.0.1:PORT", "pulses": "/dev/pts/N"}`.

    Raises:
        DeviceLostError: The firmware ended.
    """
    async with BenchProcess(config) as bench:
        print(json.dumps(bench.addresses), flush=True)
        running = asyncio.ensure_future(bench.run())
        closing = asyncio.ensure_future(_closed(sys.stdin.fileno()))
        try:
            await asyncio.wait({running, closing}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                await running
        finally:
            for task in (running, closing):
                task.cancel()
            await asyncio.gather(running, closing, return_exceptions=True)


async def _closed(descriptor: int) -> None:
    """Return when a pipe or terminal is closed at its other end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def readable() -> None:
        if not os.read(descriptor, _READ_BYTES):
            ended.set()

    loop.add_reader(descriptor, readable)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
