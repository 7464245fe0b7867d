"""My meter: what is printed on it, and a model of it."""

from fractions import Fraction

import pytest

from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck_sim.meter_under_test import ErrorPoint, MeterUnderTest


@pytest.fixture
def nameplate() -> Meter:
    """5(60) A, class 1, 3200 imp/kWh."""
    return Meter(
        serial="my meter",
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(3200)),
    )


@pytest.fixture
def simulated_meter() -> MeterUnderTest:
    """What its firmware is meant to do; without a model, the fault tests have nothing to hold."""
    return MeterUnderTest(
        constant_imp_per_kwh=3200,
        error_curve=(
            ErrorPoint(current_a=0.5, error_percent=-0.4),
            ErrorPoint(current_a=5.0, error_percent=0.1),
            ErrorPoint(current_a=60.0, error_percent=-0.2),
        ),
        starting_current_a=0.02,
        jitter_s=20e-6,
    )
