"""The line of a meter of unknown filter, against closed forms and weighted least squares."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from spotcheck_dsp.pulses.filtered_lines import PulseEnergies, StampNoise
from spotcheck_dsp.pulses.pulse_fit import PulseFilter, fit_energy_per_pulse
from spotcheck_dsp.pulses.pulse_line import least_squares_line
from spotcheck_dsp.pulses.pulse_ripple import ripple_at_pulses

FINE = StampNoise(standard_deviation_s=0.29e-6, degrees_of_freedom=20)
ROUNDED = StampNoise(
    standard_deviation_s=1e-6 / math.sqrt(12), degrees_of_freedom=20, resolution_s=1e-6
)
ROUGH = StampNoise(standard_deviation_s=20e-6, degrees_of_freedom=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Power 1 kW with a ripple behind a first-order filter; at PF 1 it never runs backwards."""

    lag_deg: float
    frequency_hz: float = 50.17
    interval_s: float = 0.1
    power_factor: float = 1.0
    phase_rad: float = 0.7

    def counted_j(self, t: float) -> float:
        lag, omega = math.radians(self.lag_deg), 2 * math.pi * self.frequency_hz
        size = math.cos(lag) * 1000 / self.power_factor / (2 * omega)
        turned = 2 * (omega * t + self.phase_rad) + math.acos(self.power_factor) - lag
        return 1000 * t + size * math.sin(turned)

    def stamps(self, count: int, start: float = 0.37) -> np.ndarray:
        due = 1000 * self.interval_s * (start + np.arange(count)) + 1000
        reach_s = 0.01 / self.power_factor
        return np.array(
            [
                brentq(
                    lambda t, e=energy: self.counted_j(t) - e,
                    energy / 1000 - reach_s,
                    energy / 1000 + reach_s,
                    xtol=1e-13,
                )
                for energy in due
            ]
        )

    def read(self, stamps: np.ndarray) -> PulseEnergies:
        swing = 1000 / self.power_factor * np.exp(1j * math.acos(self.power_factor))
        phases = 2 * np.pi * self.frequency_hz * stamps + self.phase_rad
        return PulseEnergies(
            smoothed_j=1000 * stamps,
            power_w=np.full(len(stamps), 1000.0),
            ripple=ripple_at_pulses(np.array([1000, 0, swing]), phases, self.frequency_hz),
        )

    def error_ppm(self, energy_per_pulse_j: float) -> float:
        return 1e6 * (energy_per_pulse_j / (1000 * self.interval_s) - 1)


def drawn(rng: np.random.Generator, lag_deg: float) -> Meter:
    return Meter(
        lag_deg=lag_deg,
        frequency_hz=rng.uniform(49.5, 50.5),
        # Keeps out of step with the ripple.
        interval_s=0.1 * rng.uniform(1.01, 1.04),
        phase_rad=rng.uniform(0, 6),
    )


@settings(max_examples=30)
@given(st.floats(0, 90), st.floats(0, 1))
def test_exact_stamps_give_the_exact_energy_for_any_filter(lag_deg: float, start: float) -> None:
    meter = Meter(lag_deg=lag_deg, interval_s=0.1031)
    fit = fit_energy_per_pulse(meter.read(meter.stamps(20, start)), FINE)
    # At either end of the family the interval reaches to one side of the truth only, and its
    # middle, which is the estimate, stands off by a part of it.
    assert abs(fit.energy_per_pulse_j - 103.1) <= 0.5 * fit.expanded_uncertainty_j
    if 5 <= lag_deg <= 85:
        assert abs(meter.error_ppm(fit.energy_per_pulse_j)) < 0.01
    assert fit.smoothing_deg == pytest.approx(lag_deg, abs=0.01)
    assert fit.smoothing_range_deg[0] <= fit.smoothing_deg <= fit.smoothing_range_deg[1]


