"""Rounding against exact rationals; the tie of 1.55 is the regulation's own kind of trap."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.errors import RuleError
from spotcheck.rounding import measured_decimal, round_to_step

STEPS = ["0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2"]


def exactly_rounded(value: Fraction, step: Fraction) -> Fraction:
    """By the definition: the nearest multiple, and of two equally near the even one."""
    below = value // step
    above_by = value - below * step
    to_next = step - above_by
    if above_by == to_next:
        return (below + below % 2) * step
    return (below if above_by < to_next else below + 1) * step


@given(st.integers(-(10**12), 10**12), st.integers(0, 9), st.sampled_from(STEPS))
def test_every_decimal_rounds_as_exact_rationals_do(digits: int, places: int, step: str) -> None:
    value = Decimal(digits).scaleb(-places)
    rounded = round_to_step(value, Decimal(step))
    assert Fraction(rounded) == exactly_rounded(Fraction(value), Fraction(step))


@given(st.integers(-500, 500), st.sampled_from(STEPS))
def test_every_tie_goes_to_the_even_multiple(multiple: int, step: str) -> None:
    tie = (Decimal(multiple) + Decimal("0.5")) * Decimal(step)
    rounded = Fraction(round_to_step(tie, Decimal(step))) / Fraction(step)
    assert rounded.denominator == 1
    assert rounded % 2 == 0
    assert abs(rounded - multiple - Fraction(1, 2)) == Fraction(1, 2)


@pytest.mark.parametrize(
    ("value", "step", "expected"),
    [
        ("1.55", "0.1", "1.6"),
        ("1.45", "0.1", "1.4"),
        ("-1.55", "0.1", "-1.6"),
        ("-1.45", "0.1", "-1.4"),
        ("0.25", "0.1", "0.2"),
        ("1.0499", "0.1", "1.0"),
        ("1.05", "0.1", "1.0"),
        ("1.0501", "0.1", "1.1"),
        ("0.03", "0.02", "0.04"),
        ("0.01", "0.02", "0.00"),
        ("-0.03", "0.02", "-0.04"),
        ("0.125", "0.05", "0.10"),
        ("0.175", "0.05", "0.20"),
        ("1.1", "0.2", "1.2"),
        ("1.3", "0.2", "1.2"),
        ("-0.7", "0.2", "-0.8"),
    ],
)
def test_rounding_by_hand(value: str, step: str, expected: str) -> None:
    assert str(round_to_step(Decimal(value), Decimal(step))) == expected


@pytest.mark.parametrize("value", ["-0.04", "-0.05", "-0", "-0.0000001"])
def test_zero_has_no_sign(value: str) -> None:
    assert not round_to_step(Decimal(value), Decimal("0.1")).is_signed()


@pytest.mark.parametrize("step", ["0", "-0.1"])
def test_a_step_that_is_not_positive_is_refused(step: str) -> None:
    with pytest.raises(RuleError, match="must be positive"):
        round_to_step(Decimal(1), Decimal(step))


@given(st.integers(-(10**6), 10**6))
def test_a_measured_float_gives_the_decimal_that_a_person_reads(thousandths: int) -> None:
    # Who rounds the binary value of 0.15, which lies below it, gets 0.1 at step 0.1.
    assert measured_decimal(thousandths / 1000) == Decimal(thousandths).scaleb(-3)


def test_a_measured_tie_rounds_as_the_decimal_tie() -> None:
    assert round_to_step(measured_decimal(1.55), Decimal("0.1")) == Decimal("1.6")
    assert round_to_step(measured_decimal(0.15), Decimal("0.1")) == Decimal("0.2")
    assert round_to_step(Decimal.from_float(0.15), Decimal("0.1")) == Decimal("0.1")


def test_a_measured_float_is_taken_to_nine_places() -> None:
    assert str(measured_decimal(0.1234567894999)) == "0.123456789"
    assert str(measured_decimal(-2.5e-10)) == "-0E-9"
    assert str(measured_decimal(7.5e-10)) == "1E-9"
