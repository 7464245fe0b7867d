"""Host and device over a line in this process: pairing, and what somebody on the line can do."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from spotcheck.errors import DeviceLostError, NotPairedError, PairingError
from spotcheck_cli.link_campaign import ATTACKS, LinkAttacks
from spotcheck_device.device_trust import DeviceTrust, open_device_trust
from spotcheck_device.host_line import HostLine, HostLineCallbacks
from spotcheck_host.device_pairing import pair_by_code, pair_over_cable
from spotcheck_host.host_trust import HostTrust, open_host_trust
from spotcheck_host.secure_transport import SecureTransport
from spotcheck_trust.identity import load_or_make_identity
from spotcheck_trust.peers import PairedBy
from spotcheck_wire.errors import MessageError, SecureSessionError
from spotcheck_wire.pairing_messages import PairingAnswer, PairingRequest
from spotcheck_wire.secure_session import (
    PAIRING,
    SecureSession,
    device_context,
    host_pairing_context,
)


@dataclass
class Device:
    """A device in this process; notes whom it took for a host."""

    trust: DeviceTrust
    over_cable: bool = False
    connected: list[object] = field(default_factory=list)
    messages: list[object] = field(default_factory=list)
    paired: list[object] = field(default_factory=list)

    def line(self, write: Callable[[bytes], None]) -> HostLine:
        return HostLine(
            self.trust,
            HostLineCallbacks(
                connected=self.connected.append,
                message=lambda _, message: self.messages.append(message),
                disconnected=lambda _: None,
                paired=self.paired.append,
            ),
            write=write,
            unsent_bytes=lambda: 0,
            over_cable=self.over_cable,
        )


class Wire:
    """A transport that is joined to a device; keeps what the host said."""

    def __init__(self, device: Device) -> None:
        self._to_host: deque[bytes] = deque()
        self._line = device.line(self._to_host.append)
        self.said: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)
        if not self._line.is_over:
            self._line.receive(data)

    def read(self, timeout_s: float) -> bytes | None:
        while self._to_host:
            if data := self._to_host.popleft():
                return data
        return b"" if self._line.is_over else None

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(open_device_trust(tmp_path / "state", "SC-1"))


@pytest.fixture
def host(tmp_path: Path) -> HostTrust:
    return open_host_trust(tmp_path / "records", "li@laptop")


def test_code_that_the_device_shows_pairs_both_ends(device: Device, host: HostTrust) -> None:
    code = device.trust.desk.open().code
    peer = pair_by_code(Wire(device), host, code)
    assert (peer.name, peer.certificate) == ("SC-1", device.trust.identity.certificate)
    assert host.devices.all() == (peer,)
    (known,) = device.trust.hosts.all()
    assert (known.name, known.certificate) == ("li@laptop", host.identity.certificate)
    assert (known.paired_by, device.paired) == (PairedBy.CODE, [known])
    link = SecureTransport(Wire(device), host)
    assert link.device == peer
    assert link.read(0.1) is not None


def test_device_that_shows_no_code_is_not_paired(device: Device, host: HostTrust) -> None:
    with pytest.raises(PairingError, match="not ready to be paired; run `spotcheck device pair"):
        pair_by_code(Wire(device), host, "1234-5678")
    assert host.devices.all() == device.trust.hosts.all() == ()


def test_three_wrong_codes_close_the_pairing(device: Device, host: HostTrust) -> None:
    code = device.trust.desk.open().code
    wrong = f"{(int(code[:4]) + 1) % 10000:04}{code[4:]}"
    for left in ("2 tries are left", "1 tries are left", "wrong three times"):
        with pytest.raises(PairingError, match=left):
            pair_by_code(Wire(device), host, wrong)
    with pytest.raises(PairingError, match="not ready"):
        pair_by_code(Wire(device), host, code)
    assert device.trust.hosts.all() == host.devices.all() == ()


def test_code_is_good_for_one_host(device: Device, host: HostTrust, tmp_path: Path) -> None:
    code = device.trust.desk.open().code
    pair_by_code(Wire(device), host, code)
    with pytest.raises(PairingError, match="not ready"):
        pair_by_code(Wire(device), open_host_trust(tmp_path / "second", "second"), code)


def test_replaced_device_is_refused_by_name_until_it_is_paired_again(
    device: Device, host: HostTrust, tmp_path: Path
) -> None:
    pair_by_code(Wire(device), host, device.trust.desk.open().code)
    old = host.devices.all()
    replacement = Device(open_device_trust(tmp_path / "new state", "SC-1"))
    with pytest.raises(NotPairedError, match="not a device that was paired; pair again if it was"):
        SecureTransport(Wire(replacement), host)
    peer = pair_by_code(Wire(replacement), host, replacement.trust.desk.open().code)
    assert host.devices.all() == (peer,) != old
    with pytest.raises(NotPairedError, match="not a device that was paired"):
        SecureTransport(Wire(device), host)


def test_host_that_the_device_forgot_is_refused_by_name(device: Device, host: HostTrust) -> None:
    pair_by_code(Wire(device), host, device.trust.desk.open().code)
    device.trust.hosts.remove("li@laptop")
    link = SecureTransport(Wire(device), host)  # the host has spoken last: it does not know yet
    with pytest.raises(NotPairedError, match="does not know this computer, or no longer"):
        link.read(0.1)
    assert device.connected == []


def test_host_that_was_never_paired_says_so_before_it_speaks(
    device: Device, host: HostTrust
) -> None:
    wire = Wire(device)
    with pytest.raises(NotPairedError, match="no device is paired with this computer yet"):
        SecureTransport(wire, host)
    assert wire.said == []


def test_host_of_before_that_speaks_plain_frames_is_cut_off(device: Device) -> None:
    wire = Wire(device)
    wire.write(b"\x05\x01!\x01\x02\xa2hprotocol\x00")
    assert device.connected == device.messages == []
    assert wire._line.is_over


class Middle:
    """Somebody between host and device at their pairing, with a key of his own."""

    def __init__(self, device: Device, folder: Path) -> None:
        own = load_or_make_identity(folder / "middle.pem", "SC-1")
        self._to_host = SecureSession(device_context(own.path, ()), server_side=True, trusted=())
        self._wire = Wire(device)
        self._to_device = SecureSession(host_pairing_context(), server_side=False, trusted=())
        self.overheard: list[bytes] = []

    def write(self, data: bytes) -> None:
        said = self._to_host.feed(data)
        self._pass_on(self._to_device, said)

    def read(self, timeout_s: float) -> bytes | None:
        self._wire.write(self._to_device.take_outgoing())
        while (data := self._wire.read(0.0)) is not None and data:
            self._pass_on(self._to_host, self._to_device.feed(data))
            if outgoing := self._to_device.take_outgoing():
                self._wire.write(outgoing)
        return self._to_host.take_outgoing() or (b"" if data == b"" else None)

    def _pass_on(self, session: SecureSession, plaintext: bytes) -> None:
        if plaintext:
            self.overheard.append(plaintext)
            session.write(plaintext)

    def close(self) -> None:
        self._wire.close()


def test_somebody_in_between_who_does_not_know_the_code_pairs_with_neither(
    device: Device, host: HostTrust, tmp_path: Path
) -> None:
    """He passes on all that is said: both know the code, but not of the same certificates."""
    code = device.trust.desk.open().code
    middle = Middle(device, tmp_path)
    with pytest.raises(PairingError, match="2 tries are left"):
        pair_by_code(middle, host, code)
    assert len(middle.overheard) >= 3
    assert host.devices.all() == device.trust.hosts.all() == ()


def test_false_device_learns_nothing_that_pairs_it(host: HostTrust, tmp_path: Path) -> None:
    false = Device(open_device_trust(tmp_path / "false", "SC-1"))
    false.trust.desk.open()
    with pytest.raises(PairingError, match="code is wrong"):
        pair_by_code(Wire(false), host, "0000-0000")
    assert host.devices.all() == ()


def test_first_host_over_the_cable_is_paired_and_no_second_one(
    device: Device, host: HostTrust, tmp_path: Path
) -> None:
    device.over_cable = True
    peer = pair_over_cable(Wire(device), host)
    assert peer.paired_by is PairedBy.CABLE
    assert pair_over_cable(Wire(device), host) == peer
    other = open_host_trust(tmp_path / "other", "other")
    with pytest.raises(PairingError, match=r"paired with li@laptop \(key:.*device forget"):
        pair_over_cable(Wire(device), other)
    assert len(device.trust.hosts.all()) == 1
    assert SecureTransport(Wire(device), host).device == peer


def test_no_host_is_paired_without_a_code_over_the_network(device: Device, host: HostTrust) -> None:
    device.trust.desk.open()
    with pytest.raises(PairingError, match="share of the pairing is none"):
        pair_over_cable(Wire(device), host)
    assert device.trust.hosts.all() == ()


def test_whole_recorded_session_moves_the_device_to_nothing(
    device: Device, host: HostTrust
) -> None:
    pair_by_code(Wire(device), host, device.trust.desk.open().code)
    wire = Wire(device)
    link = SecureTransport(wire, host)
    link.write(b"whatever a host says")
    recorded = list(wire.said)
    again = Wire(device)
    before = list(device.connected), list(device.messages)
    for records in recorded:
        again.write(records)
    assert (device.connected, device.messages) == before
    assert again._line.is_over


def test_recorded_pairing_pairs_nobody_a_second_time(device: Device, host: HostTrust) -> None:
    wire = Wire(device)
    pair_by_code(wire, host, device.trust.desk.open().code)
    device.trust.hosts.remove("li@laptop")
    device.trust.desk.close()
    device.trust.desk.open()
    again = Wire(device)
    for records in wire.said:
        again.write(records)
    assert device.trust.hosts.all() == ()


def test_pairing_has_a_purpose_of_its_own(device: Device, host: HostTrust) -> None:
    """A session for pairing cannot be used to measure, however it goes on."""
    wire = Wire(device)
    session = SecureSession(host_pairing_context(), server_side=False, trusted=())
    for _ in range(3):
        wire.write(session.take_outgoing())
        while data := wire.read(0.0):
            session.feed(data)
    assert session.purpose == PAIRING
    session.write(b"\x04\x01!\x01\x02\xa2hprotocol\x00")
    wire.write(session.take_outgoing())
    assert device.connected == device.messages == []


@pytest.mark.parametrize("name", ["", "x" * 65, "\x1b[2Jroot"])
def test_name_that_would_harm_a_terminal_is_refused(name: str) -> None:
    with pytest.raises(MessageError, match="64 printable characters"):
        PairingRequest(name=name, certificate=b"", share=b"")
    with pytest.raises(MessageError, match="64 printable characters"):
        PairingAnswer(name=name, share=b"")


def test_silent_device_is_named(host: HostTrust, device: Device) -> None:
    pair_by_code(Wire(device), host, device.trust.desk.open().code)

    class Silence:
        def write(self, data: bytes) -> None:
            pass

        def read(self, timeout_s: float) -> bytes | None:
            return None

        def close(self) -> None:
            pass

    with pytest.raises(DeviceLostError, match="does not answer"):
        SecureTransport(Silence(), host, timeout_s=0.02)
    with pytest.raises(DeviceLostError, match="does not answer"):
        pair_by_code(Silence(), host, "1", timeout_s=0.02)


def test_no_attacked_record_is_accepted(tmp_path: Path) -> None:
    """The short form of `make campaign-links`."""
    counts = LinkAttacks(tmp_path, seed=20).run(980)
    assert sum(counts.attacks.values()) == 980
    assert set(counts.attacks) == set(ATTACKS)
    assert counts.accepted == {}
    assert counts.refused_by_name > 800


def test_campaign_counts_what_an_end_without_protection_would_accept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can fail: an end that hands on what its records hold, whatever they are, is found out."""

    class Credulous(SecureSession):
        def feed(self, data: bytes) -> bytes:
            if not self.established:
                return super().feed(data)
            try:
                return super().feed(data)
            except SecureSessionError:
                return data

    monkeypatch.setattr("spotcheck_cli.link_campaign.SecureSession", Credulous)
    counts = LinkAttacks(tmp_path, seed=20).run(140)
    assert sum(counts.accepted.values()) > 100
