"""Rate of the calibrated pulse output against the closed form."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.errors import InvalidInputError
from spotcheck_device.pulse_output import output_rate

COUNTER_HZ = Fraction(24_000_000)
WIDTH_S = Fraction(1, 100)

powers = st.fractions(Fraction(1), Fraction(100_000), max_denominator=1000)
constants = st.sampled_from([Fraction(c) for c in (100, 400, 1200, 10_000)])


@given(powers, constants)
def test_rate_is_within_its_stated_rounding(power_w: Fraction, constant: Fraction) -> None:
    command = output_rate(power_w, constant, COUNTER_HZ, WIDTH_S)
    rate_hz = command.increment * COUNTER_HZ / 2**64
    error_ppm = abs(rate_hz / (power_w * constant / 3_600_000) - 1) * 1_000_000
    assert error_ppm <= Fraction(500_000, command.increment)
    # The docstring's figure, for the least power and constant.
    assert error_ppm <= Fraction(3, 1000) * 1000 / (constant * power_w)
    assert 2 * command.width_counts * command.increment <= 2**64


def test_one_kilowatt_at_3600_imp_per_kwh_is_one_hertz() -> None:
    command = output_rate(Fraction(1000), Fraction(3600), Fraction(1 << 20), WIDTH_S)
    assert (command.increment, command.width_counts) == (1 << 44, 10486)


def test_export_gives_pulses_too_and_no_power_gives_none() -> None:
    export = output_rate(Fraction(-1000), Fraction(3600), COUNTER_HZ, WIDTH_S)
    assert export == output_rate(Fraction(1000), Fraction(3600), COUNTER_HZ, WIDTH_S)
    assert output_rate(Fraction(0), Fraction(3600), COUNTER_HZ, WIDTH_S).increment == 0


def test_too_many_pulses_are_refused_with_the_cure() -> None:
    with pytest.raises(InvalidInputError, match="smaller constant than 40000 imp/kWh"):
        output_rate(Fraction(100_000), Fraction(40_000), COUNTER_HZ, WIDTH_S)


@pytest.mark.parametrize(
    ("constant", "counter_hz", "width_s"), [(0, 1, 1), (1, 0, 1), (1, 1, 0), (-1, 1, 1)]
)
def test_what_must_be_positive_is_refused_otherwise(
    constant: int, counter_hz: int, width_s: int
) -> None:
    with pytest.raises(InvalidInputError, match="must be positive"):
        output_rate(Fraction(1), Fraction(constant), Fraction(counter_hz), Fraction(width_s))
