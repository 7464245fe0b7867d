"""How far a clock has run off between two instants, from marks of true seconds.

The time error x(t) of an oscillator is a parabola (offset, frequency, drift), plus the integrated
random walk of its frequency, plus the twice integrated random walk of its drift, as a change of
temperature makes it; each mark shows it with white jitter (Zucca and Tavella, "The clock model and
its relationship with the Allan and related variances", IEEE Trans. UFFC 52, 2005). Given the three
intensities, the best linear unbiased estimate of x(b) − x(a) and its variance are closed forms
(universal kriging); the intensities are found by restricted maximum likelihood. Beyond the last
mark the variance grows by itself, as the third and fifth power of time: that is holdover. The drift
last seen may end there or double, and counts as its own uncertainty.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST_MARKS = 16
"""Fewer do not tell jitter from wander."""
_RATIOS = np.concatenate([[0.0], 10.0 ** np.arange(-14.0, 4.1, 1.0)])
"""Intensities of the walks over the jitter's variance that are tried, in powers of 1/s."""
_SWEEPS = 2
_DRIFT_SEEN_OVER_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeErrorEstimate:
    """What a clock has gained between two instants."""

    gained_s: float
    """x(b) − x(a), in s; positive where the clock runs fast."""
    standard_uncertainty_s: float
    """Of that, in s."""
    degrees_of_freedom: int
    """Of the jitter that it rests on."""
    jitter_s: float
    """Standard deviation of a mark, in s."""