@pytest.mark.parametrize("lag_deg", [0, 25, 50, 75, 90])
def test_ten_seconds_of_pulses_meet_a_tenth_ppm_with_stamps_of_1_us(lag_deg: float) -> None:
    rng = np.random.default_rng(1)
    errors = []
    for _ in range(12):
        meter = drawn(rng, lag_deg)
        fit = fit_energy_per_pulse(meter.read(np.round(meter.stamps(101), 6)), FINE)
        errors.append(meter.error_ppm(fit.energy_per_pulse_j))
    assert np.sqrt(np.mean(np.square(errors))) <= 0.1


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([0.0, 30.0, 60.0, 90.0]), st.integers(18, 22), st.floats(-0.02, 0.02),
    st.floats(0, 1), st.sampled_from([1.0, 0.5]),
)  # fmt: skip
def test_rounding_that_keeps_step_with_the_pulses_is_within_u(
    lag_deg: float, halves: int, apart: float, start: float, power_factor: float
) -> None:
    # Pulses so many half ripples apart, but for up to two beats in ten seconds: no error of any
    # stamp but its rounding, so nothing excuses a truth outside U.
    meter = Meter(
        lag_deg=lag_deg, power_factor=power_factor, interval_s=(halves + apart) / 4 / 50.17
    )
    stamps = np.round(meter.stamps(60, start), 6)
    fit = fit_energy_per_pulse(meter.read(stamps), ROUNDED)
    truth_j = 1000 * meter.interval_s
    assert abs(fit.energy_per_pulse_j - truth_j) <= fit.expanded_uncertainty_j + 1e-9 * truth_j


def test_rounding_taken_for_noise_would_leave_the_truth_outside() -> None:
    # A sawtooth of a step over the whole train; so that the test above cannot pass anyway.
    meter = Meter(lag_deg=90, interval_s=0.1 + 0.9e-8)
    stamps = np.round(0.05 + np.arange(101) * meter.interval_s, 6)
    error_ppm, u_ppm = [], []
    for noise in (replace(ROUNDED, resolution_s=0.0), ROUNDED):
        fit = fit_energy_per_pulse(meter.read(stamps), noise, PulseFilter.SMOOTHED)
        error_ppm.append(abs(meter.error_ppm(fit.energy_per_pulse_j)))
        u_ppm.append(1e6 * fit.expanded_uncertainty_j / (1000 * meter.interval_s))
    assert error_ppm[0] > 1.5 * u_ppm[0]
    assert error_ppm[1] < u_ppm[1]


def test_noise_of_the_register_is_allowed_beside_the_rounding() -> None:
    # 30 ns of the mean power: far below a step, so that nothing dithers the stamps.
    noise = replace(ROUNDED, register_j=3e-5)
    rng = np.random.default_rng(5)
    for _ in range(60):
        meter = Meter(lag_deg=90, interval_s=0.1 + rng.uniform(-2e-8, 2e-8))
        pulses = meter.read(np.round(rng.uniform(0, 1) + np.arange(101) * meter.interval_s, 6))
        noisy = replace(pulses, smoothed_j=pulses.smoothed_j + rng.normal(0, 3e-5, 101))
        fit = fit_energy_per_pulse(noisy, noise, PulseFilter.SMOOTHED)
        error_j = abs(fit.energy_per_pulse_j - 1000 * meter.interval_s)
        assert error_j <= fit.expanded_uncertainty_j


def test_jitter_that_dithers_the_rounding_costs_no_bounds() -> None:
    meter, rng = Meter(lag_deg=40, interval_s=0.1031), np.random.default_rng(6)
    stamps = np.round(meter.stamps(101) + rng.normal(0, 0.5e-6, 101), 6)
    white = StampNoise(
        standard_deviation_s=math.hypot(0.5e-6, 1e-6 / math.sqrt(12)), degrees_of_freedom=50
    )
    fits = [
        fit_energy_per_pulse(meter.read(stamps), noise)
        for noise in (white, replace(white, resolution_s=1e-6))
    ]
    assert fits[0].expanded_uncertainty_j == fits[1].expanded_uncertainty_j


