"""What the live views show: immutable values, made by the reader thread, drawn by views."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Waveforms:
    """A moment of all channels, from a rising zero of U1."""

    interval_s: float
    """Time between two points."""
    voltages_v: NDArray[np.float32]
    """(phases, points)."""
    currents_a: NDArray[np.float32]
    """(phases, points)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phasor:
    """One arrow of the phasor diagram."""

    name: str
    """U1 … U3, I1 … I3."""
    magnitude: float
    """RMS, in V or A."""
    phase_deg: float
    """Counter-clockwise; U1 has 0, lag is negative."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Harmonics:
    """Bars of the harmonics view: levels by the fundamental."""

    voltages_percent: NDArray[np.float32]
    """(phases, orders): order 1 first, which is 100."""
    currents_percent: NDArray[np.float32]
    """(phases, orders)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPoint:
    """The meter's error as it stood at one moment."""

    time_s: float
    """Since the first pulse."""
    error_percent: float
    """Error."""
    expanded_uncertainty_percent: float
    """Half width of its 95 % interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningError:
    """The error as it went, against its limits, with the time that is left."""

    points: tuple[ErrorPoint, ...]
    """In order of time."""
    mpe_percent: float | None
    """Limit, ±; None where the rule has none at this load."""
    time_left_s: float | None
    """Time until the verdict is expected; None when nothing is being measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityRow:
    """One line of the quantities table, ready to show."""

    name: str
    """Quantity with its unit."""
    values: tuple[str, ...]
    """One text for each phase, then the total where there is one (empty where not)."""
