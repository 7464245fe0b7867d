"""Messages between board and host on whatever carries bytes in order, sans-IO.

Both ends offer their tables first; once the other's offer has come, the table is agreed and
messages flow.
"""

from dataclasses import dataclass
from typing import TypeAlias

from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import (
    LASTING_TABLE,
    Frame,
    FrameDamaged,
    FrameDecoder,
    FrameEncoder,
    FramesLost,
    WrongVersion,
)
from spotcheck_wire.host_messages import PROTOCOL, HostMessage, decode_host, encode_host
from spotcheck_wire.table_offer import (
    TABLE_OFFER,
    TableOffer,
    common_table,
    decode_offer,
    encode_offer,
)

LOWEST_TABLE = HIGHEST_TABLE = PROTOCOL
"""Table 1 knew neither signatures nor this negotiation; no end that speaks it can get here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableAgreed:
    """Both ends speak this table from now on."""

    table: int
    """Its version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """Something came that is no message; the line goes on."""

    code: str
    """`frame-damaged`, `frames-lost`, `message-not-understood` or `protocol-version`."""
    text: str
    """What is wrong with it."""


ChannelEvent: TypeAlias = HostMessage | TableAgreed | Unreadable


class MessageChannel:
    """One end."""

    def __init__(self, software: str) -> None:
        """Nothing was offered yet.

        Args:
            software: Name and version of this end's software.
        """
        self._own = TableOffer(lowest=LOWEST_TABLE, highest=HIGHEST_TABLE, software=software)
        self._encoder = FrameEncoder(table=LASTING_TABLE)
        self._opening = self._encoder.encode(TABLE_OFFER, encode_offer(self._own))
        self._decoder = FrameDecoder(tables=(LASTING_TABLE,))
        self.agreed = False
        """Whether a table is agreed; no message can be sent or comes before."""

    def opening(self) -> bytes:
        """This end's offer; goes out once, before everything else."""
        return self._opening

    def encode(self, message: HostMessage) -> bytes:
        """The next frame of this end.

        Raises:
            MessageError: a field holds what its declaration does not allow.
            FrameTooLongError: the message does not fit into a frame.
        """
        return self._encoder.encode(*encode_host(message))

    def feed(self, data: bytes) -> list[ChannelEvent]:
        """Return what received bytes mean.

        Raises:
            NoCommonTableError: the other end speaks no table that this one speaks.
        """
        events: list[ChannelEvent] = []
        # One run at a time: an offer decides how what stands behind it is read.
        runs = data.split(b"\0")
        for run in runs[:-1]:
            events += self._take(run + b"\0")
        events += self._take(runs[-1])
        return events

    def _take(self, data: bytes) -> list[ChannelEvent]:
        return [event for raw in self._decoder.feed(data) for event in self._meaning(raw)]

    def _meaning(self, raw: Frame | FrameDamaged | FramesLost | WrongVersion) -> list[ChannelEvent]:
        match raw:
            case Frame(version=version) if version == LASTING_TABLE:
                return self._take_offer(raw)
            case Frame():
                try:
                    return [decode_host(raw)]
                except MessageError as error:
                    return [Unreadable(code="message-not-understood", text=str(error))]
            case FrameDamaged(reason=reason):
                return [Unreadable(code="frame-damaged", text=reason)]
            case FramesLost(count=count):
                return [Unreadable(code="frames-lost", text=f"{count} frames")]
            case WrongVersion(version=version):
                text = f"a frame of message table {version}, which was not agreed"
                return [Unreadable(code="protocol-version", text=text)]

    def _take_offer(self, frame: Frame) -> list[ChannelEvent]:
        if frame.type != TABLE_OFFER or self.agreed:
            text = f"message type 0x{frame.type:02X} of the lasting table is not expected here"
            return [Unreadable(code="message-not-understood", text=text)]
        try:
            other = decode_offer(frame.body)
        except MessageError as error:
            return [Unreadable(code="message-not-understood", text=str(error))]
        table = common_table(self._own, other)
        self._encoder.table, self._decoder.tables = table, frozenset((table, LASTING_TABLE))
        self.agreed = True
        return [TableAgreed(table=table)]
