"""The link to the pulse front end, over a real pty, with a front end that a test speaks for."""

import asyncio
import fcntl
import os
import termios
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from spotcheck.errors import CommandRefusedError, DeviceLostError
from spotcheck.ports import PulseBatch
from spotcheck.reading import Reason
from spotcheck_device.pulse_link import PulseLink, PulseSinks
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder

SAMPLE = 65536
HELLO = table.FrontEndHello(
    counter_hz=24_000_000, boot_id=1, marker_interval=1000, firmware_major=2, firmware_minor=0,
    firmware_patch=0, inputs=5, boot_reason=0, self_test=0,
)  # fmt: skip


@dataclass
class Told:
    """Everything that the link has told, in order per sink."""

    opened: int = 0
    batches: list[PulseBatch] = field(default_factory=list)
    lost: list[tuple[int, str]] = field(default_factory=list)
    losses: list[tuple[Reason, str]] = field(default_factory=list)
    notices: list[tuple[str, str]] = field(default_factory=list)
    markers: list[int] = field(default_factory=list)
    signals: list[table.InputSignal] = field(default_factory=list)

    def open(self) -> None:
        self.opened += 1

    def sinks(self) -> PulseSinks:
        return PulseSinks(
            on_open=self.open,
            on_pulses=self.batches.append,
            on_pulses_lost=lambda number, text: self.lost.append((number, text)),
            on_loss=lambda reason, text: self.losses.append((reason, text)),
            on_notice=lambda code, text: self.notices.append((code, text)),
            on_marker=self.markers.append,
            on_signal=self.signals.append,
        )


SIGNAL = table.InputSignal(input=1, ambient=5, swing=4, threshold=7, quality=80)


class FrontEnd:
    """The far end of the line."""

    def __init__(self, master: int, link: PulseLink, told: Told) -> None:
        self.link, self.told = link, told
        self._master = master
        self._encoder = FrameEncoder(max_frame=256)
        self._decoder = FrameDecoder(max_frame=256)

    def say(self, *messages: table.FrontEndMessage) -> None:
        for message in messages:
            self.say_bytes(self._encoder.encode(*table.encode_front_end(message)))

    def say_bytes(self, line: bytes) -> None:
        os.write(self._master, line)

    def say_clock(self) -> None:
        self.say(HELLO)
        self.say(*(table.Marker(sample_index=1000 * k, counter=3_000_000 * k) for k in range(2)))

    async def heard(self) -> list[Frame]:
        """The board's next commands."""
        await until(lambda: self._waiting() > 0)
        events = self._decoder.feed(os.read(self._master, 65536))
        return [event for event in events if isinstance(event, Frame)]

    def _waiting(self) -> int:
        return int.from_bytes(fcntl.ioctl(self._master, termios.FIONREAD, bytes(4)), "little")


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def connected() -> AsyncIterator[FrontEnd]:
    master, slave = os.openpty()
    tty.setraw(slave)
    told = Told()
    link = PulseLink(os.ttyname(slave), 115200, told.sinks())
    running = asyncio.ensure_future(link.run())
    front_end = FrontEnd(master, link, told)
    try:
        await until(lambda: told.opened == 1)
        (request,) = await front_end.heard()
        assert request.type == codec.HELLO_REQUEST
        yield front_end
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        os.close(slave)
        os.close(master)


def complete(counter: int, *pulses: int) -> table.Complete:
    so_far = (*pulses, 0, 0, 0, 0, 0)[:5]
    return table.Complete(counter=counter, pulses_so_far=so_far, dropped_edges=0, records_lost=0)


def pulse(number: int, index: int, counter: int) -> table.Pulse:
    return table.Pulse(input=number, index=index, counter=counter, width_counts=0)


