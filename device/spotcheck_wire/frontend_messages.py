"""Messages between pulse front end and board as values; the bytes are `frontend_codec`'s."""

import struct
from dataclasses import dataclass, fields
from typing import Any, TypeAlias

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndHello:
    """Who the front end is; sent at boot and on request."""

    counter_hz: int
    """Nominal rate of the counter."""
    boot_id: int
    """Differs between boots; indices and counters begin anew with it."""
    marker_interval: int
    """Samples between two ADC frame markers."""
    firmware_major: int
    """Changes when old boards cannot work with this firmware."""
    firmware_minor: int
    """Changes with new abilities."""
    firmware_patch: int
    """Changes with corrections."""
    inputs: int
    """Pulse inputs, numbered from 0."""
    boot_reason: int
    """One of the codec's BOOT_ codes."""
    self_test: int
    """What failed at boot: the codec's SELF_TEST_ bits; 0 is all well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One pulse on an input."""

    input: int
    """Pulse input, from 0."""
    index: int
    """Number of the pulse on its input since boot, from 0."""
    counter: int
    """Counter at the leading edge, 64 bits since boot."""
    width_counts: int
    """Length of the pulse in counts; 0 where it was not known yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """An ADC frame marker: it ties the sample clock to the counter."""

    sample_index: int
    """Sample that the ADC took at the marker."""
    counter: int
    """Counter at the marker, 64 bits since boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complete:
    """A promise about stream time, for all inputs."""

    counter: int
    """No event before this count is still to come."""
    pulses_so_far: tuple[int, ...]
    """Index of the next pulse of each input, lost records counted as pulses."""
    dropped_edges: int
    """Leading edges since boot that became no pulse (glitches, bounces, edges out of order)."""
    records_lost: int
    """Records since boot that a full FIFO could not take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something went wrong on the front end."""

    code: int
    """One of the codec's FAULT_ codes."""
    count: int
    """How often it has happened since boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pps:
    """A second of an outside clock began."""

    counter: int
    """Counter at the edge, 64 bits since boot."""
    number: int
    """Number of the edge since boot, from 0, lost ones counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSignal:
    """How light and threshold of an optical input stand; about once a second."""

    input: int
    """Optical input."""
    ambient: int
    """Middle of the ambient light, as ADC code."""
    swing: int
    """What the meter's LED adds to it, as ADC code; 0: no pulse was seen lately."""
    threshold: int
    """Threshold in force, as ADC code."""
    quality: int
    """Share of the whole swing of light that no ripple reaches into, in percent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """A command was carried out."""

    sequence: int
    """Sequence number of the command's frame."""
    command: int
    """Message type of the command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command was not carried out."""

    sequence: int
    """Sequence number of the command's frame."""
    command: int
    """Message type of the command."""
    reason: int
    """One of the codec's REFUSED_ codes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Air at the instrument."""

    temperature_centidegree: int
    """Temperature in 0.01 °C."""
    humidity_centipercent: int
    """Relative humidity in 0.01 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamp:
    """What the identity memory of the clamps says."""

    damaged_copies: int
    """Bit 0: copy A is damaged or was never written; bit 1: copy B."""
    written: int
    """How often the identity was written."""
    serial: bytes
    """Serial number, 16 bytes of ASCII, filled up with zeros."""
    locked: int
    """1: a write is refused until it is unlocked."""
    ranges_ma: tuple[int, ...]
    """Up to four rated currents in mA; 0 where there is no range."""
    correction_id: bytes
    """Name of its correction set, 16 bytes of ASCII, filled up with zeros."""
    correction_sha256: bytes
    """Digest of that correction set, 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloRequest:
    """The board asks who is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGlitchFilter:
    """The board sets the shortest pulse that counts."""

    input: int
    """Pulse input; the hand switch is debounced instead and refuses."""
    shortest_pulse_counts: int
    """Shorter pulses are dropped; 0 lets every leading edge through at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetThreshold:
    """The board sets the threshold of an optical input."""

    input: int
    """Optical input."""
    level: int
    """ADC code, or the codec's THRESHOLD_AUTOMATIC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPulseOutput:
    """The board sets the rate of the calibrated pulse output."""

    increment: int
    """What each count adds to the phase, whose whole turn is 2^64; 0 stops the output."""
    width_counts: int
    """Length of a pulse in counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEnvironment:
    """The board asks for temperature and humidity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClamp:
    """The board asks for the identity of the clamps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteClamp:
    """The board gives the clamps an identity."""

    serial: bytes
    """Serial number, 16 bytes of ASCII, filled up with zeros."""
    locked: int
    """1: later writes are refused until it is unlocked."""
    ranges_ma: tuple[int, ...]
    """Four rated currents in mA; 0 where there is no range."""
    correction_id: bytes
    """Name of its correction set, 16 bytes of ASCII, filled up with zeros."""
    correction_sha256: bytes
    """Digest of that correction set, 32 bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockClamp:
    """The board allows one write to a locked clamp."""

    serial: bytes
    """Serial number that the clamp must have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginUpdate:
    """The board offers an image of the firmware."""

    manifest: bytes
    """What the vendor signed (80 bytes)."""
    signature: bytes
    """Ed25519 signature of the manifest (64 bytes)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateData:
    """The next piece of the image."""

    offset: int
    """Where it begins; pieces come in order."""
    data: bytes
    """128 bytes; the last piece is filled up with 0xFF."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishUpdate:
    """The image is complete: verify it and start it at the next boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The front end starts anew."""


