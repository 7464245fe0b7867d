"""The device's signature of a result: who holds the laptop cannot make a measurement up.

Signed is the canonical JSON (docs/formats/canonical-json.md) of all that a result says and rests
on, behind a prefix that keeps the signature from serving any other purpose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from spotcheck.canonical_json import canonical_bytes
from spotcheck.errors import CanonicalFormError

RESULT_DOMAIN = b"spotcheck-device-result-1\0"
"""Goes before the canonical bytes in what is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedResult:
    """What a device's signature is over."""

    device_id: str
    """Serial number of the instrument."""
    boot: int
    """Boot in which it was measured."""
    request_id: str
    """Request that it answers; begins with the case's name."""
    kind: str
    """`reading` or `cannot judge`."""
    outcome_id: str
    """Name of the result."""
    body: Mapping[str, Any]
    """The result's plain form (`spotcheck.plain.to_plain`)."""
    evidence_sha256: str | None
    """Digest of the evidence; None without."""
    correction_set_sha256: str
    """Digest of the correction set that was in use."""

    def message(self) -> bytes:
        """The bytes that are signed.

        Raises:
            CanonicalFormError: the body is none that a device makes.
        """
        return RESULT_DOMAIN + canonical_bytes(
            {
                "device_id": self.device_id,
                "boot": self.boot,
                "request_id": self.request_id,
                "kind": self.kind,
                "outcome_id": self.outcome_id,
                "body": dict(self.body),
                "evidence_sha256": self.evidence_sha256,
                "correction_set_sha256": self.correction_set_sha256,
            }
        )

    def is_signed_by(self, public: bytes, signature: bytes) -> bool:
        """Whether the signature is that key's over this very result."""
        try:
            Ed25519PublicKey.from_public_bytes(public).verify(signature, self.message())
        except (InvalidSignature, ValueError, CanonicalFormError):
            return False
        return True
