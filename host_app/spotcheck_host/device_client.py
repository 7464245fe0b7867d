"""The host's end of the link to the device: what it says, and what it is told."""

import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Self

import spotcheck
from spotcheck.errors import DeviceLostError, ForgedResultError, ProtocolVersionError
from spotcheck.meter import Meter
from spotcheck.plain import to_plain
from spotcheck.rule import ReadingPlan
from spotcheck_host.transports import Transport
from spotcheck_trust.peers import Peer
from spotcheck_trust.result_signature import SignedResult
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import BlobAssembler
from spotcheck_wire.errors import MessageError, NoCommonTableError
from spotcheck_wire.flow_control import CreditGrants
from spotcheck_wire.message_channel import MessageChannel, TableAgreed, Unreadable

SOFTWARE = f"spotcheck {spotcheck.__version__}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedOutcome:
    """An outcome with its evidence; it wants to be stored, then acknowledged."""

    message: wire.Outcome
    """What the device says."""
    evidence: bytes | None
    """The evidence that it names, checked against its digest."""
    device_key: bytes
    """The paired device's public key, which has signed it."""

    @property
    def signed(self) -> SignedResult:
        """What the device's signature is over."""
        return signed_result(self.message)


DeviceEvent = (
    ArrivedOutcome
    | wire.DeviceHello
    | wire.Progress
    | wire.Finished
    | wire.Notice
    | wire.Refused
    | wire.LiveView
)