FrontEndCommand: TypeAlias = (
    HelloRequest
    | SetGlitchFilter
    | SetThreshold
    | SetPulseOutput
    | ReadEnvironment
    | ReadClamp
    | WriteClamp
    | UnlockClamp
    | BeginUpdate
    | UpdateData
    | FinishUpdate
    | Restart
)
"""What the board may order; each is answered by an `Ack` or a `Refused`."""

FrontEndMessage: TypeAlias = (
    FrontEndHello
    | Pulse
    | Marker
    | Complete
    | Fault
    | Pps
    | InputSignal
    | Ack
    | Refused
    | Environment
    | Clamp
    | FrontEndCommand
)

FRONT_END_TABLE: dict[int, type[FrontEndMessage]] = {
    codec.HELLO: FrontEndHello,
    codec.PULSE: Pulse,
    codec.MARKER: Marker,
    codec.COMPLETE: Complete,
    codec.FAULT: Fault,
    codec.PPS: Pps,
    codec.INPUT_SIGNAL: InputSignal,
    codec.ACK: Ack,
    codec.REFUSED: Refused,
    codec.ENVIRONMENT: Environment,
    codec.CLAMP: Clamp,
    codec.HELLO_REQUEST: HelloRequest,
    codec.SET_GLITCH_FILTER: SetGlitchFilter,
    codec.SET_THRESHOLD: SetThreshold,
    codec.SET_PULSE_OUTPUT: SetPulseOutput,
    codec.READ_ENVIRONMENT: ReadEnvironment,
    codec.READ_CLAMP: ReadClamp,
    codec.WRITE_CLAMP: WriteClamp,
    codec.UNLOCK_CLAMP: UnlockClamp,
    codec.BEGIN_UPDATE: BeginUpdate,
    codec.UPDATE_DATA: UpdateData,
    codec.FINISH_UPDATE: FinishUpdate,
    codec.RESTART: Restart,
}
"""Message types of table version 2."""

_TYPE_OF = {message_class: message_type for message_type, message_class in FRONT_END_TABLE.items()}
_GROUPS = {"pulses_so_far": codec.INPUTS, "ranges_ma": codec.CLAMP_RANGES}
"""Fields that hold several places of the struct."""


def encode_front_end(message: FrontEndMessage) -> tuple[int, bytes]:
    """Return message type and body.

    Raises:
        MessageError: a field does not fit its place in the struct.
    """
    message_type = _TYPE_OF[type(message)]
    values: list[int | bytes] = []
    for field in fields(message):
        value = getattr(message, field.name)
        values.extend(value if isinstance(value, tuple) else (value,))
    try:
        body = codec.pack_body(message_type, *values)
    except struct.error as error:
        raise MessageError(f"{message} cannot be sent: {error}") from error
    # `struct` cuts and fills byte strings in silence.
    if list(codec.unpack_body(message_type, body)) != values:
        raise MessageError(f"{message} cannot be sent: bytes of another length than the table's")
    return message_type, body


def decode_front_end(frame: Frame) -> FrontEndMessage:
    """Return the message that a frame from or to a front end holds.

    Raises:
        MessageError: the type is unknown, the body has another length, or a field cannot be.
    """
    try:
        values = list(codec.unpack_body(frame.type, frame.body))
    except codec.BodyError as error:
        raise MessageError(str(error)) from error
    message_class = FRONT_END_TABLE[frame.type]
    named: dict[str, Any] = {}
    for field in fields(message_class):
        count = _GROUPS.get(field.name)
        named[field.name] = values.pop(0) if count is None else tuple(values[:count])
        del values[: count or 0]
    message = message_class(**named)
    if isinstance(message, FrontEndHello) and not message.counter_hz:
        raise MessageError("FrontEndHello.counter_hz is 0")
    return message
