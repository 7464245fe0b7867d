"""The five inputs, PPS, lost records and the light, under MicroPython on a real pty."""

from collections.abc import Callable, Iterator

import pytest
from running_front_end import RunningFrontEnd, record
from simulated_board import SimulatedBoard

from spotcheck_wire import frontend_codec as codec
from spotcheck_wire.frontend_messages import (
    Ack,
    Complete,
    Fault,
    FrontEndMessage,
    InputSignal,
    Marker,
    Pps,
    Pulse,
    SetGlitchFilter,
    SetThreshold,
)

pytestmark = pytest.mark.processes

WRAP = 1 << 32
MILLISECOND = 24_000


@pytest.fixture
def board() -> Iterator[SimulatedBoard]:
    with SimulatedBoard({}) as simulated:
        yield simulated


def pulse(number: int, index: int, counter: int, width: int = 0) -> Pulse:
    return Pulse(input=number, index=index, counter=counter, width_counts=width)


def complete(counter: int, pulses: tuple[int, ...], dropped: int = 0, lost: int = 0) -> Complete:
    return Complete(counter=counter, pulses_so_far=pulses, dropped_edges=dropped, records_lost=lost)


def light(number: int, level: int) -> bytes:
    return record("O", level, number)


def test_each_input_numbers_its_own_pulses(front_end: RunningFrontEnd) -> None:
    for number in range(5):
        for index in range(number):
            front_end.happens(record("R", 1000 * number + index * MILLISECOND * 30, number))
    front_end.happens(record("T", 100 * MILLISECOND * 30))
    *pulses, promise = front_end.until_complete()
    assert pulses == [
        pulse(number, index, 1000 * number + index * MILLISECOND * 30)
        for number in range(5)
        for index in range(number)
    ]
    assert promise == complete(100 * MILLISECOND * 30, (0, 1, 2, 3, 4))


def test_filter_is_each_inputs_own(front_end: RunningFrontEnd) -> None:
    front_end.order(SetGlitchFilter(input=2, shortest_pulse_counts=100))
    assert isinstance(front_end.next_message(), Ack)
    front_end.happens(record("R", 10, 1), record("R", 20, 2), record("F", 30, 1))
    front_end.happens(record("F", 50, 2), record("T", 60))
    assert front_end.until_complete() == [pulse(1, 0, 10), complete(60, (0, 1, 0, 0, 0), 1)]


def test_open_pulse_of_any_input_holds_the_promise_of_all(front_end: RunningFrontEnd) -> None:
    for number in (1, 3):
        front_end.order(SetGlitchFilter(input=number, shortest_pulse_counts=100))
        assert isinstance(front_end.next_message(), Ack)
    front_end.happens(record("R", 1020, 1), record("R", 1000, 3), record("T", 1050))
    assert front_end.next_message() == complete(1000, (0, 0, 0, 0, 0))
    front_end.happens(record("F", 1150, 1), record("F", 1140, 3), record("T", 1200))
    assert front_end.messages(3) == [
        pulse(1, 0, 1020, 130), pulse(3, 0, 1000, 140), complete(1200, (0, 1, 0, 1, 0)),
    ]  # fmt: skip


def test_bouncing_hand_switch_is_one_press_at_its_first_contact(
    front_end: RunningFrontEnd,
) -> None:
    # Contact and release bounce for 8 ms each; two presses 300 ms apart, over a wrap.
    start = WRAP - 150 * MILLISECOND
    for press in range(2):
        at = start + press * 300 * MILLISECOND
        for bounce in range(5):
            edge = at + bounce * 2 * MILLISECOND
            front_end.happens(record("R", edge, 4), record("F", edge + MILLISECOND, 4))
        front_end.happens(record("R", at + 10 * MILLISECOND, 4))
        for bounce in range(5):
            edge = at + (120 + bounce * 2) * MILLISECOND
            front_end.happens(record("F", edge, 4), record("R", edge + MILLISECOND, 4))
        front_end.happens(record("F", at + 130 * MILLISECOND, 4))
    end = start + 600 * MILLISECOND
    front_end.happens(record("T", end))
    assert front_end.until_complete() == [
        pulse(4, 0, start),
        pulse(4, 1, start + 300 * MILLISECOND),
        complete(end, (0, 0, 0, 0, 2), dropped=20),
    ]


@pytest.mark.parametrize("lost", [1, 7, 100_000])
def test_lost_records_use_up_indices_and_are_counted(front_end: RunningFrontEnd, lost: int) -> None:
    front_end.happens(record("R", 100, 3), record("L", lost, 3), record("R", 9000, 3))
    front_end.happens(record("T", 10_000))
    assert front_end.until_complete() == [
        pulse(3, 0, 100),
        Fault(code=codec.FAULT_RECORDS_LOST, count=lost),
        pulse(3, 1 + lost, 9000),
        complete(10_000, (0, 0, 0, 2 + lost, 0), lost=lost),
    ]