def test_lags_that_rounding_leaves_possible_are_in_the_range() -> None:
    # A meter without any filter, which its residuals alone would tell as one of 7° or more.
    meter = Meter(lag_deg=0, interval_s=0.09966566407716662)
    fit = fit_energy_per_pulse(meter.read(np.round(meter.stamps(60, 0.055), 6)), ROUNDED)
    assert fit.smoothing_range_deg[0] == 0.0
    assert fit.energy_per_pulse_j == pytest.approx(1000 * meter.interval_s, rel=1e-4)


def test_stamps_that_scatter_less_than_their_rounding_are_refused() -> None:
    with pytest.raises(ValueError, match="scatter by a √12th of it at least"):
        StampNoise(standard_deviation_s=0.1e-6, degrees_of_freedom=20, resolution_s=1e-6)


@pytest.mark.parametrize("lag_deg", [0, 45, 90])
def test_jitter_of_20_us_leaves_three_quarters_of_a_ppm(lag_deg: float) -> None:
    rng = np.random.default_rng(2)
    errors, inside = [], 0
    for _ in range(40):
        meter = drawn(rng, lag_deg)
        stamps = meter.stamps(101) + rng.normal(0, 20e-6, 101)
        fit = fit_energy_per_pulse(meter.read(stamps), ROUGH)
        errors.append(meter.error_ppm(fit.energy_per_pulse_j))
        inside += abs(errors[-1]) <= 1e6 * fit.expanded_uncertainty_j / (1000 * meter.interval_s)
    # 40 runs know their rms to 11 %: the requirement itself is held by the benchmark.
    assert np.sqrt(np.mean(np.square(errors))) <= 0.75 * 1.25
    assert inside >= 35


def test_few_pulses_of_every_filter_lie_within_the_uncertainty() -> None:
    rng = np.random.default_rng(3)
    for count in (2, 3, 5, 10):
        for lag_deg in (0, 30, 60, 90):
            inside = 0
            for _ in range(40):
                meter = replace(drawn(rng, lag_deg), interval_s=rng.uniform(0.8, 1.25))
                stamps = meter.stamps(count) + rng.normal(0, 20e-6, count)
                fit = fit_energy_per_pulse(meter.read(stamps), ROUGH)
                truth = 1000 * meter.interval_s
                inside += abs(fit.energy_per_pulse_j - truth) <= fit.expanded_uncertainty_j
            # 95 % of 40 is 38 ± 1.4.
            assert inside >= 34, (count, lag_deg)


def test_pulses_in_step_with_the_mains_leave_the_filter_open() -> None:
    # A fiftieth of a beat over the train: ripple and slope look alike.
    meter = Meter(lag_deg=90, frequency_hz=50.0, interval_s=0.100002)
    fit = fit_energy_per_pulse(meter.read(meter.stamps(101)), ROUGH)
    free = Meter(lag_deg=90, frequency_hz=50.0, interval_s=0.1031)
    other = fit_energy_per_pulse(free.read(free.stamps(101)), ROUGH)
    assert fit.expanded_uncertainty_j > 5 * other.expanded_uncertainty_j
    assert fit.ambiguity_j > 5 * fit.standard_uncertainty_j
    assert abs(fit.energy_per_pulse_j - 100.002) <= fit.expanded_uncertainty_j


def test_two_pulses_span_what_all_filters_may_have_counted() -> None:
    meter = Meter(lag_deg=0, interval_s=1.0123)
    stamps = meter.stamps(2)
    pulses = meter.read(stamps)
    fit = fit_energy_per_pulse(pulses, FINE)
    assert pulses.ripple is not None
    lags = np.radians(np.linspace(0, 90, 901))
    inside = np.diff(pulses.ripple.in_phase_j[:, 0]) * np.cos(lags) ** 2
    inside = inside + np.diff(pulses.ripple.quadrature_j[:, 0]) * np.cos(lags) * np.sin(lags)
    slopes = np.diff(pulses.smoothed_j) + inside
    # 0.29 µs of stamp, twice, at up to twice the mean power.
    assert fit.energy_per_pulse_j == pytest.approx((slopes.max() + slopes.min()) / 2, abs=2e-3)
    assert fit.expanded_uncertainty_j == pytest.approx(np.ptp(slopes) / 2, rel=0.02)


