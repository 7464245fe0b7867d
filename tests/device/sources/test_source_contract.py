"""What the daemon may expect of every source: the simulated ones and the hardware's twins alike.

Each twin is fed at the wire: a sample stream over a socket, SPI frames of a simulated ADS131M08,
libiio's protocol, a folder of a recording. Sample n of channel c has the code 10·n + c.
"""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from spotcheck.samples import SampleBlock
from spotcheck_device.replay import open_recording, recorded_blocks
from spotcheck_device.sources import sampled_source
from spotcheck_device.sources.ads131m08 import Ads131m08
from spotcheck_device.sources.ads131m08_registers import Ads131m08Configuration
from spotcheck_device.sources.channel_map import ChannelMap
from spotcheck_device.sources.opening import open_source
from spotcheck_device.sources.port import LiveSource, SampleGap, SourceListener
from spotcheck_device.sources.sampled_source import SampledSource
from spotcheck_sim.ads131m08_chip import Ads131m08Chip
from spotcheck_wire.sample_stream import StreamFormatMessage, encode_block, encode_format

RATE_HZ = 4000
MARKED = 128
"""Frames from marker to marker."""
FORMAT = StreamFormatMessage(
    sample_rate_hz=RATE_HZ, phases=1, voltage_range="480V", current_range="C100", epoch_utc_ns=0,
    counter_hz=24_000_000,
)  # fmt: skip
RECORDING = Path(__file__).parents[1] / "golden" / "recording_v1"


@dataclass
class Heard:
    """All that a source has told, in order."""

    told: list[object] = field(default_factory=list)

    def listener(self) -> SourceListener:
        return SourceListener(
            on_format=self.told.append,
            on_block=self.told.append,
            on_loss=self.told.append,
            on_gap=self.told.append,
        )

    @property
    def blocks(self) -> list[SampleBlock]:
        return [part for part in self.told if isinstance(part, SampleBlock)]

    @property
    def gaps(self) -> list[SampleGap]:
        return [part for part in self.told if isinstance(part, SampleGap)]

    @property
    def losses(self) -> list[str]:
        return [part for part in self.told if isinstance(part, str)]

    @property
    def formats(self) -> list[StreamFormatMessage]:
        return [part for part in self.told if isinstance(part, StreamFormatMessage)]


def codes_of(n: int, channels: int) -> tuple[int, ...]:
    return tuple(10 * n + channel for channel in range(channels))


@dataclass
class World:
    """A converter in real time; what is missing in it is missed by whoever reads it."""

    missing: frozenset[int] = frozenset()
    breaks_at: int | None = None
    on_marker: Callable[[int], None] = lambda _: None
    is_over: bool = False

    def frames(self) -> Iterator[tuple[int, int]]:
        """Number and instant of each frame that is read."""
        begin_ns = time.monotonic_ns()
        number = 0
        while True:
            instant_ns = begin_ns + number * 1_000_000_000 // RATE_HZ
            time.sleep(max(0, instant_ns - time.monotonic_ns()) / 1e9)
            if number % MARKED == 0:
                self.on_marker(number)
            if self.is_over:
                return
            if number == self.breaks_at:
                self.breaks_at = None
                return
            if number not in self.missing:
                yield number, instant_ns
            number += 1


class Wires:
    """Bus and data-ready line of a simulated ADS131M08 in that world."""

    def __init__(self, world: World) -> None:
        self._frames = world.frames()
        self._number = 0
        self._chip = Ads131m08Chip(lambda _: codes_of(self._number, 8))

    def transfer(self, data: bytes) -> bytes:
        return self._chip.transfer(data)

    def wait(self, timeout_s: float) -> tuple[int, ...]:
        if not timeout_s:
            return ()
        frame = next(self._frames, None)
        if frame is None:
            raise OSError("the line is gone")
        self._number = frame[0]
        self._chip.convert()
        return (frame[1],)

    def close(self) -> None:
        pass


