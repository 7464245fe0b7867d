"""The evidence of a reading: what recomputes it on any machine, uncorrected.

Bytes: one line of canonical JSON (format, stream, meter, stamps), a line feed, then the slot sums
as little-endian int64 [slot][phase][Σui, Σ(u[n]i[n−1]−u[n−1]i[n]), Σu², Σi², Σu, Σi], then the
components as little-endian float64 [window][start, end, then re, im of each channel's orders].
The SHA-256 of these bytes names the evidence (docs/formats/outcome.md).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import EvidenceError
from spotcheck.meter import Meter
from spotcheck.plain import LATER, from_plain, to_plain
from spotcheck.pulses import PulseTrain
from spotcheck.samples import StreamFormat

EVIDENCE_FORMAT = "spotcheck-evidence-1"
"""Without components."""
EVIDENCE_FORMAT_2 = "spotcheck-evidence-2"
"""With components."""
SUMS_PER_PHASE = 6
BYTES_PER_SUM = 8
BYTES_PER_FLOAT = 8
MOST_ORDERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentGrid:
    """What the demodulated components are."""

    cycles: int
    """Mains cycles of a window."""
    orders: int
    """Harmonic orders of each channel, from 1."""

    def __post_init__(self) -> None:
        if self.cycles not in (10, 12):
            raise EvidenceError(f"windows of {self.cycles} cycles; IEC 61000-4-7 has 10 or 12")
        if not 1 <= self.orders <= MOST_ORDERS:
            raise EvidenceError(f"{self.orders} orders of components; 1 to {MOST_ORDERS} can be")


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
    components: ComponentGrid | None = field(default=None, metadata={LATER: True})
    """What the components are; None where there are none."""
    pps_stamps: tuple[int, ...] = field(default=(), metadata={LATER: True})
    """Marks of PPS, raw, rising, 1/65536 samples since sample 0: from before the first pulse on, as
    far as they were kept. Stray edges are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Head, slot sums and components."""

    head: EvidenceHead
    """What they are."""
    slot_sums: bytes
    """Little-endian int64, see the module's text."""
    components: bytes = b""
    """Little-endian float64, see the module's text: RMS phasors in codes, phase 0 for a cosine at
    the window's middle."""

    def __post_init__(self) -> None:
        if len(self.slot_sums) % self.slot_bytes:
            raise EvidenceError(
                f"{len(self.slot_sums)} bytes of slot sums are no whole number of "
                f"{self.slot_bytes}-byte slots"
            )
        size = self.window_bytes
        if (len(self.components) % size if size else len(self.components)) or (
            size and not self.components
        ):
            raise EvidenceError(
                f"{len(self.components)} bytes of components are no whole number of "
                f"{size}-byte windows"
            )

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot."""
        return self.head.stream.phases * SUMS_PER_PHASE * BYTES_PER_SUM

    @property
    def window_bytes(self) -> int:
        """Bytes of one window of components; 0 where there are none."""
        grid = self.head.components
        if grid is None:
            return 0
        return BYTES_PER_FLOAT * (2 + 4 * self.head.stream.phases * grid.orders)

    def to_bytes(self) -> bytes:
        """The bytes that are stored and hashed."""
        head = to_plain(self.head)
        if self.head.components is None:
            return (
                canonical_bytes({"format": EVIDENCE_FORMAT, "head": head}) + b"\n" + self.slot_sums
            )
        slots = len(self.slot_sums) // self.slot_bytes
        line = {"format": EVIDENCE_FORMAT_2, "head": head, "slots": slots}
        return canonical_bytes(line) + b"\n" + self.slot_sums + self.components

    @property
    def sha256(self) -> str:
        """Name of the evidence."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def parse_evidence(data: bytes) -> Evidence:
    """The evidence that `Evidence.to_bytes` wrote, of any version.

    Raises:
        EvidenceError: not evidence of a known format.
    """
    line, separator, rest = data.partition(b"\n")
    if not separator:
        raise EvidenceError("no evidence: the head line is missing")
    found: Any = parse_canonical(line)
    known = (EVIDENCE_FORMAT, EVIDENCE_FORMAT_2)
    if not isinstance(found, dict) or found.get("format") not in known:
        raise EvidenceError(f"no evidence of the format {' or '.join(known)}")
    head = from_plain(EvidenceHead, found.get("head"))
    sums = len(rest)
    if found["format"] == EVIDENCE_FORMAT_2:
        slots = found.get("slots")
        if type(slots) is not int or slots < 0:
            raise EvidenceError(f"the evidence counts {slots!r} slots")
        sums = slots * head.stream.phases * SUMS_PER_PHASE * BYTES_PER_SUM
        if sums > len(rest):
            raise EvidenceError(f"the evidence is cut short: {slots} slots are not there")
    evidence = Evidence(head=head, slot_sums=rest[:sums], components=rest[sums:])
    if evidence.to_bytes() != data:
        raise EvidenceError("the evidence spells a value otherwise than it is written: altered")
    return evidence