class DeviceClient:
    """A connected device; a context manager."""

    def __init__(self, transport: Transport, device: Peer, *, timeout_s: float = 10.0) -> None:
        """Greet the device and wait until it has samples and has sent its correction set.

        Args:
            transport: What moves bytes to it.
            device: The device that was paired, which is at the other end.
            timeout_s: Time in which it must be ready.

        Raises:
            DeviceLostError: it does not answer in time.
            ProtocolVersionError: it speaks no message table that the host speaks.
        """
        self.device = device
        """The device that was paired; its key signs every outcome."""
        self._transport = transport
        self._channel = MessageChannel(f"the host ({SOFTWARE})")
        self._grants = CreditGrants()
        self._assembler = BlobAssembler()
        self._blobs: dict[str, bytes] = {}
        self._events: deque[DeviceEvent] = deque()
        self._hello: wire.DeviceHello | None = None
        self._write(self._channel.opening())
        deadline_s = time.monotonic() + timeout_s
        while self._hello is None or not self._hello.sample_rate_hz or not self.correction_set:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                raise DeviceLostError(
                    "the device does not answer, or has no samples; is its front end connected?"
                )
            self._receive(left_s)

    @property
    def hello(self) -> wire.DeviceHello:
        """What the device last said of itself."""
        if self._hello is None:
            raise DeviceLostError("the device has not said who it is")
        return self._hello

    @property
    def correction_set(self) -> bytes:
        """File of the correction set that the device uses; empty before it came."""
        sha256 = self._hello.correction_set_sha256 if self._hello else ""
        return self._blobs.get(sha256, b"")

    def start(
        self, request_id: str, meter: Meter, plan: ReadingPlan, *,
        readings: int, start_sample: int, maximum_duration_s: float,
    ) -> None:  # fmt: skip
        """Order readings.

        Args:
            request_id: Name of the request; every answer carries it.
            meter: Nameplate of the meter under test.
            plan: What a reading must span.
            readings: How many.
            start_sample: Sample at which the measurement begins.
            maximum_duration_s: Stream time after which a reading ends with what there is.
        """
        self._send(
            wire.StartMeasurement(
                request_id=request_id,
                start_sample=start_sample,
                meter=to_plain(meter),
                minimum_pulses=plan.minimum_pulses,
                minimum_duration_ms=1000 * plan.minimum_duration_s,
                maximum_duration_ms=round(1000 * maximum_duration_s),
                readings=readings,
                conditions={},
            )
        )

    def stop(self, request_id: str) -> None:
        """Call a measurement off."""
        self._send(wire.StopMeasurement(request_id=request_id))

    def watch_live(self, interval_ms: int, points: int = 400) -> None:
        """Ask for a `LiveView` again and again, in place of what was asked before.

        Args:
            interval_ms: Wall time between two, from 50 to 10000; 0 ends it. They may come later:
                the device gives a tenth of its time to them.
            points: Most points of a trace, from 16 to 2048.

        Raises:
            MessageError: a value is out of range.
        """
        self._send(wire.WatchLive(interval_ms=interval_ms, points=points))

    def acknowledge(self, outcome_id: str) -> None:
        """Tell the device that an outcome is stored."""
        self._send(wire.Acknowledge(outcome_id=outcome_id))

    def next_event(self, timeout_s: float) -> DeviceEvent | None:
        """The next thing that the device says; None when it says nothing in time.

        Raises:
            DeviceLostError: the device is gone.
            ProtocolVersionError: it speaks no message table that the host speaks.
            ForgedResultError: an outcome is not signed by the device that was paired; it was not
                taken.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._events:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return None
            self._receive(left_s)
        return self._events.popleft()

    def announce(self, code: str, text: str) -> None:
        """Put a notice of the host's own behind what the device has said so far.

        Args:
            code: Stable name of the notice.
            text: Words for a person.
        """
        self._events.append(wire.Notice(code=code, text=text, sample=None))

    def close(self) -> None:
        """Let go of the device."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, message: wire.HostMessage) -> None:
        self._write(self._channel.encode(message))

    def _write(self, data: bytes) -> None:
        try:
            self._transport.write(data)
        except DeviceLostError:
            raise
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error

    def _receive(self, timeout_s: float) -> None:
        try:
            data = self._transport.read(timeout_s)
        except DeviceLostError:
            raise
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error
        if data == b"":
            raise DeviceLostError("the device closed the connection")
        try:
            for event in self._channel.feed(data or b""):
                self._take_event(event)
        except NoCommonTableError as error:
            raise ProtocolVersionError(str(error)) from error
        self._grant(len(data or b""))

    def _grant(self, taken: int) -> None:
        if self._channel.agreed:
            self._grants.take(taken)
            total_bytes = self._grants.due()
            if total_bytes is not None:
                self._send(wire.Credit(total_bytes=total_bytes))

    def _take_event(self, event: Any) -> None:
        match event:
            case TableAgreed():
                self._send(wire.HostHello(protocol=wire.PROTOCOL, software=SOFTWARE))
            case Unreadable():
                self.announce("link-damaged", event.text)
            case _:
                try:
                    self._take(event)
                except MessageError as error:
                    # Whatever was lost comes again: the device repeats what is not acknowledged.
                    self.announce("message-broken", str(error))

    def _take(self, message: Any) -> None:
        match message:
            case wire.DeviceHello():
                if message.protocol != wire.PROTOCOL:
                    raise ProtocolVersionError(
                        f"the device speaks protocol {message.protocol}, not {wire.PROTOCOL}"
                    )
                if message.device_id != self.device.name:
                    raise ProtocolVersionError(
                        f"the device was paired as {self.device.name} and now calls itself "
                        f"{message.device_id}; pair it again"
                    )
                self._hello = message
                self._events.append(message)
            case wire.BlobChunk():
                blob = self._assembler.add(message)
                if blob is not None:
                    self._blobs[message.sha256] = blob
            case wire.Outcome():
                self._take_outcome(message)
            case (
                wire.Progress() | wire.Finished() | wire.Notice() | wire.Refused() | wire.LiveView()
            ):
                self._events.append(message)

    def _take_outcome(self, message: wire.Outcome) -> None:
        sha256 = message.evidence_sha256
        if sha256 is not None and sha256 not in self._blobs:
            text = f"evidence of {message.outcome_id} did not arrive whole; it will come again"
            self.announce("evidence-missing", text)
            return
        evidence = self._blobs.pop(sha256) if sha256 else None
        device_key = self.device.public
        if not signed_result(message).is_signed_by(device_key, message.signature):
            raise ForgedResultError(
                f"the result {message.outcome_id} is not signed by {self.device.name} "
                f"({self.device.key_id}), the device that was paired; it is not stored"
            )
        arrived = ArrivedOutcome(message=message, evidence=evidence, device_key=device_key)
        self._events.append(arrived)


def signed_result(message: wire.Outcome) -> SignedResult:
    """What the device's signature of an outcome is over."""
    return SignedResult(
        device_id=message.device_id,
        boot=message.boot,
        request_id=message.request_id,
        kind=message.kind,
        outcome_id=message.outcome_id,
        body=message.body,
        evidence_sha256=message.evidence_sha256,
        correction_set_sha256=message.correction_set_sha256,
    )