def test_each_input_has_its_batches_and_its_promise() -> None:
    async def scenario() -> Told:
        async with connected() as front_end:
            front_end.say_clock()
            front_end.say(pulse(0, 0, 3_003_000), pulse(3, 0, 3_006_000), pulse(0, 1, 3_009_000))
            front_end.say(complete(3_030_000, 2, 0, 0, 1))
            await until(lambda: len(front_end.told.batches) == 7)
            return front_end.told

    told = asyncio.run(scenario())
    # 3000 counts a sample.
    assert [
        (batch.input, [p.stamp // SAMPLE for p in batch.pulses]) for batch in told.batches[:2]
    ] == [(0, [1001, 1003]), (3, [1002])]
    assert [(b.input, b.pulses, b.complete_to_stamp) for b in told.batches[2:]] == [
        (number, (), 1010 * SAMPLE) for number in range(5)
    ]
    assert (told.lost, told.losses, told.notices) == ([], [], [])


def test_pulses_lost_are_told_with_their_input() -> None:
    async def scenario() -> Told:
        async with connected() as front_end:
            front_end.say_clock()
            front_end.say(complete(3_000_100, 5, 0, 0, 7))
            front_end.say(pulse(0, 6, 3_000_200))
            front_end.say(complete(3_000_300, 7, 0, 2, 7))
            front_end.say(SIGNAL)
            await until(lambda: front_end.told.signals == [SIGNAL])
            return front_end.told

    assert asyncio.run(scenario()).lost == [
        (0, "pulses lost on the line of the front end: 1"),
        (2, "pulses lost on the line of the front end: 2"),
    ]


def test_pps_is_stamped_like_pulses_and_comes_before_every_promise_that_covers_it() -> None:
    async def scenario() -> Told:
        async with connected() as front_end:
            front_end.say_clock()
            # 3000 counts are a sample: half a second of 1000 samples' clock is sample 500.
            front_end.say(table.Pps(counter=1_500_000, number=0))
            front_end.say(complete(3_000_300, 0, 0, 0, 0))
            await until(lambda: len(front_end.told.batches) >= 5)
            return front_end.told

    told = asyncio.run(scenario())
    batches = told.batches
    assert [batch.pps_stamps for batch in batches[:5]] == [(500 << 16,), (), (), (), ()]
    assert told.markers == [0, 1000]
    assert {batch.complete_to_stamp for batch in batches} == {batches[0].complete_to_stamp}
    assert batches[0].complete_to_stamp > 500 << 16


def test_light_faults_and_self_test_go_to_who_takes_them() -> None:
    async def scenario() -> Told:
        async with connected() as front_end:
            failed = codec.SELF_TEST_COUNTER | codec.SELF_TEST_CLAMP
            boot = {name: getattr(HELLO, name) for name in HELLO.__slots__}
            front_end.say(table.FrontEndHello(**{**boot, "self_test": failed}))
            front_end.say(table.Fault(code=codec.FAULT_MARKERS_LOST, count=3))
            front_end.say(table.Fault(code=99, count=1), SIGNAL)
            await until(lambda: len(front_end.told.signals) == 1)
            return front_end.told

    told = asyncio.run(scenario())
    assert told.signals == [SIGNAL]
    assert told.notices == [
        ("front-end-self-test", "failed at boot: the counter stands"),
        ("front-end-fault", "ADC frame markers were lost in a full FIFO, 3 times"),
        ("front-end-fault", "code 99, 1 times"),
    ]


@pytest.mark.parametrize(
    ("version", "cure"),
    [(1, "update the front end's firmware"), (3, "update the board's software")],
)
def test_another_version_is_told_once_with_the_side_to_update(version: int, cure: str) -> None:
    theirs = bytearray(codec.cobs_decode(codec.build_frame(codec.HELLO, 0, bytes(12))[:-1]))
    theirs[0] = version
    theirs[-4:] = codec.binascii.crc32(theirs[:-4]).to_bytes(4, "little")
    line = codec.cobs_encode(bytes(theirs)) + b"\0"

    async def scenario() -> Told:
        async with connected() as front_end:
            front_end.say_bytes(line)
            front_end.say_bytes(line)
            front_end.say(SIGNAL)
            await until(lambda: len(front_end.told.signals) == 1)
            return front_end.told

    ((reason, text),) = asyncio.run(scenario()).losses
    assert reason is Reason.FRONT_END_LOST
    assert text.endswith(f"message table {version}, the board 2: {cure}")


def test_restart_of_the_front_end_is_told_and_counts_begin_anew() -> None:
    async def scenario() -> Told:
        async with connected() as front_end:
            front_end.say_clock()
            front_end.say(complete(3_000_100, 9))
            boot = {name: getattr(HELLO, name) for name in HELLO.__slots__}
            front_end.say(table.FrontEndHello(**{**boot, "boot_id": 2}))
            front_end.say(pulse(0, 0, 5), SIGNAL)
            await until(lambda: len(front_end.told.signals) == 1)
            return front_end.told

    told = asyncio.run(scenario())
    assert told.losses == [(Reason.FRONT_END_LOST, "the pulse front end has restarted")]
    assert told.lost == []


def test_command_returns_what_was_told_before_its_acknowledgement() -> None:
    air = table.Environment(temperature_centidegree=2500, humidity_centipercent=4000)

    async def scenario() -> tuple[table.FrontEndMessage, ...]:
        async with connected() as front_end:
            order = asyncio.ensure_future(front_end.link.commands.order(table.ReadEnvironment()))
            (command,) = await front_end.heard()
            front_end.say(table.Ack(sequence=command.sequence - 1, command=command.type))
            front_end.say(air, table.Ack(sequence=command.sequence, command=command.type))
            return await order

    assert asyncio.run(scenario()) == (air,)


def test_next_command_goes_out_only_after_the_answer_to_the_one_before() -> None:
    async def scenario() -> None:
        async with connected() as front_end:
            orders = [
                asyncio.ensure_future(front_end.link.commands.order(command))
                for command in (table.ReadClamp(), table.FinishUpdate())
            ]
            (first,) = await front_end.heard()
            assert first.type == codec.READ_CLAMP
            refused = codec.REFUSED_NO_CLAMP
            front_end.say(
                table.Refused(sequence=first.sequence, command=first.type, reason=refused)
            )
            with pytest.raises(CommandRefusedError, match="ReadClamp: no clamp") as told:
                await orders[0]
            assert told.value.reason == refused
            (second,) = await front_end.heard()
            assert (second.type, second.sequence) == (codec.FINISH_UPDATE, first.sequence + 1)
            front_end.say(table.Ack(sequence=second.sequence, command=second.type))
            assert await orders[1] == ()

    asyncio.run(scenario())


def test_silence_is_told_and_the_next_command_is_served() -> None:
    async def scenario() -> None:
        async with connected() as front_end:
            with pytest.raises(DeviceLostError, match=r"did not answer ReadClamp within 0.05 s"):
                await front_end.link.commands.order(table.ReadClamp(), timeout_s=0.05)
            (late,) = await front_end.heard()
            order = asyncio.ensure_future(front_end.link.commands.order(table.HelloRequest()))
            (command,) = await front_end.heard()
            front_end.say(table.Ack(sequence=late.sequence, command=late.type))
            front_end.say(HELLO, table.Ack(sequence=command.sequence, command=command.type))
            assert await order == ()

    asyncio.run(scenario())


def test_command_without_a_line_and_on_a_line_that_goes_away_are_told() -> None:
    async def scenario() -> None:
        master, slave = os.openpty()
        tty.setraw(slave)
        told = Told()
        link = PulseLink(os.ttyname(slave), 115200, told.sinks())
        with pytest.raises(DeviceLostError, match="not open"):
            await link.commands.order(table.ReadClamp())
        running = asyncio.ensure_future(link.run())
        await until(lambda: told.opened == 1)
        order = asyncio.ensure_future(link.commands.order(table.ReadClamp()))
        await asyncio.sleep(0.01)
        os.close(slave)
        os.close(master)
        with pytest.raises(DeviceLostError, match="went away"):
            await order
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
