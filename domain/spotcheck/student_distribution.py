"""Student's t distribution: how far a deviation of few degrees of freedom may reach.

The tail is the regularised incomplete beta function, P(T > t) = ½·I_x(ν/2, ½) with x = ν/(ν + t²)
(Abramowitz and Stegun 26.7.1), by its continued fraction (DLMF 8.17.22, Lentz's method); the
quantile is Newton's method on it. All from memory; the tests hold it against SciPy.
"""

import math
from functools import lru_cache
from statistics import NormalDist

from spotcheck.errors import InvalidInputError

_ASYMPTOTIC_FROM = 1e4
"""Degrees of freedom from which the expansion about the normal distribution is exact to 1e-9."""
_TINY = 1e-300
_LONGEST_FRACTION = 1000


def student_tail(t: float, degrees_of_freedom: float) -> float:
    """Probability that a Student variable exceeds `t`.

    Args:
        t: Deviation over its standard uncertainty, 0 or more.
        degrees_of_freedom: 1 to 10 000; they need not be whole.

    Raises:
        InvalidInputError: either is out of its range.
    """
    if not 0 <= t < math.inf:
        raise InvalidInputError(f"t is {t}; give a finite number, 0 or more")
    if not 1 <= degrees_of_freedom <= _ASYMPTOTIC_FROM:
        raise InvalidInputError(
            f"degrees_of_freedom is {degrees_of_freedom}; the tail is given for 1 to 10 000"
        )
    return _tail(t, degrees_of_freedom)


@lru_cache(maxsize=4096)
def student_quantile(tail: float, degrees_of_freedom: float) -> float:
    """The deviation that is exceeded with probability `tail`: 12.706 for 0.025 and one degree.

    Args:
        tail: Probability beyond it on one side, above 0 and below 0.5.
        degrees_of_freedom: 1 or more, not necessarily whole; inf gives the normal distribution.

    Raises:
        InvalidInputError: either is out of its range.
    """
    if not 0 < tail < 0.5:
        raise InvalidInputError(f"tail is {tail}; a one-sided risk lies between 0 and 0.5")
    if not degrees_of_freedom >= 1:
        raise InvalidInputError(
            f"degrees_of_freedom is {degrees_of_freedom}; below 1 the scatter tells nothing: "
            "wait for another pulse"
        )
    z = -NormalDist().inv_cdf(tail)
    if degrees_of_freedom > _ASYMPTOTIC_FROM:
        return z + _expansion(z, 1 / degrees_of_freedom)
    return _quantile_from(z, tail, degrees_of_freedom)


def _expansion(z: float, per_degree: float) -> float:
    """Student's quantile less the normal one (Abramowitz and Stegun 26.7.5, two terms)."""
    return per_degree * (z**3 + z) / 4 + per_degree**2 * (5 * z**5 + 16 * z**3 + 3 * z) / 96


def _quantile_from(start: float, tail: float, freedom: float) -> float:
    """Newton's method on ln P over ln t, which is concave: after one step it cannot overshoot."""
    t = start
    for _ in range(100):
        beyond = _tail(t, freedom)
        slope = -t * _density(t, freedom) / beyond
        step = (math.log(tail) - math.log(beyond)) / slope
        t *= math.exp(step)
        if abs(step) < 1e-13:
            break
    return t


def _tail(t: float, freedom: float) -> float:
    if t * t < 1:  # where the other end of the fraction converges
        return 0.5 - 0.5 * _incomplete_beta(t * t / (freedom + t * t), 0.5, freedom / 2)
    return 0.5 * _incomplete_beta(freedom / (freedom + t * t), freedom / 2, 0.5)


def _density(t: float, freedom: float) -> float:
    log_height = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
    log_shape = (freedom + 1) / 2 * math.log1p(t * t / freedom)
    return math.exp(log_height - log_shape) / math.sqrt(freedom * math.pi)


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """I_x(a, b) by its continued fraction."""
    if x == 0:
        return 0.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    log_front += a * math.log(x) + b * math.log1p(-x)
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), _TINY)
    fraction = d
    for m in range(1, _LONGEST_FRACTION):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        before = fraction
        for term in (even, odd):
            d = 1 / (1 + term * d or _TINY)
            c = 1 + term / c or _TINY
            fraction *= c * d
        if abs(fraction - before) < 1e-15 * fraction:
            break
    return math.exp(log_front) * fraction / a
