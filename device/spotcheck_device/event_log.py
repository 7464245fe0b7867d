"""The one log of the instrument: a line of JSON for each event, on standard error.

    {"utc": "2026-11-28T08:15:04.102331Z", "monotonic_s": 8123.402, "level": "warning",
     "event": "front-end-frames-lost", "text": "3 frames", "sample": 81234, "left_out": 17}

JSON and not key=value, because numbers stay numbers and a text may hold anything. Under systemd
the journal takes the line, and its level from the `<4>` before it, which it removes. What is
logged never holds up or ends the daemon: an event too many is counted and left out, and so is a
line that standard error does not take at once. No secret is logged: fields are texts and numbers
that the caller names, never objects. docs/formats/log.md says more.
"""

import datetime
import json
import logging
import math
import os
import select
import time
from collections.abc import Callable

Field = str | int | float | bool | None
"""What a field may hold; its name says the unit."""

LARGEST_LINE_BYTES = select.PIPE_BUF
"""A pipe that is said to be writable takes so much without waiting."""
LONGEST_TEXT = 1500
BURST = 20
"""So many lines of one event may come at once, and then one in each interval."""
INTERVAL_S = 10.0

_LOGGER = logging.getLogger("spotcheck.device")
_LOGGER.addHandler(logging.NullHandler())
_PRIORITY = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}


def log_event(event: str, level: int = logging.INFO, /, **fields: Field) -> None:
    """Log an event; without a log that was opened nothing happens.

    Args:
        event: Its name, of a fixed set: each has a rate limit of its own.
        level: One of `logging`'s levels.
        **fields: Facts by name; a quantity's name ends with its unit.
    """
    _LOGGER.log(level, event, extra={"fields": fields})


class RateLimit:
    """Lets a burst of each event through, then one of it in each interval; counts the others."""

    def __init__(self) -> None:
        """Nothing has come yet."""
        self._allowance: dict[str, tuple[float, float]] = {}
        self._left_out: dict[str, int] = {}

    def admits(self, event: str, now_s: float) -> bool:
        """Whether an event is logged; if not, it is counted."""
        allowed, since_s = self._allowance.get(event, (float(BURST), now_s))
        allowed = min(BURST, allowed + (now_s - since_s) / INTERVAL_S)
        self._allowance[event] = (allowed - 1 if allowed >= 1 else allowed, now_s)
        if allowed < 1:
            self._left_out[event] = self._left_out.get(event, 0) + 1
        return allowed >= 1

    def take_left_out(self, event: str) -> int:
        """How many of an event were left out since this was last asked."""
        return self._left_out.pop(event, 0)

    def take_all_left_out(self) -> dict[str, int]:
        """The same for all events."""
        left_out, self._left_out = self._left_out, {}
        return left_out


class EventLogHandler(logging.Handler):
    """Writes records as lines of JSON to a file descriptor, if it takes them at once."""

    def __init__(
        self,
        descriptor: int,
        *,
        with_priority: bool,
        monotonic_s: Callable[[], float] = time.monotonic,
        utc_s: Callable[[], float] = time.time,
    ) -> None:
        """Write to a descriptor, which stays its owner's.

        Args:
            descriptor: Where lines go.
            with_priority: Whether the journal's priority stands before a line.
            monotonic_s: Clock of the rate limit and of `monotonic_s`.
            utc_s: Clock of `utc`.
        """
        super().__init__()
        self._descriptor = descriptor
        self._with_priority = with_priority
        self._monotonic_s = monotonic_s
        self._utc_s = utc_s
        self._limit = RateLimit()
        self._unwritten = 0
        self._torn = b""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, unless there are too many of its event."""
        now_s = self._monotonic_s()
        ours = hasattr(record, "fields")
        event = record.msg if ours else record.name
        if not self._limit.admits(event, now_s):
            return
        fields: dict[str, Field] = dict(getattr(record, "fields", {"text": _text_of(record)}))
        if left_out := self._limit.take_left_out(event):
            fields["left_out"] = left_out
        self._write(event, record.levelno, fields, now_s)

    def close(self) -> None:
        """Say what was left out and not yet told."""
        for event, count in self._limit.take_all_left_out().items():
            fields: dict[str, Field] = {"of": event, "left_out": count}
            self._write("log-left-out", logging.WARNING, fields, self._monotonic_s())
        super().close()

    def _write(self, event: str, level: int, fields: dict[str, Field], now_s: float) -> None:
        utc = datetime.datetime.fromtimestamp(self._utc_s(), datetime.UTC)
        line: dict[str, Field] = {
            "utc": utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "monotonic_s": round(now_s, 6),
            "level": logging.getLevelName(level).lower(),
            "event": event,
        }
        line |= {name: _plain(value) for name, value in fields.items()}
        if self._unwritten:
            line["lines_not_written"] = self._unwritten
        data = self._bytes(line, level)
        if len(data) > LARGEST_LINE_BYTES:
            short = {name: line[name] for name in ("utc", "monotonic_s", "level", "event")}
            data = self._bytes({**short, "fields_bytes": len(data)}, level)
        self._unwritten = 0 if self._took(data) else self._unwritten + 1

    def _bytes(self, line: dict[str, Field], level: int) -> bytes:
        priority = f"<{_PRIORITY.get(level, 6)}>" if self._with_priority else ""
        text = json.dumps(line, ensure_ascii=False, allow_nan=False)
        # A path that is no UTF-8 becomes an escape, which JSON has too.
        return f"{priority}{text}\n".encode("utf-8", "backslashreplace")

    def _took(self, data: bytes) -> bool:
        """Whether the line was written; a reader that has stopped reading is not waited for."""
        poll = select.poll()
        try:
            poll.register(self._descriptor, select.POLLOUT)
            ready = poll.poll(0)
            written = os.write(self._descriptor, self._torn + data) if ready else 0
        except OSError:
            return False
        if written:
            # What a full disk cut off must not spoil the line after it.
            self._torn = b"" if written >= len(data) else b"\n"
        return written >= len(data)


def open_event_log(descriptor: int = 2) -> EventLogHandler:
    """Send every log of this process to a descriptor, as long as the process runs.

    Returns:
        The handler; `close` it at the end.
    """
    handler = EventLogHandler(descriptor, with_priority=_is_journal(descriptor))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    _LOGGER.setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    return handler


def close_event_log(handler: EventLogHandler) -> None:
    """Say what was left out, and log no more."""
    logging.captureWarnings(capture=False)
    logging.getLogger().removeHandler(handler)
    handler.close()


def _is_journal(descriptor: int) -> bool:
    """Whether a descriptor is the journal's stream (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def _text_of(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.exc_info and record.exc_info[1] is not None:
        text += f": {record.exc_info[1]!r}"
    return text


def _plain(value: Field) -> Field:
    """A value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    return value
