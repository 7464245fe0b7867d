"""Secure sessions: who is at the other end, and that nothing but what it said arrives."""

import contextlib
import ssl
from pathlib import Path

import pytest

from spotcheck_trust.identity import Identity, load_or_make_identity
from spotcheck_wire.errors import (
    NotTrustedByPeerError,
    PeerNotTrustedError,
    RecordRefusedError,
    SecureSessionError,
)
from spotcheck_wire.secure_session import (
    PAIRING,
    SESSION,
    SecureSession,
    device_context,
    host_context,
    host_pairing_context,
)


class Ends:
    """The keys of a device, of a host, and of somebody else."""

    def __init__(self, folder: Path) -> None:
        self.device, self.host, self.other = (
            load_or_make_identity(folder / f"{name}.pem", name)
            for name in ("device", "host", "other")
        )

    def device_end(
        self, identity: Identity | None = None, trusted: tuple[bytes, ...] | None = None
    ) -> SecureSession:
        known = (self.host.certificate,) if trusted is None else trusted
        context = device_context((identity or self.device).path, known)
        return SecureSession(context, server_side=True, trusted=known)

    def host_end(self, identity: Identity | None = None) -> SecureSession:
        known = (self.device.certificate,)
        context = host_context((identity or self.host).path, known)
        return SecureSession(context, server_side=False, trusted=known)


def shake_hands(device: SecureSession, host: SecureSession) -> None:
    for _ in range(4):
        device.feed(host.take_outgoing())
        host.feed(device.take_outgoing())


@pytest.mark.parametrize("order", [1, -1])
def test_each_of_two_hosts_of_one_name_is_known(tmp_path: Path, order: int) -> None:
    """OpenSSL looks for a certificate by its subject, and takes the first that has it."""
    ends = Ends(tmp_path)
    twin = load_or_make_identity(tmp_path / "twin.pem", "host")
    trusted = (ends.host.certificate, twin.certificate)[::order]
    for identity in (ends.host, twin):
        device, host = ends.device_end(trusted=trusted), ends.host_end(identity)
        shake_hands(device, host)
        assert device.peer_certificate == identity.certificate


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    return Ends(tmp_path_factory.mktemp("keys"))


def test_two_that_are_paired_speak_in_both_directions(ends: Ends) -> None:
    device, host = ends.device_end(), ends.host_end()
    shake_hands(device, host)
    assert (device.established, host.established) == (True, True)
    assert (device.purpose, host.purpose) == (SESSION, SESSION)
    assert device.peer_certificate == ends.host.certificate
    assert host.peer_certificate == ends.device.certificate
    large = bytes(range(256)) * 1000
    host.write(b"order")
    device.write(large)
    assert device.feed(host.take_outgoing()) == b"order"
    records = device.take_outgoing()
    pieces = [records[at : at + 777] for at in range(0, len(records), 777)]
    assert b"".join(host.feed(piece) for piece in pieces) == large
    assert b"order" not in records


def test_impersonated_device_is_refused_before_a_word_is_said(ends: Ends) -> None:
    device, host = ends.device_end(ends.other), ends.host_end()
    device.feed(host.take_outgoing())
    with pytest.raises(PeerNotTrustedError):
        host.feed(device.take_outgoing())
    with pytest.raises(PeerNotTrustedError):
        host.write(b"order")


def test_impersonated_host_is_refused_and_learns_why(ends: Ends) -> None:
    device, host = ends.device_end(), ends.host_end(ends.other)
    device.feed(host.take_outgoing())
    host.feed(device.take_outgoing())
    with pytest.raises(PeerNotTrustedError):
        device.feed(host.take_outgoing())
    with pytest.raises(NotTrustedByPeerError):
        host.feed(device.take_outgoing())


def test_host_without_a_certificate_is_refused(ends: Ends) -> None:
    context = host_pairing_context()
    context.set_alpn_protocols([SESSION])
    host = SecureSession(context, server_side=False, trusted=(ends.device.certificate,))
    device = ends.device_end()
    device.feed(host.take_outgoing())
    host.feed(device.take_outgoing())
    with pytest.raises(PeerNotTrustedError, match="no certificate of a pairing"):
        device.feed(host.take_outgoing())


