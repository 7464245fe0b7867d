"""Each end offers a range of message tables, and both take the highest common one.

The offer's own layout never changes: it is a message of the lasting table, 0.
"""

import struct
from dataclasses import dataclass

from spotcheck_wire.errors import MessageError, NoCommonTableError

TABLE_OFFER = 0x01
"""Message type in the lasting table."""
_RANGE = struct.Struct("<BB")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableOffer:
    """The tables that one end speaks."""

    lowest: int
    """Lowest version, 1 to 255."""
    highest: int
    """Highest version; every one between is spoken too."""
    software: str
    """Name and version of the software, for the sentence that says which to update."""

    def __post_init__(self) -> None:
        if not 1 <= self.lowest <= self.highest <= 255:
            raise MessageError(
                f"tables {self.lowest} to {self.highest} are no range within 1 to 255"
            )


def encode_offer(offer: TableOffer) -> bytes:
    """Body of an offer: `<BB` lowest and highest, then the software's name in UTF-8."""
    return _RANGE.pack(offer.lowest, offer.highest) + offer.software.encode()


def decode_offer(body: bytes) -> TableOffer:
    """The offer that a body holds.

    Raises:
        MessageError: it holds none.
    """
    if len(body) < _RANGE.size:
        raise MessageError("TableOffer: the body breaks off")
    lowest, highest = _RANGE.unpack_from(body)
    try:
        software = body[_RANGE.size :].decode()
    except UnicodeDecodeError as error:
        raise MessageError("TableOffer.software is no UTF-8") from error
    return TableOffer(lowest=lowest, highest=highest, software=software)


def common_table(own: TableOffer, other: TableOffer) -> int:
    """The highest table that both speak.

    Raises:
        NoCommonTableError: there is none; says whose software is too old.
    """
    table = min(own.highest, other.highest)
    if table >= max(own.lowest, other.lowest):
        return table
    older, newer = (own, other) if own.highest < other.highest else (other, own)
    raise NoCommonTableError(
        f"{older.software} speaks message tables up to {older.highest} only, {newer.software} "
        f"from {newer.lowest} on; update {older.software}"
    )
