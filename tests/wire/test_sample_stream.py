"""The sample stream: any split, no copy, and every damage an error."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire.errors import StreamDamagedError
from spotcheck_wire.sample_stream import (
    StreamBlock,
    StreamCredit,
    StreamDecoder,
    StreamEnd,
    StreamFormatMessage,
    StreamMessage,
    encode_block,
    encode_credit,
    encode_end,
    encode_format,
)

FORMAT = StreamFormatMessage(
    sample_rate_hz=8000,
    phases=1,
    voltage_range="300 V",
    current_range="10 A",
    epoch_utc_ns=1_750_000_000_000_000_000,
    counter_hz=24_000_000,
)
CODES = struct.pack("<6i", 1, -1, 2, -2, 8388607, -8388608)
LINE = encode_format(FORMAT) + encode_block(40, 3, CODES) + encode_credit(9) + encode_end(43)
MESSAGES = [
    FORMAT,
    StreamBlock(first_sample=40, sample_count=3, codes=memoryview(CODES)),
    StreamCredit(up_to_sample=9),
    StreamEnd(end_sample=43),
]


def test_messages_arrive_as_they_were_sent() -> None:
    assert StreamDecoder().feed(LINE) == MESSAGES


@given(st.lists(st.integers(0, len(LINE)), max_size=12).map(sorted))
def test_any_split_into_feeds_gives_the_same_messages(cuts: list[int]) -> None:
    decoder = StreamDecoder()
    messages: list[StreamMessage] = []
    for start, stop in zip([0, *cuts], [*cuts, len(LINE)], strict=True):
        messages += decoder.feed(LINE[start:stop])
    assert messages == MESSAGES


def test_header_is_the_published_one() -> None:
    block = encode_block(1 << 40, 3, CODES)
    start = struct.pack("<4sBBHIQI", b"SCS1", 2, 0, 1, 24, 1 << 40, 3)
    checksum = zlib.crc32(start + bytes(4) + CODES)
    assert block == start + struct.pack("<I", checksum) + CODES


def test_codes_are_a_view_of_the_bytes_received() -> None:
    decoder = StreamDecoder()
    decoder.feed(encode_format(FORMAT))
    received = encode_block(0, 3, CODES)
    (block,) = decoder.feed(received)
    assert isinstance(block, StreamBlock)
    assert block.codes.obj is received


def test_every_single_bit_flip_is_an_error_or_never_a_message() -> None:
    start = encode_format(FORMAT)
    block = encode_block(40, 3, CODES)
    for bit in range(8 * len(block)):
        flipped = bytearray(block)
        flipped[bit // 8] ^= 1 << bit % 8
        decoder = StreamDecoder()
        decoder.feed(start)
        try:
            messages = decoder.feed(bytes(flipped))
        except StreamDamagedError:
            continue
        # A flip that lengthens the payload waits for bytes that do not come yet.
        assert messages == []
        with pytest.raises(StreamDamagedError, match="CRC-32"):
            decoder.feed(bytes(16 * 1024 * 1024))


def test_messages_before_the_damage_are_handed_over() -> None:
    with pytest.raises(StreamDamagedError, match="magic") as caught:
        StreamDecoder().feed(LINE + b"garbage" * 10)
    assert caught.value.before == tuple(MESSAGES)


def test_damaged_stream_stays_damaged() -> None:
    decoder = StreamDecoder()
    for data in (bytes(28), LINE):
        with pytest.raises(StreamDamagedError, match="magic"):
            decoder.feed(data)


def with_header(kind: int = 2, reserved: int = 0, version: int = 1, **options: int) -> bytes:
    """Return a message with a right CRC, however wrong the rest is."""
    payload = bytes(options.get("payload", 24))
    length = options.get("length", len(payload))
    start = struct.pack(
        "<4sBBHIQI", b"SCS1", kind, reserved, version, length, 0, options.get("count", 3)
    )
    return start + struct.pack("<I", zlib.crc32(start + bytes(4) + payload)) + payload


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (with_header(kind=4), "kind 4"),
        (with_header(reserved=1), "reserved byte 1"),
        (with_header(version=2), "version is 2"),
        (with_header(length=16 * 1024 * 1024 + 1), "longer than allowed"),
        (with_header(count=4), "24 bytes are not 4 samples of 2 channels"),
        (with_header(kind=3), "kind 3 has 3 samples"),
        (with_header(kind=3, count=0), "kind 3 has a payload"),
        (with_header(kind=16, count=0), "kind 16 has a payload"),
        (with_header(kind=1, count=0), "StreamFormatMessage"),
    ],
)
def test_wrong_message_with_a_right_crc_is_refused(message: bytes, said: str) -> None:
    decoder = StreamDecoder()
    decoder.feed(encode_format(FORMAT))
    with pytest.raises(StreamDamagedError, match=said):
        decoder.feed(message)


def test_block_before_the_format_is_refused() -> None:
    with pytest.raises(StreamDamagedError, match="before the stream's format"):
        StreamDecoder().feed(encode_block(0, 3, CODES))


@pytest.mark.parametrize(("samples", "length"), [(0, 0), (0, 8), (1, 7), (3, 20)])
def test_encoder_refuses_codes_that_are_no_samples(samples: int, length: int) -> None:
    with pytest.raises(ValueError, match="do not make"):
        encode_block(0, samples, bytes(length))


def test_encoder_refuses_a_payload_that_no_decoder_takes() -> None:
    with pytest.raises(ValueError, match="longer than 16777216"):
        encode_block(0, 2 * 1024 * 1024 + 1, bytes(16 * 1024 * 1024 + 8))
