"""The mains: fundamental, harmonics, linear drift of frequency, voltage dips."""

import math
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError
from spotcheck_sim.waveform import Envelope, FloatArray, Harmonic, spectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageDip:
    """A dip or interruption on all phases."""

    start_s: float
    """Begin, in s of true time."""
    duration_s: float
    """Length in s; `math.inf` for good."""
    residual_fraction: float
    """Voltage left, as a fraction of the undisturbed one; 0 is an interruption."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mains:
    """A symmetrical supply; u1(t) = √2·Re Σ U_h·exp(jhθ(t)), the other phases at ∓120°."""

    frequency_hz: float = 50.0
    """Frequency of the fundamental at true time 0, in Hz."""
    frequency_drift_hz_per_s: float = 0.0
    """Constant rate of change of the frequency, in Hz/s."""
    voltage_v: float = 220.0
    """RMS phase voltage of the fundamental, in V."""
    harmonics: tuple[Harmonic, ...] = ()
    """Voltage harmonics, against the fundamental voltage."""
    phase_angle0_deg: float = 0.0
    """Angle θ of phase 1's fundamental at true time 0, in degrees."""
    dips: tuple[VoltageDip, ...] = ()
    """Dips in order, not overlapping."""

    def __post_init__(self) -> None:
        if self.frequency_hz <= 0:
            raise ConfigurationError(f"frequency_hz is {self.frequency_hz}; it must be positive")
        if self.voltage_v < 0:
            raise ConfigurationError(f"voltage_v is {self.voltage_v}; 0 means no voltage")

    def angle_rad(self, time_s: FloatArray) -> FloatArray:
        """θ(t) = 2π·(f·t + a·t²/2) + θ0, in rad, for true times in s."""
        turns = (self.frequency_hz + self.frequency_drift_hz_per_s * time_s / 2) * time_s
        return 2 * math.pi * (turns % 1.0) + math.radians(self.phase_angle0_deg)

    def angular_frequency_rad_s(self, time_s: FloatArray) -> FloatArray:
        """dθ/dt in rad/s."""
        return 2 * math.pi * (self.frequency_hz + self.frequency_drift_hz_per_s * time_s)

    def phasors(self) -> dict[int, complex]:
        """RMS voltage phasors of phase 1 by order, in V, without dips."""
        return spectrum(self.voltage_v, 0.0, self.harmonics)

    def envelope(self) -> Envelope:
        """Factor of the dips on every voltage."""
        starts: list[float] = []
        factors = [1.0]
        for dip in self.dips:
            starts.append(dip.start_s)
            factors.append(dip.residual_fraction)
            if math.isfinite(dip.duration_s):
                starts.append(dip.start_s + dip.duration_s)
                factors.append(1.0)
        return Envelope(starts_s=tuple(starts), factors=tuple(factors))
