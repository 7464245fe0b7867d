"""A transport whose bytes only the paired device can have sent, and only it can read."""

import time

from spotcheck.errors import DeviceLostError, LinkTamperedError, NotPairedError
from spotcheck_host.host_trust import HostTrust
from spotcheck_host.transports import Transport
from spotcheck_trust.peers import Peer
from spotcheck_wire.errors import (
    NotTrustedByPeerError,
    PeerNotTrustedError,
    SecureSessionError,
)
from spotcheck_wire.secure_session import SecureSession, host_context

PAIR_AGAIN = "`spotcheck pair` pairs this computer with a device"


class SecureTransport:
    """A secure session over another transport."""

    def __init__(self, carrier: Transport, trust: HostTrust, *, timeout_s: float = 10.0) -> None:
        """Find out that a paired device is at the other end; the carrier is closed if it is not.

        Args:
            carrier: What moves the records.
            trust: The host's key and the devices that it is paired with.
            timeout_s: Time in which the device must have shown who it is.

        Raises:
            NotPairedError: this is not a device that was paired, or it no longer knows this host.
            DeviceLostError: it does not answer in time.
            LinkTamperedError: what arrives is not what it sent.
            ConfigurationError: the key or a pairing is damaged.
        """
        self._carrier = carrier
        try:
            self._session = _session(trust)
            self._shake_hands(timeout_s)
            self.device = _found(trust, self._session.peer_certificate)
            """The device that is at the other end."""
        except BaseException:
            carrier.close()
            raise

    def write(self, data: bytes) -> None:
        """Send all of it."""
        try:
            self._session.write(data)
        except SecureSessionError as error:
            raise _named(error) from error
        self._send()

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone.

        Raises:
            NotPairedError: the device no longer knows this host.
            LinkTamperedError: what arrived is not what the device sent.
        """
        plaintext = self._take(self._read_records(timeout_s))
        return plaintext or (b"" if self._session.closed else None)

    def close(self) -> None:
        """Let go of the device."""
        self._carrier.close()

    def _shake_hands(self, timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        self._send()
        while not self._session.established:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise DeviceLostError("the device does not answer")
            self._take(self._read_records(left_s))

    def _read_records(self, timeout_s: float) -> bytes | None:
        try:
            return self._carrier.read(timeout_s)
        except DeviceLostError:
            raise
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error

    def _take(self, records: bytes | None) -> bytes:
        if records == b"":
            raise DeviceLostError("the device closed the connection")
        try:
            plaintext = self._session.feed(records) if records else b""
        except SecureSessionError as error:
            raise _named(error) from error
        self._send()
        return plaintext

    def _send(self) -> None:
        try:
            if records := self._session.take_outgoing():
                self._carrier.write(records)
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error


def _session(trust: HostTrust) -> SecureSession:
    trusted = trust.devices.certificates()
    if not trusted:
        raise NotPairedError(f"no device is paired with this computer yet; {PAIR_AGAIN}")
    context = host_context(trust.identity.path, trusted)
    return SecureSession(context, server_side=False, trusted=trusted)


def _found(trust: HostTrust, certificate: bytes) -> Peer:
    peer = trust.devices.by_certificate(certificate)
    if peer is None:
        raise NotPairedError("the pairing with this device was removed just now")
    return peer


def _named(error: SecureSessionError) -> DeviceLostError:
    if isinstance(error, PeerNotTrustedError):
        return NotPairedError(
            f"this is not a device that was paired; pair again if it was replaced: {PAIR_AGAIN}"
        )
    if isinstance(error, NotTrustedByPeerError):
        return NotPairedError(
            f"the device does not know this computer, or no longer; pair again: {PAIR_AGAIN}"
        )
    return LinkTamperedError(f"{error}; somebody or something changes what the device sends")
