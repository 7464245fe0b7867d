"""What happens to one message on any link: a wire, a socket, a cable that is pulled."""

import random
from dataclasses import dataclass
from enum import StrEnum


class LinkFaultKind(StrEnum):
    """What becomes of a message."""

    BIT_FLIPPED = "bit flipped"
    """One bit of it is another."""
    BYTE_LOST = "byte lost"
    """One byte of it is missing."""
    BYTE_INSERTED = "byte inserted"
    """One byte too many is in it."""
    PARITY = "parity"
    """The line is set to parity at one end: the top bit of each byte is the parity of the rest."""
    HALF = "half of it"
    """Its second half is missing."""
    END_LOST = "last byte lost"
    """Its last byte is missing; on a framed line it runs into the next message."""
    LOST = "lost"
    """It never arrives."""
    TWICE = "twice"
    """It arrives twice."""
    SWAPPED = "swapped"
    """It arrives behind the message that follows it."""
    NOISE_BEFORE = "noise before it"
    """Sixteen bytes of noise come first."""
    CUT = "cut"
    """The link is cut in its middle, for good."""
    CUT_AND_BACK = "cut and back"
    """The link is cut in its middle and is there again soon after."""
    SILENCE = "silence"
    """Neither it nor anything after it arrives, though the link stays open."""


class AfterMessage(StrEnum):
    """What becomes of the link."""

    GOES_ON = "goes on"
    CUT = "cut"
    BACK = "cut and back"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFault:
    """A fault that strikes one message."""

    kind: LinkFaultKind
    """What happens."""
    step: str
    """Name of the kind of message that it strikes."""
    occurrence: int = 0
    """Which message of that kind, from 0."""


class FaultyLink:
    """Carries the messages of one direction, one of them with a fault; the rest unharmed."""

    def __init__(self, fault: LinkFault | None, seed: int) -> None:
        """A link with one fault, or none.

        Args:
            fault: What strikes which message; None: a sound link.
            seed: Seed of positions and of noise.
        """
        self._fault = fault
        self._random = random.Random(seed)  # noqa: S311 -- damage, not secrets
        self._seen = 0
        self._held = b""
        self._silent = False
        self.has_struck = False
        """Whether the fault has come about."""

    def carry(self, step: str, message: bytes) -> tuple[bytes, AfterMessage]:
        """What arrives when a message is sent, and what becomes of the link.

        Args:
            step: Name of the kind of message.
            message: Its bytes; never empty.
        """
        if self._silent:
            return b"", AfterMessage.GOES_ON
        if not self._is_struck(step):
            arrived, self._held = message + self._held, b""
            return arrived, AfterMessage.GOES_ON
        return self._damaged(message)

    def _is_struck(self, step: str) -> bool:
        fault = self._fault
        if fault is None or self.has_struck or step != fault.step:
            return False
        self._seen += 1
        self.has_struck = self._seen > fault.occurrence
        return self.has_struck

    def _damaged(self, message: bytes) -> tuple[bytes, AfterMessage]:
        kind = self._fault.kind if self._fault is not None else LinkFaultKind.LOST
        half = message[: max(1, len(message) // 2)]
        match kind:
            case LinkFaultKind.CUT:
                return half, AfterMessage.CUT
            case LinkFaultKind.CUT_AND_BACK:
                return half, AfterMessage.BACK
            case LinkFaultKind.SILENCE:
                self._silent = True
                return b"", AfterMessage.GOES_ON
            case LinkFaultKind.SWAPPED:
                self._held = message
                return b"", AfterMessage.GOES_ON
            case LinkFaultKind.HALF:
                return half, AfterMessage.GOES_ON
        return self._changed(kind, message), AfterMessage.GOES_ON

    def _changed(self, kind: LinkFaultKind, message: bytes) -> bytes:
        at = self._random.randrange(len(message))
        flipped = message[at] ^ (1 << self._random.randrange(8))
        noise = self._random.randbytes(16)
        return {
            LinkFaultKind.BIT_FLIPPED: message[:at] + bytes([flipped]) + message[at + 1 :],
            LinkFaultKind.BYTE_LOST: message[:at] + message[at + 1 :],
            LinkFaultKind.BYTE_INSERTED: message[:at] + noise[:1] + message[at:],
            LinkFaultKind.PARITY: _with_parity(message),
            LinkFaultKind.END_LOST: message[:-1],
            LinkFaultKind.LOST: b"",
            LinkFaultKind.TWICE: message + message,
            LinkFaultKind.NOISE_BEFORE: noise + message,
        }[kind]


def _with_parity(message: bytes) -> bytes:
    return bytes(b & 0x7F | (b & 0x7F).bit_count() % 2 << 7 for b in message)
