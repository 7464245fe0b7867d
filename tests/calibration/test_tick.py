"""A meter that lets its pulses go every 10 ms: what it leaves open is in U."""

from types import ModuleType

import numpy as np
import pytest

from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import ErrorReading
from spotcheck_calibration.evaluation import evaluate

RATE_HZ = 8000 * (1 + 120e-6)
TICK_S = 0.01


@pytest.mark.parametrize("current_a", [9.8, 9.97, 10.0, 10.06, 10.3])
@pytest.mark.parametrize("begin", [0.1, 0.6])
def test_truth_lies_within_u_of_a_few_pulses_that_leave_on_a_tick(
    synthesis: ModuleType, current_a: float, begin: float
) -> None:
    plant = synthesis.Plant(i={1: (current_a, -0.2)})
    evidence = plant.evidence(error_percent=0.5, constant="4000 imp/kWh", seconds=5.0)
    meter, correction = evidence.head.meter, synthesis.correction_set()
    due = plant.pulses(meter, 0.5, 5.0, correction, phase=begin)
    stamps = []
    for pulse in due:
        due_s = pulse.sample / RATE_HZ
        ticked = np.ceil(due_s / TICK_S) * TICK_S * RATE_HZ
        if 0.2 * 8000 <= ticked <= 4.8 * 8000:
            stamps.append(round(ticked * STAMP_SUBDIVISION))
    pulses = tuple(Pulse(stamp=stamp, index=n) for n, stamp in enumerate(stamps))
    assert len(pulses) >= 8
    reading = evaluate(synthesis.with_pulses(evidence, pulses), correction, "id")
    assert isinstance(reading, ErrorReading)
    assert abs(reading.error_percent - 0.5) < reading.expanded_uncertainty_percent
    line = next(line for line in reading.budget if line.name == "meter's tick")
    # A tick late at either end of so short a train is some tenths of a percent.
    assert 0.01 < line.standard_uncertainty_percent < 0.4
