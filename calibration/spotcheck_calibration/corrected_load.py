"""Correction applied to slot sums and components: from codes to watts, volts and amperes.

Gain and offset scale the sums. A lag β of the current against its voltage turns P into
P·cos β + Q·sin β, and Q comes from the lagged sums: Σ(u[n]i[n−1] − u[n−1]i[n]) of sinusoids is
−2·sin ω per unit of Q. What that leaves of harmonics, their demodulated components add
(`components`); phasors come from them too. Evidence without components is corrected to first order
for harmonics, and its phasors come from the means of slots, onto which the 19th and 21st fold.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import Components
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.pulse_energy import Pulsation
from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.mains_tracking import MainsTrack, SlotGrid, phasors, track_mains
from spotcheck_dsp.pulses.pulse_ripple import RippleAtPulses, power_components
from spotcheck_dsp.slot_sums import II, LAG_DIFFERENCE, UI, UU, I, Slots, U

Array = NDArray[np.float64]
_STABILITY_STEP_S = 0.25
_WINDOWS_AWAY = 2.0
"""The last pulse comes up to 0.37 s after the last window that is known for certain by then."""
_LEAST_POWER = 0.05
"""Part of the largest mean power that a pulse weighs by at least."""
_MATERIAL_RIPPLE = 1e-4
"""Part of S/(2ω) below which a component of the ripple moves no pulse by a microsecond."""


class CorrectedLoad:
    """Corrected quantities over a run of slots of one stream."""

    def __init__(
        self, slots: Slots, *, first_slot: int, slot_length: int, stream: StreamFormat,
        correction: CorrectionSet, components: Components | None = None,
    ) -> None:  # fmt: skip
        """Correct a run of slots.

        Args:
            slots: (slots, phases, 6) exact sums.
            first_slot: Number of the first slot.
            slot_length: Samples per slot.
            stream: Rate, phases and ranges.
            correction: The instrument's correction set.
            components: Demodulated components of the same time, where there are any.

        Raises:
            CorrectionSetError: a range was not calibrated.
            ValueError: too short, or no mains in the voltage.
        """
        phases = range(1, stream.phases + 1)
        self._u = [correction.voltage(phase, stream) for phase in phases]
        self._i = [correction.current(phase, stream) for phase in phases]
        self.rate_hz = stream.sample_rate_hz * (1 + correction.sample_rate_relative_error.value)
        self._grid = SlotGrid(
            first_slot=first_slot, slot_length=slot_length, sample_rate_hz=self.rate_hz
        )
        self._lag_hz = correction.nominal_frequency_hz
        self._u_gain = np.array([c.gain_v_per_code.value for c in self._u])
        self._i_gain = np.array([c.gain_a_per_code.value for c in self._i])
        self._u_offset = np.array([c.offset_codes.value for c in self._u])
        self._i_offset = np.array([c.offset_codes.value for c in self._i])
        self._slots = slots
        self._length = slot_length
        self._components = components
        strongest = int(np.argmax(self._square_u().sum(axis=0)))
        self.track: MainsTrack = track_mains(
            self._slots[:, strongest, U] / slot_length - self._u_offset[strongest], self._grid
        )
        # Columns: power of each phase, their total, U² and I² of each phase; integrals in s.
        power = self._power()
        columns = np.hstack(
            [power, power.sum(axis=1, keepdims=True), self._square_u(), self._square_i()]
        )
        self._register = EnergyRegister(
            first_slot=first_slot, slot_length=slot_length, columns=columns.shape[1]
        )
        self._register.extend(columns / self.rate_hz)
        self._phases = stream.phases

    def energy_j(self, samples: Array) -> Array:
        """(n,) total energy at instants, free of ripple."""
        cycles = self.track.cycle_samples(samples, self.rate_hz)
        return self._register.read(samples, cycles)[:, self._phases]

    def energy_with_ripple_j(self, samples: Array) -> Array:
        """(n,) total energy at instants as a meter without any smoothing would count it."""
        return self._register.read_unfiltered(samples)[:, self._phases]

    def pulsation(self, samples: Array) -> Pulsation | None:
        """Mean power at instants, and what its pulsation adds to the energy, in components.

        Phasors of the window in which an instant lies give p = Re Σ P_m·exp(jmθ), and the energy
        ripples by Re Σ P_m·exp(jmθ)/(jmω).

        Returns:
            None without components near every instant, or where nothing pulsates or flows.
        """
        components = self._components
        if components is None or not np.all(components.near(samples, _WINDOWS_AWAY)):
            return None
        windows, of = np.unique(components.at(samples), return_inverse=True)
        direct = self._direct_parts()
        phasors = components.phasors[windows]
        power = np.array([self._power_components(raw, direct) for raw in phasors])[of]
        phase_rad, rate_rad = components.mains_phase(samples)
        orders = np.arange(1, power.shape[1])
        omega = rate_rad * self.rate_hz
        energy = power[:, 1:] / (1j * orders * omega[:, None])
        # Of balanced phases nothing is left but rounding.
        material = np.abs(energy).max(axis=0) > _MATERIAL_RIPPLE * self._ripple_scale_j(phasors)
        if not material.any() or np.max(power[:, 0].real) <= 0:
            return None
        turned = energy[:, material] * np.exp(1j * np.outer(phase_rad, orders[material]))
        mean_w = power[:, 0].real
        return Pulsation(
            # Only weighs the pulses: one of no power would weigh without bound.
            power_w=np.maximum(mean_w, _LEAST_POWER * float(np.max(mean_w))),
            ripple=RippleAtPulses(
                in_phase_j=turned.real,
                quadrature_j=turned.imag,
                orders=orders[material].astype(np.float64),
                angular_frequency_rad_s=float(np.mean(omega)),
            ),
        )

    def _power_components(
        self, raw: NDArray[np.complex128], direct: tuple[Array, Array]
    ) -> NDArray[np.complex128]:
        """P_m of all phases from the (channels, orders) phasors of one window, in codes."""
        order = np.arange(1, raw.shape[1] + 1)
        u = raw[::2] * self._u_gain[:, None]
        i = raw[1::2] * self._i_gain[:, None] * np.exp(1j * np.outer(self._extra_lag_rad(), order))
        found = power_components(u, i)
        # u = U₀ + √2·Re ΣU_h·exp(jhθ): a direct part turns a harmonic of the other into power.
        u_direct, i_direct = direct
        found[order] += np.sqrt(2) * (u_direct @ i + i_direct @ u)
        return found

    def _ripple_scale_j(self, phasors: NDArray[np.complex128]) -> float:
        """S/(2ω) of all phases, arithmetically: the ripple that they would make one by one."""
        raw = np.abs(phasors[:, :, 0])
        apparent_va = np.sum(raw[:, ::2] * self._u_gain * raw[:, 1::2] * self._i_gain, axis=1)
        return float(np.max(apparent_va)) / (4 * np.pi * self.track.mean_hz)

    def _direct_parts(self) -> tuple[Array, Array]:
        """Direct voltage and current of each phase over all slots, under a window that ends in 0.

        A plain mean would hold what is left of a cycle at its ends.
        """
        weights = np.blackman(len(self._slots))
        weights /= weights.sum() * self._length
        u = (weights @ self._slots[:, :, U].astype(np.float64) - self._u_offset) * self._u_gain
        i = (weights @ self._slots[:, :, I].astype(np.float64) - self._i_offset) * self._i_gain
        return u, i

    @property
    def readable_samples(self) -> tuple[float, float]:
        """Earliest and latest instants at which energies can be read."""
        longest = self.rate_hz / float(np.min(self.track.frequency_hz))
        return self._register.earliest_sample(longest), self._register.latest_sample(longest)

    def conditions(self, first_sample: float, last_sample: float) -> Conditions:
        """Quantities over an interval.

        Args:
            first_sample: Start; within `readable_samples`.
            last_sample: End, later than the start.
        """
        ends = np.array([first_sample, last_sample])
        readings = self._register.read(ends, self.track.cycle_samples(ends, self.rate_hz))
        means = (readings[1] - readings[0]) * self.rate_hz / (last_sample - first_sample)
        n = self._phases
        turning = self._phasors(first_sample, last_sample)
        return Conditions(
            phases=tuple(
                self._with_distortion(
                    self._phase(p, turning, means[p], means[n + 1 + p], means[2 * n + 1 + p]),
                    p,
                    (first_sample, last_sample),
                )
                for p in range(n)
            ),
            frequency_hz=self._mean_hz(first_sample, last_sample),
            power_instability_percent=self._instability(first_sample, last_sample),
        )

    def _phase(
        self, p: int, turning: NDArray[np.complex128], power: float, uu: float, ii: float
    ) -> PhaseQuantities:
        u, i = turning[:, p], turning[:, self._phases + p]
        frame = turning[:, 0] / np.maximum(np.abs(turning[:, 0]), 1e-12)
        u1, i1 = np.mean(u * np.conj(frame)), np.mean(i * np.conj(frame))
        u1_squared = float(np.mean(np.abs(u) ** 2))
        i1_squared = float(np.mean(np.abs(i) ** 2))
        return PhaseQuantities(
            u_v=float(np.sqrt(max(uu, 0.0))),
            i_a=float(np.sqrt(max(ii, 0.0))),
            p_w=float(power),
            q1_var=float(np.mean(u * np.conj(i)).imag),
            u_phase_deg=float(np.degrees(np.angle(u1))),
            i_phase_deg=float(np.degrees(np.angle(i1))),
            thd_u_percent=_total_distortion_percent(uu, u1_squared),
            thd_i_percent=_total_distortion_percent(ii, i1_squared),
        )

    def _with_distortion(
        self, quantities: PhaseQuantities, p: int, span: tuple[float, float]
    ) -> PhaseQuantities:
        """Distortion of the windows themselves: RMS and fundamental are not of the same time."""
        if self._components is None:
            return quantities
        distortion = self._components.distortion_percent(self._components.within(*span))
        return replace(
            quantities,
            thd_u_percent=float(distortion[2 * p]),
            thd_i_percent=float(distortion[2 * p + 1]),
        )

    def _mean_hz(self, first_sample: float, last_sample: float) -> float:
        if self._components is None:
            return self.track.mean_hz
        windows = self._components.within(first_sample, last_sample)
        return self._components.mean_hz(self.rate_hz, windows)

    def _phasors(self, first_sample: float, last_sample: float) -> NDArray[np.complex128]:
        """Corrected phasors over an interval: (n, u of each phase then i of each phase)."""
        if self._components is not None:
            windows = self._components.within(first_sample, last_sample)
            raw = self._components.phasors[windows, :, 0]
            turn = np.exp(1j * self._extra_lag_rad())
            return np.hstack([raw[:, ::2] * self._u_gain, raw[:, 1::2] * self._i_gain * turn])
        low, high = self.readable_samples
        low, high = max(low, first_sample), min(high, last_sample)
        count = min(400, 1 + int((high - low) / (0.1 * self.rate_hz)))
        centres = np.linspace(low, high, max(2, count))
        u = (self._slots[:, :, U] / self._length - self._u_offset) * self._u_gain
        i = (self._slots[:, :, I] / self._length - self._i_offset) * self._i_gain
        found = phasors(np.hstack([u, i]), self._grid, centres, self.track.mean_hz)
        found[:, self._u_gain.size :] *= np.exp(1j * self._extra_lag_rad())
        return found

    def _extra_lag_rad(self) -> Array:
        """Lag of each current against its voltage that the instrument adds, at the fundamental."""
        skew = np.array([c.skew_s.value for c in self._i])
        lag = np.array([c.phase_lag_rad.value for c in self._i])
        return lag * self.track.mean_hz / self._lag_hz + 2 * np.pi * self.track.mean_hz * skew

    def _power(self) -> Array:
        """(slots, phases) sum of corrected power over the samples of each slot, in W."""
        s = self._slots
        products = (
            s[:, :, UI]
            - self._u_offset * s[:, :, I]
            - self._i_offset * s[:, :, U]
            + self._length * self._u_offset * self._i_offset
        )
        lag = self._extra_lag_rad()
        omega = 2 * np.pi * self.track.mean_hz / self.rate_hz
        turned = (
            np.cos(lag) * products - np.sin(lag) / (2 * np.sin(omega)) * s[:, :, LAG_DIFFERENCE]
        )
        if self._components is not None:
            lacking = self._components.power_correction(lag, omega)
            centres = self._grid.centres(len(s))
            near = self._components.near(centres)[:, None]
            turned += self._length * near * lacking[self._components.at(centres)]
        power: Array = turned * (self._u_gain * self._i_gain)
        return power

    def _square_u(self) -> Array:
        s, o = self._slots, self._u_offset
        square: Array = (s[:, :, UU] - 2 * o * s[:, :, U] + self._length * o**2) * self._u_gain**2
        return square

    def _square_i(self) -> Array:
        s, o = self._slots, self._i_offset
        square: Array = (s[:, :, II] - 2 * o * s[:, :, I] + self._length * o**2) * self._i_gain**2
        return square

    def _instability(self, first_sample: float, last_sample: float) -> float | None:
        step = _STABILITY_STEP_S * self.rate_hz
        instants = np.arange(first_sample, last_sample, step)
        if len(instants) < 3:
            return None
        power = np.diff(self.energy_j(instants))
        mean = float(np.mean(power))
        return float(100 * np.std(power, ddof=1) / abs(mean)) if mean else None


def _total_distortion_percent(square: float, fundamental_square: float) -> float:
    if fundamental_square <= 0:
        return 0.0
    return float(100 * np.sqrt(max(square / fundamental_square - 1.0, 0.0)))
