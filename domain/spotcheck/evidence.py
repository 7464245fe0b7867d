"""The evidence of a reading: uncorrected integers that recompute it on any machine.

Bytes: one line of canonical JSON (format, stream, meter, stamps), a line feed, then the slot sums
as little-endian int64 [slot][phase][Σui, Σ(u[n]i[n−1]−u[n−1]i[n]), Σu², Σi², Σu, Σi].
The SHA-256 of these bytes names the evidence (docs/formats/outcome.md).
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import EvidenceError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain, to_plain
from spotcheck.pulses import PulseTrain
from spotcheck.samples import StreamFormat

EVIDENCE_FORMAT = "spotcheck-evidence-1"
SUMS_PER_PHASE = 6
BYTES_PER_SUM = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceHead:
    """Everything of the evidence but the slot sums."""

    stream: StreamFormat
    """What the stream looked like."""
    slot_length: int
    """Samples per slot."""
    first_slot: int
    """Number of the first slot since sample 0."""
    meter: Meter
    """The meter as it was entered."""
    pulses: PulseTrain
    """Raw stamps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Head and slot sums."""

    head: EvidenceHead
    """What they are."""
    slot_sums: bytes
    """Little-endian int64, see the module's text."""

    def __post_init__(self) -> None:
        if len(self.slot_sums) % self.slot_bytes:
            raise EvidenceError(
                f"{len(self.slot_sums)} bytes of slot sums are no whole number of "
                f"{self.slot_bytes}-byte slots"
            )

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot."""
        return self.head.stream.phases * SUMS_PER_PHASE * BYTES_PER_SUM

    def to_bytes(self) -> bytes:
        """The bytes that are stored and hashed."""
        head = {"format": EVIDENCE_FORMAT, "head": to_plain(self.head)}
        return canonical_bytes(head) + b"\n" + self.slot_sums

    @property
    def sha256(self) -> str:
        """Name of the evidence."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def parse_evidence(data: bytes) -> Evidence:
    """The evidence that `Evidence.to_bytes` wrote.

    Raises:
        EvidenceError: not evidence of this format.
    """
    line, separator, sums = data.partition(b"\n")
    if not separator:
        raise EvidenceError("no evidence: the head line is missing")
    head: Any = parse_canonical(line)
    if not isinstance(head, dict) or head.get("format") != EVIDENCE_FORMAT:
        raise EvidenceError(f"no evidence of the format {EVIDENCE_FORMAT}")
    evidence = Evidence(head=from_plain(EvidenceHead, head.get("head")), slot_sums=sums)
    if evidence.to_bytes() != data:
        raise EvidenceError("the evidence spells a value otherwise than it is written: altered")
    return evidence
