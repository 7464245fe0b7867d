"""Error in, error out: the simulator's truth against the instrument's interval."""

import math
from fractions import Fraction

import pytest

from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.reading import ErrorReading
from spotcheck_cli.coverage_campaign import CoverageRun, run_many
from spotcheck_cli.demo_instrument import (
    demonstration_correction_set,
    exact_front_end,
    stream_format,
)
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_device.session_messages import MeasurementRequest
from spotcheck_sim.bench import steady_bench
from spotcheck_sim.meter_under_test import PulseKind


@pytest.fixture(scope="module")
def runs() -> list[CoverageRun]:
    return list(run_many(200))


def test_truth_lies_within_u_in_93_to_97_percent_of_200_random_verifications(
    runs: list[CoverageRun],
) -> None:
    covered = sum(abs(r.error_percent - r.true_error_percent) <= r.expanded_uncertainty_percent
                  for r in runs)  # fmt: skip
    assert 0.93 <= covered / len(runs) <= 0.97


def test_errors_are_spread_as_widely_as_u_claims(runs: list[CoverageRun]) -> None:
    # A U that is far too wide would cover as well: the scatter in units of u must be about 1.
    scaled = [
        (r.error_percent - r.true_error_percent)
        / (r.expanded_uncertainty_percent / r.coverage_factor)
        for r in runs
    ]
    assert math.sqrt(sum(z * z for z in scaled) / len(scaled)) == pytest.approx(1.0, abs=0.15)


def test_random_verifications_cover_the_whole_grid(runs: list[CoverageRun]) -> None:
    cells = {(r.current_a, r.power_factor, r.phases, r.pulse_kind) for r in runs}
    assert len(cells) == 2 * 3 * 2 * len(PulseKind)
    assert {r.constant for r in runs} == {800, 1200, 1600, 3200, 6400}


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("kind", list(PulseKind))
@pytest.mark.parametrize("meter_error_percent", [-2.0, 0.0, 1.7])
def test_perfectly_calibrated_instrument_is_within_5_in_100000_at_unity_power_factor(
    phases: int, kind: PulseKind, meter_error_percent: float
) -> None:
    correction = demonstration_correction_set()
    stream = stream_format(phases, "C100")
    bench = steady_bench(
        meter_error_percent=meter_error_percent,
        phases=phases,
        current_a=10.0,
        frequency_hz=49.87,
        constant_imp_per_kwh=1600,
        pulse_kind=kind,
        front_end=exact_front_end(correction, stream),
        seed=3,
    )
    meter = Meter(
        serial="1",
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(1600)),
        phases=phases,
    )
    request = MeasurementRequest(
        request_id="exact",
        start_sample=0,
        meter=meter,
        minimum_pulses=3,
        minimum_duration_s=20.0,
        maximum_duration_s=600.0,
        readings=1,
    )
    (outcome,) = measure_in_process(bench, correction, request)
    reading = outcome.outcome
    assert isinstance(reading, ErrorReading)
    assert reading.error_percent == pytest.approx(meter_error_percent, abs=0.005)
    if kind is not PulseKind.FILTERED:
        # Two pulses know of a filter between the kinds only what the others say of it.
        assert reading.gate_error_percent == pytest.approx(meter_error_percent, abs=0.005)
