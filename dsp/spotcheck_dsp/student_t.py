"""Student's t distribution: the coverage factor for few degrees of freedom.

The two-sided tail is a regularized incomplete beta function, I_x(ν/2, 1/2) with x = ν/(ν + t²)
(Abramowitz & Stegun 26.7.1 and 26.5.27, from memory); its continued fraction is DLMF 8.17.22.
"""

import math
from functools import lru_cache

_MOST_TERMS = 10_000
_TINY = 1e-300
_SETTLED = 1e-15
_NORMAL_FROM = 1e6
"""Degrees of freedom from which the normal distribution serves; k differs by less than 1e-6."""
_LARGEST_FACTOR = 1e9


@lru_cache(maxsize=256)
def coverage_factor(degrees_of_freedom: float, probability: float = 0.95) -> float:
    """Half width of the interval about 0 that holds t with a given probability.

    Args:
        degrees_of_freedom: 1 or more; `math.inf` for the normal distribution.
        probability: Of lying inside, from 0.5 to 0.9999.

    Raises:
        ValueError: degrees of freedom or a probability outside these bounds.
    """
    if not degrees_of_freedom >= 1:
        raise ValueError(
            f"degrees_of_freedom is {degrees_of_freedom}; below 1 no interval of use exists"
        )
    if not 0.5 <= probability <= 0.9999:
        raise ValueError(f"probability is {probability}; it must lie from 0.5 to 0.9999")
    low, high = 0.0, _LARGEST_FACTOR
    while high - low > 1e-13 * (1 + high):
        # Geometric steps while the bracket spans magnitudes, halves afterwards.
        middle = math.sqrt(low * high) if low > 1e-3 and high > 4 * low else (low + high) / 2
        if two_sided_tail(middle, degrees_of_freedom) > 1 - probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def two_sided_tail(t: float, degrees_of_freedom: float) -> float:
    """Probability that |T| exceeds t ≥ 0."""
    if degrees_of_freedom > _NORMAL_FROM:
        return math.erfc(t / math.sqrt(2))
    squared = t * t
    whole = degrees_of_freedom + squared
    return _incomplete_beta(
        degrees_of_freedom / whole, squared / whole, degrees_of_freedom / 2, 0.5
    )


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b) with rest = 1 − x given apart, so that neither loses digits."""
    if rest == 0.0:
        return 1.0
    if x == 0.0:
        return 0.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    # The fraction converges fast on this side of the mean only.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Continued fraction of the incomplete beta function, by Lentz's method."""
    numerator, denominator = 1.0, 1.0 / _off_zero(1.0 - (a + b) * x / (a + 1))
    value = denominator
    for m in range(1, _MOST_TERMS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            denominator = 1.0 / _off_zero(1.0 + term * denominator)
            numerator = _off_zero(1.0 + term / numerator)
            change = denominator * numerator
            value *= change
        if abs(change - 1.0) < _SETTLED:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
