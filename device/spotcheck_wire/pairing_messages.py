"""Messages by which a host is paired with a device; of the lasting table, so they never change.

    host                                   device
    PairingRequest ──────────────────────►
                   ◄────────────────────── PairingAnswer
    PairingProof   ──────────────────────►            a wrong one counts as a wrong code
                   ◄────────────────────── PairingDone, or PairingRefused at any moment

Over a serial cable shares and proofs are empty: who has plugged it in has the device in hand.
"""

from dataclasses import dataclass
from typing import TypeAlias

from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame
from spotcheck_wire.strict_cbor import decode_fields, encode_fields

LONGEST_NAME = 64


def _require_name(where: str, name: str) -> None:
    """A name is printed on a terminal, and stands in a file."""
    if not (0 < len(name) <= LONGEST_NAME and name.isprintable()):
        raise MessageError(f"{where} is not 1 to {LONGEST_NAME} printable characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRequest:
    """A host wants to be paired."""

    name: str
    """What the host calls itself."""
    certificate: bytes
    """Certificate (DER) by which it will be known."""
    share: bytes
    """The host's share of the exchange by the code; empty over a cable."""

    def __post_init__(self) -> None:
        _require_name("PairingRequest.name", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingAnswer:
    """The device takes part."""

    name: str
    """Serial number of the device."""
    share: bytes
    """The device's share; empty over a cable."""

    def __post_init__(self) -> None:
        _require_name("PairingAnswer.name", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingProof:
    """The host knows the code, and speaks of the same two certificates."""

    proof: bytes
    """Empty over a cable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingDone:
    """The device has stored the host, and knows the code too."""

    proof: bytes
    """Empty over a cable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingRefused:
    """The device does not pair."""

    reason: str
    """Why, and what to do."""


PairingMessage: TypeAlias = (
    PairingRequest | PairingAnswer | PairingProof | PairingDone | PairingRefused
)

PAIRING_TABLE: dict[int, type[PairingMessage]] = {
    0x10: PairingRequest,
    0x11: PairingAnswer,
    0x12: PairingProof,
    0x13: PairingDone,
    0x14: PairingRefused,
}
"""Message types in the lasting table."""

_TYPE_OF = {message_class: kind for kind, message_class in PAIRING_TABLE.items()}


def encode_pairing(message: PairingMessage) -> tuple[int, bytes]:
    """Return message type and body.

    Raises:
        MessageError: a field holds what its declaration does not allow.
    """
    return _TYPE_OF[type(message)], encode_fields(message)


def decode_pairing(frame: Frame) -> PairingMessage:
    """Return the message of a frame.

    Raises:
        MessageError: the type is none of a pairing, or the body is not exactly such a message.
    """
    message_class = PAIRING_TABLE.get(frame.type)
    if message_class is None:
        raise MessageError(f"message type 0x{frame.type:02X} is none of a pairing")
    return decode_fields(message_class, frame.body)
