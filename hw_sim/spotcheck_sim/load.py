"""The customer's load: a constant-current load with displacement, harmonics and steps."""

import math
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError
from spotcheck_sim.waveform import Envelope, Harmonic, spectrum


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStep:
    """From here on the current is another one."""

    at_s: float
    """Instant in s of true time."""
    current_factor: float
    """Current from then on, as a factor on the load's `current_a`; 0 switches it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A load of constant current: dips of the voltage do not change its current."""

    current_a: float
    """RMS current of the fundamental, in A."""
    power_factor: float = 1.0
    """Displacement factor cos φ1 of the fundamental, −1 to 1; negative is export."""
    lagging: bool = True
    """Whether the current lags the voltage (inductive); False: it leads."""
    harmonics: tuple[Harmonic, ...] = ()
    """Current harmonics; their angles count from the fundamental voltage."""
    steps: tuple[LoadStep, ...] = ()
    """Changes of the current in order of time, on all phases."""
    phase_factors: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Factor on the current of each phase; negative exports on that phase."""

    def __post_init__(self) -> None:
        if not -1.0 <= self.power_factor <= 1.0:
            raise ConfigurationError(f"power_factor is {self.power_factor}; −1 to 1 is possible")
        if self.current_a < 0:
            raise ConfigurationError(f"current_a is {self.current_a}; 0 means no load")

    @property
    def current_angle_rad(self) -> float:
        """Angle of the fundamental current against the voltage, in rad; lag is negative."""
        angle = math.acos(self.power_factor)
        return -angle if self.lagging else angle

    def phasors(self, phase: int = 0) -> dict[int, complex]:
        """RMS current phasors of one phase by order, in A, against that phase's voltage."""
        factor = self.phase_factors[phase]
        base = spectrum(self.current_a, self.current_angle_rad, self.harmonics)
        return {order: factor * phasor for order, phasor in base.items()}

    def envelope(self) -> Envelope:
        """Factor of the steps on every current."""
        return Envelope(
            starts_s=tuple(step.at_s for step in self.steps),
            factors=(1.0, *(step.current_factor for step in self.steps)),
        )
