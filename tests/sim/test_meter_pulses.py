"""Pulse instants against root finding on an energy that is integrated here."""

import math

import numpy as np
import pytest
from scipy.optimize import brentq

from spotcheck.errors import ConfigurationError
from spotcheck_sim.load import Load, LoadStep
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_energy import MeterEnergy
from spotcheck_sim.meter_pulses import MeterPulses
from spotcheck_sim.meter_under_test import ErrorPoint, MeterUnderTest, PulseKind
from spotcheck_sim.optics import OpticalEdges, OpticalHead
from spotcheck_sim.power_truth import PlantPower


def seed() -> np.random.SeedSequence:
    """A fresh one each time, because spawning children changes it."""
    return np.random.SeedSequence(7)


def pulses_of(
    meter: MeterUnderTest, load: Load, to_s: float = 20.0, windows: int = 1, phases: int = 1
) -> np.ndarray:
    power = PlantPower(Mains(voltage_v=220.0), load, phases)
    source = MeterPulses(meter, MeterEnergy(meter, power), seed())
    ends = np.linspace(0, to_s, windows + 1)[1:]
    return np.concatenate([source.next_window(end) for end in ends])


def first_crossing(energy: object, threshold_j: float, about_s: float) -> float:
    """First crossing near an instant, by a fine scan from well before it, then Brent's method."""
    grid = np.arange(max(0.0, about_s - 0.03), about_s + 0.03, 2e-5)
    above = np.array([energy(t) for t in grid]) >= threshold_j  # type: ignore[operator]
    first = int(np.argmax(above))
    return brentq(
        lambda t: energy(t) - threshold_j,  # type: ignore[operator]
        grid[first - 1],
        grid[first],
        xtol=1e-14,
    )


@pytest.mark.parametrize("error_percent", [-2.5, 0.0, 1.234])
def test_smoothed_pulses_are_even_and_as_fast_as_the_error_says(error_percent: float) -> None:
    meter = MeterUnderTest(
        error_percent=error_percent, constant_imp_per_kwh=3200, start_energy_fraction=0.25
    )
    times = pulses_of(meter, Load(current_a=10.0))
    rate_hz = 220 * 10 * (1 + error_percent / 100) * 3200 / 3.6e6
    expected = (np.arange(1, times.size + 1) - 0.25) / rate_hz
    assert times.size == math.floor(20 * rate_hz + 0.25)
    assert np.max(np.abs(times - expected)) < 1e-12