@asynccontextmanager
async def running(source: LiveSource) -> AsyncIterator[None]:
    task = asyncio.ensure_future(source.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def socket_twin(world: World, heard: Heard) -> AsyncIterator[LiveSource]:
    served: list[asyncio.Task[None] | None] = []

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        writer.write(encode_format(FORMAT))
        frames = world.frames()
        while (frame := await asyncio.to_thread(next, frames, None)) is not None:
            writer.write(encode_block(frame[0], 1, np.array(codes_of(frame[0], 2), "<i4")))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield open_source(f"tcp:127.0.0.1:{port}", heard.listener())
        world.is_over = True
        await asyncio.gather(*(task for task in served if task is not None))


def spi_source(world: World, heard: Heard) -> SampledSource:
    def opened() -> Ads131m08:
        wires = Wires(world)
        return Ads131m08(
            bus=wires, ready=wires, stream_format=FORMAT,
            configuration=Ads131m08Configuration(sample_rate_hz=RATE_HZ, clock_hz=8_192_000),
            channels=ChannelMap(phases=1, inputs=(0, 1), available=8),
        )  # fmt: skip

    return SampledSource(opened, heard.listener())


@asynccontextmanager
async def spi_twin(world: World, heard: Heard) -> AsyncIterator[LiveSource]:
    source = spi_source(world, heard)
    loop = asyncio.get_running_loop()
    world.on_marker = lambda number: ignore(loop.call_soon_threadsafe(source.add_marker, number))
    yield source


@asynccontextmanager
async def iio_twin(world: World, heard: Heard, stub: ModuleType) -> AsyncIterator[LiveSource]:
    def frames() -> Iterator[tuple[int, tuple[int, ...]]]:
        for number, instant_ns in world.frames():
            yield instant_ns, codes_of(number, 8)

    class Frames:
        """Begins anew for each client after an end, as a device does that was reset."""

        current: Iterator[tuple[int, tuple[int, ...]]] | None = None

        def __iter__(self) -> "Frames":
            return self

        def __next__(self) -> tuple[int, tuple[int, ...]]:
            self.current = self.current or frames()
            try:
                return next(self.current)
            except StopIteration:
                self.current = None
                raise

    bench = stub.Bench(frames=Frames(), rate=str(RATE_HZ))
    with stub.serving(bench) as uri:
        keys = "device=ads131m08&phases=1&inputs=0,1&voltage=480V&current=C100"
        source = open_source(f"iio:{uri}?{keys}", heard.listener())
        loop = asyncio.get_running_loop()
        world.on_marker = lambda number: ignore(
            loop.call_soon_threadsafe(source.add_marker, number)
        )
        yield source


def ignore(_: object) -> None:
    """A marker's call has no result."""


Twin = Callable[[World, Heard], object]


@pytest.fixture(params=["socket", "spi", "iio"])
def twin(request: pytest.FixtureRequest) -> Callable[[World, Heard], object]:
    """A source whose samples are made while it runs."""
    if request.param == "socket":
        return socket_twin
    if request.param == "spi":
        return spi_twin
    stub = request.getfixturevalue("iiod_stub")
    return lambda world, heard: iio_twin(world, heard, stub)


@pytest.fixture(autouse=True)
def _quick_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampled_source, "_RETRY_S", 0.02)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def listen(twin: Twin, world: World, heard: Heard, condition: Callable[[], bool]) -> None:
    async def main() -> None:
        async with twin(world, heard) as source, running(source):  # type: ignore[attr-defined]
            source.grant_up_to(0)
            source.add_marker(0)
            await asyncio.wait_for(until(condition), 10.0)

    asyncio.run(main())


def codes_by_number(blocks: list[SampleBlock]) -> dict[int, tuple[int, int]]:
    found = {}
    for block in blocks:
        codes = np.frombuffer(block.codes, "<i4").reshape(-1, 2).tolist()
        found |= {block.first_sample + n: (u, i) for n, (u, i) in enumerate(codes)}
    return found


