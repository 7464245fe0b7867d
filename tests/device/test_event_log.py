"""The log: lines that JSON reads, limits that count, and a reader that may be gone."""

import json
import logging
import os
import socket
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_device.event_log import (
    BURST,
    INTERVAL_S,
    LARGEST_LINE_BYTES,
    EventLogHandler,
    RateLimit,
    close_event_log,
    log_event,
    open_event_log,
)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Log:
    """A log that goes to a file, on a clock that the test turns."""

    def __init__(self, path: Path, *, with_priority: bool = False) -> None:
        self.clock = Clock()
        self._path = path
        self._file = path.open("wb")
        self.handler = EventLogHandler(
            self._file.fileno(), with_priority=with_priority,
            monotonic_s=self.clock, utc_s=lambda: 1_764_317_704.25,
        )  # fmt: skip
        self._logger = logging.getLogger("spotcheck.device")
        self._logger.addHandler(self.handler)
        self._logger.setLevel(logging.INFO)

    def raw(self) -> list[bytes]:
        return self._path.read_bytes().splitlines()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.raw()]

    def close(self) -> None:
        self._logger.removeHandler(self.handler)
        self._logger.setLevel(logging.NOTSET)
        self._file.close()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Log]]:
    logs: list[Log] = []

    def open_log(**options: Any) -> Log:
        logs.append(Log(tmp_path / "log", **options))
        return logs[-1]

    yield open_log
    for log in logs:
        log.close()


def test_line_holds_both_times_level_event_and_fields(opened: Callable[..., Log]) -> None:
    log = opened()
    log_event("reading", pulses_used=17, error_percent=-0.83, text="表 5", sample=None, first=True)
    log_event("front-end-frames-lost", logging.WARNING, text="3 frames")
    assert log.lines() == [
        {
            "utc": "2025-11-28T08:15:04.250000Z", "monotonic_s": 1000.0, "level": "info",
            "event": "reading", "pulses_used": 17, "error_percent": -0.83, "text": "表 5",
            "sample": None, "first": True,
        },
        {
            "utc": "2025-11-28T08:15:04.250000Z", "monotonic_s": 1000.0, "level": "warning",
            "event": "front-end-frames-lost", "text": "3 frames",
        },
    ]  # fmt: skip


def test_priority_of_the_journal_stands_before_the_line(opened: Callable[..., Log]) -> None:
    log = opened(with_priority=True)
    log_event("a")
    log_event("b", logging.WARNING)
    log_event("c", logging.ERROR)
    assert [line[:3] for line in log.raw()] == [b"<6>", b"<4>", b"<3>"]
    assert json.loads(log.raw()[2][3:])["event"] == "c"


@given(st.dictionaries(st.text(min_size=1), st.text() | st.floats() | st.integers()))
def test_every_field_gives_one_line_that_json_reads(fields: dict[str, Any]) -> None:
    read, write = os.pipe()
    handler = EventLogHandler(write, with_priority=False)
    record = logging.LogRecord("spotcheck.device", logging.INFO, "", 0, "e", None, None)
    record.fields = fields
    handler.emit(record)
    os.close(write)
    data = os.read(read, 1 << 16)
    os.close(read)
    assert data.count(b"\n") == 1
    line = json.loads(data, parse_constant=pytest.fail)
    assert line["event"] == fields.get("event", "e")


def test_path_that_is_no_text_is_logged_all_the_same(opened: Callable[..., Log]) -> None:
    log = opened()
    log_event("journal-full", text=os.fsdecode(b"/state/\xff"))
    assert log.lines()[0]["text"] == "/state/\udcff"


def test_flickering_fault_is_limited_and_counted_and_does_not_hide_others(
    opened: Callable[..., Log],
) -> None:
    log = opened()
    for _ in range(1000):
        log_event("front-end-frame-damaged", logging.WARNING)
    log_event("reading")
    assert [line["event"] for line in log.lines()] == [
        *BURST * ["front-end-frame-damaged"], "reading",
    ]  # fmt: skip
    log.clock.now_s += INTERVAL_S
    log_event("front-end-frame-damaged", logging.WARNING)
    log_event("front-end-frame-damaged", logging.WARNING)
    assert log.lines()[-1]["left_out"] == 1000 - BURST
    log.handler.close()
    assert (log.lines()[-1]["event"], log.lines()[-1]["of"], log.lines()[-1]["left_out"]) == (
        "log-left-out", "front-end-frame-damaged", 1,
    )  # fmt: skip