@pytest.mark.parametrize("power_factor", [1.0, 0.25])
def test_pulsating_pulses_leave_at_the_first_crossing(power_factor: float) -> None:
    meter = MeterUnderTest(
        error_percent=1.5,
        constant_imp_per_kwh=6400,
        start_energy_fraction=0.4,
        pulse_kind=PulseKind.PULSATING,
    )
    times = pulses_of(meter, Load(current_a=40.0, power_factor=power_factor))
    phi = math.acos(power_factor)
    omega = 100 * math.pi

    def counted_j(t: float) -> float:
        # ∫2UI·cos ωt·cos(ωt − φ)dt, counted 1.5 % too fast.
        ripple = (math.sin(2 * omega * t - phi) + math.sin(phi)) / (2 * omega)
        return 1.015 * 220 * 40 * (math.cos(phi) * t + ripple)

    pulse_j = 3.6e6 / 6400
    rate_hz = 1.015 * 220 * 40 * power_factor / pulse_j
    assert times.size == pytest.approx(20 * rate_hz, abs=1.5)
    for k in range(1, times.size + 1, 17):
        threshold_j = (k - 0.4) * pulse_j
        expected = first_crossing(counted_j, threshold_j, threshold_j * 20 / counted_j(20.0))
        assert times[k - 1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("lag_deg", [1.0, 30.0, 75.0])
def test_pulses_behind_a_filter_leave_when_what_it_lets_through_adds_up(lag_deg: float) -> None:
    meter = MeterUnderTest(
        constant_imp_per_kwh=6400,
        start_energy_fraction=0.4,
        pulse_kind=PulseKind.FILTERED,
        filter_lag_deg=lag_deg,
    )
    times = pulses_of(meter, Load(current_a=40.0, power_factor=0.5))
    phi, omega, lag = math.acos(0.5), 100 * math.pi, math.radians(lag_deg)
    tau_s = math.tan(lag) / (2 * omega)

    def counted_j(t: float) -> float:
        # τ·q' + q = p with p = UI·(cos φ + cos(2ωt − φ)): the steady solution, added up from 0.
        size = 220 * 40 / math.sqrt(1 + (2 * omega * tau_s) ** 2) / (2 * omega)
        late = phi + math.atan(2 * omega * tau_s)
        ripple = size * (math.sin(2 * omega * t - late) + math.sin(late))
        return 220 * 40 * math.cos(phi) * t + ripple

    pulse_j = 3.6e6 / 6400
    for k in range(1, times.size + 1, 17):
        threshold_j = (k - 0.4) * pulse_j
        expected = first_crossing(counted_j, threshold_j, threshold_j * 20 / counted_j(20.0))
        assert times[k - 1] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("lag_deg", [0.0, 90.0, -1.0, math.nan])
def test_filter_that_is_none_or_infinite_is_refused(lag_deg: float) -> None:
    with pytest.raises(ConfigurationError, match="filter_lag_deg"):
        MeterUnderTest(pulse_kind=PulseKind.FILTERED, filter_lag_deg=lag_deg)


def test_windows_of_any_length_give_the_same_pulses_to_a_nanosecond() -> None:
    meter = MeterUnderTest(pulse_kind=PulseKind.PULSATING, constant_imp_per_kwh=6400)
    load = Load(
        current_a=20.0,
        power_factor=0.1,
        steps=(LoadStep(at_s=3.003, current_factor=2.0), LoadStep(at_s=9.1, current_factor=0.5)),
    )
    whole = pulses_of(meter, load)
    split = pulses_of(meter, load, windows=333)
    assert whole.size == split.size > 10
    assert np.max(np.abs(whole - split)) < 1e-9


def test_no_pulse_leaves_before_or_after_its_energy_is_first_counted() -> None:
    meter = MeterUnderTest(
        pulse_kind=PulseKind.PULSATING, constant_imp_per_kwh=6400, start_energy_fraction=0.3
    )
    load = Load(current_a=20.0, power_factor=0.1, steps=(LoadStep(at_s=3.003, current_factor=2.0),))
    times = pulses_of(meter, load)
    energy = MeterEnergy(meter, PlantPower(Mains(voltage_v=220.0), load, 1))
    thresholds_j = (np.arange(1, times.size + 1) - 0.3) * 3.6e6 / 6400
    assert np.max(np.abs(energy.at(times) - thresholds_j)) < 4400 * 1e-9
    for time_s, threshold_j in zip(times, thresholds_j, strict=True):
        before = np.arange(max(0.0, time_s - 0.5), time_s - 1e-6, 1e-5)
        assert np.max(energy.at(before)) < threshold_j


def test_pulses_follow_load_steps_through_the_error_curve() -> None:
    curve = (
        ErrorPoint(current_a=1.0, error_percent=-4.0),
        ErrorPoint(current_a=11.0, error_percent=6.0),
    )
    meter = MeterUnderTest(error_curve=curve, constant_imp_per_kwh=3600, start_energy_fraction=0.0)
    load = Load(current_a=10.0, steps=(LoadStep(at_s=10.0, current_factor=0.2),))
    times = pulses_of(meter, load)
    before_j, after_w = 10 * 2200 * 1.05, 440 * 0.97
    counted = [2200 * 1.05 * t if t < 10 else before_j + after_w * (t - 10) for t in times]
    assert np.allclose(np.array(counted) / 1000, np.arange(1, times.size + 1), atol=1e-9)
    assert meter.error_percent_at(0.1) == -4.0
    assert meter.error_percent_at(60.0) == 6.0


def test_export_is_counted_as_magnitude() -> None:
    meter = MeterUnderTest(start_energy_fraction=0.0)
    forward = pulses_of(meter, Load(current_a=10.0))
    backward = pulses_of(meter, Load(current_a=10.0, power_factor=-1.0))
    assert np.allclose(forward, backward, atol=1e-12)


def test_meter_stands_still_below_its_starting_power_and_without_load() -> None:
    meter = MeterUnderTest(starting_power_w=5.0, constant_imp_per_kwh=1e6)
    assert pulses_of(meter, Load(current_a=0.0227)).size == 0
    assert pulses_of(meter, Load(current_a=0.0228)).size > 0
    assert pulses_of(MeterUnderTest(), Load(current_a=0.0)).size == 0


def test_tick_delays_each_pulse_to_the_grid_one_a_tick() -> None:
    free = pulses_of(MeterUnderTest(), Load(current_a=50.0))
    ticked = pulses_of(MeterUnderTest(tick_s=0.01), Load(current_a=50.0))
    assert np.allclose(ticked, np.ceil(free / 0.01) * 0.01, atol=1e-12)
    crowded = pulses_of(MeterUnderTest(tick_s=0.5), Load(current_a=50.0))
    assert np.min(np.diff(crowded)) == pytest.approx(0.5)


def test_jitter_has_the_configured_rms_and_leaves_the_rate() -> None:
    meter = MeterUnderTest(constant_imp_per_kwh=100_000)
    exact = pulses_of(meter, Load(current_a=50.0))
    shaken = pulses_of(
        MeterUnderTest(constant_imp_per_kwh=100_000, jitter_s=2e-5), Load(current_a=50.0)
    )
    assert np.std(shaken - exact) == pytest.approx(2e-5, rel=0.06)
    assert abs(np.mean(shaken - exact)) < 2e-5 * 4 / math.sqrt(exact.size)


def edges_of(head: OpticalHead, **meter: object) -> OpticalEdges:
    config = MeterUnderTest(constant_imp_per_kwh=3600, start_energy_fraction=0.0, **meter)  # type: ignore[arg-type]
    power = PlantPower(Mains(voltage_v=200.0), Load(current_a=5.0), 1)
    source = MeterPulses(config, MeterEnergy(config, power), seed())
    return OpticalEdges(head, source, (config.led_width_s, config.jitter_s), seed())


def test_optical_head_delays_misses_and_doubles() -> None:
    head = OpticalHead(delay_s=0.002, missed_pulses=frozenset({1}), doubled_pulses=frozenset({3}))
    edges = edges_of(head)
    assert edges.rises_before(6.0) == pytest.approx([1.002, 3.002, 4.002, 4.052, 5.002])
    # The doubled pulse goes out before it comes again.
    assert edges.falls_before(6.0) == pytest.approx([1.032, 3.032, 4.027, 4.082, 5.032])


def test_light_goes_out_half_way_to_a_pulse_that_comes_too_soon() -> None:
    edges = edges_of(OpticalHead(), led_width_s=1.5)
    assert edges.falls_before(2.6) == pytest.approx([1.5, 2.5])


def test_edges_do_not_depend_on_when_they_are_asked_for() -> None:
    head = OpticalHead(delay_s=-0.5, jitter_s=0.02)
    at_once = edges_of(head, jitter_s=0.01).rises_before(60.0)
    slowly = edges_of(head, jitter_s=0.01)
    gathered: list[float] = []
    for tenth in range(1, 601):
        gathered += slowly.rises_before(tenth / 10, len(gathered))
    assert gathered == at_once
    assert at_once == sorted(at_once)


def test_led_that_dies_lights_no_more() -> None:
    assert edges_of(OpticalHead(), pulses_stop_at_s=2.5).rises_before(30.0) == [1.0, 2.0]
    assert edges_of(OpticalHead(), pulses_at_most=1).rises_before(30.0) == [1.0]
    assert edges_of(OpticalHead(), pulses_at_most=0).rises_before(30.0) == []


def test_impossible_meters_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="positive"):
        MeterUnderTest(constant_imp_per_kwh=0)
    with pytest.raises(ConfigurationError, match="below 1"):
        MeterUnderTest(start_energy_fraction=1.0)
    with pytest.raises(ConfigurationError, match="rise"):
        MeterUnderTest(
            error_curve=(
                ErrorPoint(current_a=2, error_percent=0),
                ErrorPoint(current_a=1, error_percent=0),
            )
        )


@pytest.mark.parametrize("error_percent", [-2.0, 0.0, 1.7])
def test_balanced_load_without_ripple_leaves_no_pulse_out(error_percent: float) -> None:
    meter = MeterUnderTest(
        error_percent=error_percent, pulse_kind=PulseKind.PULSATING, start_energy_fraction=0.0
    )
    times = pulses_of(meter, Load(current_a=10.0), to_s=20.0, windows=7, phases=3)
    interval_s = 3000.0 / (3 * 2200.0 * (1 + error_percent / 100))
    assert times == pytest.approx(interval_s * np.arange(1, len(times) + 1), abs=1e-9)
    assert len(times) == math.floor(20.0 / interval_s)
