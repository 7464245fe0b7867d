"""An instrument and a mains made from their formulas, independently of simulator and correction.

Channel n of a phase shows rint(x(t_n)/gain + offset); a current channel shows its signal later by
lag/(2π·50 Hz) + skew. Everything here is NumPy and closed form.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from spotcheck.evidence import Evidence, EvidenceHead
from spotcheck.meter import AccuracyClass, Meter, MeterConstant, PulseOutput
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse, PulseTrain
from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import Components
from spotcheck_calibration.correction_set import (
    CorrectionSet,
    CurrentCorrection,
    UncertainValue,
    VoltageCorrection,
)
from spotcheck_dsp.mains_stream import MainsStream
from spotcheck_dsp.slot_sums import slot_sums_reference

Array = NDArray[np.float64]
RATE_HZ, SLOT = 8000, 8
SHIFTS_RAD = (0.0, -2 * np.pi / 3, 2 * np.pi / 3)
Spectrum = dict[int, tuple[float, float]]
"""RMS value and phase of each order; a positive phase leads."""


def exact(value: float, relative_u: float = 0.0, absolute_u: float = 0.0) -> UncertainValue:
    return UncertainValue(value=value, standard_uncertainty=relative_u * abs(value) + absolute_u)


def correction_set() -> CorrectionSet:
    """Three phases with errors of their own, far larger than those of a real instrument."""
    return CorrectionSet(
        instrument="T-1",
        certificate="TEST-1",
        issued_on="2026-01-01",
        valid_until="2026-12-31",
        nominal_frequency_hz=50.0,
        sample_rate_relative_error=exact(120e-6, absolute_u=3e-6),
        reference_standard_relative_error=exact(0.0, absolute_u=25e-6),
        voltages=tuple(
            VoltageCorrection(
                phase=p,
                range_name="U",
                gain_v_per_code=exact(60e-6 * (1 + 0.01 * p), 40e-6),
                offset_codes=exact(1500.0 * p, absolute_u=10.0),
                noise_codes_rms=30.0,
            )
            for p in (1, 2, 3)
        ),
        currents=tuple(
            CurrentCorrection(
                phase=p,
                range_name="C",
                gain_a_per_code=exact(5e-6 * (1 - 0.02 * p), 120e-6),
                offset_codes=exact(-2500.0 * p, absolute_u=10.0),
                noise_codes_rms=40.0,
                phase_lag_rad=exact(0.004 * p, absolute_u=80e-6),
                skew_s=exact(3e-6 * p, absolute_u=20e-9),
            )
            for p in (1, 2, 3)
        ),
        demonstration=True,
    )


@dataclass(frozen=True, kw_only=True)
class Plant:
    """Mains and load of one or three equal phases, all in closed form."""

    u: Spectrum = field(default_factory=lambda: {1: (220.0, 0.0)})
    i: Spectrum = field(default_factory=lambda: {1: (10.0, 0.0)})
    frequency_hz: float = 50.0
    phases: int = 1

    @property
    def stream(self) -> StreamFormat:
        return StreamFormat(
            sample_rate_hz=RATE_HZ, phases=self.phases, voltage_range="U", current_range="C"
        )

    @property
    def omega(self) -> float:
        return 2 * np.pi * self.frequency_hz

    @property
    def power_w(self) -> float:
        """Total active power."""
        both = self.u.keys() & self.i.keys()
        return self.phases * sum(
            self.u[h][0] * self.i[h][0] * np.cos(self.u[h][1] - self.i[h][1]) for h in both
        )

    @property
    def q1_var(self) -> float:
        """Reactive power of the fundamental of one phase."""
        return float(self.u[1][0] * self.i[1][0] * np.sin(self.u[1][1] - self.i[1][1]))

    def signal(self, spectrum: Spectrum, t_s: Array, shift_rad: float) -> Array:
        total = np.zeros_like(t_s)
        for order, (rms, phase) in spectrum.items():
            angle = order * (self.omega * t_s + shift_rad) + phase
            total += np.sqrt(2) * rms * np.cos(angle)
        return total

    def energy_j(self, t_s: Array) -> Array:
        """∫ of the instantaneous power from 0 on: product to sum, term by term."""
        total = self.power_w * t_s
        for shift in SHIFTS_RAD[: self.phases]:
            for h, (u, a) in self.u.items():
                for k, (i, b) in self.i.items():
                    a_s, b_s = a + h * shift, b + k * shift
                    for order, angle in ((h + k, a_s + b_s), (h - k, a_s - b_s)):
                        if order:
                            rate = order * self.omega
                            total = (
                                total + u * i * (np.sin(rate * t_s + angle) - np.sin(angle)) / rate
                            )
        return total

    def codes(self, first_sample: int, count: int, correction: CorrectionSet) -> NDArray[np.int32]:
        """What the converter delivers."""
        rate = RATE_HZ * (1 + correction.sample_rate_relative_error.value)
        t_s = (first_sample + np.arange(count)) / rate
        channels = []
        for p in range(self.phases):
            v, c = correction.voltage(p + 1, self.stream), correction.current(p + 1, self.stream)
            u = self.signal(self.u, t_s, SHIFTS_RAD[p])
            late_s = c.phase_lag_rad.value / (2 * np.pi * 50) + c.skew_s.value
            i = self.signal(self.i, t_s - late_s, SHIFTS_RAD[p])
            channels.append(u / v.gain_v_per_code.value + v.offset_codes.value)
            channels.append(i / c.gain_a_per_code.value + c.offset_codes.value)
        return np.rint(np.stack(channels, axis=1)).astype("<i4")

    def slots(self, seconds: float, correction: CorrectionSet) -> NDArray[np.int64]:
        return slot_sums_reference(self.codes(0, int(seconds * RATE_HZ), correction), SLOT)

    def components(self, seconds: float, correction: CorrectionSet) -> Components:
        """What the device demodulates of the codes from sample 0 on."""
        stream = MainsStream(phases=self.phases, sample_rate_hz=RATE_HZ)
        spectra = stream.add(self.codes(0, int(seconds * RATE_HZ), correction)).spectra
        return Components(
            cycles=10,
            starts=np.array([s.start_sample for s in spectra]),
            ends=np.array([s.end_sample for s in spectra]),
            phasors=np.stack([s.spectrum.phasors[:, 10::10] for s in spectra]),
        )

    def pulses(
        self,
        meter: Meter,
        error_percent: float,
        seconds: float,
        correction: CorrectionSet,
        *,
        pulsating: bool = False,
        phase: float = 0.37,
    ) -> tuple[Pulse, ...]:
        """Pulses of a meter that counts (1 + error) times the energy since sample 0."""
        per_pulse = float(meter.constant.energy_per_pulse_j) / (1 + error_percent / 100)
        count = int(self.power_w * seconds / per_pulse) + 2
        energies = (np.arange(count) + phase) * per_pulse
        t_s = energies / self.power_w
        if pulsating:
            low, high = t_s - 0.02, t_s + 0.02
            for _ in range(60):
                middle = (low + high) / 2
                late = self.energy_j(middle) > energies
                low, high = np.where(late, low, middle), np.where(late, middle, high)
            t_s = (low + high) / 2
        rate = RATE_HZ * (1 + correction.sample_rate_relative_error.value)
        stamps = np.rint(t_s[t_s < seconds] * rate * STAMP_SUBDIVISION).astype(np.int64)
        return tuple(Pulse(stamp=int(stamp), index=n) for n, stamp in enumerate(stamps))

    def meter(self, constant: str = "3200 imp/kWh") -> Meter:
        return Meter(
            serial="M-1",
            accuracy_class=AccuracyClass.CLASS_1,
            constant=MeterConstant.parse(constant),
            phases=self.phases,
        )

    def evidence(
        self,
        *,
        error_percent: float = 0.0,
        seconds: float = 4.0,
        constant: str = "3200 imp/kWh",
        declared: PulseOutput = PulseOutput.UNKNOWN,
        pulsating: bool = False,
        correction: CorrectionSet | None = None,
    ) -> Evidence:
        """Slots from sample 0 on, and pulses that keep 0.15 s from either end."""
        correction = correction or correction_set()
        meter = replace(self.meter(constant), pulse_output=declared)
        margin = 0.15 * RATE_HZ
        pulses = tuple(
            pulse
            for pulse in self.pulses(meter, error_percent, seconds, correction, pulsating=pulsating)
            if margin <= pulse.sample <= seconds * RATE_HZ - margin
        )
        return Evidence(
            head=EvidenceHead(
                stream=self.stream,
                slot_length=SLOT,
                first_slot=0,
                meter=meter,
                pulses=PulseTrain(pulses=pulses),
            ),
            slot_sums=self.slots(seconds, correction).astype("<i8").tobytes(),
        )


def with_pulses(evidence: Evidence, pulses: tuple[Pulse, ...]) -> Evidence:
    return replace(evidence, head=replace(evidence.head, pulses=PulseTrain(pulses=pulses)))
