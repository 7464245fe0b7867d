"""The meter under test as its nameplate, its error and its habits describe it."""

import math
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

import numpy as np

from spotcheck.errors import ConfigurationError
from spotcheck_sim.meter_clock import MeterClock, TariffSchedule
from spotcheck_sim.meter_reset import MeterReset


class PulseKind(StrEnum):
    """What a meter's pulses count."""

    SMOOTHED = "smoothed"
    """Energy of the mean power: pulses at constant load are evenly spaced."""
    PULSATING = "pulsating"
    """Energy of the instantaneous power, which ripples at twice the mains frequency."""
    FILTERED = "filtered"
    """Energy of the instantaneous power behind a first-order filter: between the two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPoint:
    """One point of a meter's error curve."""

    current_a: float
    """Mean RMS current of the phases, in A."""
    error_percent: float
    """Error at this current, in % of the true energy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterUnderTest:
    """A meter with a known error; it counts the magnitude of the total energy."""

    constant_imp_per_kwh: float = 1200.0
    """Meter constant, in imp/kWh."""
    error_percent: float = 0.0
    """Error at every current, in %; an error curve goes before it."""
    error_curve: tuple[ErrorPoint, ...] = ()
    """Error by current, rising in current, interpolated, level beyond its ends."""
    pulse_kind: PulseKind = PulseKind.SMOOTHED
    """What the pulses count."""
    filter_lag_deg: float = 45.0
    """Lag of a FILTERED meter's filter at twice the mains frequency, 0 to 90: tan = 2ωτ."""
    start_energy_fraction: float | None = None
    """Part of a pulse's energy (0 to 1) in the meter at time 0; None: from the seed."""
    tick_s: float = 0.0
    """Grid on which the meter's processor lets pulses leave, one a tick, in s; 0: none."""
    jitter_s: float = 0.0
    """RMS jitter of the leaving pulse (Gaussian, cut off at 4.3 σ), in s."""
    led_width_s: float = 0.030
    """How long the LED lights for a pulse, in s."""
    starting_power_w: float = 0.0
    """Power below which the meter does not run, in W."""
    starting_current_a: float = 0.0
    """Mean current of the phases from which on the meter runs, in A; below it counts nothing."""
    creep_power_w: float = 0.0
    """Power that it counts while there is voltage and no current (a sound meter: 0), in W."""
    reset: MeterReset | None = None
    """A restart in the midst of its work; None: it runs on."""
    clock: MeterClock = field(default_factory=MeterClock)
    """Its clock."""
    tariffs: TariffSchedule = field(default_factory=TariffSchedule)
    """When its clock selects which tariff."""
    register_start_kwh: Decimal = Decimal(0)
    """What the total register holds at true time 0, in kWh."""
    register_resolution_kwh: Decimal = Decimal("0.01")
    """Smallest step that the registers show, in kWh."""
    pulses_stop_at_s: float = math.inf
    """Instant from which the LED stays dark, in s of true time."""
    pulses_at_most: int | None = None
    """Number of pulses after which the LED stays dark; None: no limit."""

    def __post_init__(self) -> None:
        if self.constant_imp_per_kwh <= 0:
            raise ConfigurationError("constant_imp_per_kwh must be positive")
        if not 0 < self.filter_lag_deg < 90:
            raise ConfigurationError("filter_lag_deg lies above 0 and below 90")
        if self.start_energy_fraction is not None and not 0 <= self.start_energy_fraction < 1:
            raise ConfigurationError("start_energy_fraction lies from 0 to below 1")
        if self.register_resolution_kwh <= 0 or self.creep_power_w < 0:
            raise ConfigurationError(
                "register_resolution_kwh is positive, and creep_power_w not negative"
            )
        currents = [point.current_a for point in self.error_curve]
        if currents != sorted(currents):
            raise ConfigurationError("the points of an error curve rise in current")

    @property
    def pulse_energy_j(self) -> float:
        """Energy that one pulse stands for, in J."""
        return 3.6e6 / self.constant_imp_per_kwh

    def error_percent_at(self, current_a: float) -> float:
        """Error at a mean phase current (A), in %."""
        if not self.error_curve:
            return self.error_percent
        currents = [point.current_a for point in self.error_curve]
        errors = [point.error_percent for point in self.error_curve]
        return float(np.interp(current_a, currents, errors))
