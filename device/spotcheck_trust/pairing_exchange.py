"""The exchange by which two ends find out that both know a short code (SPAKE2, PyPI `spake2`).

Nothing that goes over the line lets anybody try codes offline; each try takes an exchange with the
device, which counts them. Both certificates go into the exchange: who stands in between, and shows
each end a certificate of his own, comes to another key than either.
"""

import hashlib
import hmac

from spake2 import SPAKE2_A, SPAKE2_B, SPAKEError
from spake2.ed25519_basic import NotOnCurve

from spotcheck.errors import PairingError

_HOST, _DEVICE = b"spotcheck-pairing-1 host", b"spotcheck-pairing-1 device"


class PairingExchange:
    """One end's part of one try."""

    def __init__(
        self, code: str, *, host_certificate: bytes, device_certificate: bytes, device_side: bool
    ) -> None:
        """Draw this end's share.

        Args:
            code: The code; white space and hyphens in it do not matter.
            host_certificate: DER, as this end has it.
            device_certificate: DER, as this end has it.
            device_side: Whether this is the device's end.
        """
        names = {
            "idA": _HOST + hashlib.sha256(host_certificate).digest(),
            "idB": _DEVICE + hashlib.sha256(device_certificate).digest(),
        }
        side = SPAKE2_B if device_side else SPAKE2_A
        self._exchange = side("".join(code.split()).replace("-", "").encode(), **names)
        self._own, self._other = (_DEVICE, _HOST) if device_side else (_HOST, _DEVICE)
        self._key: bytes | None = None
        self.share: bytes = self._exchange.start()
        """What the other end needs of this one."""

    def take(self, share: bytes) -> None:
        """Take the other end's share.

        Raises:
            PairingError: it is no share.
        """
        try:
            self._key = self._exchange.finish(share)
        except (SPAKEError, NotOnCurve, ValueError, TypeError, AssertionError, IndexError) as error:
            raise PairingError(
                "the other end's share of the pairing is none; begin the pairing again"
            ) from error

    @property
    def proof(self) -> bytes:
        """Shows the other end that this one knows the code."""
        return self._proof(self._own)

    def proves(self, proof: bytes) -> bool:
        """Whether the other end has shown that it knows the code, and has the same certificates."""
        return hmac.compare_digest(proof, self._proof(self._other))

    def _proof(self, name: bytes) -> bytes:
        if self._key is None:
            raise PairingError("the other end's share has not come")
        return hmac.new(self._key, name, hashlib.sha256).digest()
