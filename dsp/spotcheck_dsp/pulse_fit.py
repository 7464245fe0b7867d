"""Energy per pulse: the classic gate, and the least-squares line with its standard deviation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseLine:
    """A line through (pulse number, energy)."""

    energy_per_pulse: float
    """Slope."""
    standard_uncertainty: float
    """Standard deviation of the slope; 0 with two pulses, where nothing is left to judge by."""
    residual: float
    """Standard deviation of the energies about the line."""
    degrees_of_freedom: int
    """Pulses minus two."""


def gate(energies: Array) -> float:
    """Energy per pulse of the gate from the first to the last pulse.

    Args:
        energies: (n,) register readings at consecutive pulses, n ≥ 2.
    """
    _refuse_too_few(energies)
    return float((energies[-1] - energies[0]) / (len(energies) - 1))


def least_squares_line(energies: Array) -> PulseLine:
    """The line through (k, energies[k]).

    Args:
        energies: (n,) register readings at consecutive pulses, n ≥ 2.

    Returns:
        Slope with its standard deviation from the residuals (ordinary least squares).

    Raises:
        ValueError: fewer than two pulses.
    """
    _refuse_too_few(energies)
    count = len(energies)
    k = np.arange(count) - (count - 1) / 2
    spread = float(k @ k)
    # Around the first reading: a register of megajoules must not eat the digits of the slope.
    local = energies - energies[0]
    slope = float(k @ local) / spread
    residuals = local - local.mean() - slope * k
    freedom = count - 2
    residual = float(np.sqrt(residuals @ residuals / freedom)) if freedom else 0.0
    return PulseLine(
        energy_per_pulse=slope,
        standard_uncertainty=residual / float(np.sqrt(spread)),
        residual=residual,
        degrees_of_freedom=freedom,
    )


def _refuse_too_few(energies: Array) -> None:
    if len(energies) < 2:
        raise ValueError(f"{len(energies)} pulses make no energy; two are needed")
