"""A plain look at the load once a second: is there something that can be measured?

Means over the slots as they stand, without a window: good to some tenths of a percent, which is
plenty to tell no load from a load. No result rests on it.
"""

import numpy as np

from spotcheck.load import Conditions
from spotcheck.meter import Meter
from spotcheck.reading import Reason
from spotcheck.samples import StreamFormat
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import voltage_missing
from spotcheck_dsp.slot_sums import II, UI, UU, Slots

SMALLEST_CURRENT_TO_BASIC = 0.002
"""Below half the starting current of class 1 (0.004 Ib) no meter counts."""
SMALLEST_POWER_FACTOR = 0.1


class LoadWatch:
    """Mean quantities of a run of slots."""

    def __init__(
        self, slots: Slots, slot_length: int, stream: StreamFormat, correction: CorrectionSet,
        meter: Meter,
    ) -> None:  # fmt: skip
        """Look at a run of slots.

        Args:
            slots: (slots, phases, 6) sums.
            slot_length: Samples per slot.
            stream: Rate, phases and ranges.
            correction: The instrument's correction set.
            meter: Nameplate of the meter under test.
        """
        self._meter = meter
        self._slots, self._slot_length = slots, slot_length
        self._stream, self._correction = stream, correction
        self._missing = voltage_missing(
            slots, slot_length, stream, correction, float(meter.nominal_voltage_v)
        )
        phases = range(1, stream.phases + 1)
        u = np.array([correction.voltage(p, stream).gain_v_per_code.value for p in phases])
        i = np.array([correction.current(p, stream).gain_a_per_code.value for p in phases])
        noise = np.array([correction.current(p, stream).noise_codes_rms for p in phases])
        means = slots.mean(axis=0) / slot_length
        self._phase_power_w = means[:, UI] * u * i
        self._u_v = np.sqrt(means[:, UU]) * u
        self._i_a = np.sqrt(np.maximum(means[:, II] - noise**2, 0.0)) * i

    @property
    def power_w(self) -> float:
        """Total active power."""
        return float(self._phase_power_w.sum())

    @property
    def pulse_interval_s(self) -> float:
        """Time from pulse to pulse that the nameplate constant makes expect."""
        energy_j = float(self._meter.constant.energy_per_pulse_j)
        return energy_j / self.power_w if self.power_w > 0 else float("inf")

    def obstacle(self) -> tuple[Reason, str] | None:
        """Why this load cannot be measured, with the numbers; None if it can."""
        if self._missing:
            return Reason.OUTAGE, self._missing
        smallest_a = SMALLEST_CURRENT_TO_BASIC * float(self._meter.basic_current_a)
        if float(self._i_a.max()) < smallest_a:
            return Reason.NO_LOAD, f"the current is {1000 * float(self._i_a.max()):.1f} mA"
        apparent_va = float(self._u_v @ self._i_a)
        if abs(self.power_w) < SMALLEST_POWER_FACTOR * apparent_va:
            factor = abs(self.power_w) / apparent_va
            return Reason.POWER_FACTOR_TOO_LOW, f"the power factor is {factor:.2f}"
        for number, power_w in enumerate(self._phase_power_w, 1):
            if power_w < -SMALLEST_POWER_FACTOR * apparent_va / len(self._phase_power_w):
                return Reason.NEGATIVE_POWER, (
                    f"the power of phase {number} is {power_w:.1f} W: export, or a clamp reversed"
                )
        return None

    def conditions(self) -> Conditions | None:
        """Quantities by the full algorithms, for the record; None without voltage or time."""
        if self._missing:
            return None
        try:
            load = CorrectedLoad(
                self._slots,
                first_slot=0,
                slot_length=self._slot_length,
                stream=self._stream,
                correction=self._correction,
            )
            return load.conditions(*load.readable_samples)
        except ValueError:
            return None
