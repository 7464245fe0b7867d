"""The pulse output's accumulator against the closed form, in exact fractions."""

import random
from fractions import Fraction

import pytest
from pulse_output import PulseOutput

TURN = 1 << 64
COUNTER_HZ = 24_000_000
SLICE = COUNTER_HZ // 10


def put_out(increment: int, counts: int, slice_counts: int = SLICE) -> list[int]:
    pulses: list[int] = []
    output = PulseOutput(lambda counter, width: pulses.append(counter))
    output.advance(0)
    output.set_rate(increment, 1)
    for counter in range(slice_counts, counts + slice_counts, slice_counts):
        output.advance(min(counter, counts))
    return pulses


@pytest.mark.parametrize("rate_hz", ["0.0003", "0.277", "1", "3.7", "11.1111"])
def test_over_an_hour_the_count_is_never_off_by_one(rate_hz: str) -> None:
    rate = Fraction(rate_hz)
    increment = round(TURN * rate / COUNTER_HZ)
    pulses = put_out(increment, 3600 * COUNTER_HZ)
    assert len(pulses) == increment * 3600 * COUNTER_HZ // TURN
    # Against the power itself, the rounding of the increment included.
    for number, counter in enumerate(pulses, start=1):
        assert abs(Fraction(counter, COUNTER_HZ) * rate - number) < 1


@pytest.mark.parametrize("rate_hz", ["2.5", "333.3333333", "1000"])
def test_each_pulse_is_late_by_less_than_one_count(rate_hz: str) -> None:
    increment = round(TURN * Fraction(rate_hz) / COUNTER_HZ)
    pulses = put_out(increment, 20 * COUNTER_HZ)
    lateness = [n - Fraction(k * TURN, increment) for k, n in enumerate(pulses, start=1)]
    assert min(lateness) >= 0
    assert max(lateness) < 1
    assert len(pulses) in (20 * Fraction(rate_hz) // 1, 20 * Fraction(rate_hz) // 1 - 1)


def test_how_often_it_is_served_changes_nothing() -> None:
    increment = round(TURN * Fraction("7.3") / COUNTER_HZ)
    expected = put_out(increment, 30 * COUNTER_HZ)
    assert put_out(increment, 30 * COUNTER_HZ, 1_234_567) == expected
    assert put_out(increment, 30 * COUNTER_HZ, 30 * COUNTER_HZ) == expected


def test_changes_of_power_lose_no_energy() -> None:
    draw = random.Random(5)
    pulses: list[int] = []
    output = PulseOutput(lambda counter, width: pulses.append(counter))
    output.advance(0)
    phase = 0
    counter = 0
    for _ in range(2000):
        increment = draw.choice([0, draw.randrange(TURN // 3_000_000), draw.randrange(1 << 40)])
        counts = draw.randrange(1, 2 * SLICE)
        output.set_rate(increment, 1)
        counter += counts
        output.advance(counter)
        phase += increment * counts
        assert len(pulses) == phase // TURN
    assert len(pulses) > 300


def test_width_goes_with_each_pulse_and_is_at_most_half_of_the_period() -> None:
    pulses: list[tuple[int, int]] = []
    output = PulseOutput(lambda counter, width: pulses.append((counter, width)))
    output.advance(0)
    output.set_rate(TURN // 1000, 500)
    output.advance(3001)
    assert pulses == [(1001, 500), (2001, 500), (3001, 500)]
    for width in (0, 501):
        with pytest.raises(ValueError, match="half of its period"):
            output.set_rate(TURN // 1000, width)
