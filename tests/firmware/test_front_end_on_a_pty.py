"""The firmware as a process under MicroPython, on a real pty."""

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest
from running_front_end import RunningFrontEnd, record

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frontend_messages import (
    Ack,
    Complete,
    Fault,
    FrontEndHello,
    HelloRequest,
    Marker,
    Pulse,
    SetGlitchFilter,
)

pytestmark = pytest.mark.processes

WRAP = 1 << 32
HELLO = FrontEndHello(
    counter_hz=24_000_000,
    boot_id=7,
    firmware_major=2,
    firmware_minor=0,
    firmware_patch=0,
    inputs=5,
    marker_interval=1024,
    boot_reason=codec.BOOT_POWER_ON,
    self_test=codec.SELF_TEST_SENSOR | codec.SELF_TEST_CLAMP,
)
ACKNOWLEDGED_HELLO = Ack(sequence=0, command=codec.HELLO_REQUEST)


def set_filter(front_end: RunningFrontEnd, counts: int, number: int = 0) -> None:
    front_end.order(SetGlitchFilter(input=number, shortest_pulse_counts=counts))
    assert front_end.next_message() == Ack(sequence=0, command=codec.SET_GLITCH_FILTER)


def pulse(index: int, counter: int, width: int = 0, number: int = 0) -> Pulse:
    return Pulse(input=number, index=index, counter=counter, width_counts=width)


def complete(counter: int, *pulses: int, dropped: int = 0, lost: int = 0) -> Complete:
    so_far = (*pulses, 0, 0, 0, 0, 0)[:5]
    return Complete(counter=counter, pulses_so_far=so_far, dropped_edges=dropped, records_lost=lost)


def test_says_hello_at_boot_and_on_request() -> None:
    with RunningFrontEnd() as front_end:
        assert front_end.next_message() == HELLO
        front_end.order(HelloRequest())
        assert front_end.messages(2) == [HELLO, ACKNOWLEDGED_HELLO]


def test_without_filter_a_pulse_is_sent_at_its_leading_edge(front_end: RunningFrontEnd) -> None:
    front_end.happens(record("R", 1000))
    assert front_end.next_message() == pulse(0, 1000)
    front_end.happens(record("F", 1900), record("T", 2000))
    assert front_end.next_message() == complete(2000, 1)


def test_pulses_are_numbered_from_zero_without_a_gap(front_end: RunningFrontEnd) -> None:
    for number in range(5):
        front_end.happens(record("R", 100 * number), record("F", 100 * number + 50))
    front_end.happens(record("T", 600))
    expected = [pulse(number, 100 * number) for number in range(5)]
    assert front_end.until_complete() == [*expected, complete(600, 5)]


def test_kth_marker_is_sample_k_times_the_interval(
    start_front_end: Callable[..., RunningFrontEnd],
) -> None:
    front_end = start_front_end(marker_interval=512)
    front_end.happens(record("M", 10), record("M", 1546), record("M", 3082))
    assert front_end.messages(3) == [
        Marker(sample_index=0, counter=10),
        Marker(sample_index=512, counter=1546),
        Marker(sample_index=1024, counter=3082),
    ]


def test_counter_goes_on_over_wraps(front_end: RunningFrontEnd) -> None:
    step = WRAP // 4 + 12345
    counters = [4_000_000_000 + step * number for number in range(20)]
    assert counters[-1] > 5 * WRAP
    front_end.happens(*(record("T", counter) for counter in counters))
    assert front_end.messages(20) == [complete(counter, 0) for counter in counters]


def test_records_that_swap_over_a_wrap_keep_their_own_count(front_end: RunningFrontEnd) -> None:
    front_end.happens(record("T", WRAP - 500), record("M", WRAP + 3), record("R", WRAP - 2))
    assert front_end.messages(3) == [
        complete(WRAP - 500, 0),
        Marker(sample_index=0, counter=WRAP + 3),
        pulse(0, WRAP - 2),
    ]


def test_filter_drops_and_counts_shorter_pulses_only(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 100)
    front_end.happens(record("R", 1000), record("F", 1099))
    front_end.happens(record("R", 2000), record("F", 2100))
    front_end.happens(record("T", 3000))
    assert front_end.until_complete() == [pulse(0, 2000, 100), complete(3000, 1, dropped=1)]


def test_filter_measures_widths_over_a_wrap(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 100)
    front_end.happens(record("R", WRAP - 50), record("F", WRAP + 150), record("T", WRAP + 200))
    assert front_end.until_complete() == [pulse(0, WRAP - 50, 200), complete(WRAP + 200, 1)]


def test_pulse_that_may_be_a_glitch_holds_the_promise_back(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 100)
    front_end.happens(record("R", 1000), record("T", 1050))
    assert front_end.next_message() == complete(1000, 0)
    front_end.happens(record("F", 1200), record("T", 1300))
    assert front_end.until_complete() == [pulse(0, 1000, 200), complete(1300, 1)]


