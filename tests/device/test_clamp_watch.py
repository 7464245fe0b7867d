"""Clamps of another correction set are told once, and keep the instrument from measuring."""

import asyncio
from dataclasses import replace

from spotcheck_device.clamp_watch import ClampWatch
from spotcheck_device.front_end_commands import FrontEndCommands
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frontend_messages import Ack, Clamp, FrontEndMessage, ReadClamp, Refused

OURS, OTHER = bytes(range(32)), bytes(range(1, 33))
CLAMP = Clamp(
    damaged_copies=0, written=3, serial=b"C-7".ljust(16, b"\0"), locked=1,
    ranges_ma=(100_000, 0, 0, 0), correction_id=b"2026-1".ljust(16, b"\0"),
    correction_sha256=OURS,
)  # fmt: skip
NO_CLAMP = Refused(sequence=1, command=codec.READ_CLAMP, reason=codec.REFUSED_NO_CLAMP)
DAMAGED = replace(NO_CLAMP, reason=codec.REFUSED_CLAMP_DAMAGED)
BELONGS = "the clamp C-7 belongs to correction set 010203040506"


def looks(*answers: Clamp | Refused | None) -> tuple[list[str], list[str], str | None]:
    """Obstacles and notices told over some looks, and what holds in the end; None: no memory."""
    obstacles: list[str] = []
    notices: list[str] = []
    waiting = list(answers)

    def send(command: FrontEndMessage) -> int:
        assert isinstance(command, ReadClamp)
        answer = waiting.pop(0)
        said = [answer] if isinstance(answer, Clamp) else []
        end = answer if isinstance(answer, Refused) else Ack(sequence=1, command=codec.READ_CLAMP)
        for message in (*said, end):
            asyncio.get_running_loop().call_soon(commands.take, message)
        return 1

    commands = FrontEndCommands(send)
    watch = ClampWatch(
        commands, OURS.hex(), on_obstacle=obstacles.append,
        on_notice=lambda code, text: notices.append(code),
    )  # fmt: skip

    async def run() -> None:
        for _ in answers:
            await watch.look()

    asyncio.run(run())
    return obstacles, notices, watch.obstacle


def test_clamps_of_the_set_in_use_are_no_obstacle() -> None:
    assert looks(CLAMP, CLAMP) == ([], [], None)


def test_clamps_of_another_set_are_told_once_each_time_they_come() -> None:
    other = replace(CLAMP, correction_sha256=OTHER)
    obstacles, notices, last = looks(CLAMP, other, other, CLAMP, other)
    assert [text.partition(",")[0] for text in obstacles] == [BELONGS, BELONGS]
    assert notices == []
    assert last == obstacles[0]
    assert looks(other, CLAMP)[2] is None


def test_clamps_that_name_no_set_or_have_no_memory_say_nothing() -> None:
    blank = replace(CLAMP, correction_sha256=bytes(32))
    assert looks(blank, NO_CLAMP, None) == ([], [], None)


def test_busy_front_end_takes_no_obstacle_away() -> None:
    other = replace(CLAMP, correction_sha256=OTHER)
    busy = replace(NO_CLAMP, reason=codec.REFUSED_BUSY)
    obstacles, _, last = looks(other, busy, other)
    assert len(obstacles) == 1
    assert last == obstacles[0]
    assert looks(other, NO_CLAMP)[2] is None


def test_damaged_memory_is_told_once() -> None:
    assert looks(DAMAGED, DAMAGED, CLAMP, DAMAGED)[:2] == ([], ["clamp-damaged"] * 2)
