"""What the residuals of the pulses say: jitter, a meter's tick, ripple left over, drift, outliers.

A tick is found on the stamps, not on the residuals: a meter that looks at its register every T
lets all pulses go on a lattice of period T. Rayleigh's statistic |Σ exp(2πj t_k/T)|²/n then comes
near to n. Only periods are searched whose uniform lateness, of standard deviation T/√12, fits the
residuals; so the spacing of the pulses themselves, which is a lattice too, is not taken for one.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST_PULSES = 12
"""Below this the residuals of no kind of scatter can be told from those of another."""
_FALSE_ALARM = 1e-3
"""Probability with which white Gaussian jitter is called something else, for each test."""
_TICK_SPAN = (0.75, 1.35)
"""Periods searched, in units of √12 standard deviations."""
_LEAST_CONCENTRATION = 0.7
_REGULAR_PULSES_ADD = 0.06
"""Jittery pulses at equal distances are not spread evenly over every period."""
_STEPS_PER_RESOLUTION = 3
_SCALLOP = 0.06
"""What a grid of that many steps may hide of a mean vector."""
_MOST_PEAKS = 100
_TOLERANCE = 0.05
"""Part of what jitter takes from the best lattice by which another may be worse."""
_BLOCK = 256
_MOST_PERIODS = 400_000
_OUTLIER_SPREADS = 6.0


class Scatter(StrEnum):
    """What scatters the pulses, first of all."""

    UNKNOWN = "unknown"
    """Too few pulses to say."""
    RESOLUTION = "resolution"
    """Nothing above the resolution of the stamps."""
    JITTER = "jitter"
    """White and Gaussian: optical head, LED, comparator."""
    TICK = "tick"
    """The meter lets pulses go on a lattice of instants."""
    RIPPLE = "ripple"
    """A sinusoid of twice the mains frequency that the line did not take up."""
    DRIFT = "drift"
    """Slow: the energy per pulse changes over the train."""
    OUTLIERS = "outliers"
    """Single pulses far off: edges of something else, or faults of the train."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualReport:
    """What residuals show, each with its size."""

    scatter: Scatter
    """The cause that explains most."""
    standard_deviation_s: float
    """Of the residuals about their mean, in s."""
    excess_kurtosis: float
    """Of the residuals: 0 Gaussian, −1.2 uniform; NaN where all are equal."""
    tick_s: float | None
    """Period of the lattice that the stamps lie on, in s; None where there is none. With jitter
    and nearly even pulses it may be some percent too long, as all of these explain the stamps."""
    lattice_concentration: float
    """Length of the stamps' mean vector on that or the best lattice searched, 0 to 1."""
    ripple_amplitude_s: float
    """Sinusoid of twice the mains phase in the residuals, in s."""
    drift_s: float
    """What a parabola moves the middle of the train against its ends, in s."""
    outliers: tuple[int, ...]
    """Pulses farther than six spreads from the rest."""

    @property
    def lattice_jitter_s(self) -> float | None:
        """Standard deviation of the stamps about the lattice, if Gaussian, in s."""
        if self.tick_s is None:
            return None
        # |E exp(jx)| = exp(−σ²/2) of a Gaussian x.
        angle = np.sqrt(-2 * np.log(min(self.lattice_concentration, 1.0)))
        return float(self.tick_s * angle / (2 * np.pi))


def analyse_residuals(
    residuals_s: Array, stamps_s: Array, phases_rad: Array, *, resolution_s: float = 0.0
) -> ResidualReport:
    """Name what scatters the pulses about their line.

    Args:
        residuals_s: (n,) by how much each pulse came late, in s.
        stamps_s: (n,) instants of the pulses, in s, rising.
        phases_rad: (n,) tracked phase θ of the mains at the stamps.
        resolution_s: Step of the stamps, in s; scatter below it is not looked into.

    Raises:
        ValueError: shapes that differ, fewer than 2 pulses, values that are not finite, stamps
            out of order, a negative resolution.
    """
    _check(residuals_s, stamps_s, phases_rad, resolution_s)
    count = len(residuals_s)
    about = residuals_s - residuals_s.mean()
    deviation = float(np.sqrt(np.mean(about**2)))
    outliers = _outliers(about)
    tick_s, concentration = _lattice(stamps_s, deviation)
    ripple_s, ripple_gain = _explained(
        about, np.column_stack([np.cos(2 * phases_rad), np.sin(2 * phases_rad)])
    )
    place = (stamps_s - stamps_s.mean()) / max(float(np.ptp(stamps_s)), 1e-300)
    drift_s, drift_gain = _explained(about, (place**2 - np.mean(place**2))[:, None])
    if count < FEWEST_PULSES:
        scatter = Scatter.UNKNOWN
    elif deviation <= resolution_s:
        scatter = Scatter.RESOLUTION
    elif outliers.size:
        scatter = Scatter.OUTLIERS
    elif tick_s is not None:
        scatter = Scatter.TICK
    elif max(ripple_gain, drift_gain) > -np.log(_FALSE_ALARM):
        scatter = Scatter.RIPPLE if ripple_gain >= drift_gain else Scatter.DRIFT
    else:
        scatter = Scatter.JITTER
    return ResidualReport(
        scatter=scatter,
        standard_deviation_s=deviation,
        excess_kurtosis=float(np.mean(about**4) / deviation**4 - 3) if deviation else np.nan,
        tick_s=tick_s if count >= FEWEST_PULSES else None,
        lattice_concentration=concentration,
        ripple_amplitude_s=ripple_s,
        drift_s=drift_s / 4,
        outliers=tuple(int(k) for k in outliers),
    )


