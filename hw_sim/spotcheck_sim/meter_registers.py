"""The registers that a meter shows: they advance with the energy that it has counted."""

import math
from dataclasses import dataclass
from decimal import Decimal

from spotcheck.errors import ConfigurationError
from spotcheck_sim.meter_energy import MeterEnergy
from spotcheck_sim.meter_under_test import MeterUnderTest

JOULES_PER_KWH = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReading:
    """What the display shows at one instant."""

    total_kwh: Decimal
    """Total energy, cut to the resolution."""
    tariff_kwh: dict[int, Decimal]
    """Energy of each tariff, cut to the resolution; their sum may lack some steps of the total."""
    clock_s: float
    """Time that the meter's clock shows, in s since the first day's midnight."""


class MeterRegisters:
    """Registers of a meter over true time; closed form, whoever asks when."""

    def __init__(self, meter: MeterUnderTest, energy: MeterEnergy) -> None:
        """Look at the energy that a meter counts.

        Args:
            meter: Its registers' beginnings, its clock and its tariffs.
            energy: What it counts.
        """
        self._meter = meter
        self._energy = energy

    def at(self, time_s: float) -> RegisterReading:
        """What the meter shows at a true time from 0 on, in s.

        Raises:
            ConfigurationError: the time lies before 0.
        """
        if time_s < 0:
            raise ConfigurationError(f"the registers at {time_s} s are not known; 0 is the first")
        meter = self._meter
        counted_j = dict.fromkeys(meter.tariffs.tariffs, 0.0)
        for period in meter.tariffs.periods(meter.clock, 0.0, time_s):
            counted_j[period.tariff] += self._energy.counted_mean_j(period.start_s, period.end_s)
        return RegisterReading(
            total_kwh=self._shown(meter.register_start_kwh, sum(counted_j.values())),
            tariff_kwh={
                tariff: self._shown(Decimal(0), joules) for tariff, joules in counted_j.items()
            },
            clock_s=meter.clock.reading_s(time_s),
        )

    def _shown(self, start_kwh: Decimal, counted_j: float) -> Decimal:
        """A register cut to its resolution; a rounding of 1e-9 of a step still reaches it."""
        step_kwh = self._meter.register_resolution_kwh
        steps = counted_j / (float(step_kwh) * JOULES_PER_KWH)
        return start_kwh + step_kwh * math.floor(steps + 1e-9)