def test_led_that_stays_on_does_not_stop_stream_time(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 100)
    front_end.happens(record("R", 1000), record("T", 1100), record("T", 90_000))
    assert front_end.messages(3) == [pulse(0, 1000), complete(1100, 1), complete(90_000, 1)]


def test_filter_switched_off_lets_the_open_pulse_go(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 100)
    front_end.happens(record("R", 1000), record("T", 1010))
    assert front_end.next_message() == complete(1000, 0)
    front_end.order(SetGlitchFilter(input=0, shortest_pulse_counts=0))
    assert front_end.next_message() == pulse(0, 1000)


def test_nothing_before_a_complete_ever_comes_after_it(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 40)
    for start in range(0, 40_000, 100):
        width = 10 + start % 70
        front_end.happens(record("R", start), record("T", start + 5), record("F", start + width))
    front_end.happens(record("T", 50_000))
    promised = 0
    pulses = 0
    while promised < 50_000:
        message = front_end.next_message()
        assert isinstance(message, Complete | Pulse)
        assert message.counter >= promised
        pulses += isinstance(message, Pulse)
        if isinstance(message, Complete):
            promised = message.counter
    assert pulses == message.pulses_so_far[0]
    assert pulses + message.dropped_edges == 400


def test_event_before_the_promise_is_told_and_not_sent(front_end: RunningFrontEnd) -> None:
    front_end.happens(record("T", 5000), record("R", 4999), record("T", 6000))
    assert front_end.messages(3) == [
        complete(5000, 0),
        Fault(code=codec.FAULT_EVENT_OUT_OF_ORDER, count=1),
        complete(6000, 0, dropped=1),
    ]


def test_missing_falling_edge_is_told_under_a_filter(front_end: RunningFrontEnd) -> None:
    set_filter(front_end, 10)
    front_end.happens(record("R", 100), record("R", 200), record("F", 250), record("T", 300))
    assert front_end.until_complete() == [
        Fault(code=codec.FAULT_EDGE_MISSING, count=1),
        pulse(0, 200, 50),
        complete(300, 1, dropped=1),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"\x05\x01noise\x00", codec.FAULT_COMMAND_DAMAGED),
        (b"x" * 300 + b"\x00", codec.FAULT_COMMAND_DAMAGED),
        (codec.build_frame(0x7F, 0, b""), codec.FAULT_COMMAND_UNKNOWN),
        (codec.build_frame(codec.SET_GLITCH_FILTER, 0, b"\x01"), codec.FAULT_COMMAND_UNKNOWN),
        (codec.build_frame(codec.FAULT, 0, bytes(5)), codec.FAULT_COMMAND_UNKNOWN),
    ],
)
def test_bad_command_is_told_and_the_next_is_served(
    front_end: RunningFrontEnd, line: bytes, code: int
) -> None:
    front_end.order_bytes(line)
    assert front_end.next_message() == Fault(code=code, count=1)
    front_end.order(HelloRequest())
    assert front_end.messages(2) == [HELLO, ACKNOWLEDGED_HELLO]


def test_end_of_events_ends_it_cleanly_after_the_last_message(
    front_end: RunningFrontEnd,
) -> None:
    front_end.happens(record("R", 100), record("T", 200))
    assert front_end.end_of_events() == (0, "")
    assert front_end.messages(2) == [pulse(0, 100), complete(200, 1)]


def test_fifo_torn_within_a_record_is_a_failure(front_end: RunningFrontEnd) -> None:
    front_end.happens(b"R\x01\x02")
    assert front_end.end_of_events() == (1, "pulse front end: the FIFO closed within a record\n")


def test_unknown_record_is_told_and_ends_it(front_end: RunningFrontEnd) -> None:
    front_end.happens(struct.pack("<BBI", 0x58, 0, 1))
    assert front_end.next_message() == Fault(code=codec.FAULT_UNKNOWN_RECORD, count=1)
    status, said = front_end.end_of_events()
    assert status == 1
    assert "0x58" in said


def test_lost_line_ends_it(front_end: RunningFrontEnd) -> None:
    front_end.close_line()
    status = front_end.process.wait(timeout=10)
    assert status == 1


def test_frames_are_numbered_over_the_wrap_of_the_sequence(front_end: RunningFrontEnd) -> None:
    # 66,000 frames; the decoder would tell a gap, and `next_message` takes frames only.
    for first in range(0, 66_000, 500):
        front_end.happens(*(record("M", 10 * number) for number in range(first, first + 500)))
        messages = front_end.messages(500)
        for before, after in pairwise(messages):
            assert isinstance(before, Marker)
            assert isinstance(after, Marker)
            assert after.sample_index == before.sample_index + 1024
