"""The frame decoder under damage, loss and any split of the line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.errors import FrameTooLongError
from spotcheck_wire.frames import (
    Frame,
    FrameDamaged,
    FrameDecoder,
    FrameEncoder,
    FrameEvent,
    FramesLost,
    WrongVersion,
)


def line_of(count: int, *, first_sequence: int = 0) -> list[bytes]:
    encoder = FrameEncoder(first_sequence=first_sequence)
    return [
        encoder.encode(0x30 + number % 8, bytes([number, 0, number, 7])) for number in range(count)
    ]


def frames_of(events: list[FrameEvent]) -> list[Frame]:
    return [event for event in events if isinstance(event, Frame)]


def test_frames_arrive_in_order_with_their_numbers() -> None:
    events = FrameDecoder().feed(b"".join(line_of(3)))
    assert [frame.sequence for frame in frames_of(events)] == [0, 1, 2]
    assert events[1] == Frame(version=2, type=0x31, sequence=1, body=b"\x01\x00\x01\x07")


@given(
    st.lists(
        st.one_of(
            st.sampled_from(line_of(6)),
            st.binary(max_size=40),
            st.just(b"\x00"),
            st.just(b"y" * 70),
        ),
        max_size=12,
    ),
    st.data(),
)
def test_any_split_into_feeds_gives_the_same_events(
    pieces: list[bytes], data: st.DataObject
) -> None:
    line = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=10)))
    split = FrameDecoder(max_frame=64)
    events: list[FrameEvent] = []
    for start, stop in zip([0, *cuts], [*cuts, len(line)], strict=True):
        events += split.feed(line[start:stop])
    assert events == FrameDecoder(max_frame=64).feed(line)


@pytest.mark.parametrize("body", [b"", b"\x00", bytes(range(40)), b"\x55" * 300])
def test_no_single_bit_flip_makes_a_different_frame(body: bytes) -> None:
    sound = codec.build_frame(0x02, 513, body)
    for bit in range(8 * len(sound)):
        flipped = bytearray(sound)
        flipped[bit // 8] ^= 1 << bit % 8
        # A delimiter behind it: the flip may have taken the frame's own.
        events = FrameDecoder().feed(bytes(flipped) + b"\x00")
        assert events
        assert {type(event) for event in events} == {FrameDamaged}


def test_single_bit_flip_costs_two_frames_at_most_and_is_told() -> None:
    line = b"".join(line_of(5))
    whole = frames_of(FrameDecoder().feed(line))
    for bit in range(8 * len(line)):
        flipped = bytearray(line)
        flipped[bit // 8] ^= 1 << bit % 8
        events = FrameDecoder().feed(bytes(flipped))
        arrived = frames_of(events)
        assert [frame for frame in arrived if frame not in whole] == []
        if bit < 8 * (len(line) - 1):
            assert any(isinstance(event, FrameDamaged) for event in events)
            assert len(arrived) >= 3
        else:
            # The last delimiter is gone; the frame waits for the next one.
            assert len(arrived) == 4


@given(st.integers(0, 30), st.binary(min_size=1, max_size=20))
def test_inserted_bytes_cost_two_frames_at_most(place: int, noise: bytes) -> None:
    line = b"".join(line_of(6))
    arrived = frames_of(FrameDecoder().feed(line[:place] + noise + line[place:]))
    assert arrived[-3:] == frames_of(FrameDecoder().feed(line))[-3:]
    assert len(arrived) >= 4


@given(st.integers(0, 60), st.integers(1, 20))
def test_bytes_left_out_are_told(place: int, count: int) -> None:
    line = b"".join(line_of(8))
    start = line_of(1, first_sequence=65535)[0]
    events = FrameDecoder().feed(start + line[:place] + line[place + count :])
    assert any(isinstance(event, FramesLost) for event in events) or any(
        isinstance(event, FrameDamaged) for event in events
    )
    lost = sum(event.count for event in events if isinstance(event, FramesLost))
    assert lost == 9 - len(frames_of(events))


def test_loss_is_told_before_the_frame_that_shows_it() -> None:
    line = line_of(5)
    events = FrameDecoder().feed(line[0] + line[3])
    assert events[1] == FramesLost(count=2)
    assert frames_of(events)[1].sequence == 3


def test_first_frame_sets_the_base() -> None:
    events = FrameDecoder().feed(line_of(1, first_sequence=999)[0])
    assert len(events) == 1


def test_sequence_wrap_is_no_loss() -> None:
    events = FrameDecoder().feed(b"".join(line_of(4, first_sequence=65534)))
    assert [frame.sequence for frame in frames_of(events)] == [65534, 65535, 0, 1]
    assert len(events) == 4


def test_other_version_is_told_and_not_interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = line_of(3)
    monkeypatch.setattr(codec, "TABLE_VERSION", 3)
    theirs = codec.build_frame(0x31, 1, b"new")
    monkeypatch.undo()
    events = FrameDecoder().feed(ours[0] + theirs + ours[2])
    assert events[1] == WrongVersion(version=3)
    assert [type(event) for event in events] == [Frame, WrongVersion, Frame]


def test_endless_run_is_told_as_soon_as_it_is_too_long() -> None:
    decoder = FrameDecoder(max_frame=256)
    assert decoder.feed(b"x" * 256) == []
    assert decoder.feed(b"x") == [FrameDamaged(reason="too long", length=257)]
    assert decoder.feed(b"x" * 10_000) == []
    frame = line_of(1)[0]
    assert len(frames_of(decoder.feed(b"\x00" + frame))) == 1


def test_damage_names_its_reason_and_length() -> None:
    bad_checksum = codec.cobs_encode(b"\x01\x02\x03\x04\x05\x06\x07\x08\x09") + b"\x00"
    events = FrameDecoder().feed(b"\x09ab\x00" + b"\x03ab\x00" + bad_checksum)
    assert events == [
        FrameDamaged(reason="not COBS", length=3),
        FrameDamaged(reason="too short", length=3),
        FrameDamaged(reason="checksum", length=10),
    ]


def test_message_too_long_for_a_frame_is_refused_and_uses_no_number() -> None:
    encoder = FrameEncoder(max_frame=256)
    with pytest.raises(FrameTooLongError, match="0x02 takes 258 bytes"):
        encoder.encode(0x02, b"x" * 249)
    assert frames_of(FrameDecoder().feed(encoder.encode(0x02, b"")))[0].sequence == 0


def test_longest_frame_of_the_encoder_passes_the_decoder() -> None:
    body = b"x" * 247
    line = FrameEncoder(max_frame=256).encode(0x02, body)
    assert len(line) == 257
    assert frames_of(FrameDecoder(max_frame=256).feed(line))[0].body == body
