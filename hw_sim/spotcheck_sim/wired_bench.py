"""The bench on its wires, all in this process: samples over TCP, pulses over a pty.

plant ─► samples ─► a faulty link ─► TCP, on credit ─► board
   └──► edges ─► twin of the front end ─► a faulty link ─► pty ─► board
"""

import asyncio
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from spotcheck.samples import StreamFormat
from spotcheck_sim.bench import COUNTS_PER_SAMPLE, SimulatedBench
from spotcheck_sim.front_end_twin import FrontEndTwin
from spotcheck_sim.link_faults import AfterMessage, FaultyLink, LinkFault
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

FORMAT, BLOCK, END = "format", "block", "end"
STREAM_STEPS = (FORMAT, BLOCK, END)
"""Kinds of messages that the sample source sends."""
CHUNKS_PER_SECOND = 4
BACK_AFTER_S = 0.2
_READ_BYTES = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredFaults:
    """What goes wrong on the wires."""

    line: LinkFault | None = None
    """On the line of the pulse front end."""
    stream: LinkFault | None = None
    """On the stream of samples."""
    reboot_at_sample: int | None = None
    """Sample at which the pulse front end starts anew; None: never."""
    pulse_skipped_at_sample: int | None = None
    """Sample at which the front end counts a pulse that it never sends; None: never."""
    blocks_lost_at_sample: int | None = None
    """Sample from which a block is lost before it was sent, as by a converter's CRC."""
    counter_steps_at_sample: int | None = None
    """Sample at which the front end's counter jumps ahead by a millisecond; None: never."""


class WiredBench:
    """Server of samples and front end on a pty; an asynchronous context manager."""

    def __init__(
        self, bench: SimulatedBench, faults: WiredFaults, folder: Path, seed: int, end_sample: int
    ) -> None:
        """Nothing is served before the context is entered.

        Args:
            bench: The plant.
            faults: What goes wrong on its wires.
            folder: Where the line's name is kept, so that it can be pulled and plugged in again.
            seed: Seed of the damage.
            end_sample: Sample before which the stream ends.
        """
        self._bench = bench
        self._faults = faults
        self._line = FaultyLink(faults.line, seed)
        self._stream_link = FaultyLink(faults.stream, seed + 1)
        self._twin = FrontEndTwin(bench.counter_hz)
        self._end_sample = end_sample
        self._path = folder / "pulses"
        self._chunk = bench.stream_format.sample_rate_hz // CHUNKS_PER_SECOND
        self._writer: asyncio.StreamWriter | None = None
        self._credit = 0
        self._announced: StreamFormat | None = None
        self._accepts = True
        self._counter_ahead = 0
        self._plugging: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()

    @property
    def addresses(self) -> dict[str, str]:
        """Where the board finds samples (`host:port`) and pulses (path of a tty)."""
        port = self._server.sockets[0].getsockname()[1]
        return {"samples": f"127.0.0.1:{port}", "pulses": str(self._path)}

    @property
    def has_struck(self) -> bool:
        """Whether the fault on a link has come about."""
        return self._line.has_struck or self._stream_link.has_struck

    async def __aenter__(self) -> Self:
        self._plug_in()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._running = asyncio.ensure_future(self._stream())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.cancel()
        if self._plugging is not None:
            self._plugging.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        self._server.close()
        if self._writer is not None:
            self._writer.close()
        self._port.close()

    def _plug_in(self) -> None:
        self._port = PtyPort(self._take_commands)
        self._path.unlink(missing_ok=True)
        self._path.symlink_to(self._port.path)

    def _take_commands(self, data: bytes) -> None:
        for step, frame in self._twin.answers(data):
            self._to_board(step, frame)

    def _to_board(self, step: str, frame: bytes) -> None:
        arrived, after = self._line.carry(step, frame)
        self._port.write(arrived)
        if after is not AfterMessage.GOES_ON:
            self._port.close()
            self._path.unlink()
        if after is AfterMessage.BACK:
            loop = asyncio.get_running_loop()
            self._plugging = loop.call_later(BACK_AFTER_S, self._plug_in)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the board; a new one takes over from the one before."""
        if not self._accepts:
            writer.close()
            return
        self._writer, self._credit, self._announced = writer, 0, None
        self._announce()
        decoder = StreamDecoder()
        with contextlib.suppress(ConnectionError, StreamDamagedError):
            while data := await reader.read(_READ_BYTES):
                credits = [m for m in decoder.feed(data) if isinstance(m, StreamCredit)]
                if self._writer is writer:
                    self._credit = max([self._credit, *(m.up_to_sample for m in credits)])
                    self._changed.set()
        if self._writer is writer:
            self._writer = None
        writer.close()

    def _announce(self) -> None:
        """Tell the format that holds from the next sample on."""
        stream = self._announced = self._bench.stream_format
        message = StreamFormatMessage(
            sample_rate_hz=stream.sample_rate_hz,
            phases=stream.phases,
            voltage_range=stream.voltage_range,
            current_range=stream.current_range,
            epoch_utc_ns=1_767_225_600_000_000_000,
            counter_hz=self._bench.counter_hz,
        )
        self._send(FORMAT, encode_format(message))

    async def _stream(self) -> None:
        while self._bench.next_sample < self._end_sample:
            end = self._bench.next_sample + self._chunk
            await self._credit_for(end)
            if self._bench.stream_format != self._announced:
                self._announce()
                await self._credit_for(end)
            self._act_on_front_end(end)
            ahead = self._counter_ahead
            edges = [replace(e, count=e.count + ahead) for e in self._bench.edges_up_to(end)]
            complete_count = end * COUNTS_PER_SAMPLE + ahead
            for step, frame in self._twin.messages(edges, complete_count):
                self._to_board(step, frame)
            block = self._bench.next_block(self._chunk)
            if not self._comes_in_block(block.first_sample, self._faults.blocks_lost_at_sample):
                message = encode_block(block.first_sample, block.sample_count, block.codes)
                self._send(BLOCK, message)
        await self._credit_for(self._bench.next_sample)
        self._send(END, encode_end(self._bench.next_sample))

    def _act_on_front_end(self, end: int) -> None:
        first = self._bench.next_sample
        if self._comes_in_block(first, self._faults.reboot_at_sample):
            self._twin.boot(2)
            self._to_board(*self._twin.hello())
        if self._comes_in_block(first, self._faults.counter_steps_at_sample):
            self._counter_ahead = self._bench.counter_hz // 1000
        if self._comes_in_block(first, self._faults.pulse_skipped_at_sample):
            self._twin.skip_pulse()

    def _comes_in_block(self, first: int, at_sample: int | None) -> bool:
        """Whether a sample lies in the block that begins at `first`."""
        return at_sample is not None and first <= at_sample < first + self._chunk

    async def _credit_for(self, end: int) -> None:
        while self._writer is None or self._credit < end:
            self._changed.clear()
            await self._changed.wait()

    def _send(self, step: str, message: bytes) -> None:
        if self._writer is None:
            return
        arrived, after = self._stream_link.carry(step, message)
        self._writer.write(arrived)
        if after is not AfterMessage.GOES_ON:
            self._accepts = after is AfterMessage.BACK
            self._writer.close()
            self._writer = None
