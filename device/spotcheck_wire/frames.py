"""Frames between devices, sans-IO: bytes in, events out; loss and damage are events."""

import binascii
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeAlias

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.errors import FrameTooLongError

HOST_MAX_FRAME = 64 * 1024
"""Longest frame between board and host, in bytes on the line without delimiter."""
FRONT_END_MAX_FRAME = codec.FRONT_END_MAX_RUN
"""Longest frame between front end and board, in bytes on the line without delimiter."""

LASTING_TABLE = 0
"""Table of the few messages whose layout never changes, in any version."""

_SEQUENCE_NUMBERS = 1 << 16
_HEADER, _CHECKSUM = struct.Struct(codec.HEADER_FORMAT), struct.Struct(codec.CHECKSUM_FORMAT)
_SHORT = 254
_CODES = [bytes((length + 1,)) for length in range(_SHORT)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A frame that arrived whole."""

    version: int
    """Version of the message table."""
    type: int
    """Message type in that table."""
    sequence: int
    """Number of the frame, counted by its sender modulo 65536."""
    body: bytes
    """Body of the message, not yet decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameDamaged:
    """A run of bytes between delimiters that is no frame; its bytes are gone."""

    reason: str
    """"not COBS", "too short", "checksum" or "too long"."""
    length: int
    """Bytes of the run; one more than the longest frame where the run was too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramesLost:
    """Sequence numbers were left out before the frame that follows this event."""

    count: int
    """Frames lost, modulo 65536; means nothing when the sender has restarted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongVersion:
    """A whole frame of another message table; its body must not be interpreted."""

    version: int
    """Version that the sender speaks."""


FrameEvent: TypeAlias = Frame | FrameDamaged | FramesLost | WrongVersion


class FrameDecoder:
    """Turns received bytes into events; the first frame sets the sequence's base."""

    def __init__(
        self,
        *,
        max_frame: int = HOST_MAX_FRAME,
        tables: Collection[int] = (codec.TABLE_VERSION,),
    ) -> None:
        """Expect a line's first byte.

        Args:
            max_frame: Longest frame, in bytes on the line.
            tables: Versions of the message table whose bodies are handed on.
        """
        self.tables = frozenset(tables)
        """Versions whose bodies are handed on; may be changed between two feeds."""
        self._max_frame = max_frame
        self._splitter = codec.RunSplitter(max_frame)
        self._expected_sequence: int | None = None

    def feed(self, data: bytes) -> list[FrameEvent]:
        """Return the events that `data` completes, in the order of the line."""
        events: list[FrameEvent] = []
        for run in self._runs(data):
            if run is None:
                reason, length = codec.REASON_TOO_LONG, self._max_frame + 1
                events.append(FrameDamaged(reason=reason, length=length))
            else:
                self._take(run, events)
        return events

    def _runs(self, data: bytes) -> list[bytes | None]:
        """What the splitter finds; only the first run and the last can be incomplete here."""
        first, delimiter, rest = data.partition(codec.DELIMITER)
        runs = self._splitter.feed(first + delimiter)
        if delimiter:
            *whole, last = rest.split(codec.DELIMITER)
            longest = self._max_frame
            runs += [run if len(run) <= longest else None for run in whole if run]
            runs += self._splitter.feed(last)
        return runs

    def _take(self, run: bytes, events: list[FrameEvent]) -> None:
        try:
            version, message_type, sequence, body = _parsed(run)
        except codec.FrameError as error:
            events.append(FrameDamaged(reason=error.reason, length=len(run)))
            return
        if sequence != self._expected_sequence and self._expected_sequence is not None:
            lost = (sequence - self._expected_sequence) % _SEQUENCE_NUMBERS
            events.append(FramesLost(count=lost))
        self._expected_sequence = (sequence + 1) % _SEQUENCE_NUMBERS
        if version in self.tables:
            events.append(Frame(version=version, type=message_type, sequence=sequence, body=body))
        else:
            events.append(WrongVersion(version=version))


class FrameEncoder:
    """Numbers the frames of one sender."""

    def __init__(
        self,
        *,
        max_frame: int = HOST_MAX_FRAME,
        first_sequence: int = 0,
        table: int = codec.TABLE_VERSION,
    ) -> None:
        self.table = table
        """Version of the message table that the headers say; may be changed between two frames."""
        self._max_frame = max_frame
        self._sequence = first_sequence

    def encode(self, message_type: int, body: bytes) -> bytes:
        """Return the next frame as it goes on the line, with its delimiter.

        Raises:
            FrameTooLongError: the receiver would discard it; no number is used up.
        """
        frame = _frame(self.table, message_type, self._sequence, body)
        if len(frame) - 1 > self._max_frame:
            raise FrameTooLongError(
                f"message type 0x{message_type:02X} takes {len(frame) - 1} bytes on the line; "
                f"a frame has at most {self._max_frame}"
            )
        self._sequence = (self._sequence + 1) % _SEQUENCE_NUMBERS
        return frame


def _frame(table: int, message_type: int, sequence: int, body: bytes) -> bytes:
    """As `codec.build_frame`, which knows one table only: a front end speaks no other."""
    frame = _HEADER.pack(table, message_type, sequence) + body
    frame += _CHECKSUM.pack(binascii.crc32(frame))
    if len(frame) >= _SHORT:
        return codec.cobs_encode(frame) + codec.DELIMITER
    # Each zero becomes the way to the next; blocks of 254 bytes, which end otherwise, are not here.
    return b"".join([_CODES[len(piece)] + piece for piece in frame.split(b"\0")]) + codec.DELIMITER


def _parsed(run: bytes) -> tuple[int, int, int, bytes]:
    """As `codec.parse_frame`, but quicker for short runs, which hold no block of 254 bytes."""
    if len(run) >= _SHORT:
        return codec.parse_frame(run)
    frame = bytearray(run)
    position, end = 0, len(run)
    while position < end:
        frame[position] = 0
        position += run[position]
    if position != end:
        raise codec.FrameError(codec.REASON_NOT_COBS)
    body_end = end - codec.CHECKSUM_SIZE
    if body_end <= codec.HEADER_SIZE:
        raise codec.FrameError(codec.REASON_TOO_SHORT)
    if binascii.crc32(memoryview(frame)[1:body_end]) != _CHECKSUM.unpack_from(frame, body_end)[0]:
        raise codec.FrameError(codec.REASON_CHECKSUM)
    version, message_type, sequence = _HEADER.unpack_from(frame, 1)
    return version, message_type, sequence, bytes(frame[1 + codec.HEADER_SIZE : body_end])
