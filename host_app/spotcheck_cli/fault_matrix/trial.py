"""The meter, the load and the rule that every cell of the fault matrix is tried with.

Two pulses a second and readings of ten pulses, so that ten seconds of stream hold every state of
the measuring session. The instrument is exactly what its correction set says: then the truth lies
within U at every trial, and a trial where it does not is wrong.
"""

import random
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.rule import Rule, load_rule
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_cli.demo_instrument import (
    demonstration_correction_set,
    exact_front_end,
    stream_format,
)
from spotcheck_device.session_messages import MeasurementRequest
from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_under_test import MeterUnderTest

SAMPLE_RATE_HZ = 8000
CURRENT_A = 20.0
CONSTANT = 1600
READINGS = 2
MINIMUM_PULSES = 10
MINIMUM_DURATION_S = 4
MAXIMUM_DURATION_S = 20.0
FIRST_PULSE_S = 0.65
"""Behind the first look of the session at half a second, so that it waits for a pulse."""
STREAM_S = 30.0
"""Every trial has ended by then, with readings or without."""
ERRORS_PERCENT = (-1.6, -0.4, 0.3, 1.7)
"""Two meters that pass and two that fail, all well outside the guard band of class 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One meter on one bench, before anything goes wrong."""

    config: BenchConfig
    """The bench."""
    meter: Meter
    """The meter as it is entered."""
    rule: Rule
    """The rule to judge by, with short readings."""
    correction: CorrectionSet
    """The instrument's correction set."""
    true_error_percent: float
    """Error of the simulated meter."""

    @property
    def request(self) -> MeasurementRequest:
        """What is measured."""
        return MeasurementRequest(
            request_id="trial",
            start_sample=0,
            meter=self.meter,
            minimum_pulses=MINIMUM_PULSES,
            minimum_duration_s=MINIMUM_DURATION_S,
            maximum_duration_s=MAXIMUM_DURATION_S,
            readings=READINGS,
        )


def make_trial(seed: int, phases: int = 1) -> Trial:
    """The trial of a seed.

    Args:
        seed: Seed of the meter's error.
        phases: 1 or 3.
    """
    error_percent = random.Random(seed).choice(ERRORS_PERCENT)  # noqa: S311 -- a draw, no secret
    correction = demonstration_correction_set()
    pulse_j = 3.6e6 / CONSTANT
    counted_w = phases * 220 * CURRENT_A * (1 + error_percent / 100)
    before_first = FIRST_PULSE_S * counted_w / pulse_j
    config = BenchConfig(
        mains=Mains(frequency_hz=50.02),
        load=Load(current_a=CURRENT_A),
        meter=MeterUnderTest(
            constant_imp_per_kwh=CONSTANT,
            error_percent=error_percent,
            start_energy_fraction=-before_first % 1.0,
            jitter_s=20e-6,
        ),
        front_end=exact_front_end(correction, stream_format(phases, "C100")),
    )
    return Trial(
        config=config,
        meter=Meter(
            serial="1",
            accuracy_class=AccuracyClass.CLASS_1,
            constant=MeterConstant(pulses_per_unit=Fraction(CONSTANT)),
            phases=phases,
            max_current_a=Decimal(100),
        ),
        rule=_with_short_readings(load_rule("jjg596-2012")),
        correction=correction,
        true_error_percent=error_percent,
    )


def _with_short_readings(rule: Rule) -> Rule:
    readings = replace(
        rule.readings,
        minimum=READINGS,
        minimum_pulses=MINIMUM_PULSES,
        minimum_duration_s=MINIMUM_DURATION_S,
    )
    return replace(rule, readings=readings)
