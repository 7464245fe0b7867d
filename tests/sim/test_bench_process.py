"""The bench's process as the board sees it: a socket and a tty, with the real firmware between."""

import asyncio
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from spotcheck.errors import DeviceLostError
from spotcheck_sim.bench import BenchConfig, EdgeKind, SimulatedBench
from spotcheck_sim.bench_process import BenchProcess, BenchProcessConfig
from spotcheck_sim.line_relay import LineFaults
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frames import FRONT_END_MAX_FRAME, Frame, FrameDamaged, FrameDecoder
from spotcheck_wire.sample_stream import (
    StreamBlock,
    StreamDecoder,
    StreamEnd,
    StreamFormatMessage,
    encode_credit,
)

REPOSITORY = Path(__file__).parents[2]
BENCH = BenchConfig(mains=Mains(voltage_v=220.0), load=Load(current_a=50.0))
CONFIG = BenchProcessConfig(
    bench=BENCH,
    seed=4,
    micropython=Path(sys.executable).parent / "micropython",
    firmware=REPOSITORY / "device/firmware/main.py",
    wire_folder=REPOSITORY / "device/spotcheck_wire",
)

pytestmark = pytest.mark.processes


class Board:
    """The board's side of the samples, as short as it can be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.decoder = reader, writer, StreamDecoder()
        self.messages: list[object] = []

    def credit(self, up_to_sample: int) -> None:
        self.writer.write(encode_credit(up_to_sample))

    async def receive(self, enough: int) -> None:
        while len(self.messages) < enough:
            data = await asyncio.wait_for(self.reader.read(65536), 10)
            self.messages += self.decoder.feed(data)

    @property
    def blocks(self) -> list[StreamBlock]:
        return [message for message in self.messages if isinstance(message, StreamBlock)]


@asynccontextmanager
async def running(config: BenchProcessConfig) -> AsyncIterator[BenchProcess]:
    async with BenchProcess(config) as bench:
        task = asyncio.ensure_future(bench.run())
        try:
            yield bench
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def connected(bench: BenchProcess) -> AsyncIterator[Board]:
    host, port = bench.addresses["samples"].split(":")
    board = Board(*await asyncio.open_connection(host, int(port)))
    try:
        yield board
    finally:
        board.writer.close()
        await board.writer.wait_closed()


@contextmanager
def opened(bench: BenchProcess) -> Iterator[int]:
    tty = os.open(bench.addresses["pulses"], os.O_RDWR | os.O_NOCTTY)
    try:
        yield tty
    finally:
        os.close(tty)


async def frames_until(tty: int, counter: int) -> list[object]:
    """What comes over the line up to the promise that reaches a counter, or to the hang-up."""
    decoder, events = FrameDecoder(max_frame=FRONT_END_MAX_FRAME), []
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        await asyncio.sleep(0.005)
        if not select.select([tty], [], [], 0)[0]:
            continue
        try:
            data = os.read(tty, 65536)
        except OSError:
            return events
        if not data:
            return events
        events += decoder.feed(data)
        promises = messages_of(events, codec.COMPLETE)
        if promises and promises[-1][0] >= counter:
            return events
    raise AssertionError(f"the line did not reach counter {counter}: {events[-3:]}")


def messages_of(events: list[object], message_type: int) -> list[tuple[int, ...]]:
    return [
        codec.unpack_body(event.type, event.body)
        for event in events
        if isinstance(event, Frame) and event.type == message_type
    ]


def test_board_receives_the_plants_samples_and_pulses() -> None:
    async def scenario() -> tuple[Board, list[object]]:
        async with running(CONFIG) as bench, connected(bench) as board:
            with opened(bench) as tty:
                board.credit(8000)
                events = await frames_until(tty, 8000 * 3000)
                await board.receive(11)
                board.credit(9 * 8000 + 799)
                events += await frames_until(tty, 72_000 * 3000)
                await board.receive(91)
                return board, events

    board, events = asyncio.run(scenario())
    twin = SimulatedBench(BENCH, 4)
    stream_format = board.messages[0]
    assert isinstance(stream_format, StreamFormatMessage)
    assert (stream_format.sample_rate_hz, stream_format.counter_hz) == (8000, 24_000_000)
    # Never a sample more than the credit allows.
    assert [block.first_sample for block in board.blocks] == list(range(0, 72_000, 800))
    codes = b"".join(bytes(block.codes) for block in board.blocks)
    assert codes == bytes(twin.next_block(72_000).codes)
    edges = twin.edges_up_to(72_000)
    rising = [edge.count for edge in edges if edge.kind is EdgeKind.RISING]
    assert len(rising) > 30
    assert [pulse[2] for pulse in messages_of(events, codec.PULSE)] == rising
    markers = messages_of(events, codec.MARKER)
    assert markers == [(number * 1024, number * 1024 * 3000) for number in range(len(markers))]
    assert len(markers) == 71
    assert messages_of(events, codec.FAULT) == []


def test_counter_wraps_unnoticed() -> None:
    async def scenario() -> list[object]:
        async with running(CONFIG) as bench, connected(bench) as board:
            with opened(bench) as tty:
                board.credit(200 * 8000)
                receiving = asyncio.ensure_future(board.receive(2001))
                events = await frames_until(tty, 200 * 24_000_000)
                await receiving
                return events

    events = asyncio.run(scenario())
    rising = [
        edge.count
        for edge in SimulatedBench(BENCH, 4).edges_up_to(200 * 8000)
        if edge.kind is EdgeKind.RISING
    ]
    assert rising[-1] > 1 << 32
    assert [pulse[2] for pulse in messages_of(events, codec.PULSE)] == rising


def test_stream_goes_on_for_a_board_that_comes_back() -> None:
    async def scenario() -> tuple[Board, Board]:
        async with running(CONFIG) as bench:
            async with connected(bench) as first:
                first.credit(2400)
                await first.receive(4)
            async with connected(bench) as second:
                second.credit(4000)
                await second.receive(3)
            return first, second

    first, second = asyncio.run(scenario())
    assert [block.first_sample for block in first.blocks] == [0, 800, 1600]
    assert [block.first_sample for block in second.blocks] == [2400, 3200]
    assert isinstance(second.messages[0], StreamFormatMessage)


def test_stream_that_ends_says_so() -> None:
    async def scenario() -> Board:
        async with running(replace(CONFIG, end_sample=1600)) as bench, connected(bench) as board:
            board.credit(80_000)
            await board.receive(4)
            return board

    assert asyncio.run(scenario()).messages[-1] == StreamEnd(end_sample=1600)


def test_real_time_keeps_to_the_wall_clock() -> None:
    async def scenario() -> float:
        async with running(replace(CONFIG, real_time=True)) as bench, connected(bench) as board:
            started = time.monotonic()
            board.credit(4000)
            await board.receive(6)
            return time.monotonic() - started

    assert asyncio.run(scenario()) >= 0.49


async def line_with(faults: LineFaults) -> list[object]:
    async with running(replace(CONFIG, line_faults=faults)) as bench, connected(bench) as board:
        with opened(bench) as tty:
            board.credit(5 * 8000)
            receiving = asyncio.ensure_future(board.receive(51))
            events = await frames_until(tty, 5 * 24_000_000)
            await receiving
            return events


def test_damaged_frames_are_seen_as_damaged() -> None:
    events = asyncio.run(line_with(LineFaults(damage_from_s=2.0, damage_every=7)))
    first = next(at for at, event in enumerate(events) if isinstance(event, FrameDamaged))
    assert messages_of(events[:first], codec.COMPLETE)[-1][0] >= 2 * 24_000_000
    assert sum(isinstance(event, FrameDamaged) for event in events) > 3


def test_unplugged_line_hangs_up_at_its_stream_time_and_samples_go_on() -> None:
    async def scenario() -> list[object]:
        config = replace(CONFIG, line_faults=LineFaults(unplug_at_s=3.0))
        async with running(config) as bench, connected(bench) as board:
            with opened(bench) as tty:
                board.credit(23_200)
                events = await frames_until(tty, 23_200 * 3000)
                board.credit(5 * 8000)
                await board.receive(51)
                # A hang-up, because nothing but that ends the wait for 5 s.
                return events + await frames_until(tty, 5 * 24_000_000)

    events = asyncio.run(scenario())
    assert 2.9 * 24e6 <= messages_of(events, codec.COMPLETE)[-1][0] <= 3 * 24_000_000


def test_firmware_that_dies_ends_the_bench_with_its_name() -> None:
    async def scenario() -> None:
        async with BenchProcess(replace(CONFIG, firmware=Path("/nowhere/main.py"))) as bench:
            await asyncio.wait_for(bench.run(), 10)

    with pytest.raises(DeviceLostError, match="firmware ended with status"):
        asyncio.run(scenario())


def test_served_bench_says_where_it_is_and_ends_with_its_input() -> None:
    program = (
        "import asyncio, sys; from pathlib import Path;"
        "from spotcheck_sim.bench import BenchConfig;"
        "from spotcheck_sim.bench_process import BenchProcessConfig, serve;"
        "micropython, firmware, wire = map(Path, sys.argv[1:]);"
        "asyncio.run(serve(BenchProcessConfig(bench=BenchConfig(), seed=1,"
        " micropython=micropython, firmware=firmware, wire_folder=wire)))"
    )
    command = [sys.executable, "-c", program]
    command += [str(CONFIG.micropython), str(CONFIG.firmware), str(CONFIG.wire_folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        addresses = json.loads(process.stdout.readline())
        assert addresses["samples"].startswith("127.0.0.1:")
        assert Path(addresses["pulses"]).is_char_device()
        process.stdin.close()
        assert process.wait(timeout=10) == 0
