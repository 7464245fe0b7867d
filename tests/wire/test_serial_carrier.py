"""Records on a serial line: sessions that begin, end, break off, and never mix."""

from hypothesis import given
from hypothesis import strategies as st

from spotcheck_wire.frames import FrameEncoder
from spotcheck_wire.serial_carrier import CarriedRecords, CarrierEvent, SerialCarrier


def begun() -> tuple[SerialCarrier, SerialCarrier]:
    """A device's and a host's end that carry a session."""
    device, host = SerialCarrier(device_side=True), SerialCarrier(device_side=False)
    events, answer = device.feed(host.begin())
    assert events == [CarrierEvent.BEGUN]
    assert host.feed(answer) == ([CarrierEvent.BEGUN], b"")
    return device, host


def carried(events: list[CarrierEvent | CarriedRecords]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, CarriedRecords))


def test_records_arrive_whole_in_both_directions() -> None:
    device, host = begun()
    long = bytes(range(256)) * 100
    assert carried(device.feed(host.carry(long))[0]) == long
    assert carried(host.feed(device.carry(b"answer"))[0]) == b"answer"


def test_host_may_speak_before_it_is_answered() -> None:
    device, host = SerialCarrier(device_side=True), SerialCarrier(device_side=False)
    events, _ = device.feed(host.begin() + host.carry(b"first record"))
    assert events == [CarrierEvent.BEGUN, CarriedRecords(b"first record")]


def test_begin_that_is_said_again_before_it_was_answered_begins_one_session() -> None:
    device, host = SerialCarrier(device_side=True), SerialCarrier(device_side=False)
    begin = host.begin()
    events, answers = device.feed(begin + begin)
    assert events == [CarrierEvent.BEGUN]
    host.feed(answers)
    assert host.carries
    assert carried(device.feed(host.carry(b"first record"))[0]) == b"first record"


def test_device_says_nothing_without_a_session() -> None:
    assert SerialCarrier(device_side=True).carry(b"records") == b""


def test_noise_before_a_session_is_nobodys() -> None:
    device, host = SerialCarrier(device_side=True), SerialCarrier(device_side=False)
    assert device.feed(b"login: \x00\xff\x03") == ([], b"")
    assert device.feed(host.begin())[0] == [CarrierEvent.BEGUN]


def test_what_an_earlier_session_left_on_the_line_is_not_the_new_ones() -> None:
    device, _ = begun()
    stale = device.carry(b"to a host that is gone")
    host = SerialCarrier(device_side=False)
    events, answer = device.feed(host.begin())
    assert events == [CarrierEvent.BEGUN]
    events, _ = host.feed(stale + answer + device.carry(b"to the new one"))
    assert events == [CarrierEvent.BEGUN, CarriedRecords(b"to the new one")]


def test_new_host_on_the_line_ends_the_old_session() -> None:
    device, _ = begun()
    assert device.feed(SerialCarrier(device_side=False).begin())[0] == [CarrierEvent.BEGUN]


def test_end_is_heard() -> None:
    device, host = begun()
    assert device.feed(host.end()) == ([CarrierEvent.ENDED], b"")
    assert device.carry(b"x") == b""


@given(st.integers(1, 10_000), st.integers(1, 255))
def test_damaged_line_ends_the_session_on_both_ends_and_gives_nothing_wrong(
    at: int, flip: int
) -> None:
    device, host = begun()
    first, second = bytes(range(256)) * 20, b"behind it"
    line = bytearray(host.carry(first) + host.carry(second))
    place = at % (len(line) - 1)
    line[place] ^= flip
    # The next frame of the line shows what was lost.
    events, answer = device.feed(bytes(line) + host.carry(b"next"))
    assert CarrierEvent.ENDED in events
    assert (first + second).startswith(carried(events))
    assert CarrierEvent.ENDED in host.feed(answer)[0]


def test_frame_of_another_table_is_damage_too() -> None:
    device, host = begun()
    strange = FrameEncoder(first_sequence=1, table=2).encode(0x22, b"records")
    events, _ = device.feed(strange + host.carry(b"x"))
    assert events[0] is CarrierEvent.ENDED
