"""The table that two ends agree on."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire.errors import MessageError, NoCommonTableError
from spotcheck_wire.frames import FrameEncoder
from spotcheck_wire.host_messages import Acknowledge, encode_host
from spotcheck_wire.message_channel import MessageChannel, TableAgreed, Unreadable
from spotcheck_wire.table_offer import (
    TABLE_OFFER,
    TableOffer,
    common_table,
    decode_offer,
    encode_offer,
)


def offer(lowest: int, highest: int, software: str = "x") -> TableOffer:
    return TableOffer(lowest=lowest, highest=highest, software=software)


offers = st.tuples(st.integers(1, 255), st.integers(1, 255)).map(lambda p: offer(min(p), max(p)))


@given(offers, offers)
def test_common_table_is_the_highest_that_both_ranges_hold(
    one: TableOffer, two: TableOffer
) -> None:
    both = set(range(one.lowest, one.highest + 1)) & set(range(two.lowest, two.highest + 1))
    if both:
        assert common_table(one, two) == common_table(two, one) == max(both)
    else:
        with pytest.raises(NoCommonTableError):
            common_table(one, two)


def test_error_says_which_side_to_update() -> None:
    old, new = offer(1, 2, "the device (spotcheck 0.1.0)"), offer(3, 4, "the host (spotcheck 1.0)")
    for own, other in ((old, new), (new, old)):
        with pytest.raises(NoCommonTableError, match=r"update the device \(spotcheck 0.1.0\)$"):
            common_table(own, other)


@given(offers, st.text(max_size=30))
def test_offer_comes_back_as_it_was(found: TableOffer, software: str) -> None:
    named = offer(found.lowest, found.highest, software)
    assert decode_offer(encode_offer(named)) == named


@pytest.mark.parametrize("body", [b"", b"\x02", b"\x03\x02x", b"\x00\x02x", b"\x02\x02\xff"])
def test_what_is_no_offer_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(MessageError, match=r"TableOffer|range"):
        decode_offer(body)


def test_layout_of_the_offer_is_two_bytes_and_a_name() -> None:
    assert encode_offer(offer(2, 7, "表")) == b"\x02\x07\xe8\xa1\xa8"


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_messages_flow_from_the_agreed_table_on_however_the_line_is_cut(cut: int) -> None:
    one, other = MessageChannel("one"), MessageChannel("other")
    assert one.feed(other.opening()) == [TableAgreed(table=2)]
    line = one.opening() + one.encode(Acknowledge(outcome_id="a"))
    events = other.feed(line[:cut]) + other.feed(line[cut:])
    assert events == [TableAgreed(table=2), Acknowledge(outcome_id="a")]


def test_message_before_the_offer_is_not_interpreted() -> None:
    channel = MessageChannel("one")
    (event,) = channel.feed(FrameEncoder().encode(*encode_host(Acknowledge(outcome_id="a"))))
    assert isinstance(event, Unreadable)
    assert event.code == "protocol-version"


def test_second_offer_changes_nothing() -> None:
    one, other = MessageChannel("one"), MessageChannel("other")
    one.feed(other.opening())
    again = FrameEncoder(first_sequence=1, table=0).encode(TABLE_OFFER, encode_offer(offer(1, 9)))
    (event,) = one.feed(again)
    assert isinstance(event, Unreadable)
    assert "not expected" in event.text


def test_offer_without_a_common_table_is_an_error() -> None:
    newer = FrameEncoder(table=0).encode(TABLE_OFFER, encode_offer(offer(3, 9, "newer")))
    with pytest.raises(NoCommonTableError, match=r"update one$"):
        MessageChannel("one").feed(newer)


def test_damage_and_loss_are_told() -> None:
    one, other = MessageChannel("one"), MessageChannel("other")
    one.feed(other.opening())
    other.feed(one.opening())
    frames = [one.encode(Acknowledge(outcome_id=str(n))) for n in range(3)]
    harmed = bytearray(frames[1])
    harmed[3] ^= 1
    codes = [
        e.code for e in other.feed(frames[0] + harmed + frames[2]) if isinstance(e, Unreadable)
    ]
    assert codes == ["frame-damaged", "frames-lost"]
