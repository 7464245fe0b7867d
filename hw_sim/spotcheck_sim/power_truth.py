"""True power and energy of mains and load, in closed form.

With u = √2·Re Σ U_h·exp(jhθ) and i = √2·Re Σ I_k·exp(jkθ) the instantaneous power is

    p = Re Σ_h Σ_k U_h·I_k·exp(j(h+k)θ) + U_h·conj(I_k)·exp(j(h−k)θ),

whose constant part is the mean (active) power Σ U_h·I_h·cos φ_h.
"""

import cmath
import math
from dataclasses import dataclass

import numpy as np

from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.waveform import PHASE_SHIFT_RAD, FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of time over which voltage and current keep their amplitudes."""

    start_s: float
    """Begin, in s of true time; the first segment begins at 0."""
    end_s: float
    """End, in s; infinite for the last."""
    voltage_factor: float
    """Factor of the dips on the voltages."""
    current_factor: float
    """Factor of the load steps on the currents."""

    @property
    def power_factor_on_base(self) -> float:
        """Factor on the base power."""
        return self.voltage_factor * self.current_factor


def power_components(
    voltage: dict[int, complex], current: dict[int, complex]
) -> dict[int, complex]:
    """Complex amplitudes P_m, m ≥ 0, of p = Re Σ P_m·exp(jmθ), in W."""
    components: dict[int, complex] = {0: 0j}
    for h, u in voltage.items():
        for k, i in current.items():
            difference = u * i.conjugate() if h >= k else u.conjugate() * i
            components[h + k] = components.get(h + k, 0j) + u * i
            components[abs(h - k)] = components.get(abs(h - k), 0j) + difference
    components[0] = complex(components[0].real, 0.0)
    return components


class PlantPower:
    """Power and energy that flow through the meter, as functions of true time."""

    def __init__(self, mains: Mains, load: Load, phases: int) -> None:
        """Work out the closed forms for 1 or 3 phases."""
        self.mains = mains
        self.load = load
        self.phases = phases
        self.segments = _segments(mains, load)
        per_phase = [
            power_components(mains.phasors(), load.phasors(phase)) for phase in range(phases)
        ]
        self._base_phase_power_w = tuple(part[0].real for part in per_phase)
        self._base_power_w = sum(self._base_phase_power_w)
        self._ripple = _sum_of_phases(per_phase)
        self._starts = np.array([segment.start_s for segment in self.segments])
        self._factors = np.array([s.power_factor_on_base for s in self.segments])
        mean_gain_j = self._base_power_w * np.diff(self._starts)
        self._mean_energy_j = self._accumulate(mean_gain_j)
        self._mean_gain_j = mean_gain_j
        self._starts_of_filter: dict[float, tuple[FloatArray, FloatArray]] = {}

    def _accumulate(self, gained_j: FloatArray) -> FloatArray:
        """Energy at the begin of each segment, from what the undisturbed load gains in each (J)."""
        return np.concatenate(([0.0], np.cumsum(self._factors[:-1] * gained_j)))

    def segment_index(self, time_s: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        """Number of the segment that each instant lies in."""
        return np.maximum(np.searchsorted(self._starts, time_s, side="right") - 1, 0)

    def phase_power_w(self, time_s: float = 0.0) -> tuple[float, ...]:
        """Mean power of each phase at an instant, in W, export negative."""
        factor = float(self._factors[self.segment_index(np.array([time_s]))[0]])
        return tuple(factor * power for power in self._base_phase_power_w)

    def power_w(self, time_s: float = 0.0) -> float:
        """Mean power of all phases at an instant, in W."""
        return sum(self.phase_power_w(time_s))

    def phase_reactive_power_var(self, time_s: float = 0.0) -> tuple[float, ...]:
        """Fundamental reactive power Q1 of each phase (IEEE 1459), in var, inductive positive."""
        factor = float(self._factors[self.segment_index(np.array([time_s]))[0]])
        voltage = self.mains.phasors()[1]
        return tuple(
            factor * (voltage * self.load.phasors(phase)[1].conjugate()).imag
            for phase in range(self.phases)
        )

    def mean_phase_current_a(self, segment: Segment) -> float:
        """Mean over the phases of the fundamental RMS currents in a segment, in A."""
        factors = self.load.phase_factors[: self.phases]
        mean = sum(abs(factor) for factor in factors) / self.phases
        return self.load.current_a * abs(segment.current_factor) * mean

    def energy_j(self, time_s: FloatArray) -> FloatArray:
        """Energy of the mean power since true time 0 (piecewise linear), in J."""
        index = self.segment_index(time_s)
        gained = self._base_power_w * (time_s - self._starts[index])
        return np.asarray(self._mean_energy_j[index] + self._factors[index] * gained)

    def instantaneous_energy_j(self, time_s: FloatArray) -> FloatArray:
        """∫p dt since true time 0, in J."""
        return self.filtered_energy_j(time_s, 0.0)

    def filtered_energy_j(self, time_s: FloatArray, lag_rad: float) -> FloatArray:
        """∫ of the power behind a first-order filter since true time 0, in J.

        Args:
            time_s: Instants.
            lag_rad: Lag of the filter at twice the mains frequency; 0 is none. Where the load
                steps, the filter starts anew.
        """
        index = self.segment_index(time_s)
        at_starts_j, begun_j = self._at_starts(lag_rad)
        gained = self._base_power_w * (time_s - self._starts[index])
        gained = gained + self.ripple_j(time_s, lag_rad) - at_starts_j[index]
        return np.asarray(begun_j[index] + self._factors[index] * gained)

    def _at_starts(self, lag_rad: float) -> tuple[FloatArray, FloatArray]:
        """Ripple and energy at the begin of each segment, worked out once for each filter."""
        if lag_rad not in self._starts_of_filter:
            ripple_j = self.ripple_j(self._starts, lag_rad)
            begun_j = self._accumulate(self._mean_gain_j + np.diff(ripple_j))
            self._starts_of_filter[lag_rad] = (ripple_j, begun_j)
        return self._starts_of_filter[lag_rad]

    def ripple_j(self, time_s: FloatArray, lag_rad: float = 0.0) -> FloatArray:
        """Alternating part of ∫p dt of the undisturbed load, in J.

        A first-order filter of time constant τ multiplies order m by 1/(1 + jmωτ), with
        tan(lag) = 2ωτ.

        ∫exp(jmθ)dt = exp(jmθ)·[1/(jmω) + ω'/((jm)²·ω³) + …] by repeated partial integration. Two
        terms are kept: without drift they are exact; the next is below 3·(ω'/(mω²))² of the first,
        which is 1e-8 at 1 Hz/s and 50 Hz.
        """
        angle = self.mains.angle_rad(time_s)
        omega = self.mains.angular_frequency_rad_s(time_s)
        drift = 2 * math.pi * self.mains.frequency_drift_hz_per_s
        total = np.zeros(np.shape(time_s))
        for order, unfiltered in self._ripple.items():
            amplitude = unfiltered / complex(1, order / 2 * math.tan(lag_rad))
            turned = order * angle + cmath.phase(amplitude)
            total += abs(amplitude) * np.sin(turned) / (order * omega)
            if drift:
                total -= abs(amplitude) * np.cos(turned) * drift / (order**2 * omega**3)
        return total

    @property
    def ripple_bound_j(self) -> float:
        """Bound of |ripple_j|, in J, at the frequency of time 0 (one tenth added for drift)."""
        omega = 2 * math.pi * self.mains.frequency_hz
        return 1.1 * sum(
            abs(amplitude) / (order * omega) for order, amplitude in self._ripple.items()
        )

    @property
    def highest_ripple_order(self) -> int:
        """Highest multiple of the mains frequency in the power, at least 1."""
        return max(self._ripple, default=1)


def _sum_of_phases(per_phase: list[dict[int, complex]]) -> dict[int, complex]:
    """Alternating components of the total power; what cancels between phases is left out."""
    total: dict[int, complex] = {}
    largest = 0.0
    for phase, components in enumerate(per_phase):
        for order, amplitude in components.items():
            shift = order * PHASE_SHIFT_RAD[phase]
            turned = amplitude * complex(math.cos(shift), math.sin(shift))
            total[order] = total.get(order, 0j) + turned
            largest = max(largest, abs(amplitude))
    return {m: p for m, p in total.items() if m > 0 and abs(p) > 1e-14 * largest}


def _segments(mains: Mains, load: Load) -> tuple[Segment, ...]:
    """Stretches between the steps of voltage and current, from true time 0 on."""
    voltage, current = mains.envelope(), load.envelope()
    steps = {start for start in (*voltage.starts_s, *current.starts_s) if start > 0}
    starts = sorted({0.0, *steps})
    voltage_factors = voltage.at(np.array(starts))
    current_factors = current.at(np.array(starts))
    return tuple(
        Segment(start_s=start, end_s=end, voltage_factor=float(u), current_factor=float(i))
        for start, end, u, i in zip(
            starts, [*starts[1:], math.inf], voltage_factors, current_factors, strict=True
        )
    )