def time_gained(
    marks_s: Array, time_errors_s: Array, *, from_s: float, to_s: float, least_wander: float
) -> TimeErrorEstimate:
    """What the clock gains between two instants.

    Args:
        marks_s: (n,) rising instants of the marks by the clock itself, in s.
        time_errors_s: (n,) the clock's instant less the true one, up to a constant, in s.
        from_s: First instant by the clock, in s.
        to_s: Second instant, not before the first; either may lie outside the marks.
        least_wander: Random walk of the relative frequency that the oscillator has at least, as
            its standard deviation after a second: a calm minute does not promise a calm hour.

    Raises:
        ValueError: fewer than 16 marks, marks that do not rise, or instants in the wrong order.
    """
    if len(marks_s) < FEWEST_MARKS or np.any(np.diff(marks_s) <= 0):
        raise ValueError(f"{FEWEST_MARKS} or more marks, in order, are needed")
    if to_s < from_s:
        raise ValueError(f"the second instant, {to_s} s, comes before the first, {from_s} s")
    origin_s = min(float(marks_s[0]), from_s)
    model = _Model(marks_s - origin_s, time_errors_s - time_errors_s[0])
    best = model.likeliest()
    least_ratio = least_wander**2 / best.jitter_variance
    if best.frequency_ratio < least_ratio:
        best = model.fit(least_ratio, best.drift_ratio)
    gained, variance = model.predict(best, from_s - origin_s, to_s - origin_s)
    turned = model.turned_s(best, to_s - origin_s) - model.turned_s(best, from_s - origin_s)
    return TimeErrorEstimate(
        gained_s=gained,
        standard_uncertainty_s=float(np.hypot(np.sqrt(max(variance, 0.0)), turned)),
        degrees_of_freedom=len(marks_s) - 3,
        jitter_s=float(np.sqrt(best.jitter_variance)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """A parabola and two walks of given intensities through the marks."""

    frequency_ratio: float
    drift_ratio: float
    matrix: Array
    """Covariance of the marks over the jitter's variance."""
    information: Array
    trend: Array
    jitter_variance: float
    deviance: float
    """−2 log of the restricted likelihood, up to a constant."""


class _Model:
    """The marks, and what every fit through them has in common."""

    def __init__(self, t: Array, errors: Array) -> None:
        self._t = t
        self._errors = errors
        self._scale_s = float(t[-1])
        self._basis = self._powers(t)
        self._walks = (_frequency_walk(t, t), _drift_walk(t, t))

    def likeliest(self) -> _Fit:
        """The fit of the likeliest intensities on the grid, one after the other."""
        best = self.fit(0.0, 0.0)
        for _ in range(_SWEEPS):
            drift = best.drift_ratio
            best = min((self.fit(r, drift) for r in _RATIOS), key=lambda f: f.deviance)
            frequency = best.frequency_ratio
            best = min((self.fit(frequency, r) for r in _RATIOS), key=lambda f: f.deviance)
        return best

    def fit(self, frequency_ratio: float, drift_ratio: float) -> _Fit:
        """Generalised least squares at given intensities."""
        by_frequency, by_drift = self._walks
        matrix = frequency_ratio * by_frequency + drift_ratio * by_drift + np.eye(len(self._t))
        solved = np.linalg.solve(matrix, np.column_stack([self._basis, self._errors]))
        information = self._basis.T @ solved[:, :3]
        trend = np.linalg.solve(information, self._basis.T @ solved[:, 3])
        residual = self._errors - self._basis @ trend
        freedom = len(self._t) - 3
        # Marks on one parabola to the last digit still have the digit.
        digit = 4 * np.finfo(np.float64).eps * max(1.0, float(np.max(np.abs(self._errors))))
        weighted = float(residual @ (solved[:, 3] - solved[:, :3] @ trend))
        variance = max(weighted / freedom, digit**2)
        _, volume = np.linalg.slogdet(matrix)
        _, trend_volume = np.linalg.slogdet(information)
        return _Fit(
            frequency_ratio=float(frequency_ratio),
            drift_ratio=float(drift_ratio),
            matrix=matrix,
            information=information,
            trend=trend,
            jitter_variance=variance,
            deviance=float(freedom * np.log(variance) + volume + trend_volume),
        )

    def predict(self, fit: _Fit, from_s: float, to_s: float) -> tuple[float, float]:
        """x(b) − x(a), and its variance without that of a drift that turns."""
        ends = np.array([from_s, to_s])
        walk = fit.frequency_ratio * _frequency_walk(ends, ends)
        walk += fit.drift_ratio * _drift_walk(ends, ends)
        own = walk[0, 0] + walk[1, 1] - 2 * walk[0, 1]
        toward = fit.frequency_ratio * _frequency_walk(self._t, ends)
        toward += fit.drift_ratio * _drift_walk(self._t, ends)
        step = toward[:, 1] - toward[:, 0]
        weights = np.linalg.solve(fit.matrix, step)
        powers = self._powers(ends)
        left = powers[1] - powers[0] - self._basis.T @ weights
        gained = left @ fit.trend + weights @ self._errors
        variance = own - step @ weights + left @ np.linalg.solve(fit.information, left)
        return float(gained), float(variance) * fit.jitter_variance

    def turned_s(self, fit: _Fit, at_s: float) -> float:
        """Standard uncertainty of x(at) in holdover from a drift that ends or doubles."""
        last = float(self._t[-1])
        if at_s <= last:
            return 0.0
        half = min(_DRIFT_SEEN_OVER_S, last) / 2
        newer, _ = self.predict(fit, last - half, last)
        older, _ = self.predict(fit, last - 2 * half, last - half)
        drift_per_s = abs(newer - older) / half**2
        return float(drift_per_s * (at_s - last) ** 2 / 2 / np.sqrt(3))

    def _powers(self, t: Array) -> Array:
        scaled = t / self._scale_s
        return np.column_stack([np.ones_like(t), scaled, scaled**2])


def _frequency_walk(a_s: Array, b_s: Array) -> Array:
    """(n, m) covariance of integrated random walk of unit intensity that begins at 0."""
    early, late = np.minimum.outer(a_s, b_s), np.maximum.outer(a_s, b_s)
    covariance: Array = early**2 * (3 * late - early) / 6
    return covariance


def _drift_walk(a_s: Array, b_s: Array) -> Array:
    """(n, m) covariance of twice integrated random walk of unit intensity that begins at 0."""
    early, late = np.minimum.outer(a_s, b_s), np.maximum.outer(a_s, b_s)
    apart = late - early
    covariance: Array = early**3 * (early**2 / 20 + early * apart / 8 + apart**2 / 12)
    return covariance
