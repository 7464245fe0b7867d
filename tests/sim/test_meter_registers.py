"""Registers, clock, creep, starting current and restart of the meter, against sums by hand."""

import math
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_sim.bench import BenchConfig, SimulatedBench
from spotcheck_sim.load import Load, LoadStep
from spotcheck_sim.mains import Mains, VoltageDip
from spotcheck_sim.meter_clock import MeterClock, TariffSchedule, TariffSwitch
from spotcheck_sim.meter_reset import MeterReset
from spotcheck_sim.meter_under_test import MeterUnderTest, PulseKind

RATE = 8000
LOAD = Load(current_a=10.0)  # 2.2 kW at 220 V


def bench(meter: MeterUnderTest, load: Load = LOAD, mains: Mains | None = None) -> SimulatedBench:
    return SimulatedBench(BenchConfig(meter=meter, load=load, mains=mains or Mains()), 1)


def pulse_times(built: SimulatedBench, to_s: float) -> list[float]:
    return [pulse.sample / RATE for pulse in built.batch_up_to(round(to_s * RATE)).pulses]


@pytest.mark.parametrize("error_percent", [-1.5, 0.0, 2.0])
def test_register_advances_with_the_counted_energy_and_is_cut_to_its_resolution(
    error_percent: float,
) -> None:
    meter = MeterUnderTest(error_percent=error_percent, register_start_kwh=Decimal("1234.56"))
    built = bench(meter)
    for hours in (0.0, 0.1, 1.0, 30.0):
        counted_kwh = 2.2 * hours * (1 + error_percent / 100)
        steps = math.floor(counted_kwh / 0.01 + 1e-6)
        shown = built.truth.registers.at(hours * 3600).total_kwh
        assert shown == Decimal("1234.56") + steps * Decimal("0.01")


def test_register_and_pulses_tell_the_same_energy() -> None:
    meter = MeterUnderTest(
        constant_imp_per_kwh=1000.0, error_percent=0.7, start_energy_fraction=0.0,
        register_resolution_kwh=Decimal("0.001"),
    )  # fmt: skip
    built = bench(meter)
    count = len(pulse_times(built, 900.0))
    assert built.truth.registers.at(900.0).total_kwh == count * Decimal("0.001")


def test_tariffs_switch_by_the_wrong_clock_of_the_meter() -> None:
    clock = MeterClock(start_s=7 * 3600 - 600, offset_s=120.0, drift_ppm=1e4)
    tariffs = TariffSchedule(
        switches=(
            TariffSwitch(time_of_day_s=7 * 3600, tariff=1),
            TariffSwitch(time_of_day_s=22 * 3600, tariff=2),
        )
    )
    resolution = Decimal("0.000001")
    meter = MeterUnderTest(clock=clock, tariffs=tariffs, register_resolution_kwh=resolution)
    reading = bench(meter).truth.registers.at(1000.0)
    night_s = 480.0 / 1.01
    assert float(reading.tariff_kwh[2]) == pytest.approx(2.2 * night_s / 3600, abs=2e-6)
    assert float(reading.tariff_kwh[1]) == pytest.approx(2.2 * (1000 - night_s) / 3600, abs=2e-6)
    assert reading.clock_s == pytest.approx(7 * 3600 - 600 + 120 + 1010)
    assert clock.error_s(1000.0) == pytest.approx(130.0)


def test_tariff_of_the_night_holds_over_midnight() -> None:
    clock = MeterClock(start_s=23 * 3600.0)
    tariffs = TariffSchedule(
        switches=(
            TariffSwitch(time_of_day_s=6 * 3600, tariff=1),
            TariffSwitch(time_of_day_s=22 * 3600, tariff=2),
        )
    )
    periods = tariffs.periods(clock, 0.0, 9 * 3600.0)
    joined = [(p.tariff, p.end_s - p.start_s) for p in periods]
    assert sum(s for tariff, s in joined if tariff == 2) == 7 * 3600
    assert sum(s for tariff, s in joined if tariff == 1) == 2 * 3600
    assert all(a.end_s == b.start_s for a, b in pairwise(periods))


