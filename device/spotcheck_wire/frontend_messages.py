"""Messages between pulse front end and board as values; the bytes are `frontend_codec`'s."""

import struct
from dataclasses import dataclass, fields
from typing import TypeAlias

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
    firmware_major: int
    """Changes when old boards cannot work with this firmware."""
    firmware_minor: int
    """Changes with new abilities."""
    firmware_patch: int
    """Changes with corrections."""
    inputs: int
    """Pulse inputs, numbered from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """One pulse of the meter under test."""

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
    """A promise about stream time."""

    counter: int
    """No event before this count is still to come."""
    pulses_so_far: int
    """Pulses sent on input 0 since boot, which is the index of the next one."""
    dropped_edges: int
    """Leading edges since boot that became no pulse (glitches, edges out of order)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something went wrong on the front end."""

    code: int
    """One of the codec's FAULT_ codes."""
    count: int
    """How often it has happened since boot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HelloRequest:
    """The board asks who is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetGlitchFilter:
    """The board sets the shortest pulse that counts."""

    shortest_pulse_counts: int
    """Shorter pulses are dropped; 0 lets every leading edge through at once."""


FrontEndMessage: TypeAlias = (
    FrontEndHello | Pulse | Marker | Complete | Fault | HelloRequest | SetGlitchFilter
)

FRONT_END_TABLE: dict[int, type[FrontEndMessage]] = {
    codec.HELLO: FrontEndHello,
    codec.PULSE: Pulse,
    codec.MARKER: Marker,
    codec.COMPLETE: Complete,
    codec.FAULT: Fault,
    codec.HELLO_REQUEST: HelloRequest,
    codec.SET_GLITCH_FILTER: SetGlitchFilter,
}
"""Message types of table version 1."""

_TYPE_OF = {message_class: message_type for message_type, message_class in FRONT_END_TABLE.items()}


def encode_front_end(message: FrontEndMessage) -> tuple[int, bytes]:
    """Return message type and body.

    Raises:
        MessageError: a field does not fit its place in the struct.
    """
    message_type = _TYPE_OF[type(message)]
    values = [getattr(message, field.name) for field in fields(message)]
    try:
        return message_type, codec.pack_body(message_type, *values)
    except struct.error as error:
        raise MessageError(f"{message} cannot be sent: {error}") from error


def decode_front_end(frame: Frame) -> FrontEndMessage:
    """Return the message that a frame from or to a front end holds.

    Raises:
        MessageError: the type is unknown, the body has another length, or a field cannot be.
    """
    try:
        values = codec.unpack_body(frame.type, frame.body)
    except codec.BodyError as error:
        raise MessageError(str(error)) from error
    message_class = FRONT_END_TABLE[frame.type]
    names = (field.name for field in fields(message_class))
    message = message_class(**dict(zip(names, values, strict=True)))
    if isinstance(message, FrontEndHello) and not message.counter_hz:
        raise MessageError("FrontEndHello.counter_hz is 0")
    return message
