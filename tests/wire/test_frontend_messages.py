"""Front-end messages as values."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame
from spotcheck_wire.frontend_messages import (
    FRONT_END_TABLE,
    Complete,
    SetGlitchFilter,
    UnlockClamp,
    WriteClamp,
    decode_front_end,
    encode_front_end,
)


def frame(message_type: int, body: bytes) -> Frame:
    return Frame(version=2, type=message_type, sequence=0, body=body)


@pytest.mark.parametrize("message_type", sorted(codec.BODY_FORMATS))
@settings(max_examples=15)
@given(data=st.data())
def test_any_body_of_the_right_length_comes_back_as_it_was(
    message_type: int, data: st.DataObject
) -> None:
    size = struct.calcsize(codec.BODY_FORMATS[message_type])
    body = data.draw(st.binary(min_size=size, max_size=size))
    if message_type == codec.HELLO:
        body = b"\x01" + body[1:]  # a rate of 0 is refused
    message = decode_front_end(frame(message_type, body))
    assert type(message) is FRONT_END_TABLE[message_type]
    assert encode_front_end(message) == (message_type, body)


def test_places_of_a_group_keep_their_order() -> None:
    body = struct.pack("<QIIIIIII", 1 << 40, 10, 11, 12, 13, 14, 15, 16)
    assert decode_front_end(frame(codec.COMPLETE, body)) == Complete(
        counter=1 << 40, pulses_so_far=(10, 11, 12, 13, 14), dropped_edges=15, records_lost=16
    )


def test_field_beyond_its_struct_is_refused() -> None:
    with pytest.raises(MessageError, match="cannot be sent"):
        encode_front_end(SetGlitchFilter(input=0, shortest_pulse_counts=1 << 32))


@pytest.mark.parametrize("serial", [b"short", bytes(17)])
def test_bytes_of_another_length_are_refused_not_filled(serial: bytes) -> None:
    with pytest.raises(MessageError, match="another length"):
        encode_front_end(UnlockClamp(serial=serial))


@pytest.mark.parametrize("ranges", [(1, 2, 3), (1, 2, 3, 4, 5)])
def test_a_range_too_few_or_too_many_is_refused(ranges: tuple[int, ...]) -> None:
    message = WriteClamp(
        serial=bytes(16), locked=0, ranges_ma=ranges, correction_id=bytes(16),
        correction_sha256=bytes(32),
    )  # fmt: skip
    with pytest.raises(MessageError, match="cannot be sent"):
        encode_front_end(message)


def test_unknown_type_is_named() -> None:
    with pytest.raises(MessageError, match="0x20"):
        decode_front_end(frame(0x20, b""))


@pytest.mark.parametrize("message_type", sorted(codec.BODY_FORMATS))
def test_wrong_length_is_named(message_type: int) -> None:
    with pytest.raises(MessageError, match=f"0x{message_type:02X} has 99 bytes"):
        decode_front_end(frame(message_type, bytes(99)))


def test_counter_without_a_rate_is_refused() -> None:
    with pytest.raises(MessageError, match="counter_hz is 0"):
        decode_front_end(frame(codec.HELLO, bytes(19)))
