"""Energy per pulse of a meter with a tick, bounded by sets instead of fitted.

A meter that looks at its register every T lets a pulse go at the first tick after the register
held enough: E(t_k − T) < a + b·k ≤ E(t_k), or the largest E within that tick. Each pair of pulses
i < j then bounds the slope,

    (E(t_j − T) − E(t_i)) / (j − i) < b < (E(t_j) − E(t_i − T)) / (j − i),

and the slopes that all pairs allow are exactly those for which a line exists (Helly's theorem on
the intervals of a). The bounds close like 1/n² where least squares gains 1/n^1.5, and they hold
where the pulses keep step with the tick and no residual shows it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.pulses.filtered_lines import PulseEnergies
from spotcheck_dsp.pulses.pulse_ripple import PULSATING_RAD, SMOOTHED_RAD, first_order_coefficients

Array = NDArray[np.float64]

_MOST_PULSES = 100
"""Of each end of a long train: the pairs far apart bound the slope."""
_ANGLES = 91
_INSIDE = 9
"""Instants of one tick at which the register is looked at."""
_ZOOMS = 5
_ZOOM_POINTS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class TickBounds:
    """Slopes that the tick allows."""

    energy_per_pulse_j: float
    """Middle of the bounds, in J."""
    half_width_j: float
    """Half their distance, in J: a bound, not a standard deviation."""
    smoothing_range_deg: tuple[float, float]
    """Smallest and largest lag of the filter, at twice the mains frequency, that were possible."""


def bound_by_tick(
    pulses: PulseEnergies, *, tick_s: float, slack_s: float, smoothing_rad: Array | None = None
) -> TickBounds | None:
    """Bounds of the energy per pulse over all filters of first order.

    Args:
        pulses: Readings at two pulses or more.
        tick_s: Period of the meter's tick, in s, as `analyse_residuals` finds it.
        slack_s: By how much a stamp may be off besides, in s: resolution and jitter, 4 σ or more.
        smoothing_rad: Lags at twice the mains frequency of the filters that are possible, where
            the meter's kind is known; all of first order where not given.

    Returns:
        None where no filter of first order lets every pulse come within one tick: then tick or
        slack is too small, or the filter is none of first order.

    Raises:
        ValueError: a tick that is not positive or a negative slack.
    """
    if not 0 < tick_s < np.inf or not 0 <= slack_s < np.inf:
        raise ValueError(
            f"tick_s is {tick_s} and slack_s is {slack_s}; the tick must be positive, "
            "the slack must not be negative"
        )
    late = _Intervals(pulses, tick_s, slack_s)
    angles = np.array([SMOOTHED_RAD])
    if pulses.ripple is not None:
        angles = np.linspace(PULSATING_RAD, SMOOTHED_RAD, _ANGLES)
        angles = angles if smoothing_rad is None else smoothing_rad
    tried, bounds = late.around_widest(angles)
    possible = bounds[:, 1] >= bounds[:, 0]
    if not possible.any():
        return None
    low, high = float(bounds[possible, 0].min()), float(bounds[possible, 1].max())
    degrees = np.degrees(tried[possible])
    return TickBounds(
        energy_per_pulse_j=late.bulk_j + (low + high) / 2,
        half_width_j=(high - low) / 2,
        smoothing_range_deg=(
            (0.0, 90.0) if pulses.ripple is None else (float(degrees.min()), float(degrees.max()))
        ),
    )


class _Intervals:
    """Between which counted energies each pulse was due, for any filter."""

    def __init__(self, pulses: PulseEnergies, tick_s: float, slack_s: float) -> None:
        count = len(pulses.smoothed_j)
        keep = np.arange(count)
        if count > 2 * _MOST_PULSES:
            keep = np.concatenate([keep[:_MOST_PULSES], keep[-_MOST_PULSES:]])
        numbers = keep.astype(np.float64) if pulses.numbers is None else pulses.numbers[keep] * 1.0
        energies = pulses.smoothed_j[keep] - pulses.smoothed_j[0]
        power = pulses.power_w[keep]
        # Of export the register runs down; mirrored, it runs up.
        self._sign = 1.0 if energies[-1] >= 0 else -1.0
        self.bulk_j = float(energies[-1] / (numbers[-1] - numbers[0]))
        rest = energies - self.bulk_j * (numbers - numbers[0])
        self._distance = numbers[None, :] - numbers[:, None]
        self._orders = np.zeros(0) if pulses.ripple is None else pulses.ripple.orders
        self._curvature_j = np.zeros(len(keep))
        # First the instant before the lattice's interval, then the interval itself: where the
        # power runs backwards the register may have been full in its midst only.
        shifts = [-tick_s - slack_s, *np.linspace(-tick_s - slack_s, slack_s, _INSIDE)]
        self._readings = []
        for shift in shifts:
            columns = np.zeros((len(keep), 0))
            if pulses.ripple is not None:
                turn = pulses.ripple.orders * pulses.ripple.angular_frequency_rad_s * shift
                ripple = pulses.ripple.in_phase_j[keep] + 1j * pulses.ripple.quadrature_j[keep]
                turned = ripple * np.exp(1j * turn)
                columns = np.hstack([turned.real, turned.imag])
            self._readings.append((rest + power * shift, columns))
        if pulses.ripple is not None:
            # What a crest may rise between two of these instants.
            half = (tick_s + 2 * slack_s) / (_INSIDE - 1) / 2
            turning = pulses.ripple.orders * pulses.ripple.angular_frequency_rad_s
            self._curvature_j = np.abs(ripple) @ turning**2 * half**2 / 2

    def bounds(self, angle_rad: float) -> tuple[float, float]:
        """Lowest and highest slope, above the bulk, for one filter."""
        coefficients = first_order_coefficients(self._orders, np.array([angle_rad]))[0]
        counted = [self._sign * (rest + c @ coefficients) for rest, c in self._readings]
        first, last = counted[0], np.max(counted[1:], axis=0) + self._curvature_j
        after = self._distance > 0
        gaps = np.where(after, self._distance, 1.0)
        low = np.where(after, (first[None, :] - last[:, None]) / gaps, -np.inf).max()
        high = np.where(after, (last[None, :] - first[:, None]) / gaps, np.inf).min()
        return (float(low), float(high)) if self._sign > 0 else (-float(high), -float(low))

    def around_widest(self, coarse: Array) -> tuple[Array, Array]:
        """Angles tried, and (tried, 2) their bounds: the coarse ones, then around the best."""
        tried = list(coarse)
        bounds = [self.bounds(angle) for angle in tried]
        step = float(coarse[1] - coarse[0]) if len(coarse) > 1 else 0.0
        for _ in range(_ZOOMS if step else 0):
            best = tried[int(np.argmax([high - low for low, high in bounds]))]
            near = np.clip(
                best + step * np.linspace(-1, 1, _ZOOM_POINTS), PULSATING_RAD, SMOOTHED_RAD
            )
            tried.extend(near)
            bounds.extend(self.bounds(angle) for angle in near)
            step /= 3
        return np.array(tried), np.array(bounds)