def test_filter_of_no_first_order_is_found_from_the_pulses() -> None:
    # The whole ripple, 60° late: a dead time, which no first-order filter has.
    meter = Meter(lag_deg=0, interval_s=0.1031)
    late_s = math.radians(60) / (4 * math.pi * meter.frequency_hz)
    stamps = meter.stamps(101) + late_s + np.random.default_rng(4).normal(0, 20e-6, 101)
    fit = fit_energy_per_pulse(meter.read(stamps), ROUGH)
    assert fit.filter is PulseFilter.FREE
    assert math.isnan(fit.smoothing_deg)
    truth = 1000 * meter.interval_s
    assert abs(fit.energy_per_pulse_j - truth) <= 1.5 * fit.expanded_uncertainty_j
    assert fit.expanded_uncertainty_j < 3e-6 * truth


def test_smoothed_meter_without_ripple_is_the_ordinary_line() -> None:
    rng = np.random.default_rng(5)
    energies = 300.0 * np.arange(12) + rng.normal(0, 0.1, 12)
    nothing = StampNoise(standard_deviation_s=0.0, degrees_of_freedom=0)
    pulses = PulseEnergies(smoothed_j=energies, power_w=np.full(12, 500.0), ripple=None)
    fit, line = fit_energy_per_pulse(pulses, nothing), least_squares_line(energies)
    assert fit.energy_per_pulse_j == pytest.approx(line.energy_per_pulse, rel=1e-13)
    # The floor under the power's share, 0.05², is in the weights.
    assert fit.standard_uncertainty_j == pytest.approx(line.standard_uncertainty, rel=2e-3)
    assert fit.degrees_of_freedom == line.degrees_of_freedom
    assert fit.expanded_uncertainty_j == pytest.approx(
        fit.coverage_factor * fit.standard_uncertainty_j, rel=1e-9
    )
    assert fit.residuals_s * 500 == pytest.approx(
        energies - np.polyval(np.polyfit(np.arange(12), energies, 1), np.arange(12)), abs=1e-3
    )


def test_known_filter_is_weighted_least_squares() -> None:
    rng = np.random.default_rng(6)
    meter = Meter(lag_deg=0, interval_s=0.1031)
    pulses = meter.read(meter.stamps(30) + rng.normal(0, 20e-6, 30))
    known = StampNoise(standard_deviation_s=20e-6, degrees_of_freedom=math.inf)
    fit = fit_energy_per_pulse(pulses, known, PulseFilter.PULSATING)
    assert pulses.ripple is not None
    counted = pulses.smoothed_j + pulses.ripple.in_phase_j[:, 0]
    omega = 2 * np.pi * meter.frequency_hz
    power = 1000 - 2 * omega * pulses.ripple.quadrature_j[:, 0]
    rate = -((2 * omega) ** 2) * pulses.ripple.in_phase_j[:, 0]
    variance = 20e-6**2 * (power**2 + (20e-6 * rate) ** 2 / 2 + 50**2)
    design = np.column_stack([np.ones(30), np.arange(30)]) / np.sqrt(variance)[:, None]
    solution = np.linalg.lstsq(design, (counted - counted[0]) / np.sqrt(variance))[0]
    assert fit.energy_per_pulse_j == pytest.approx(solution[1], rel=1e-11)
    expected = math.sqrt(np.linalg.inv(design.T @ design)[1, 1])
    assert fit.standard_uncertainty_j == pytest.approx(expected, rel=1e-9)
    assert fit.gate_j == pytest.approx((counted[-1] - counted[0]) / 29, rel=1e-12)


