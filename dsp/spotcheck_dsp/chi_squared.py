"""Quantiles of the chi-squared distribution, for thresholds on variances.

The regularised incomplete gamma function by its series (Abramowitz and Stegun 6.5.29) and, above
the mean, by Legendre's continued fraction (6.5.31) with Lentz's method; the quantile by bisection
around Wilson and Hilferty's approximation. All from memory; the tests hold it against SciPy.
"""

import math
from statistics import NormalDist

_TINY = 1e-300
_ROUNDS = 100_000


def chi_squared_tail(value: float, degrees_of_freedom: float) -> float:
    """Probability that chi-squared exceeds a value.

    Args:
        value: The value, 0 or more.
        degrees_of_freedom: Above 0.

    Raises:
        ValueError: out of range.
    """
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"value is {value}; a finite number from 0 is needed")
    if not (math.isfinite(degrees_of_freedom) and degrees_of_freedom > 0):
        raise ValueError(f"degrees_of_freedom is {degrees_of_freedom}; it must be above 0")
    if value == 0:
        return 1.0
    shape, x = degrees_of_freedom / 2, value / 2
    front = math.exp(shape * math.log(x) - x - math.lgamma(shape))
    if x < shape + 1:
        return 1.0 - front * _lower_series(shape, x)
    return front * _upper_fraction(shape, x)


def _lower_series(shape: float, x: float) -> float:
    term = total = 1 / shape
    for k in range(1, _ROUNDS):
        term *= x / (shape + k)
        total += term
        if term < total * 1e-16:
            break
    return total


def _upper_fraction(shape: float, x: float) -> float:
    b = x + 1 - shape
    c, d = 1 / _TINY, 1 / b
    value = d
    for k in range(1, _ROUNDS):
        a = -k * (k - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def chi_squared_quantile(tail: float, degrees_of_freedom: float) -> float:
    """The value that chi-squared exceeds with a given probability.

    Args:
        tail: Probability of the upper tail, between 0 and 1.
        degrees_of_freedom: Above 0.

    Raises:
        ValueError: out of range.
    """
    if not 0 < tail < 1:
        raise ValueError(f"tail is {tail}; a probability between 0 and 1 is needed")
    if not (math.isfinite(degrees_of_freedom) and degrees_of_freedom > 0):
        raise ValueError(f"degrees_of_freedom is {degrees_of_freedom}; it must be above 0")
    part = 2 / (9 * degrees_of_freedom)
    near = 1 - part - NormalDist().inv_cdf(tail) * math.sqrt(part)
    guess = degrees_of_freedom * max(near, 0.1) ** 3
    low, high = 0.0, guess
    while chi_squared_tail(high, degrees_of_freedom) > tail:
        low, high = high, 2 * high
    while high - low > 1e-13 * high:
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if chi_squared_tail(middle, degrees_of_freedom) > tail:
            low = middle
        else:
            high = middle
    return (low + high) / 2
