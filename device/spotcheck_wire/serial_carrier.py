"""Records of a secure session on a serial line, sans-IO.

A line has no beginning and no end of a connection, and it can damage what it carries. So records
travel in frames of the lasting table, and a session has a name that the host draws:

    host                      device
    BEGIN name  ───────────►             whatever session there was is over; the host says it
                                         again until it is answered
                ◄───────────  BEGUN name what came before belongs to nobody
    RECORDS     ◄──────────►  RECORDS
    END         ◄──────────►  END        a frame was damaged or lost: the host begins anew
"""

import enum
import secrets
from dataclasses import dataclass

from spotcheck_wire.frames import (
    LASTING_TABLE,
    Frame,
    FrameDamaged,
    FrameDecoder,
    FrameEncoder,
    FramesLost,
    WrongVersion,
)

BEGIN, BEGUN, RECORDS, END = 0x20, 0x21, 0x22, 0x23
"""Message types in the lasting table."""
NAME_BYTES = 16
PIECE_BYTES = 4096
"""Records are cut into frames of so many bytes: damage then costs little, and a host hears soon."""


class CarrierEvent(enum.Enum):
    """What happened to the session that a line carries."""

    BEGUN = "begun"
    """A session begins; what was there is over."""
    ENDED = "ended"
    """The session is over: the other end says so, or the line has damaged or lost a frame."""


@dataclass(frozen=True, slots=True)
class CarriedRecords:
    """Bytes of the session's records, whole and in order."""

    data: bytes


class SerialCarrier:
    """One end of the line."""

    def __init__(self, *, device_side: bool) -> None:
        """No session is carried yet."""
        self._device_side = device_side
        self._encoder = FrameEncoder(table=LASTING_TABLE)
        self._decoder = FrameDecoder(tables=(LASTING_TABLE,))
        self._name = b""
        self.carries = False
        """Whether a session is carried."""

    def begin(self) -> bytes:
        """Bytes by which a host begins a session; with a delimiter first, to end any noise."""
        self._name = secrets.token_bytes(NAME_BYTES)
        return b"\0" + self._encoder.encode(BEGIN, self._name)

    def carry(self, records: bytes) -> bytes:
        """Bytes for the line that carry records; none when there is no session."""
        if not (self.carries or (self._name and not self._device_side)):
            return b""
        pieces = range(0, len(records), PIECE_BYTES)
        return b"".join(
            self._encoder.encode(RECORDS, records[at : at + PIECE_BYTES]) for at in pieces
        )

    def end(self) -> bytes:
        """Bytes that end the session."""
        self.carries, self._name = False, b""
        return self._encoder.encode(END, b"")

    def feed(self, data: bytes) -> tuple[list[CarrierEvent | CarriedRecords], bytes]:
        """Return what received bytes mean, and bytes that answer them."""
        events: list[CarrierEvent | CarriedRecords] = []
        answers = b""
        harmed = False
        for event in self._decoder.feed(data):
            if isinstance(event, FrameDamaged | FramesLost | WrongVersion):
                harmed = True
            elif isinstance(event, Frame):
                # What was lost before a new session belongs to none.
                if harmed and event.type not in (BEGIN, BEGUN) and self.carries:
                    answers += self._break_off(events)
                answers += self._take(event, events)
                harmed = False
        if harmed and self.carries:
            answers += self._break_off(events)
        return events, answers

    def _take(self, frame: Frame, events: list[CarrierEvent | CarriedRecords]) -> bytes:
        if frame.type == BEGIN and self._device_side and len(frame.body) == NAME_BYTES:
            if not (self.carries and frame.body == self._name):
                self._name, self.carries = frame.body, True
                events.append(CarrierEvent.BEGUN)
            return self._encoder.encode(BEGUN, self._name)
        if frame.type == BEGUN and not self._device_side and frame.body == self._name != b"":
            self.carries = True
            events.append(CarrierEvent.BEGUN)
        elif frame.type == RECORDS and self.carries:
            events.append(CarriedRecords(frame.body))
        elif frame.type == END and self.carries:
            self.carries, self._name = False, b""
            events.append(CarrierEvent.ENDED)
        return b""

    def _break_off(self, events: list[CarrierEvent | CarriedRecords]) -> bytes:
        events.append(CarrierEvent.ENDED)
        return self.end()
