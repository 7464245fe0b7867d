"""Energy per pulse without asking for the meter's filter: the classic gate and the plain line."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Numbers = NDArray[np.int64]


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


def gate(energies: Array, numbers: Numbers | None = None) -> float:
    """Energy per pulse of the gate from the first to the last pulse.

    Args:
        energies: (n,) register readings at pulses, n ≥ 2.
        numbers: (n,) numbers of the pulses, rising; 0, 1, 2, … where not given.
    """
    _refuse_too_few(energies)
    steps = len(energies) - 1 if numbers is None else int(numbers[-1] - numbers[0])
    return float((energies[-1] - energies[0]) / steps)


def least_squares_line(energies: Array, numbers: Numbers | None = None) -> PulseLine:
    """The line through (number, energy).

    Args:
        energies: (n,) register readings at pulses, n ≥ 2.
        numbers: (n,) numbers of the pulses, rising; 0, 1, 2, … where not given.

    Returns:
        Slope with its standard deviation from the residuals (ordinary least squares).

    Raises:
        ValueError: fewer than two pulses.
    """
    _refuse_too_few(energies)
    count = len(energies)
    k = np.arange(count) - (count - 1) / 2
    if numbers is not None:
        k = numbers - np.mean(numbers)
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
