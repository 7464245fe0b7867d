"""A plain look at the load: what cannot be measured is named."""

from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spotcheck.meter import MeterConstant
from spotcheck.reading import Reason
from spotcheck_device.load_watch import LoadWatch


def watch(synthesis: ModuleType, plant: Any, **meter: Any) -> LoadWatch:
    correction = synthesis.correction_set()
    slots = plant.slots(1.0, correction)
    return LoadWatch(
        slots, synthesis.SLOT, plant.stream, correction, replace(plant.meter(), **meter)
    )


@pytest.mark.parametrize("phases", [1, 3])
def test_power_is_seen_to_some_tenths_of_a_percent(synthesis: ModuleType, phases: int) -> None:
    plant = synthesis.Plant(phases=phases)
    found = watch(synthesis, plant)
    assert found.obstacle() is None
    assert found.power_w == pytest.approx(plant.power_w, rel=5e-3)


def test_interval_of_pulses_follows_from_constant_and_power(synthesis: ModuleType) -> None:
    found = watch(synthesis, synthesis.Plant(), constant=MeterConstant.parse("1200"))
    assert found.pulse_interval_s == pytest.approx(3000 / 2200, rel=5e-3)


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ({"u": {1: (20.0, 0.0)}}, Reason.OUTAGE),
        ({"i": {1: (10.0, -1.55)}}, Reason.POWER_FACTOR_TOO_LOW),
        ({"i": {1: (10.0, np.pi)}}, Reason.NEGATIVE_POWER),
        ({"i": {1: (10.0, np.pi)}, "phases": 3}, Reason.NEGATIVE_POWER),
    ],
)
def test_load_that_cannot_be_measured_is_named(
    synthesis: ModuleType, load: dict[str, Any], reason: Reason
) -> None:
    obstacle = watch(synthesis, synthesis.Plant(**load)).obstacle()
    assert obstacle is not None
    assert obstacle[0] is reason


@pytest.mark.parametrize(("current_a", "seen"), [(0.0, True), (0.009, True), (0.0115, False)])
def test_no_load_is_below_a_fifth_of_a_percent_of_basic_current(
    synthesis: ModuleType, current_a: float, seen: bool
) -> None:
    # 0.002·5 A. Without offsets in the channel, which a plain look does not take away.
    correction = synthesis.correction_set()
    currents = tuple(
        replace(c, offset_codes=synthesis.exact(0.0), noise_codes_rms=0.0)
        for c in correction.currents
    )
    correction = replace(correction, currents=currents)
    plant = synthesis.Plant(i={1: (current_a, 0.0)})
    slots = plant.slots(1.0, correction)
    found = LoadWatch(slots, synthesis.SLOT, plant.stream, correction, plant.meter())
    obstacle = found.obstacle()
    assert (obstacle is not None and obstacle[0] is Reason.NO_LOAD) is seen


def test_one_reversed_clamp_of_three_is_named(synthesis: ModuleType) -> None:
    correction = synthesis.correction_set()
    plant = synthesis.Plant(phases=3)
    slots = plant.slots(1.0, correction)
    slots[:, 1, 0] *= -1
    found = LoadWatch(slots, synthesis.SLOT, plant.stream, correction, plant.meter())
    obstacle = found.obstacle()
    assert obstacle is not None
    assert obstacle[0] is Reason.NEGATIVE_POWER
    assert obstacle[1].startswith("the power of phase 2 is -22")


def test_conditions_are_those_of_the_full_algorithms(synthesis: ModuleType) -> None:
    found = watch(synthesis, synthesis.Plant(i={1: (10.0, -1.0)})).conditions()
    assert found is not None
    assert found.p_w == pytest.approx(2200 * np.cos(1.0), rel=1e-7)
    assert found.frequency_hz == pytest.approx(50.0, abs=1e-7)


def test_without_voltage_there_are_no_conditions(synthesis: ModuleType) -> None:
    assert watch(synthesis, synthesis.Plant(u={1: (10.0, 0.0)})).conditions() is None
    low = watch(synthesis, synthesis.Plant(u={1: (57.7, 0.0)}), nominal_voltage_v=Decimal("57.7"))
    assert low.conditions() is not None