@given(st.lists(st.floats(0.0, 100.0), max_size=300))
def test_every_event_is_either_admitted_or_counted_and_the_rate_keeps(pauses: list[float]) -> None:
    limit, now_s, admitted, told = RateLimit(), 0.0, 0, 0
    for pause in pauses:
        now_s += pause
        if limit.admits("x", now_s):
            admitted += 1
            told += limit.take_left_out("x")
    assert admitted + told + limit.take_left_out("x") == len(pauses)
    assert admitted <= BURST + now_s / INTERVAL_S + 1e-6


def test_reader_that_stops_reading_is_not_waited_for_and_the_gap_is_counted() -> None:
    read, write = os.pipe()
    handler = EventLogHandler(write, with_priority=False)
    logger = logging.getLogger("spotcheck.device")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        for number in range(200):
            log_event(f"event-{number}", text=1000 * "x")
        received = b""
        while len(received.splitlines()) < 16:
            received += os.read(read, 1 << 16)
        whole = received.splitlines()
        log_event("after")
        last = json.loads(os.read(read, 1 << 16).splitlines()[-1])
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        os.close(read)
        os.close(write)
    assert 16 <= len(whole) < 200
    assert last["lines_not_written"] == 200 - len(whole)


def test_log_whose_reader_is_gone_stops_nobody() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    handler = EventLogHandler(ours.fileno(), with_priority=False)
    handler.emit(logging.LogRecord("asyncio", logging.ERROR, "", 0, "x", None, None))
    ours.close()
    handler.emit(logging.LogRecord("asyncio", logging.ERROR, "", 0, "x", None, None))


def test_line_that_a_full_disk_cut_does_not_spoil_the_next() -> None:
    """A socket that takes a part of a line stands for the disk."""
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    ours.setblocking(False)
    handler = EventLogHandler(ours.fileno(), with_priority=False)
    theirs.settimeout(1.0)
    received = b""
    for number in range(100):
        record = logging.LogRecord("x", logging.INFO, "", 0, f"e{number}", None, None)
        record.fields = {"text": 1400 * "y"}
        handler.emit(record)
        if number % 10 == 9:
            received += theirs.recv(1 << 20)
    ours.close()
    theirs.close()
    lines = [json.loads(line) for line in received.splitlines()]
    told = sum(line.get("lines_not_written", 0) for line in lines)
    assert len(lines) + told >= 100 - 10
    assert told > 0


def test_long_text_is_cut_and_a_line_never_exceeds_what_a_pipe_takes(
    opened: Callable[..., Log],
) -> None:
    log = opened()
    log_event("outcome-not-sent", text=10_000 * "长")
    log_event("many", **{f"field_{number}": 1000 * "x" for number in range(20)})
    assert all(len(line) < LARGEST_LINE_BYTES for line in log.raw())
    assert log.lines()[0]["fields_bytes"] > LARGEST_LINE_BYTES
    assert log.lines()[1]["fields_bytes"] > 20_000


def test_other_libraries_warnings_and_errors_come_into_the_same_log(
    capfd: pytest.CaptureFixture[str],
) -> None:
    handler = open_event_log()
    try:
        failure = OSError("the disk is gone")
        logging.getLogger("asyncio").error("Task %s failed", "deliver", exc_info=failure)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("old", UserWarning, stacklevel=1)
        logging.getLogger("asyncio").info("not of interest")
    finally:
        close_event_log(handler)
    first, second = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert (first["event"], first["level"]) == ("asyncio", "error")
    assert first["text"] == "Task deliver failed: OSError('the disk is gone')"
    assert "UserWarning: old" in second["text"]


def test_journal_is_known_by_its_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    found = os.fstat(write)
    monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
    handler = open_event_log(write)
    try:
        log_event("a")
        assert os.read(read, 100).startswith(b"<6>{")
    finally:
        close_event_log(handler)
        os.close(read)
        os.close(write)