@pytest.mark.parametrize("kind", list(PulseKind))
def test_creeping_meter_counts_without_load_and_a_sound_one_does_not(kind: PulseKind) -> None:
    creeping = MeterUnderTest(
        constant_imp_per_kwh=1200.0, creep_power_w=6.0, start_energy_fraction=0.5, pulse_kind=kind
    )
    nothing = Load(current_a=0.0)
    # A pulse is 3 kJ: the first after 1.5 kJ, then one every 500 s.
    assert pulse_times(bench(creeping, nothing), 1800.0) == pytest.approx([250, 750, 1250, 1750])
    assert bench(creeping, nothing).truth.energy_j(0, 1800) == 0.0
    assert not pulse_times(bench(replace(creeping, creep_power_w=0.0), nothing), 1800.0)
    assert bench(creeping, nothing).truth.registers.at(7200.0).total_kwh == Decimal("0.01")


def test_creep_ends_with_the_voltage_and_while_a_load_is_on() -> None:
    meter = MeterUnderTest(creep_power_w=36.0, start_energy_fraction=0.0)
    switched = Load(current_a=10.0, steps=(LoadStep(at_s=10.0, current_factor=0.0),))
    dip = VoltageDip(start_s=110.0, duration_s=100.0, residual_fraction=0.0)
    built = bench(meter, switched, Mains(dips=(dip,)))
    counted_j = built.truth.meter_energy.at(np.array([10.0, 110.0, 210.0, 310.0]))
    assert counted_j == pytest.approx([22e3, 22e3 + 3.6e3, 22e3 + 3.6e3, 22e3 + 7.2e3])


def test_meter_runs_from_its_starting_current_on_and_not_below() -> None:
    meter = MeterUnderTest(starting_current_a=0.02, constant_imp_per_kwh=64000.0)
    assert len(pulse_times(bench(meter, Load(current_a=0.02)), 600.0)) in (46, 47)
    assert not pulse_times(bench(meter, Load(current_a=0.02 * (1 - 1e-9))), 600.0)


@pytest.mark.parametrize("kind", list(PulseKind))
def test_restarted_meter_loses_what_it_had_counted_towards_the_next_pulse(kind: PulseKind) -> None:
    reset = MeterReset(at_s=10.0, blind_s=0.25)
    meter = MeterUnderTest(
        constant_imp_per_kwh=3600.0, start_energy_fraction=0.1, reset=reset, pulse_kind=kind
    )
    # 2.2 pulses a second; 22.1 pulses' energy at 10 s, of which 0.1 is lost.
    times = pulse_times(bench(meter), 20.0)
    ripple_s = 0.006
    before = [time for time in times if time < 10.0]
    after = [time for time in times if time > 10.0]
    assert len(before) == 22
    assert before[-1] == pytest.approx((22 - 0.1) / 2.2, abs=ripple_s)
    assert after[0] == pytest.approx(10.25 + 1 / 2.2, abs=ripple_s)
    assert np.diff(after) == pytest.approx(np.full(len(after) - 1, 1 / 2.2), abs=2 * ripple_s)
    registers = bench(meter).truth.registers
    assert registers.at(3600.25).total_kwh == Decimal("2.20")


def test_restart_costs_no_other_pulse_its_place_however_it_is_asked() -> None:
    meter = MeterUnderTest(reset=MeterReset(at_s=30.0), constant_imp_per_kwh=6400.0)
    whole = pulse_times(bench(meter), 60.0)
    piecewise = bench(meter)
    parts = [piecewise.batch_up_to(s * RATE // 10).pulses for s in range(7, 601)]
    assert [pulse.sample / RATE for part in parts for pulse in part] == whole


@pytest.mark.parametrize(
    "make",
    [
        lambda: MeterReset(at_s=0.0),
        lambda: MeterReset(at_s=1.0, blind_s=math.inf),
        lambda: MeterClock(drift_ppm=-1e6),
        lambda: TariffSchedule(switches=(TariffSwitch(time_of_day_s=86_400, tariff=1),)),
        lambda: TariffSchedule(switches=(TariffSwitch(time_of_day_s=0, tariff=0),)),
        lambda: MeterUnderTest(register_resolution_kwh=Decimal(0)),
        lambda: MeterUnderTest(creep_power_w=-1.0),
        lambda: bench(MeterUnderTest()).truth.registers.at(-1.0),
    ],
)
def test_meters_that_cannot_be_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError):
        make()  # type: ignore[operator]