def test_pulse_that_waits_for_an_edge_that_may_be_lost_is_given_up(
    front_end: RunningFrontEnd,
) -> None:
    front_end.order(SetGlitchFilter(input=0, shortest_pulse_counts=50))
    assert isinstance(front_end.next_message(), Ack)
    front_end.happens(record("R", 100), record("L", 1), record("F", 9000), record("T", 10_000))
    assert front_end.until_complete() == [
        Fault(code=codec.FAULT_RECORDS_LOST, count=1),
        complete(10_000, (1, 0, 0, 0, 0), dropped=1, lost=1),
    ]


def test_marker_after_lost_ones_keeps_its_sample(front_end: RunningFrontEnd) -> None:
    front_end.happens(record("M", 100), record("L", 3, 5), record("M", 500), record("T", 600))
    assert front_end.until_complete() == [
        Marker(sample_index=0, counter=100),
        Fault(code=codec.FAULT_MARKERS_LOST, count=3),
        Marker(sample_index=4 * 1024, counter=500),
        complete(600, (0, 0, 0, 0, 0), lost=3),
    ]


def test_seconds_are_numbered_over_wraps_and_lost_ones(front_end: RunningFrontEnd) -> None:
    first = WRAP - 24_000_000
    front_end.happens(*(record("P", first + 24_000_000 * number) for number in range(3)))
    front_end.happens(record("L", 1, 6), record("P", first + 4 * 24_000_000))
    expected: list[FrontEndMessage] = [
        Pps(counter=first + 24_000_000 * number, number=number) for number in (0, 1, 2, 4)
    ]
    expected.insert(3, Fault(code=codec.FAULT_PPS_LOST, count=1))
    assert front_end.messages(5) == expected


def test_second_before_the_promise_is_told_and_keeps_its_number(
    front_end: RunningFrontEnd,
) -> None:
    front_end.happens(record("T", 500), record("P", 499), record("P", 24_000_499))
    assert front_end.messages(3) == [
        complete(500, (0, 0, 0, 0, 0)),
        Fault(code=codec.FAULT_EVENT_OUT_OF_ORDER, count=1),
        Pps(counter=24_000_499, number=1),
    ]


@pytest.mark.parametrize(("kind", "number"), [("R", 5), ("F", 255), ("L", 7)])
def test_input_that_does_not_exist_ends_it(
    front_end: RunningFrontEnd, kind: str, number: int
) -> None:
    front_end.happens(record(kind, 1, number))
    assert front_end.next_message() == Fault(code=codec.FAULT_UNKNOWN_RECORD, count=1)
    status, said = front_end.end_of_events()
    assert status == 1
    assert f"input {number}" in said


def test_light_sets_the_threshold_and_is_told_once_a_second(
    start_front_end: Callable[..., RunningFrontEnd], board: SimulatedBoard
) -> None:
    front_end = start_front_end(board=board)
    signals: list[InputSignal] = []
    for second in range(3):
        for millisecond in range(0, 1000, 100):
            is_on = millisecond in (300, 400)
            for _ in range(100):
                front_end.happens(light(1, 1300 if is_on else 500))
            front_end.happens(record("T", (1000 * second + millisecond + 100) * MILLISECOND))
            signals += [m for m in front_end.until_complete() if isinstance(m, InputSignal)]
    front_end.happens(record("T", 3100 * MILLISECOND))
    # The signal comes behind its promise.
    signals += [m for m in front_end.messages(2) if isinstance(m, InputSignal)]
    assert signals[0] == InputSignal(input=1, ambient=500, swing=0, threshold=520, quality=0)
    assert signals[-1] == InputSignal(input=1, ambient=500, swing=800, threshold=900, quality=100)
    assert len(signals) == 4
    board.until(lambda: board.watchdog_feeds == 31)
    assert board.thresholds[-1] == (1, 900)


def test_threshold_set_by_hand_reaches_the_board(
    start_front_end: Callable[..., RunningFrontEnd], board: SimulatedBoard
) -> None:
    front_end = start_front_end(board=board)
    front_end.order(SetThreshold(input=0, level=777))
    assert isinstance(front_end.next_message(), Ack)
    for _ in range(10):
        front_end.happens(light(0, 100))
    front_end.happens(record("T", 1000))
    messages = front_end.messages(2)
    assert messages[1] == InputSignal(input=0, ambient=100, swing=0, threshold=777, quality=0)
    board.until(lambda: board.watchdog_feeds == 1)
    assert set(board.thresholds) == {(0, 777)}


def test_watchdog_starves_while_the_counter_is_not_served(
    start_front_end: Callable[..., RunningFrontEnd], board: SimulatedBoard
) -> None:
    front_end = start_front_end(board=board)
    for number in range(50):
        front_end.happens(record("R", number))
    front_end.messages(50)
    assert board.watchdog_feeds == 0
    front_end.happens(record("T", 100))
    front_end.until_complete()
    front_end.end_of_events()
    board.until(lambda: board.watchdog_feeds > 0)
    assert board.watchdog_feeds == 1
