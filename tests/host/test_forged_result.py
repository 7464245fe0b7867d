"""A case whose device is not the one that signs: nothing is stored, and the person is told."""

from collections import deque
from pathlib import Path

import pytest

from spotcheck.errors import ForgedResultError
from spotcheck.plain import to_plain
from spotcheck.reading import CannotJudge, Reason
from spotcheck.rule import load_rule
from spotcheck.verdict import Judgement
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.scenario import Scenario
from spotcheck_host.device_client import DeviceClient
from spotcheck_host.keys import SigningKey, demonstration_key
from spotcheck_host.procedure import Attendance, Case, CaseResult, PresentLoadProcedure
from spotcheck_host.records import RecordStore
from spotcheck_trust.identity import save_identity
from spotcheck_trust.peers import PairedBy, Peer
from spotcheck_trust.result_signature import SignedResult
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.message_channel import MessageChannel

DEVICE, LAPTOP = demonstration_key(1, "device"), demonstration_key(2, "laptop")
CORRECTION = demonstration_correction_set()


class Device:
    """A device that answers an order with an outcome that somebody signs."""

    def __init__(self, signer: SigningKey) -> None:
        self._signer = signer
        self._channel = MessageChannel("the device")
        self._to_host: deque[bytes] = deque([self._channel.opening()])
        self.acknowledged: list[str] = []

    def write(self, data: bytes) -> None:
        for event in self._channel.feed(data):
            match event:
                case wire.HostHello():
                    self._say(self._hello(), *split_blob(CORRECTION.to_bytes()))
                case wire.StartMeasurement(request_id=request_id):
                    finished = wire.Finished(request_id=request_id, reason="complete")
                    self._say(self._outcome(request_id), finished)
                case wire.Acknowledge(outcome_id=outcome_id):
                    self.acknowledged.append(outcome_id)

    def read(self, timeout_s: float) -> bytes | None:
        return self._to_host.popleft() if self._to_host else None

    def close(self) -> None:
        pass

    def _say(self, *messages: wire.HostMessage) -> None:
        self._to_host += [self._channel.encode(message) for message in messages]

    def _hello(self) -> wire.DeviceHello:
        return wire.DeviceHello(
            protocol=wire.PROTOCOL, software="spotcheck", device_id="SC-1", boot=1, epoch_utc_ns=0,
            sample_rate_hz=8000, phases=1, voltage_range="480V", current_range="C100",
            correction_set_sha256=CORRECTION.sha256, state="idle", note="",
        )  # fmt: skip

    def _outcome(self, request_id: str) -> wire.Outcome:
        found = CannotJudge(
            outcome_id="SC-1-1-1", reason=Reason.NO_LOAD, detail="", at_sample=0, conditions=None
        )
        signed = SignedResult(
            device_id="SC-1", boot=1, request_id=request_id, kind=wire.OUTCOME_CANNOT_JUDGE,
            outcome_id="SC-1-1-1", body=to_plain(found), evidence_sha256=None,
            correction_set_sha256=CORRECTION.sha256,
        )  # fmt: skip
        return wire.Outcome(
            request_id=request_id, kind=signed.kind, outcome_id=signed.outcome_id,
            body=dict(signed.body), evidence_sha256=None, device_id="SC-1", boot=1,
            correction_set_sha256=CORRECTION.sha256,
            signature=self._signer.sign(signed.message()),
        )  # fmt: skip


@pytest.fixture
def peer(tmp_path: Path) -> Peer:
    identity = save_identity(tmp_path / "device.pem", "SC-1", DEVICE.private)
    return Peer(name="SC-1", certificate=identity.certificate, paired_by=PairedBy.CODE)


def verified(device: Device, peer: Peer, store: RecordStore) -> CaseResult:
    case = Case(case_id="c", meter=Scenario().meter(), rule=load_rule("jjg596-2012"), operator="t")
    client = DeviceClient(device, peer)
    attendance = Attendance()
    return PresentLoadProcedure(case, client=client, store=store, attendance=attendance).run()


def test_result_that_the_laptop_signed_itself_is_not_stored(store: RecordStore, peer: Peer) -> None:
    device = Device(LAPTOP)
    result = verified(device, peer, store)
    assert result.verdict.judgement is Judgement.CANNOT_JUDGE
    assert result.verdict.reason is Reason.RESULT_NOT_SIGNED
    assert "SC-1-1-1 is not signed by SC-1 (demo:" in result.verdict.explanation
    assert not store.has_outcome("SC-1-1-1")
    assert device.acknowledged == []


def test_result_that_the_paired_device_signed_is_stored_with_its_signature(
    store: RecordStore, peer: Peer
) -> None:
    device = Device(DEVICE)
    result = verified(device, peer, store)
    assert result.verdict.reason is Reason.NO_LOAD
    assert device.acknowledged == ["SC-1-1-1"]
    (outcome,) = (event for event in store.events("c") if event.kind == "outcome")
    assert outcome.body["device"]["public_hex"] == DEVICE.public_hex
    (connected,) = (event for event in store.events("c") if event.kind == "device_connected")
    assert connected.body["device_key_hex"] == DEVICE.public_hex


def test_forged_result_is_an_error_that_says_whose_key_is_missing(peer: Peer) -> None:
    device = Device(LAPTOP)
    client = DeviceClient(device, peer)
    client.start(
        "c/1", Scenario().meter(), load_rule("jjg596-2012").readings,
        readings=1, start_sample=0, maximum_duration_s=1.0,
    )  # fmt: skip
    client.next_event(0.1)
    with pytest.raises(ForgedResultError, match="the device that was paired; it is not stored"):
        client.next_event(0.1)