def _check(residuals_s: Array, stamps_s: Array, phases_rad: Array, resolution_s: float) -> None:
    named = {"residuals_s": residuals_s, "stamps_s": stamps_s, "phases_rad": phases_rad}
    for name, values in named.items():
        if values.ndim != 1 or len(values) < 2 or values.shape != stamps_s.shape:
            raise ValueError(f"{name} {values.shape} must be (n,), n ≥ 2, one for each pulse")
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds values that are not finite")
    if np.any(np.diff(stamps_s) <= 0):
        raise ValueError("stamps_s are out of order: each pulse must come after the one before")
    if not 0 <= resolution_s < np.inf:
        raise ValueError(f"resolution_s is {resolution_s}; it must not be negative")


def _outliers(about: Array) -> NDArray[np.intp]:
    centred = np.abs(about - np.median(about))
    # The ninth decile: a lattice or a beat has a median that says little.
    spread = float(np.quantile(centred, 0.9)) / 1.645
    return np.flatnonzero(centred > _OUTLIER_SPREADS * spread) if spread else np.zeros(0, np.intp)


def _lattice(stamps_s: Array, deviation_s: float) -> tuple[float | None, float]:
    """Period of the lattice, if the stamps lie on one, and how closely they do."""
    if not deviation_s:
        return None, 0.0
    count = len(stamps_s)
    local = stamps_s - stamps_s[0]
    longest = np.sqrt(12.0) * deviation_s * _TICK_SPAN[1]
    shortest = np.sqrt(12.0) * deviation_s * _TICK_SPAN[0]
    step_hz = 1 / (_STEPS_PER_RESOLUTION * local[-1])
    places = int(np.ceil((1 / shortest - 1 / longest) / step_hz)) + 1
    if places > _MOST_PERIODS:
        return None, 0.0
    lengths = _mean_vectors(local, 1 / longest, step_hz, places)
    frequency_hz, length = _longest_period(local, lengths, 1 / longest, step_hz)
    # Of so many independent periods, the strongest by chance (Rayleigh's test).
    independent = max(1.0, places / _STEPS_PER_RESOLUTION)
    needed = np.sqrt(np.log(independent / _FALSE_ALARM) / count) + _REGULAR_PULSES_ADD
    found = length > max(_LEAST_CONCENTRATION, min(needed, 0.985))
    return (1 / frequency_hz if found else None), length


def _mean_vectors(local_s: Array, first_hz: float, step_hz: float, places: int) -> Array:
    """|mean of exp(2πj f t_k)| on a grid of frequencies: a product of coarse and fine steps."""
    fine = np.exp(2j * np.pi * np.outer(np.arange(_BLOCK) * step_hz, local_s))
    starts_hz = first_hz + np.arange(0, places, _BLOCK) * step_hz
    parts = [
        np.abs(np.exp(2j * np.pi * np.outer(some, local_s)) @ fine.T).ravel()
        for some in np.array_split(starts_hz, 1 + len(starts_hz) // _BLOCK)
    ]
    lengths: Array = np.concatenate(parts)[:places] / len(local_s)
    return lengths


def _longest_period(
    local_s: Array, lengths: Array, first_hz: float, step_hz: float
) -> tuple[float, float]:
    """Of the lattices that fit best, the one with the longest period.

    Pulses at nearly equal distances q cannot well tell 1/T from 1/T ± m/q. A period somewhat too
    long widens what is concluded from it; one too short would be wrong.
    """
    padded = np.concatenate([[0.0], lengths, [0.0]])
    peaks = (lengths >= padded[:-2]) & (lengths >= padded[2:])
    peaks &= lengths >= lengths.max() - _SCALLOP
    places = np.flatnonzero(peaks)
    # Most likely first; more of them do not change the answer.
    places = places[np.argsort(-lengths[places])][:_MOST_PEAKS]
    found = [_refined(local_s, first_hz + step_hz * int(place), step_hz) for place in places]
    best = max(length for _, length in found)
    least = best - _TOLERANCE * (1 - best) - 1e-12
    return min(pair for pair in found if pair[1] >= least)


def _refined(local_s: Array, frequency_hz: float, step_hz: float) -> tuple[float, float]:
    """Frequency of the longest mean vector near one of the grid, and its length."""
    length = 0.0
    for _ in range(6):
        near = frequency_hz + step_hz * np.linspace(-1, 1, 17)
        lengths = np.abs(np.exp(2j * np.pi * np.outer(near, local_s)).mean(axis=1))
        best = int(np.argmax(lengths))
        frequency_hz, length = float(near[best]), min(float(lengths[best]), 1.0)
        step_hz /= 8
    return frequency_hz, length


def _explained(about: Array, regressors: Array) -> tuple[float, float]:
    """Amplitude of regressors in the residuals, and minus the logarithm of its chance.

    The chance is that of F with so many regressors and many pulses: exp(−χ²/2) for two of them.
    """
    centred = regressors - regressors.mean(axis=0)
    coefficients = np.linalg.lstsq(centred, about, rcond=1e-6)[0]
    left = float(np.sum((about - centred @ coefficients) ** 2))
    whole = float(about @ about)
    freedom = len(about) - 2 - regressors.shape[1]
    if not whole or freedom <= 0:
        return 0.0, 0.0
    # (left/whole)^(freedom/2) is the chance exactly for two regressors, conservative for one.
    return float(np.linalg.norm(coefficients)), float(
        -freedom / 2 * np.log(max(left / whole, 1e-300))
    )
