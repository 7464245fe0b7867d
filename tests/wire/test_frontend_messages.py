"""Front-end messages as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame
from spotcheck_wire.frontend_messages import (
    Complete,
    Fault,
    FrontEndHello,
    FrontEndMessage,
    HelloRequest,
    Marker,
    Pulse,
    SetGlitchFilter,
    decode_front_end,
    encode_front_end,
)

u8 = st.integers(0, 0xFF)
u32 = st.integers(0, 0xFFFFFFFF)
u64 = st.integers(0, 0xFFFFFFFFFFFFFFFF)
messages = st.one_of(
    st.builds(
        FrontEndHello,
        counter_hz=st.integers(1, 0xFFFFFFFF),
        boot_id=u32,
        firmware_major=u8,
        firmware_minor=u8,
        firmware_patch=u8,
        inputs=u8,
    ),
    st.builds(Pulse, input=u8, index=u32, counter=u64, width_counts=u32),
    st.builds(Marker, sample_index=u64, counter=u64),
    st.builds(Complete, counter=u64, pulses_so_far=u32, dropped_edges=u32),
    st.builds(Fault, code=u8, count=u32),
    st.builds(HelloRequest),
    st.builds(SetGlitchFilter, shortest_pulse_counts=u32),
)


def frame(message_type: int, body: bytes) -> Frame:
    return Frame(version=1, type=message_type, sequence=0, body=body)


@given(messages)
def test_message_comes_back_as_it_was(message: FrontEndMessage) -> None:
    assert decode_front_end(frame(*encode_front_end(message))) == message


def test_field_beyond_its_struct_is_refused() -> None:
    with pytest.raises(MessageError, match="cannot be sent"):
        encode_front_end(SetGlitchFilter(shortest_pulse_counts=1 << 32))


def test_unknown_type_is_named() -> None:
    with pytest.raises(MessageError, match="0x20"):
        decode_front_end(frame(0x20, b""))


@pytest.mark.parametrize("message_type", sorted(codec.BODY_FORMATS))
def test_wrong_length_is_named(message_type: int) -> None:
    with pytest.raises(MessageError, match=f"0x{message_type:02X} has 99 bytes"):
        decode_front_end(frame(message_type, bytes(99)))


def test_counter_without_a_rate_is_refused() -> None:
    with pytest.raises(MessageError, match="counter_hz is 0"):
        decode_front_end(frame(codec.HELLO, bytes(12)))
