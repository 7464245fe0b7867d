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


def test_other_version_is_told_and_not_interpreted() -> None:
    ours = line_of(3)
    theirs = FrameEncoder(first_sequence=1, table=3).encode(0x31, b"new")
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


def test_tables_that_are_read_can_be_changed_between_two_feeds() -> None:
    decoder = FrameDecoder(tables=(0,))
    ours, theirs = (FrameEncoder(first_sequence=n, table=3).encode(1, b"x") for n in (0, 1))
    assert decoder.feed(ours) == [WrongVersion(version=3)]
    decoder.tables = frozenset((3,))
    assert frames_of(decoder.feed(theirs))[0].version == 3


@given(st.integers(0, 600).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_frame_of_the_front_ends_table_is_the_front_ends_own(body: bytes) -> None:
    encoder = FrameEncoder(first_sequence=513)
    assert encoder.encode(0x02, body) == codec.build_frame(0x02, 513, body)


@pytest.mark.parametrize("size", range(244, 250))
def test_frame_about_the_length_of_a_block_is_the_front_ends_own(size: int) -> None:
    for body in (b"x" * size, bytes(size), b"x" * (size - 1) + b"\x00"):
        line = FrameEncoder(first_sequence=0x0101).encode(0x02, body)
        assert line == codec.build_frame(0x02, 0x0101, body)
        assert frames_of(FrameDecoder().feed(line))[0].body == body


@given(st.binary(min_size=1, max_size=300).map(lambda run: run.replace(b"\x00", b"\x01")))
def test_run_is_read_as_the_front_ends_codec_reads_it(run: bytes) -> None:
    (event,) = FrameDecoder(tables=range(256)).feed(run + b"\x00")
    expected: FrameEvent
    try:
        version, kind, sequence, body = codec.parse_frame(run)
        expected = Frame(version=version, type=kind, sequence=sequence, body=body)
    except codec.FrameError as error:
        expected = FrameDamaged(reason=error.reason, length=len(run))
    assert event == expected


@given(st.integers(0, 255), st.integers(0, 65535), st.binary(max_size=300))
def test_frame_is_read_as_the_front_ends_codec_wrote_it(
    kind: int, sequence: int, body: bytes
) -> None:
    (event,) = FrameDecoder().feed(codec.build_frame(kind, sequence, body))
    assert event == Frame(version=2, type=kind, sequence=sequence, body=body)


@st.composite
def damage(draw: st.DrawFn, line: bytes) -> bytes:
    """One flip, cut or insertion within 16 bytes."""
    at = draw(st.integers(0, len(line) - 1))
    length = draw(st.integers(1, min(16, len(line) - at)))
    noise = draw(st.binary(min_size=length, max_size=length))
    kind = draw(st.sampled_from(["flip", "cut", "insertion"]))
    if kind == "flip":
        # Bits of one byte only: several bytes could be several frames.
        flipped = line[at] ^ draw(st.integers(1, 255))
        return line[:at] + bytes([flipped]) + line[at + 1 :]
    if kind == "cut":
        return line[:at] + line[at + min(length, 4) :]
    return line[:at] + noise + line[at:]


FRAMES_OF_SEVERAL_LENGTHS = [
    FrameEncoder(first_sequence=number).encode(0x30, bytes(range(number, 3 * number + 1)))
    for number in range(12)
]


@given(st.data())
def test_one_damage_costs_the_two_frames_that_it_touches_at_most_and_is_told(
    data: st.DataObject,
) -> None:
    line = b"".join(FRAMES_OF_SEVERAL_LENGTHS)
    whole = frames_of(FrameDecoder().feed(line))
    damaged = data.draw(damage(line))
    # A frame behind it, as the line goes on: what was lost at its end shows by that.
    last = FrameEncoder(first_sequence=len(whole)).encode(0x31, b"")
    events = FrameDecoder().feed(damaged + b"\x00" + last)
    *arrived, behind = frames_of(events)
    assert behind.type == 0x31
    assert [frame for frame in arrived if frame not in whole] == []
    lost = [number for number, frame in enumerate(whole) if frame not in arrived]
    assert len(lost) <= 2
    assert lost == list(range(lost[0], lost[0] + len(lost))) if lost else True
    told = [event for event in events if isinstance(event, FrameDamaged | FramesLost)]
    assert told or not lost
