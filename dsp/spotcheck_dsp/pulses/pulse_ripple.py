"""Ripple of the energy at the pulses, and what meters of every kind count of it.

The power of a phase pulsates, mostly at twice the mains frequency. A meter counts the power
through some filter before it lets a pulse go. With p = Re Σ P_m·exp(jmθ) the energy ripples by
Re Σ P_m·exp(jmθ)/(jmω), θ being the tracked phase of the mains, never 2πft. A first-order filter
of the time constant τ multiplies each component by 1/(1 + jmωτ) = cos β·exp(−jβ): τ = 0 is the
meter that pulsates, τ → ∞ the one that smooths. All of them lie on a half circle, run through by
one angle, β at twice the mains frequency.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

PULSATING_RAD = 0.0
"""Smoothing angle of a meter without any filter."""
SMOOTHED_RAD = np.pi / 2
"""Smoothing angle of a meter that counts the mean power."""
_NEGLIGIBLE = 1e-12
"""Part of the largest component below which one is rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RippleAtPulses:
    """Components of the running energy's ripple at the stamps."""

    in_phase_j: Array
    """(n, components) what a meter without a filter counts, in J."""
    quadrature_j: Array
    """(n, components) the same delayed by a quarter of each component's own period, in J."""
    orders: Array
    """(components,) multiples of the mains frequency."""
    angular_frequency_rad_s: float
    """2π times the mains frequency, in rad/s."""

    def __post_init__(self) -> None:
        if self.in_phase_j.ndim != 2 or self.in_phase_j.shape != self.quadrature_j.shape:
            raise ValueError(
                f"in_phase_j {self.in_phase_j.shape} and quadrature_j {self.quadrature_j.shape} "
                "must both be (pulses, components)"
            )
        if self.orders.shape != (self.in_phase_j.shape[1],) or not np.all(self.orders > 0):
            raise ValueError(
                f"orders {self.orders.tolist()} must name one positive multiple of the mains "
                f"frequency for each of {self.in_phase_j.shape[1]} components"
            )
        if not (np.all(np.isfinite(self.in_phase_j)) and np.all(np.isfinite(self.quadrature_j))):
            raise ValueError("in_phase_j or quadrature_j holds values that are not finite")
        if not 0 < self.angular_frequency_rad_s < np.inf:
            raise ValueError(
                f"angular_frequency_rad_s is {self.angular_frequency_rad_s}; it must be positive"
            )

    @property
    def largest_j(self) -> float:
        """Bound of what any meter counts of it, at any pulse."""
        sizes = np.hypot(self.in_phase_j, self.quadrature_j).sum(axis=1)
        return float(sizes.max(initial=0.0))

    def at(self, pulses: NDArray[np.int64]) -> "RippleAtPulses":
        """The same at some of the stamps."""
        return replace(
            self, in_phase_j=self.in_phase_j[pulses], quadrature_j=self.quadrature_j[pulses]
        )

    def columns(self) -> Array:
        """(n, 2·components) regressors: in phase, then in quadrature."""
        return np.hstack([self.in_phase_j, self.quadrature_j])

    def power_columns(self) -> Array:
        """(n, 2·components) rates of change of the regressors, in W."""
        turning = self.orders * self.angular_frequency_rad_s
        return np.hstack([-turning * self.quadrature_j, turning * self.in_phase_j])

    def power_rate_columns(self) -> Array:
        """(n, 2·components) rates of change of the power columns, in W/s."""
        turning = self.orders * self.angular_frequency_rad_s
        return -np.hstack([turning**2, turning**2]) * self.columns()


def power_components(voltages: Complex, currents: Complex) -> Complex:
    """Amplitudes P_m of p = Re Σ P_m·exp(jmθ), summed over the phases.

    From u = √2·Re Σ U_h·exp(jhθ) and the same for i: P_m collects U_h·I_k for h + k = m and
    U_h·conj(I_k) for h − k = m.

    Args:
        voltages: (phases, orders) RMS phasors of orders 1, 2, …, in the frame of one θ, in V.
        currents: (phases, orders) of the currents, in A.

    Returns:
        (2·orders + 1,) in W; element 0 is the mean power.

    Raises:
        ValueError: shapes that differ or are not (phases, orders).
    """
    if voltages.ndim != 2 or voltages.shape != currents.shape:
        raise ValueError(
            f"voltages {voltages.shape} and currents {currents.shape} must both be (phases, orders)"
        )
    count = voltages.shape[1]
    found = np.zeros(2 * count + 1, np.complex128)
    for u, i in zip(voltages, currents, strict=True):
        found[2:] += np.convolve(u, i)
        differences = np.convolve(u, np.conj(i[::-1]))  # element count−1+d holds h − k = d
        found[0] += differences[count - 1].real
        found[1:count] += differences[count:] + np.conj(differences[: count - 1][::-1])
    return found


def ripple_at_pulses(components: Complex, phases_rad: Array, frequency_hz: float) -> RippleAtPulses:
    """Ripple of the running energy at stamps whose mains phase is known.

    Args:
        components: (orders + 1,) amplitudes P_m in W, as `power_components` gives them.
        phases_rad: (n,) tracked phase θ of the mains at the stamps.
        frequency_hz: Mains frequency.

    Returns:
        The components that are not rounding of the largest; one of zeros where there is none.

    Raises:
        ValueError: a frequency that is not positive.
    """
    if not 0 < frequency_hz < np.inf:
        raise ValueError(f"frequency_hz is {frequency_hz}; it must be positive")
    sizes = np.abs(components)
    alternating = np.flatnonzero(sizes[1:] > _NEGLIGIBLE * sizes.max(initial=0.0)) + 1
    orders = alternating if alternating.size else np.array([2])
    omega = 2 * np.pi * frequency_hz
    energy = components[orders] / (1j * orders * omega) if alternating.size else np.zeros(1)
    turned = energy * np.exp(1j * np.outer(phases_rad, orders))
    return RippleAtPulses(
        in_phase_j=turned.real,
        quadrature_j=turned.imag,
        orders=orders.astype(np.float64),
        angular_frequency_rad_s=omega,
    )


def first_order_coefficients(orders: Array, smoothing_rad: Array) -> Array:
    """What first-order filters let through, as coefficients of the regressors.

    Args:
        orders: (components,) multiples of the mains frequency.
        smoothing_rad: (h,) lag at twice the mains frequency: 0 pulsates, π/2 smooths.

    Returns:
        (h, 2·components) cos²β for the columns in phase, then sin β·cos β for those in quadrature.
    """
    pull = np.cos(smoothing_rad)[:, None]
    lag = np.sin(smoothing_rad)[:, None] * orders / 2
    size = pull**2 + lag**2
    return np.hstack([pull**2 / size, pull * lag / size])
