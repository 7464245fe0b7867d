"""Messages between board and host, table version 2; bodies are canonical CBOR maps."""

import re
from dataclasses import dataclass
from typing import TypeAlias

from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame
from spotcheck_wire.strict_cbor import decode_fields, encode_fields

PROTOCOL = 2
"""What `DeviceHello.protocol` and `HostHello.protocol` say; follows the message table."""

OUTCOME_READING = "reading"
OUTCOME_CANNOT_JUDGE = "cannot judge"

SIGNATURE_BYTES = 64
"""Length of an Ed25519 signature (RFC 8032)."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def require_sha256(where: str, value: str) -> None:
    """Check the spelling of a digest.

    Raises:
        MessageError: it is not 64 lower-case hexadecimal digits.
    """
    if not _SHA256.fullmatch(value):
        raise MessageError(f"{where} is not 64 lower-case hexadecimal digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceHello:
    """The board says who it is and what its stream looks like."""

    protocol: int
    """Protocol that the board speaks."""
    software: str
    """Name and version of the board's software."""
    device_id: str
    """Serial number of the instrument."""
    boot: int
    """Number of the boot; sample numbers begin anew with it."""
    epoch_utc_ns: int
    """UTC of sample 0, in nanoseconds since 1970 (POSIX)."""
    sample_rate_hz: int
    """Nominal sample rate."""
    phases: int
    """1 or 3."""
    voltage_range: str
    """Voltage range in use, as the correction set names it."""
    current_range: str
    """Current range or clamp in use, as the correction set names it."""
    correction_set_sha256: str
    """Digest of the correction set in use."""
    state: str
    """What the measuring session is doing."""
    note: str
    """Words for a person; may be empty."""

    def __post_init__(self) -> None:
        require_sha256("DeviceHello.correction_set_sha256", self.correction_set_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostHello:
    """The host says who it is."""

    protocol: int
    """Protocol that the host speaks."""
    software: str
    """Name and version of the host's software."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartMeasurement:
    """The host orders a measurement."""

    request_id: str
    """Made by the host; every answer carries it."""
    start_sample: int
    """Sample at which the measurement begins."""
    meter: dict[str, object]
    """Nameplate of the meter under test."""
    minimum_pulses: int
    """Fewest pulses of a reading."""
    minimum_duration_ms: int
    """Shortest reading, in stream time."""
    maximum_duration_ms: int
    """Stream time after which the session gives up."""
    readings: int
    """Readings wanted."""
    conditions: dict[str, object]
    """Limits within which a reading may be judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopMeasurement:
    """The host calls a measurement off."""

    request_id: str
    """Measurement that ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a measurement stands; for display, never for the record."""

    request_id: str
    """Measurement that this is about."""
    sample: int
    """Stream time of this message."""
    state: str
    """What the session is doing."""
    pulses: int
    """Pulses of the reading so far."""
    power_w: float
    """Power of the reference, in watts."""
    error_percent: float | None
    """Error as it stands; absent before it can be told."""
    expanded_uncertainty_percent: float | None
    """Expanded uncertainty (95 %) of that error."""
    expected_wait_s: float | None
    """Stream time until the reading is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a measurement came to; sent again until it is acknowledged."""

    request_id: str
    """Measurement that this is about."""
    kind: str
    """"reading" or "cannot judge"."""
    outcome_id: str
    """Made by the board; duplicates fall by it."""
    body: dict[str, object]
    """The reading, or the reason why there is none."""
    evidence_sha256: str | None
    """Digest of the blob from which the result can be computed again."""
    device_id: str
    """Serial number of the instrument."""
    boot: int
    """Boot in which it was measured, which may be an earlier one."""
    correction_set_sha256: str
    """Digest of the correction set that was in use."""
    signature: bytes
    """Ed25519 by the device's key over all of the above (docs/formats/bundle.md)."""

    def __post_init__(self) -> None:
        if len(self.signature) != SIGNATURE_BYTES:
            raise MessageError(f"Outcome.signature has {len(self.signature)} bytes, not 64")
        require_sha256("Outcome.correction_set_sha256", self.correction_set_sha256)
        if self.kind not in (OUTCOME_READING, OUTCOME_CANNOT_JUDGE):
            raise MessageError(f"Outcome.kind is {self.kind!r}")
        if self.evidence_sha256 is not None:
            require_sha256("Outcome.evidence_sha256", self.evidence_sha256)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobChunk:
    """A piece of a blob, zlib-compressed as a whole."""

    sha256: str
    """Digest of the uncompressed blob."""
    offset: int
    """Place of `data` in the compressed blob, in bytes."""
    total_bytes: int
    """Length of the compressed blob."""
    data: bytes
    """Slice of the compressed blob; never empty."""

    def __post_init__(self) -> None:
        require_sha256("BlobChunk.sha256", self.sha256)
        if not self.data:
            raise MessageError("BlobChunk.data is empty")
        if self.offset < 0 or self.offset + len(self.data) > self.total_bytes:
            raise MessageError(
                f"BlobChunk.offset is {self.offset}: {len(self.data)} bytes from there do not "
                f"lie within the {self.total_bytes} bytes of the blob"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """The host has committed an outcome."""

    outcome_id: str
    """Outcome that the board need not send again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A measurement is over."""

    request_id: str
    """Measurement that is over."""
    reason: str
    """Why it ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that a person should know."""

    code: str
    """Stable name of the notice."""
    text: str
    """Words for a person."""
    sample: int | None
    """Stream time of what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The board will not do what was asked."""

    request_id: str
    """Request that is refused."""
    reason: str
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLive:
    """The host wants to see what is there, also while nothing is measured."""

    interval_ms: int
    """Wall time between two pictures; 0 ends the watching."""
    points: int
    """Most points of a trace."""

    def __post_init__(self) -> None:
        if not (self.interval_ms == 0 or 50 <= self.interval_ms <= 10_000):
            raise MessageError(f"WatchLive.interval_ms is {self.interval_ms}; 0 or 50 to 10000")
        # Six channels of 2048 float32 are 48 KiB of the 64 KiB that a frame may hold.
        if not 16 <= self.points <= 2048:
            raise MessageError(f"WatchLive.points is {self.points}; 16 to 2048")


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """A moment of all channels, corrected; for display, never for the record."""

    sample: int
    """Stream time of the newest sample in it."""
    state: str
    """What the session is doing."""
    conditions: dict[str, object]
    """Quantities over the last half second, the plain form of `Conditions`; empty without."""
    obstacle: str
    """Why there are no quantities; empty when there are."""
    overload: bool
    """Whether a converter clipped within the last second."""
    trace_interval_s: float
    """Time between two points of a trace."""
    trace_points: int
    """Points of each trace; 0 without."""
    traces: bytes
    """Little-endian float32 [u1, i1, u2, …][point] in V and A, from a rising zero of U1."""
    harmonic_orders: int
    """Orders of each channel, from 1; 0 without."""
    harmonics: bytes
    """Little-endian float32 [u1, i1, u2, …][order] RMS in V and A."""

    def __post_init__(self) -> None:
        _require_float32_of_channels("traces", self.traces, self.trace_points)
        _require_float32_of_channels("harmonics", self.harmonics, self.harmonic_orders)


def _require_float32_of_channels(name: str, data: bytes, count: int) -> None:
    """Voltage and current of one or of three phases, `count` numbers each; nothing for none."""
    if count < 0 or len(data) not in (8 * count, 24 * count):
        raise MessageError(
            f"LiveView.{name} has {len(data)} bytes, which are no {count} float32 "
            "of each channel of 1 or 3 phases"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """The host is ready to take more."""

    total_bytes: int
    """Bytes of frames, on the line and with delimiters, that the device may have sent in all since
    it has been agreed on a table; a smaller number than before means nothing."""

    def __post_init__(self) -> None:
        if self.total_bytes < 0:
            raise MessageError(f"Credit.total_bytes is {self.total_bytes}; 0 or more")


HostMessage: TypeAlias = (
    DeviceHello
    | HostHello
    | StartMeasurement
    | StopMeasurement
    | Progress
    | Outcome
    | BlobChunk
    | Acknowledge
    | Finished
    | Notice
    | Refused
    | WatchLive
    | LiveView
    | Credit
)

HOST_TABLE: dict[int, type[HostMessage]] = {
    0x20: DeviceHello,
    0x21: HostHello,
    0x22: StartMeasurement,
    0x23: StopMeasurement,
    0x24: Progress,
    0x25: Outcome,
    0x26: BlobChunk,
    0x27: Acknowledge,
    0x28: Finished,
    0x29: Notice,
    0x2A: Refused,
    0x2B: WatchLive,
    0x2C: LiveView,
    0x2D: Credit,
}
"""Message types of table version 2."""

_TYPE_OF = {message_class: message_type for message_type, message_class in HOST_TABLE.items()}


def encode_host(message: HostMessage) -> tuple[int, bytes]:
    """Return message type and body.

    Raises:
        MessageError: a field holds what its declaration does not allow.
    """
    return _TYPE_OF[type(message)], encode_fields(message)


def decode_host(frame: Frame) -> HostMessage:
    """Return the message that a frame between board and host holds.

    Raises:
        MessageError: the type is unknown, or the body is not exactly such a message.
    """
    message_class = HOST_TABLE.get(frame.type)
    if message_class is None:
        raise MessageError(f"message type 0x{frame.type:02X} is not in the host's table")
    return decode_fields(message_class, frame.body)
