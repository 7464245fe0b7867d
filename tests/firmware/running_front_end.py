"""Runs the front end's firmware under MicroPython on a pty, and speaks to it."""

import os
import select
import struct
import subprocess
import sys
import time
import tty
from pathlib import Path
from types import TracebackType

from simulated_board import SimulatedBoard

from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder, FrameEvent
from spotcheck_wire.frontend_messages import (
    Complete,
    FrontEndCommand,
    FrontEndMessage,
    decode_front_end,
    encode_front_end,
)

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = Path(os.environ.get("SPOTCHECK_FIRMWARE", ROOT / "device" / "firmware"))
"""Elsewhere while `tools/firmware_coverage.py` counts the lines that run."""
WIRE = ROOT / "device" / "spotcheck_wire"
MICROPYTHON = Path(sys.executable).parent / "micropython"
DEADLINE_S = 10.0


def environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": f"{WIRE}:{FIRMWARE}:.frozen"}


def record(kind: str, counter: int, number: int = 0) -> bytes:
    return struct.pack("<BBI", ord(kind), number, counter % (1 << 32))


class RunningFrontEnd:
    """The firmware as a process; a context manager that leaves nothing behind."""

    def __init__(
        self,
        *,
        counter_hz: int = 24_000_000,
        marker_interval: int = 1024,
        boot_reason: int | None = None,
        board: SimulatedBoard | None = None,
        flash: Path | None = None,
    ) -> None:
        self._master, slave = os.openpty()
        tty.setraw(slave)
        arguments = {
            "--serial": os.ttyname(slave),
            "--counter-hz": str(counter_hz),
            "--marker-interval": str(marker_interval),
            "--boot-id": "7",
        }
        if boot_reason is not None:
            arguments["--boot-reason"] = str(boot_reason)
        if board is not None:
            arguments["--board"] = board.path
        if flash is not None:
            arguments["--flash"] = str(flash)
        self.process = subprocess.Popen(
            [MICROPYTHON, FIRMWARE / "main.py", *(x for pair in arguments.items() for x in pair)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            bufsize=0,
        )
        # The slave stays open here, so that the master survives the process's end.
        self._slave = slave
        self._decoder = FrameDecoder(max_frame=256)
        self._encoder = FrameEncoder(max_frame=256)
        self.unread: list[FrameEvent] = []

    def __enter__(self) -> "RunningFrontEnd":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        self.process.stderr.close()
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        if self._slave >= 0:
            os.close(self._slave)

    def happens(self, *records: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(records))

    def order(self, message: FrontEndCommand) -> None:
        self.order_bytes(self._encoder.encode(*encode_front_end(message)))

    def order_bytes(self, data: bytes) -> None:
        os.write(self._master, data)

    def close_line(self) -> None:
        os.close(self._slave)
        self._slave = -1
        os.close(self._master)
        self._master = os.open(os.devnull, os.O_RDWR)

    def next_message(self) -> FrontEndMessage:
        deadline = time.monotonic() + DEADLINE_S
        while not self.unread:
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert ready, "the firmware said nothing more"
            self.unread.extend(self._decoder.feed(os.read(self._master, 65536)))
        event = self.unread.pop(0)
        assert isinstance(event, Frame), event
        return decode_front_end(event)

    def messages(self, count: int) -> list[FrontEndMessage]:
        return [self.next_message() for _ in range(count)]

    def until_complete(self) -> list[FrontEndMessage]:
        messages = [self.next_message()]
        while not isinstance(messages[-1], Complete):
            messages.append(self.next_message())
        return messages

    def end_of_events(self) -> tuple[int, str]:
        """Close the FIFO; return exit status and what standard error said."""
        assert self.process.stdin is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        status = self.process.wait(timeout=DEADLINE_S)
        return status, self.process.stderr.read().decode()
