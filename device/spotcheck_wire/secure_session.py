"""Secure sessions between board and host: TLS 1.3 (RFC 8446) with pinned certificates, sans-IO.

Bytes in, plaintext out; a socket, a serial line and a test carry the same records. What makes a
peer trusted is that its certificate is, byte for byte, one of those that were stored at pairing:
no authority, no name and no date decides. `docs/decisions/0018-…` says why TLS.
"""

import ssl
from collections.abc import Collection
from pathlib import Path
from typing import NoReturn

from spotcheck_wire.errors import (
    NotTrustedByPeerError,
    PeerNotTrustedError,
    RecordRefusedError,
)

SESSION = "spotcheck-session/1"
"""Purpose (ALPN, RFC 7301) of a session between two that are paired."""
PAIRING = "spotcheck-pairing/1"
"""Purpose of a session in which a host asks to be paired; its certificate is not asked for."""

_READ_BYTES = 1 << 16
_NOT_TRUSTED_ALERTS = frozenset(
    (
        "TLSV1_ALERT_UNKNOWN_CA",
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV13_ALERT_CERTIFICATE_REQUIRED",
    )
)


class SecureSession:
    """One end of one session; after an error it takes and gives nothing more."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        trusted: Collection[bytes],
    ) -> None:
        """Begin; what a client has to say first is in `take_outgoing`.

        Args:
            context: From `device_context`, `host_context` or `host_pairing_context`.
            server_side: Whether this is the device's end.
            trusted: Certificates (DER) that this end was paired with.
        """
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side)
        self._server_side = server_side
        self._trusted = frozenset(trusted)
        self._peer: bytes | None = None
        self._failure: Exception | None = None
        self.established = False
        """Whether both ends have shown who they are; plaintext flows only then."""
        self.closed = False
        """Whether the other end has said that nothing more comes."""
        if not server_side:
            self._shake_hands()

    @property
    def purpose(self) -> str:
        """`SESSION` or `PAIRING`; empty before the session is established."""
        return self._tls.selected_alpn_protocol() or ""

    @property
    def peer_certificate(self) -> bytes:
        """Certificate (DER) whose key the other end has shown to hold; empty where it has none."""
        return self._peer or b""

    def feed(self, data: bytes) -> bytes:
        """Return the plaintext that received bytes complete.

        Raises:
            SecureSessionError: by its name; the session is over, and every later feed says so too.
        """
        if self._failure is not None:
            raise self._failure
        self._incoming.write(data)
        if not self.established:
            self._shake_hands()
        return self._plaintext() if self.established else b""

    def write(self, plaintext: bytes) -> None:
        """Put plaintext into records; `established` must be true.

        Raises:
            SecureSessionError: the session is over.
        """
        if self._failure is not None:
            raise self._failure
        if plaintext:
            self._tls.write(plaintext)

    def take_outgoing(self) -> bytes:
        """Bytes for the other end; taken once, in order."""
        return self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self._fail(error)
        self._require_trust()
        self.established = True

    def _require_trust(self) -> None:
        if self.purpose not in (SESSION, PAIRING):
            self._give_up(RecordRefusedError("the other end speaks TLS, but not Spotcheck's"))
        self._peer = self._tls.getpeercert(binary_form=True)
        # Whatever the certificate check of the library makes of chains and dates: this decides.
        if self.purpose == SESSION and self._peer not in self._trusted:
            self._give_up(PeerNotTrustedError("the other end showed no certificate of a pairing"))

    def _plaintext(self) -> bytes:
        pieces = []
        try:
            while piece := self._tls.read(_READ_BYTES):
                pieces.append(piece)
            self.closed = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            self.closed = True
        except ssl.SSLError as error:
            # What came whole before the forged record is not handed out either: who forges one
            # record of a feed has the line in hand, and the peer sends again what was not heard.
            self._fail(error)
        return b"".join(pieces)

    def _fail(self, error: ssl.SSLError) -> NoReturn:
        if isinstance(error, ssl.SSLCertVerificationError):
            self._give_up(PeerNotTrustedError("the other end's certificate is of no pairing"))
        if error.reason in _NOT_TRUSTED_ALERTS:
            self._give_up(NotTrustedByPeerError("the other end knows no pairing with this one"))
        words = (error.reason or "not TLS 1.3").replace("_", " ").lower()
        self._give_up(RecordRefusedError(f"the secure session has ended: {words}"))

    def _give_up(self, failure: Exception) -> NoReturn:
        self._failure = failure
        self.established = False
        raise failure


def device_context(identity_file: Path, trusted: Collection[bytes]) -> ssl.SSLContext:
    """What the device's end begins with, for sessions and for pairings.

    Args:
        identity_file: Its certificate and private key (PEM).
        trusted: Certificates (DER) of the hosts that it is paired with.

    Raises:
        OSError: the file cannot be read, or holds no certificate with its key.
    """
    context = _tls_13_only(ssl.PROTOCOL_TLS_SERVER)
    # A host that asks to be paired shows none; `SecureSession` demands one of every other.
    context.verify_mode = ssl.CERT_OPTIONAL
    # Without tickets no session is resumed, and nothing can be sent before the handshake's end.
    context.num_tickets = 0
    context.set_alpn_protocols([SESSION, PAIRING])
    context.load_cert_chain(identity_file)
    _trust(context, trusted)
    return context


def host_context(identity_file: Path, trusted: Collection[bytes]) -> ssl.SSLContext:
    """What the host's end begins a session with.

    Args:
        identity_file: Its certificate and private key (PEM).
        trusted: Certificates (DER) of the devices that it is paired with.

    Raises:
        OSError: the file cannot be read, or holds no certificate with its key.
    """
    context = _tls_13_only(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False  # a device has a key, and any address
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols([SESSION])
    context.load_cert_chain(identity_file)
    _trust(context, trusted)
    return context


def host_pairing_context() -> ssl.SSLContext:
    """What the host's end begins a pairing with: whom it speaks to is found out by the code."""
    context = _tls_13_only(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols([PAIRING])
    return context


def _tls_13_only(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_3
    return context


def _trust(context: ssl.SSLContext, trusted: Collection[bytes]) -> None:
    if trusted:
        context.load_verify_locations(cadata=b"".join(trusted))
