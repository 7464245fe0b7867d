"""Rounding of an error as regulations want it: to a step, ties to even, in decimals.

In binary floats 7–12 % of the exact ties go the wrong way: 1.55 at step 0.1 must give 1.6.
Source of the steps: the rule profile (for example JJG 596-2012, annex on rounding).
"""

from decimal import ROUND_HALF_EVEN, Decimal

from spotcheck.errors import RuleError

MEASURED_DIGITS = Decimal("1e-9")
"""A measured float is first taken to nine decimals of a percent: far below any uncertainty, and
the shortest decimal that a person would read off it decides a tie."""


def measured_decimal(value: float) -> Decimal:
    """The decimal of a measured float, to nine places."""
    return Decimal(repr(value)).quantize(MEASURED_DIGITS, rounding=ROUND_HALF_EVEN)


def round_to_step(value: Decimal, step: Decimal) -> Decimal:
    """`value` rounded to a whole multiple of `step`, ties to the even multiple.

    Raises:
        RuleError: the step is not positive.
    """
    if step <= 0:
        raise RuleError(f"rounding step is {step}; it must be positive")
    multiple = (value / step).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
    rounded = multiple * step
    return rounded.copy_abs() if rounded == 0 else rounded
