"""COBS and frames against outside truth: PyPI's `cobs`, zlib, and published check values."""

import binascii
import struct
import zlib

import pytest
from cobs import cobs as reference_cobs
from hypothesis import example, given
from hypothesis import strategies as st

from spotcheck_wire import frontend_codec as codec

# Long runs without a zero are where COBS has its special cases.
block_like = st.builds(
    b"".join,
    st.lists(
        st.one_of(
            st.binary(max_size=8),
            st.integers(250, 260).map(lambda count: b"\x55" * count),
            st.just(b"\x00"),
        ),
        max_size=8,
    ),
)


@given(block_like)
@example(b"")
@example(b"\x01" * 254)
@example(b"\x01" * 508)
@example(b"\x01" * 254 + b"\x00")
def test_cobs_encodes_as_the_independent_codec(data: bytes) -> None:
    assert codec.cobs_encode(data) == reference_cobs.encode(data)


@given(block_like)
def test_cobs_decodes_what_the_independent_codec_encoded(data: bytes) -> None:
    assert codec.cobs_decode(reference_cobs.encode(data)) == data


@given(st.binary(min_size=1, max_size=300))
def test_cobs_refuses_exactly_what_the_independent_codec_refuses(run: bytes) -> None:
    try:
        expected = reference_cobs.decode(run)
    except reference_cobs.DecodeError:
        with pytest.raises(codec.FrameError, match="not COBS"):
            codec.cobs_decode(run)
    else:
        assert codec.cobs_decode(run) == expected


def test_cobs_refuses_an_empty_run() -> None:
    with pytest.raises(codec.FrameError, match="not COBS"):
        codec.cobs_decode(b"")


def test_crc_has_the_published_check_value() -> None:
    assert binascii.crc32(b"123456789") == 0xCBF43926
    checked = struct.pack("<BBH", codec.TABLE_VERSION, 0x31, 0x3332) + b"456789"
    frame = reference_cobs.decode(codec.build_frame(0x31, 0x3332, b"456789")[:-1])
    assert frame == checked + struct.pack("<I", zlib.crc32(checked))


@given(st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=600))
def test_frame_comes_back_as_it_was_built(kind: int, sequence: int, body: bytes) -> None:
    frame = codec.build_frame(kind, sequence, body)
    assert frame.count(0) == 1
    assert codec.parse_frame(frame[:-1]) == (codec.TABLE_VERSION, kind, sequence, body)


def test_sequence_number_wraps_at_16_bits() -> None:
    assert codec.build_frame(1, 0x10005, b"") == codec.build_frame(1, 5, b"")


@pytest.mark.parametrize("length", range(1, 8))
def test_frame_without_room_for_header_and_crc_is_too_short(length: int) -> None:
    with pytest.raises(codec.FrameError, match="too short"):
        codec.parse_frame(codec.cobs_encode(bytes(length)))


@given(st.integers(0, 40), st.integers(0, 65535), st.data())
def test_frame_written_in_place_is_the_frame_built(
    offset: int, sequence: int, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(codec.BODY_FORMATS)))
    size = struct.calcsize(codec.BODY_FORMATS[kind])
    body = data.draw(st.binary(min_size=size, max_size=size))
    out = bytearray(b"\xaa" * 256)
    end = codec.write_front_end_frame(out, offset, kind, sequence, *codec.unpack_body(kind, body))
    assert out[offset:end] == codec.build_frame(kind, sequence, body)
    assert set(out[:offset]) | set(out[end:]) == {0xAA}


@pytest.mark.parametrize("kind", sorted(codec.BODY_FORMATS))
def test_body_of_another_length_is_refused(kind: int) -> None:
    size = struct.calcsize(codec.BODY_FORMATS[kind])
    with pytest.raises(codec.BodyError, match=f"has {size + 1} bytes, not {size}"):
        codec.unpack_body(kind, bytes(size + 1))


def test_unknown_message_type_is_refused() -> None:
    with pytest.raises(codec.BodyError, match="0x7E is not in the front end's table"):
        codec.unpack_body(0x7E, b"")


def test_splitter_tells_an_endless_run_once_and_holds_nothing_of_it() -> None:
    splitter = codec.RunSplitter(16)
    told = [run for _ in range(1000) for run in splitter.feed(b"x" * 7)]
    assert told == [None]
    assert splitter.feed(b"rest\x00good\x00") == [b"good"]


def test_splitter_takes_a_run_of_exactly_the_longest_length() -> None:
    assert codec.RunSplitter(16).feed(b"x" * 16 + b"\x00") == [b"x" * 16]
    assert codec.RunSplitter(16).feed(b"x" * 17 + b"\x00") == [None]


def test_idle_line_is_nothing() -> None:
    assert codec.RunSplitter(16).feed(bytes(100)) == []
