"""Register readings at the pulses of a meter, and a line through them for any filter it may have.

A meter lets a pulse go when the energy it counted, E(t) + Σ c·ripple(t), reaches the next whole
number of quanta. For coefficients c of its filter the line y + Σ c·ripple = a + b·k is fitted by
weighted least squares; a stamp that is late by δ moves the energy by p(t)·δ, so each pulse weighs
by the power counted at its moment. (Unweighted, a meter that pulsates at power factor 1 would
lose a factor √2.5: its pulses come when its power is high.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.pulses.pulse_ripple import RippleAtPulses

Array = NDArray[np.float64]

_LEAST_POWER_SHARE = 0.05
"""Power below this part of the mean says no more of a pulse's moment: there the reference's own
ripple must be right to better than the stamps are."""
_VANISHING_POWER_SHARE = 0.005
"""Power below this part of the mean makes a single pulse no more improbable."""
_IMMATERIAL = 0.1
"""Ripple below this part of a stamp's scatter changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StampNoise:
    """What is known of the stamps' scatter before the pulses are looked at.

    It counts as that many earlier observations: a scaled inverse chi-square prior of the variance.
    """

    standard_deviation_s: float
    """Standard deviation of one stamp, in s."""
    degrees_of_freedom: float
    """How many observations it is worth; 0 for nothing, `math.inf` for known exactly."""
    register_j: float = 0.0
    """Standard deviation of one register reading apart from the stamp, in J."""
    resolution_s: float = 0.0
    """Step that stamps are rounded to, in s, where it is known. Its variance is part of
    `standard_deviation_s`; but rounding may keep step with the pulses, and then it is a bound and
    no scatter."""

    def __post_init__(self) -> None:
        for name in ("standard_deviation_s", "degrees_of_freedom", "register_j", "resolution_s"):
            value = getattr(self, name)
            if not value >= 0:
                raise ValueError(f"{name} is {value}; it must not be negative")
        if np.isinf(self.standard_deviation_s) or np.isinf(self.register_j):
            raise ValueError("the noise of a stamp and of a register reading must be finite")
        if self.resolution_s > (1 + 1e-9) * np.sqrt(12) * self.standard_deviation_s:
            raise ValueError(
                f"standard_deviation_s is {self.standard_deviation_s:g}; stamps in steps of "
                f"resolution_s = {self.resolution_s:g} scatter by a √12th of it at least"
            )

    @property
    def besides_rounding_s(self) -> float:
        """Standard deviation of a stamp without its rounding, in s."""
        return float(np.sqrt(max(self.standard_deviation_s**2 - self.resolution_s**2 / 12, 0.0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseEnergies:
    """Register readings at the pulses of one meter, and what its ripple may be."""

    smoothed_j: Array
    """(n,) readings free of ripple, in J."""
    power_w: Array
    """(n,) mean power at the pulses, in W; of either sign, never 0."""
    ripple: RippleAtPulses | None
    """Ripple of the running energy; None where there is none (a balanced load)."""
    numbers: Array | NDArray[np.int64] | None = None
    """(n,) rising number of each pulse where some are missing; None: 0, 1, 2, …."""

    def __post_init__(self) -> None:
        count = len(self.smoothed_j)
        if count < 2:
            raise ValueError(f"{count} pulses make no energy; two are needed")
        numbers = np.zeros(0) if self.numbers is None else self.numbers
        for name, values in (("smoothed_j", self.smoothed_j), ("power_w", self.power_w)):
            if values.shape != (count,) or not np.all(np.isfinite(values)):
                raise ValueError(f"{name} {values.shape} must be ({count},) finite numbers")
        if np.any(self.power_w == 0):
            raise ValueError("power_w is 0 at a pulse: no energy flows, so it has no instant")
        if self.numbers is not None and (numbers.shape != (count,) or np.any(np.diff(numbers) < 1)):
            raise ValueError(
                f"numbers must be ({count},) and rise by 1 or more from pulse to pulse"
            )
        if self.ripple is not None and len(self.ripple.in_phase_j) != count:
            raise ValueError(
                f"ripple is given at {len(self.ripple.in_phase_j)} pulses, the energy at {count}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines through the counted energies, one for each set of coefficients."""

    slopes_j: Array
    """(h,) energy per pulse."""
    slope_variances: Array
    """(h,) variance of each slope for stamps that scatter by 1 s, in J²/s²."""
    squares_s2: Array
    """(h,) weighted sum of squared residuals, in s²."""
    improbability: Array
    """(h,) twice the logarithm by which pulses at moments of no power make a filter improbable:
    its energy stands still there and would explain any stamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeLine:
    """A line together with coefficients that belong to no family of filters."""

    coefficients: Array
    """(2·components,) what the meter counted of each regressor."""
    coefficient_spread: Array
    """(2·components,) their standard deviations for stamps that scatter by 1 s, in 1/s."""
    slope_j: float
    """Energy per pulse."""
    slope_spread: float
    """Standard deviation of it for stamps that scatter by 1 s, in J/s."""
    squares_s2: float
    """Weighted sum of squared residuals, in s²."""


class FilteredLines:
    """Lines through the same pulses, as filters of different coefficients counted them."""

    def __init__(self, pulses: PulseEnergies, noise: StampNoise) -> None:
        """Prepare the regressors.

        Args:
            pulses: Readings at two pulses or more.
            noise: What is known of the stamps beforehand.
        """
        count = len(pulses.smoothed_j)
        self.numbers = np.arange(count, dtype=np.float64)
        if pulses.numbers is not None:
            self.numbers = np.asarray(pulses.numbers - pulses.numbers[0], np.float64)
        self.power_w = pulses.power_w
        self._mean_w = float(np.sqrt(np.mean(pulses.power_w**2)))
        register_s = noise.register_j / self._mean_w
        self.prior_scatter_s = float(np.hypot(noise.standard_deviation_s, register_s))
        self._stamp_share = 1.0
        if self.prior_scatter_s:
            self._stamp_share = (noise.standard_deviation_s / self.prior_scatter_s) ** 2
        self._set_ripple(pulses.ripple)
        # The bulk goes first: the digits are for what is left.
        local = pulses.smoothed_j - pulses.smoothed_j[0]
        self._bulk_j = float(local[-1] / self.numbers[-1])
        self._rest_j = local - self._bulk_j * self.numbers

    def _set_ripple(self, ripple: RippleAtPulses | None) -> None:
        reach_s = 0.0 if ripple is None else ripple.largest_j / self._mean_w
        if ripple is None or reach_s <= _IMMATERIAL * self.prior_scatter_s:
            none = np.zeros((len(self.numbers), 0))
            self.orders = np.zeros(0)
            self._columns, self._powers, self._rates = none, none, none
            return
        self.orders = ripple.orders
        self._columns = ripple.columns()
        self._powers = ripple.power_columns()
        self._rates = ripple.power_rate_columns()

    @property
    def has_ripple(self) -> bool:
        """Whether there is any that could move the line."""
        return self.orders.size > 0

    def lines(self, coefficients: Array, scatter_s: float) -> Lines:
        """Weighted lines.

        Args:
            coefficients: (h, 2·components) of the filters.
            scatter_s: Standard deviation of a stamp as far as known, in s.
        """
        variances = self._variances(coefficients, scatter_s)
        weights = 1 / variances
        rest = self._rest_j + coefficients @ self._columns.T
        total = weights.sum(axis=1, keepdims=True)
        places = self.numbers - (weights @ self.numbers)[:, None] / total
        weighted = weights * places
        spread = np.sum(weighted * places, axis=1)
        slopes = np.sum(weighted * rest, axis=1) / spread
        middle = np.sum(weights * rest, axis=1, keepdims=True) / total
        about = rest - middle - slopes[:, None] * places
        return Lines(
            slopes_j=self._bulk_j + slopes,
            slope_variances=1 / spread,
            squares_s2=np.sum(weights * about**2, axis=1),
            improbability=self._improbability(coefficients, variances),
        )

    def _improbability(self, coefficients: Array, variances: Array) -> Array:
        """From the density of energies to that of stamps, dE = p·dt."""
        power = self.power_w + coefficients @ self._powers.T
        least = (_VANISHING_POWER_SHARE * self._mean_w) ** 2
        found: Array = np.log(variances / (power**2 + least)).sum(axis=1)
        return found

    def counted_j(self, coefficients: Array) -> Array:
        """(n,) energy, but for a constant, as one filter (2·components,) counted it."""
        rest: Array = self._bulk_j * self.numbers + self._rest_j + self._columns @ coefficients
        return rest

    def residuals_s(self, coefficients: Array, slope_j: float, scatter_s: float) -> Array:
        """(n,) by how much each pulse came late against a line of one filter, in s."""
        variances = self._variances(coefficients[None], scatter_s)[0]
        about = self._rest_j + self._columns @ coefficients
        about = about - (slope_j - self._bulk_j) * self.numbers
        about -= np.average(about, weights=1 / variances)
        late: Array = about * (self.power_w + self._powers @ coefficients) / variances
        return late

    def free_line(self, weighing: Array, scatter_s: float) -> FreeLine:
        """The line and the coefficients of no particular filter, by weighted least squares.

        Args:
            weighing: (2·components,) coefficients by whose power the pulses weigh.
            scatter_s: Standard deviation of a stamp as far as known, in s.
        """
        design = np.column_stack([np.ones_like(self.numbers), self.numbers, -self._columns])
        sizes = np.maximum(np.linalg.norm(design, axis=0), np.finfo(np.float64).tiny)
        root = np.sqrt(self._variances(weighing[None], scatter_s)[0])
        scaled = design / sizes / root[:, None]
        inverse = np.linalg.pinv(scaled)
        solution = inverse @ (self._rest_j / root)
        spread = np.sqrt(np.diag(inverse @ inverse.T)) / sizes
        return FreeLine(
            coefficients=(solution / sizes)[2:],
            coefficient_spread=spread[2:],
            slope_j=self._bulk_j + float(solution[1] / sizes[1]),
            slope_spread=float(spread[1]),
            squares_s2=float(np.sum((self._rest_j / root - scaled @ solution) ** 2)),
        )

    def shares(self) -> Array:
        """(2·components,) size of each component's ripple, by the largest of them."""
        half = self.orders.size
        squares = np.mean(self._columns[:, :half] ** 2 + self._columns[:, half:] ** 2, axis=0)
        share = np.sqrt(squares / squares.max())
        return np.concatenate([share, share])

    def _variances(self, coefficients: Array, scatter_s: float) -> Array:
        """(h, n) variance of each counted energy for stamps that scatter by 1 s, in J²/s²."""
        power = self.power_w + coefficients @ self._powers.T
        # To second order: where the power passes through 0 its slope still moves the energy.
        rate = coefficients @ self._rates.T
        stamp = power**2 + (rate * scatter_s) ** 2 / 2
        floor = (_LEAST_POWER_SHARE * self._mean_w) ** 2
        found: Array = self._stamp_share * stamp + (1 - self._stamp_share) * self._mean_w**2 + floor
        return found