@settings(max_examples=30)
@given(st.floats(-1e6, 1e6), st.floats(0.01, 100), st.integers(0, 2**31))
def test_origin_and_scale_of_energy_do_not_matter(origin: float, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    meter = Meter(lag_deg=40, interval_s=0.1031)
    pulses = meter.read(meter.stamps(8) + rng.normal(0, 20e-6, 8))
    assert pulses.ripple is not None
    moved = PulseEnergies(
        smoothed_j=scale * pulses.smoothed_j + origin,
        power_w=scale * pulses.power_w,
        ripple=replace(
            pulses.ripple,
            in_phase_j=scale * pulses.ripple.in_phase_j,
            quadrature_j=scale * pulses.ripple.quadrature_j,
        ),
    )
    fit, other = fit_energy_per_pulse(pulses, ROUGH), fit_energy_per_pulse(moved, ROUGH)
    assert other.energy_per_pulse_j == pytest.approx(scale * fit.energy_per_pulse_j, rel=1e-6)
    assert other.expanded_uncertainty_j == pytest.approx(
        scale * fit.expanded_uncertainty_j, rel=1e-2
    )


def test_missing_pulses_leave_their_numbers_out() -> None:
    meter = Meter(lag_deg=30, interval_s=0.1031)
    keep = np.delete(np.arange(40), [3, 4, 17])
    pulses = replace(meter.read(meter.stamps(40)[keep]), numbers=keep)
    fit = fit_energy_per_pulse(pulses, FINE)
    assert abs(meter.error_ppm(fit.energy_per_pulse_j)) < 1e-3


def test_prior_and_residuals_share_the_judgement_of_scatter() -> None:
    energies = np.array([0.0, 100.02, 199.98, 300.0, 400.01])
    pulses = PulseEnergies(smoothed_j=energies, power_w=np.full(5, 1000.0), ripple=None)
    line = least_squares_line(energies)
    prior = StampNoise(standard_deviation_s=30e-6, degrees_of_freedom=7)
    fit = fit_energy_per_pulse(pulses, prior)
    residual_s = line.residual / 1000
    expected = math.sqrt((7 * 30e-6**2 + 3 * residual_s**2) / 10)
    assert fit.degrees_of_freedom == 10
    assert fit.scatter_s == pytest.approx(expected, rel=2e-3)


def test_three_pulses_without_any_prior_are_refused() -> None:
    meter = Meter(lag_deg=0, interval_s=1.01)
    nothing = StampNoise(standard_deviation_s=0.0, degrees_of_freedom=0)
    with pytest.raises(ValueError, match="3 pulses leave nothing to judge their scatter by"):
        fit_energy_per_pulse(meter.read(meter.stamps(3)), nothing)


def test_free_filter_cannot_be_declared() -> None:
    meter = Meter(lag_deg=0)
    with pytest.raises(ValueError, match="a free filter is found"):
        fit_energy_per_pulse(meter.read(meter.stamps(5)), ROUGH, PulseFilter.FREE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"smoothed_j": np.zeros(1)}, "1 pulses make no energy"),
        ({"smoothed_j": np.array([0.0, np.nan, 2.0])}, "smoothed_j"),
        ({"power_w": np.ones(2)}, "power_w"),
        ({"power_w": np.array([1.0, 0.0, 1.0])}, "power_w is 0"),
        ({"numbers": np.array([0, 2, 2])}, "numbers must"),
        ({"numbers": np.array([0, 2])}, "numbers must"),
        ({"smoothed_j": np.arange(4.0), "power_w": np.ones(4)}, "ripple is given at 3 pulses"),
    ],
)
def test_bad_readings_are_refused(change: dict[str, Any], words: str) -> None:
    meter = Meter(lag_deg=0)
    good = meter.read(meter.stamps(3))
    with pytest.raises(ValueError, match=words):
        replace(good, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"standard_deviation_s": -1.0},
        {"standard_deviation_s": math.inf},
        {"degrees_of_freedom": math.nan},
        {"register_j": -1.0},
    ],
)
def test_bad_noise_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must"):
        replace(ROUGH, **change)
