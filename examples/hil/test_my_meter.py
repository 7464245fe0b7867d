"""Does my meter hold its class, start, stand still, and count what it shows?"""

from collections.abc import Callable

import pytest

from spotcheck_sim.hil.bench import Clock, FrontEndOnBench, HilBench, MeterOnBench, Source
from spotcheck_sim.hil.instrument import MeasuredError, NoMeasurement
from spotcheck_sim.meter_clock import TariffSchedule, TariffSwitch


@pytest.mark.needs_simulation
@pytest.mark.parametrize(
    ("current_a", "power_factor", "limit_percent"),
    [(5.0, 1.0, 1.0), (60.0, 1.0, 1.0), (5.0, 0.5, 1.0)],
)
def test_error_at_load_points(
    bench: HilBench, source: Source, current_a: float, power_factor: float, limit_percent: float
) -> None:
    source.load(current_a=current_a, power_factor=power_factor)
    check = bench.check(
        f"{current_a:g} A, PF {power_factor:g}", bench.measure(), limit_percent=limit_percent
    )
    assert check.verdict == "pass"
    assert check.holds_truth


def test_error_at_the_present_load(bench: HilBench) -> None:
    """The only one of these that a real instrument on a real meter can run."""
    assert bench.check("present load", bench.measure(), limit_percent=1.0).verdict == "pass"


@pytest.mark.needs_simulation
def test_register_advances_with_the_energy(
    source: Source, meter: MeterOnBench, clock: Clock
) -> None:
    meter.set(
        tariffs=TariffSchedule(switches=(TariffSwitch(time_of_day_s=1800, tariff=2),
                                         TariffSwitch(time_of_day_s=7200, tariff=1)))
    )  # fmt: skip
    source.load(current_a=10.0)
    clock.wait(3600)
    shown = meter.registers()
    true_kwh = 2.2 * (1 + meter.true_error_percent / 100)
    assert float(shown.total_kwh) == pytest.approx(true_kwh, abs=0.01)
    assert float(shown.tariff_kwh[1]) == pytest.approx(true_kwh / 2, abs=0.01)


@pytest.mark.needs_simulation
@pytest.mark.parametrize(("current_a", "reason"), [(0.0, "no load"), (0.015, "no pulses")])
def test_meter_stands_still_below_its_starting_current(
    bench: HilBench, source: Source, current_a: float, reason: str
) -> None:
    source.load(current_a=current_a)
    found = bench.measure(maximum_duration_s=15.0)
    assert isinstance(found, NoMeasurement)
    assert found.reason == reason


@pytest.mark.needs_simulation
@pytest.mark.parametrize("kind", ["pulse missed", "double pulse", "pulse bounce", "voltage dip"])
def test_reading_holds_the_truth_though_something_went_wrong(
    bench: HilBench, source: Source, fault: Callable[..., None], kind: str
) -> None:
    source.load(current_a=10.0)
    fault(kind, at=3.0)
    check = bench.check(f"10 A, {kind}", bench.measure(), limit_percent=1.0)
    assert check.holds_truth


@pytest.mark.needs_simulation
def test_lamp_that_blinds_the_head_is_named(
    bench: HilBench, source: Source, frontend: FrontEndOnBench, fault: Callable[..., None]
) -> None:
    source.load(current_a=10.0)
    fault("ambient flicker", at=2.0)
    assert isinstance(bench.measure(maximum_duration_s=15.0), NoMeasurement)
    frontend.light(None)
    assert isinstance(bench.measure(), MeasuredError)