def test_format_comes_first_and_samples_follow_on_with_their_codes(twin: Twin) -> None:
    heard = Heard()
    listen(twin, World(), heard, lambda: sum(b.sample_count for b in heard.blocks) > 800)
    assert isinstance(heard.told[0], StreamFormatMessage)
    assert (heard.told[0].sample_rate_hz, heard.told[0].phases) == (RATE_HZ, 1)
    assert heard.gaps == heard.losses == []
    found = codes_by_number(heard.blocks)
    numbers = list(found)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    # What is on the wire says where it was made; a source that entered late numbers from there.
    offset = found[numbers[0]][0] // 10 - numbers[0]
    assert all(pair == codes_of(n + offset, 2) for n, pair in found.items())


def test_missing_samples_are_a_jump_of_the_number_and_nothing_is_put_in_their_place(
    twin: Twin,
) -> None:
    heard = Heard()
    missing = frozenset(range(500, 537))
    listen(
        twin, World(missing=missing), heard, lambda: sum(b.sample_count for b in heard.blocks) > 900
    )
    found = codes_by_number(heard.blocks)
    first = next(iter(found))
    offset = found[first][0] // 10 - first
    assert all(pair == codes_of(n + offset, 2) for n, pair in found.items())
    absent = set(range(first, max(found) + 1)) - set(found)
    assert {n + offset for n in absent} >= missing
    for gap in heard.gaps:
        assert absent >= set(range(gap.first_sample, gap.first_sample + gap.samples))


def test_source_that_ends_is_told_and_found_again(twin: Twin) -> None:
    heard = Heard()
    listen(twin, World(breaks_at=900), heard, lambda: len(heard.formats) > 1)
    assert len(heard.losses) == 1
    at = heard.told.index(heard.losses[0])
    assert isinstance(heard.told[at + 1], StreamFormatMessage)


def test_no_thread_is_left_behind(twin: Twin) -> None:
    heard = Heard()
    listen(twin, World(), heard, lambda: bool(heard.blocks))
    assert not [thread for thread in threading.enumerate() if thread.name == "sampler"]


def test_gap_of_a_converter_comes_with_its_cause_before_the_block_behind_it() -> None:
    heard = Heard()
    world = World(missing=frozenset([600]))
    listen(spi_twin, world, heard, lambda: sum(b.sample_count for b in heard.blocks) > 900)
    (gap,) = heard.gaps
    behind = heard.told[heard.told.index(gap) + 1]
    assert isinstance(behind, SampleBlock)
    assert behind.first_sample == gap.first_sample + gap.samples
    assert codes_by_number([behind])[behind.first_sample][0] // 10 == 600 + gap.samples
    assert gap.cause.startswith("not read in time: 1;")


@pytest.mark.parametrize("pace", ["real-time", "credit"])
def test_recording_comes_again_with_its_numbers(pace: str) -> None:
    head = open_recording(RECORDING).head
    heard = Heard()
    wanted = head.first_sample + round(0.3 * head.stream.sample_rate_hz)

    async def main() -> None:
        source = open_source(f"recording:{RECORDING}?pace={pace}", heard.listener())
        async with running(source):
            if pace == "credit":
                await asyncio.sleep(0.1)
                assert heard.blocks == []
                source.grant_up_to(0)
            await asyncio.wait_for(
                until(lambda: bool(heard.blocks) and heard.blocks[-1].end_sample >= wanted), 10.0
            )

    asyncio.run(main())
    assert heard.formats[0].sample_rate_hz == head.stream.sample_rate_hz
    assert heard.blocks[0].first_sample == head.first_sample
    given = b"".join(bytes(block.codes) for block in heard.blocks)
    recorded = b"".join(bytes(block.codes) for block in recorded_blocks(open_recording(RECORDING)))
    assert recorded.startswith(given)
