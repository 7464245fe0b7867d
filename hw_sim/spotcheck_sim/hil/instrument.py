"""What a bench asks of an instrument, whichever it is, and what the instrument answers."""

from dataclasses import dataclass
from typing import Protocol

from spotcheck.meter import Meter
from spotcheck_sim.bench import BenchConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementOrder:
    """One measurement of a meter."""

    config: BenchConfig
    """The bench as it is simulated; without meaning for real hardware."""
    seed: int
    """Seed of everything random in it."""
    nameplate: Meter
    """The meter as it is entered."""
    start_s: float
    """Stream time from which it measures, in s."""
    minimum_pulses: int
    """Pulses of a reading at least."""
    minimum_duration_s: float
    """Time between first and last pulse at least, in s."""
    maximum_duration_s: float
    """Stream time after which the reading ends with what there is, in s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredError:
    """A measured error of the meter."""

    error_percent: float
    """The error, in % of the energy."""
    expanded_uncertainty_percent: float
    """Half width of its 95 % interval, in %."""
    pulses: int
    """Pulses that it rests on."""
    end_s: float
    """Stream time of the last of them, in s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMeasurement:
    """Why there is no error."""

    reason: str
    """Name of the reason, as `spotcheck.reading.Reason` spells it."""
    detail: str
    """What was found, with numbers."""
    end_s: float
    """Stream time at which it was given up, in s."""


class Instrument(Protocol):
    """Measures a meter; the fixture `instrument` gives one for the backend in use."""

    def measure(self, order: MeasurementOrder) -> MeasuredError | NoMeasurement:
        """The meter's error, or the reason why there is none."""