def test_host_whose_pairing_was_removed_meanwhile_is_refused(ends: Ends) -> None:
    """The library trusts what stands in its context; what the session was given decides."""
    known = (ends.host.certificate,)
    context = device_context(ends.device.path, known)
    device, host = SecureSession(context, server_side=True, trusted=()), ends.host_end()
    device.feed(host.take_outgoing())
    host.feed(device.take_outgoing())
    with pytest.raises(PeerNotTrustedError):
        device.feed(host.take_outgoing())


@pytest.mark.parametrize("old_end", ["device", "host"])
def test_older_tls_is_refused(ends: Ends, old_end: str) -> None:
    contexts = {
        "device": device_context(ends.device.path, (ends.host.certificate,)),
        "host": host_context(ends.host.path, (ends.device.certificate,)),
    }
    contexts[old_end].minimum_version = ssl.TLSVersion.TLSv1_2
    contexts[old_end].maximum_version = ssl.TLSVersion.TLSv1_2
    device = SecureSession(contexts["device"], server_side=True, trusted=(ends.host.certificate,))
    host = SecureSession(contexts["host"], server_side=False, trusted=(ends.device.certificate,))
    with pytest.raises(RecordRefusedError, match="ended"):
        shake_hands(device, host)
    assert not device.established
    assert not host.established


def test_tls_of_another_purpose_is_refused(ends: Ends) -> None:
    context = host_context(ends.host.path, (ends.device.certificate,))
    context.set_alpn_protocols(["http/1.1"])
    host = SecureSession(context, server_side=False, trusted=(ends.device.certificate,))
    with pytest.raises(RecordRefusedError):
        shake_hands(ends.device_end(), host)


@pytest.mark.parametrize(
    "noise", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 40, b"\x16\x03\x01\x00\x05"]
)
def test_what_is_no_tls_gives_no_plaintext(ends: Ends, noise: bytes) -> None:
    device = ends.device_end()
    with contextlib.suppress(RecordRefusedError):
        assert device.feed(noise) == b""
    assert not device.established


def test_pairing_needs_no_certificate_of_the_host_and_shows_that_of_the_device(ends: Ends) -> None:
    host = SecureSession(host_pairing_context(), server_side=False, trusted=())
    device = ends.device_end()
    shake_hands(device, host)
    assert (device.purpose, host.purpose) == (PAIRING, PAIRING)
    assert host.peer_certificate == ends.device.certificate
    assert device.peer_certificate == b""


def test_no_session_is_resumed(ends: Ends) -> None:
    device, host = ends.device_end(), ends.host_end()
    shake_hands(device, host)
    device.write(b"x")
    host.feed(device.take_outgoing())
    session = host._tls.session
    assert session is None or not session.has_ticket


def test_whole_recorded_session_is_worth_nothing_when_replayed(ends: Ends) -> None:
    device, host, said = ends.device_end(), ends.host_end(), []
    for _ in range(4):
        said.append(host.take_outgoing())
        device.feed(said[-1])
        host.feed(device.take_outgoing())
    host.write(b"start a measurement")
    said.append(host.take_outgoing())
    assert device.feed(said[-1]) == b"start a measurement"
    again = ends.device_end()
    heard = []
    with pytest.raises(SecureSessionError):
        heard.extend(again.feed(records) for records in said)
    assert not any(heard)
    assert not again.established


def test_session_that_failed_stays_so(ends: Ends) -> None:
    device, host = ends.device_end(), ends.host_end()
    shake_hands(device, host)
    host.write(b"one")
    first = host.take_outgoing()
    host.write(b"two")
    second = host.take_outgoing()
    with pytest.raises(RecordRefusedError):
        device.feed(second)
    for records in (first, second, b""):
        with pytest.raises(RecordRefusedError):
            device.feed(records)
