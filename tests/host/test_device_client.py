"""The host's end of the link, against a device that answers by a script."""

from collections import deque
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from spotcheck.errors import ForgedResultError, ProtocolVersionError
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient
from spotcheck_host.keys import SigningKey, demonstration_key
from spotcheck_trust.identity import save_identity
from spotcheck_trust.peers import PairedBy, Peer
from spotcheck_trust.result_signature import SignedResult
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.errors import MessageError
from spotcheck_wire.flow_control import WINDOW_BYTES
from spotcheck_wire.host_messages import (
    PROTOCOL,
    Acknowledge,
    Credit,
    DeviceHello,
    HostHello,
    HostMessage,
    LiveView,
    Notice,
    Outcome,
    WatchLive,
)
from spotcheck_wire.message_channel import MessageChannel, TableAgreed

CORRECTION_SET = b"a correction set"
HELLO = DeviceHello(
    protocol=PROTOCOL,
    software="spotcheck",
    device_id="SC-1",
    boot=1,
    epoch_utc_ns=0,
    sample_rate_hz=8000,
    phases=1,
    voltage_range="480V",
    current_range="C5",
    correction_set_sha256=sha256(CORRECTION_SET).hexdigest(),
    state="idle",
    note="",
)
VIEW = LiveView(
    sample=8000,
    state="idle",
    conditions={},
    obstacle="U1 is 0.0 V",
    overload=False,
    trace_interval_s=0.000125,
    trace_points=1,
    traces=bytes(8),
    harmonic_orders=0,
    harmonics=b"",
)


KEY = demonstration_key(1, "device")
EVIDENCE = b"stamps and slots"


class Script:
    """A transport on which the device says what it was given to say."""

    def __init__(self) -> None:
        self._channel = MessageChannel("the device")
        self._to_host: deque[bytes] = deque([self._channel.opening()])
        self._waiting: list[HostMessage] = []
        self.heard: list[object] = []
        self.granted: list[int] = []

    def say(self, *messages: HostMessage) -> None:
        self._waiting += messages
        if self._channel.agreed:
            self._to_host += [self._channel.encode(message) for message in self._waiting]
            self._waiting = []

    def write(self, data: bytes) -> None:
        events = self._channel.feed(data)
        self.granted += [event.total_bytes for event in events if isinstance(event, Credit)]
        self.heard += [event for event in events if not isinstance(event, TableAgreed | Credit)]
        self.say()

    def read(self, timeout_s: float) -> bytes | None:
        return self._to_host.popleft() if self._to_host else None

    def close(self) -> None:
        pass


@pytest.fixture
def device(tmp_path: Path) -> Peer:
    """The device that was paired."""
    identity = save_identity(tmp_path / "device.pem", "SC-1", KEY.private)
    return Peer(name="SC-1", certificate=identity.certificate, paired_by=PairedBy.CODE)


@pytest.fixture
def script() -> Script:
    script = Script()
    script.say(HELLO, *split_blob(CORRECTION_SET))
    return script


def outcome(signer: SigningKey = KEY, **changes: object) -> Outcome:
    """An outcome, signed before the changes are made."""
    sound = SignedResult(
        device_id="SC-1", boot=1, request_id="c/1", kind="reading", outcome_id="SC-1-1-1",
        body={"error_percent": "0x1p-1"}, evidence_sha256=sha256(EVIDENCE).hexdigest(),
        correction_set_sha256=HELLO.correction_set_sha256,
    )  # fmt: skip
    message = Outcome(
        request_id=sound.request_id, kind=sound.kind, outcome_id=sound.outcome_id,
        body=dict(sound.body), evidence_sha256=sound.evidence_sha256, device_id=sound.device_id,
        boot=sound.boot, correction_set_sha256=sound.correction_set_sha256,
        signature=signer.sign(sound.message()),
    )  # fmt: skip
    return replace(message, **changes)  # type: ignore[arg-type]


def test_outcome_that_the_paired_device_signed_arrives(script: Script, device: Peer) -> None:
    client = DeviceClient(script, device)
    script.say(*split_blob(EVIDENCE), outcome())
    assert client.next_event(0.1) == HELLO
    arrived = client.next_event(0.1)
    assert isinstance(arrived, ArrivedOutcome)
    assert (arrived.message, arrived.evidence) == (outcome(), EVIDENCE)
    assert arrived.device_key == KEY.public


@pytest.mark.parametrize(
    "changes",
    [
        {"body": {"error_percent": "0x1p-2"}},
        {"request_id": "d/1"},
        {"kind": "cannot judge"},
        {"outcome_id": "SC-1-1-2"},
        {"boot": 2},
        {"device_id": "SC-2"},
        {"correction_set_sha256": "0" * 64},
        {"evidence_sha256": None},
        {"signature": bytes(64)},
        {"signer": demonstration_key(2, "device")},
        {"body": {"no canonical form": 0.5}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_forged_outcome_is_refused_by_name(
    script: Script, device: Peer, changes: dict[str, Any]
) -> None:
    client = DeviceClient(script, device)
    script.say(*split_blob(EVIDENCE), outcome(**changes))
    assert client.next_event(0.1) == HELLO
    with pytest.raises(ForgedResultError, match=r"not signed by SC-1 \(demo:[0-9a-f]{16}\)"):
        client.next_event(0.1)
    assert not any(isinstance(event, Acknowledge) for event in script.heard)
    assert client.next_event(0.01) is None


def test_device_that_calls_itself_otherwise_than_at_pairing_is_refused(
    script: Script, device: Peer
) -> None:
    with pytest.raises(ProtocolVersionError, match="paired as SC-9 and now calls itself SC-1"):
        DeviceClient(script, replace(device, name="SC-9"))


def test_host_grants_credit_as_it_takes(script: Script, device: Peer) -> None:
    client = DeviceClient(script, device)
    at_first = script.granted[-1]
    for number in range(40):
        script.say(Notice(code="n", text=str(number) + "x" * 8000, sample=None))
        client.next_event(0.1)
    assert script.granted == sorted(set(script.granted))
    assert script.granted[-1] - at_first > 40 * 8000 - WINDOW_BYTES // 2


def test_watching_is_asked_for_and_views_come_as_events(script: Script, device: Peer) -> None:
    client = DeviceClient(script, device)
    assert client.next_event(0.1) == HELLO
    client.watch_live(200)
    client.watch_live(0, points=16)
    script.say(VIEW)
    assert client.next_event(0.1) == VIEW
    greeting, *wishes = script.heard
    assert isinstance(greeting, HostHello)
    assert wishes == [
        WatchLive(interval_ms=200, points=400),
        WatchLive(interval_ms=0, points=16),
    ]


@pytest.mark.parametrize(("interval_ms", "points"), [(20, 400), (200, 4096)])
def test_wish_that_no_device_grants_is_not_sent(
    script: Script, device: Peer, interval_ms: int, points: int
) -> None:
    client = DeviceClient(script, device)
    with pytest.raises(MessageError, match="WatchLive"):
        client.watch_live(interval_ms, points)
    assert len(script.heard) == 1
