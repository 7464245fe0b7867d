"""The host's end of the link to the device, over TCP or a serial port."""

import socket
import time
from collections import deque
from dataclasses import dataclass
from typing import Any, Protocol, Self

import serial

import spotcheck
from spotcheck.errors import DeviceLostError, ProtocolVersionError
from spotcheck.meter import Meter
from spotcheck.plain import to_plain
from spotcheck.rule import ReadingPlan
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import BlobAssembler
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder, FramesLost, WrongVersion

_READ_BYTES = 1 << 16


class Transport(Protocol):
    """Moves bytes to and from the device."""

    def write(self, data: bytes) -> None:
        """Send all of it."""

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""

    def close(self) -> None:
        """Let go of the device."""


class TcpTransport:
    """A socket."""

    def __init__(self, host: str, port: int, timeout_s: float = 5.0) -> None:
        """Connect.

        Raises:
            DeviceLostError: nobody answers there.
        """
        try:
            self._socket = socket.create_connection((host, port), timeout_s)
        except OSError as error:
            raise DeviceLostError(f"no device at {host}:{port}: {error}") from error

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(data)

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""
        self._socket.settimeout(max(timeout_s, 0.001))
        try:
            return self._socket.recv(_READ_BYTES)
        except TimeoutError:
            return None

    def close(self) -> None:
        """Let go of the device."""
        self._socket.close()


class SerialTransport:
    """A serial port."""

    def __init__(self, path: str, baud: int = 921_600) -> None:
        """Open the port.

        Raises:
            DeviceLostError: there is no such port.
        """
        try:
            self._port = serial.Serial(path, baud, exclusive=True)
        except OSError as error:
            raise DeviceLostError(f"no device at {path}: {error}") from error

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._port.write(data)

    def read(self, timeout_s: float) -> bytes | None:
        """What has arrived; None when nothing did in time, empty when the device is gone."""
        self._port.timeout = timeout_s
        first: bytes = self._port.read(1)
        return first + self._port.read(self._port.in_waiting) if first else None

    def close(self) -> None:
        """Let go of the device."""
        self._port.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivedOutcome:
    """An outcome with its evidence; it wants to be stored, then acknowledged."""

    message: wire.Outcome
    """What the device says."""
    evidence: bytes | None
    """The evidence that it names, checked against its digest."""


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

    def __init__(self, transport: Transport, *, timeout_s: float = 10.0) -> None:
        """Greet the device and wait until it has samples and has sent its correction set.

        Raises:
            DeviceLostError: it does not answer in time.
            ProtocolVersionError: it speaks another version.
        """
        self._transport = transport
        self._decoder = FrameDecoder()
        self._encoder = FrameEncoder()
        self._assembler = BlobAssembler()
        self._blobs: dict[str, bytes] = {}
        self._events: deque[DeviceEvent] = deque()
        self._hello: wire.DeviceHello | None = None
        software = f"spotcheck {spotcheck.__version__}"
        self._send(wire.HostHello(protocol=wire.PROTOCOL, software=software))
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
            ProtocolVersionError: it speaks another version.
        """
        deadline_s = time.monotonic() + timeout_s
        while not self._events:
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return None
            self._receive(left_s)
        return self._events.popleft()

    def close(self) -> None:
        """Let go of the device."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _send(self, message: wire.HostMessage) -> None:
        try:
            self._transport.write(self._encoder.encode(*wire.encode_host(message)))
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error

    def _receive(self, timeout_s: float) -> None:
        try:
            data = self._transport.read(timeout_s)
        except OSError as error:
            raise DeviceLostError(f"the device is gone: {error}") from error
        if data == b"":
            raise DeviceLostError("the device closed the connection")
        for event in self._decoder.feed(data or b""):
            if isinstance(event, Frame):
                self._take_frame(event)
            elif isinstance(event, WrongVersion):
                raise ProtocolVersionError(f"the device speaks table {event.version}, not 1")
            else:
                text = f"{event.count} frames" if isinstance(event, FramesLost) else event.reason
                self._events.append(wire.Notice(code="link-damaged", text=text, sample=None))

    def _take_frame(self, frame: Frame) -> None:
        try:
            self._take(wire.decode_host(frame))
        except MessageError as error:
            # Whatever was lost comes again: the device repeats what is not acknowledged.
            self._events.append(wire.Notice(code="message-broken", text=str(error), sample=None))

    def _take(self, message: Any) -> None:
        match message:
            case wire.DeviceHello():
                if message.protocol != wire.PROTOCOL:
                    raise ProtocolVersionError(
                        f"the device speaks protocol {message.protocol}, not {wire.PROTOCOL}"
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
            self._events.append(wire.Notice(code="evidence-missing", text=text, sample=None))
            return
        evidence = self._blobs.pop(sha256) if sha256 else None
        self._events.append(ArrivedOutcome(message=message, evidence=evidence))
