"""The pulse front end's port: asked who is there, unless a daemon holds it."""

import errno
import os
import stat
import time
from pathlib import Path

import serial

from spotcheck_device.doctor.finding import Fact, Finding, failed, ok, warning
from spotcheck_wire import frontend_codec as codec
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import (
    FRONT_END_MAX_FRAME,
    Frame,
    FrameDecoder,
    FrameEncoder,
    WrongVersion,
)

ANSWER_S = 2.0
_LOOK_S = 0.1
MOST_LATENCY_MS = 2
SELF_TEST_NAMES = {
    codec.SELF_TEST_CODEC: "codec",
    codec.SELF_TEST_COUNTER: "counter",
    codec.SELF_TEST_FIFO: "FIFO",
    codec.SELF_TEST_SENSOR: "environment sensor",
    codec.SELF_TEST_CLAMP: "clamp memory",
}
MISSING_IS_NO_FAULT = codec.SELF_TEST_SENSOR | codec.SELF_TEST_CLAMP
"""Pulses are stamped without them; only climate and clamp are then not known."""


def check_front_end(port: str, baud: int) -> Finding:
    """Open the port for this program alone, and ask for a HELLO.

    The lock is the daemon's own, so that neither takes bytes from the other; opening a port that
    is already open changes nothing on its lines.
    """
    try:
        mode = Path(port).stat().st_mode
    except OSError as error:
        return failed("front-end.absent", port=port, text=error.strerror or str(error))
    if not stat.S_ISCHR(mode):
        return failed("front-end.no-port", port=port)
    if not os.access(port, os.R_OK | os.W_OK):
        return failed("front-end.not-permitted", port=port, mode=f"{stat.S_IMODE(mode):04o}")
    try:
        with serial.Serial(port, baud, timeout=_LOOK_S, exclusive=True) as line:
            return _ask(line, port)
    except serial.SerialException as error:
        if error.errno == errno.EWOULDBLOCK:
            return warning("front-end.in-use", port=port)
        return failed("front-end.no-port", port=port)


def _ask(line: serial.Serial, port: str) -> Finding:
    encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)
    decoder = FrameDecoder(max_frame=FRONT_END_MAX_FRAME)
    # A delimiter first ends whatever a program before this one left half sent.
    line.write(b"\0" + encoder.encode(*table.encode_front_end(table.HelloRequest())))
    deadline_s, heard = time.monotonic() + ANSWER_S, 0
    while time.monotonic() < deadline_s:
        data = line.read(max(1, line.in_waiting))
        heard += len(data)
        for event in decoder.feed(data):
            if isinstance(event, WrongVersion):
                return failed("front-end.other-version", port=port, version=event.version)
            if isinstance(event, Frame) and (hello := _hello(event)) is not None:
                return _judge(hello, port, event.version)
    return failed("front-end.silent", port=port, heard_bytes=heard)


def _judge(hello: table.FrontEndHello, port: str, version: int) -> Finding:
    """What it says of itself: version, self-test, and why it last started."""
    broken = [name for bit, name in SELF_TEST_NAMES.items() if hello.self_test & bit]
    facts: dict[str, Fact] = {
        "port": port,
        "firmware": f"{hello.firmware_major}.{hello.firmware_minor}.{hello.firmware_patch}",
        "table": version,
        "counter_hz": hello.counter_hz,
        "inputs": hello.inputs,
        "broken": ", ".join(broken),
    }
    if hello.self_test & ~MISSING_IS_NO_FAULT:
        return failed("front-end.self-test", **facts)
    if hello.self_test:
        return warning("front-end.incomplete", **facts)
    if hello.boot_reason == codec.BOOT_WATCHDOG:
        return warning("front-end.watchdog", **facts)
    return ok("front-end.good", **facts)


def _hello(frame: Frame) -> table.FrontEndHello | None:
    try:
        message = table.decode_front_end(frame)
    except MessageError:
        return None
    return message if isinstance(message, table.FrontEndHello) else None


def check_latency(port: str, tty_class: Path = Path("/sys/class/tty")) -> Finding:
    """How long a USB serial chip holds bytes back; stamps do not suffer, what is shown does."""
    timer = tty_class / Path(port).resolve().name / "device" / "latency_timer"
    try:
        latency_ms = int(timer.read_text("ascii"))
    except (OSError, ValueError):
        return ok("serial-latency.none", port=port)
    if latency_ms > MOST_LATENCY_MS:
        return warning("serial-latency.high", port=port, latency_ms=latency_ms)
    return ok("serial-latency.good", port=port, latency_ms=latency_ms)
