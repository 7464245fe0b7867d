"""Building blocks of periodic waveforms: harmonics as phasors, and piecewise constant envelopes."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import ConfigurationError

FloatArray = NDArray[np.float64]

PHASE_SHIFT_RAD = (0.0, -2 * math.pi / 3, 2 * math.pi / 3)
"""Phase angle of each phase's fundamental against the first (positive sequence)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonic:
    """One harmonic component of a voltage or current."""

    order: int
    """Multiple of the fundamental frequency, from 2."""
    fraction: float
    """RMS value as a fraction of the fundamental's RMS value."""
    phase_deg: float = 0.0
    """Angle α of √2·U·fraction·cos(order·θ + α), in degrees, where u1 = √2·U·cos θ."""

    def __post_init__(self) -> None:
        if self.order < 2:
            raise ConfigurationError(f"harmonic order is {self.order}; 2 is the lowest")


def spectrum(rms: float, angle_rad: float, harmonics: tuple[Harmonic, ...]) -> dict[int, complex]:
    """RMS phasors by order, of x(t) = √2·Re Σ X_h·exp(jhθ).

    Args:
        rms: RMS value of the fundamental, in V or A.
        angle_rad: Angle of the fundamental, in rad.
        harmonics: Components above the fundamental.

    Returns:
        Phasors in V or A RMS; components of equal order add.
    """
    phasors = {1: rms * complex(math.cos(angle_rad), math.sin(angle_rad))}
    for harmonic in harmonics:
        alpha = math.radians(harmonic.phase_deg)
        phasor = rms * harmonic.fraction * complex(math.cos(alpha), math.sin(alpha))
        phasors[harmonic.order] = phasors.get(harmonic.order, 0j) + phasor
    return phasors


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Factor on a waveform that changes in steps."""

    starts_s: tuple[float, ...] = ()
    """Rising instants from which the next factor holds, in s."""
    factors: tuple[float, ...] = (1.0,)
    """Factor before the first instant, then one for each instant."""

    def __post_init__(self) -> None:
        if len(self.factors) != len(self.starts_s) + 1:
            raise ConfigurationError("an envelope needs one factor more than it has steps")
        if any(b <= a for a, b in zip(self.starts_s, self.starts_s[1:], strict=False)):
            raise ConfigurationError(f"steps must follow one another in time: {self.starts_s}")

    def at(self, time_s: FloatArray) -> FloatArray:
        """Factor at each instant (s)."""
        index = np.searchsorted(np.asarray(self.starts_s), time_s, side="right")
        return np.asarray(self.factors)[index]

    def constant_over(self, from_s: float, to_s: float) -> bool:
        """Whether no step lies in the closed interval (s)."""
        return not any(from_s <= start <= to_s for start in self.starts_s)
