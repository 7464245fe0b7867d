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
        for run in self._splitter.feed(data):
            if run is None:
                reason, length = codec.REASON_TOO_LONG, self._max_frame + 1
                events.append(FrameDamaged(reason=reason, length=length))
            else:
                events.extend(self._events_of(run))
        return events

    def _events_of(self, run: bytes) -> list[FrameEvent]:
        try:
            version, message_type, sequence, body = codec.parse_frame(run)
        except codec.FrameError as error:
            return [FrameDamaged(reason=error.reason, length=len(run))]
        events = self._loss_before(sequence)
        if version in self.tables:
            frame = Frame(version=version, type=message_type, sequence=sequence, body=body)
            return [*events, frame]
        return [*events, WrongVersion(version=version)]

    def _loss_before(self, sequence: int) -> list[FrameEvent]:
        expected = sequence if self._expected_sequence is None else self._expected_sequence
        self._expected_sequence = (sequence + 1) % _SEQUENCE_NUMBERS
        lost = (sequence - expected) % _SEQUENCE_NUMBERS
        return [FramesLost(count=lost)] if lost else []


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
    frame = struct.pack(codec.HEADER_FORMAT, table, message_type, sequence) + body
    frame += struct.pack(codec.CHECKSUM_FORMAT, binascii.crc32(frame))
    return codec.cobs_encode(frame) + codec.DELIMITER
