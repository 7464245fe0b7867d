"""Bounds of the energy per pulse of a meter with a tick, against meters in closed form."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, linprog

from spotcheck_dsp.pulses.filtered_lines import PulseEnergies
from spotcheck_dsp.pulses.pulse_ripple import ripple_at_pulses
from spotcheck_dsp.pulses.tick_bounds import bound_by_tick

TICK_S, POWER_W, MAINS_HZ = 1e-3, 1000.0, 50.17


def smoothed(stamps: np.ndarray) -> PulseEnergies:
    return PulseEnergies(
        smoothed_j=POWER_W * stamps, power_w=np.full(len(stamps), POWER_W), ripple=None
    )


def at_ticks(due: np.ndarray) -> np.ndarray:
    ticked: np.ndarray = np.ceil(due / TICK_S) * TICK_S
    return ticked


@settings(max_examples=60)
@given(st.floats(0.05, 0.2), st.floats(0, 1), st.integers(2, 40))
def test_truth_is_never_outside(interval_s: float, start: float, count: int) -> None:
    stamps = at_ticks(interval_s * (start + np.arange(count)))
    bounds = bound_by_tick(smoothed(stamps), tick_s=TICK_S, slack_s=1e-9)
    assert bounds is not None
    truth = POWER_W * interval_s
    assert abs(bounds.energy_per_pulse_j - truth) <= bounds.half_width_j * (1 + 1e-9)


def test_bounds_are_those_of_linear_programming() -> None:
    stamps = at_ticks(0.10237 * (0.4 + np.arange(15)))
    bounds = bound_by_tick(smoothed(stamps), tick_s=TICK_S, slack_s=0.0)
    assert bounds is not None
    k, energies = np.arange(15), POWER_W * (stamps - stamps[0])
    lines = np.vstack([np.column_stack([np.ones(15), k]), -np.column_stack([np.ones(15), k])])
    limits = np.concatenate([energies, POWER_W * TICK_S - energies])
    ends = [
        linprog([0, sign], A_ub=lines, b_ub=limits, bounds=[(None, None)] * 2).x[1]
        for sign in (1, -1)
    ]
    assert bounds.energy_per_pulse_j == pytest.approx(np.mean(ends), rel=1e-9)
    assert bounds.half_width_j == pytest.approx((ends[1] - ends[0]) / 2, rel=1e-6)


def test_error_is_far_below_that_of_least_squares() -> None:
    rng = np.random.default_rng(1)
    by_bounds, by_line = [], []
    for _ in range(80):
        interval_s = TICK_S * rng.uniform(95, 106)
        stamps = at_ticks(interval_s * (rng.uniform() + np.arange(101)))
        bounds = bound_by_tick(smoothed(stamps), tick_s=TICK_S, slack_s=0.0)
        assert bounds is not None
        by_bounds.append(1e6 * (bounds.energy_per_pulse_j / POWER_W / interval_s - 1))
        slope = np.polyfit(np.arange(101), stamps, 1)[0]
        by_line.append(1e6 * (slope / interval_s - 1))
    assert np.sqrt(np.mean(np.square(by_bounds))) < 12
    assert np.sqrt(np.mean(np.square(by_bounds))) < 0.75 * np.sqrt(np.mean(np.square(by_line)))


def pulsating(lag_deg: float, interval_s: float, count: int) -> PulseEnergies:
    omega, lag = 2 * math.pi * MAINS_HZ, math.radians(lag_deg)

    def counted_j(t: float) -> float:
        return POWER_W * (t + math.cos(lag) / (2 * omega) * math.sin(2 * omega * t - lag))

    due = POWER_W * interval_s * (1.3 + np.arange(count))
    crossings = [
        brentq(lambda t, e=e: counted_j(t) - e, e / POWER_W - 0.01, e / POWER_W + 0.01, xtol=1e-13)
        for e in due
    ]
    stamps = at_ticks(np.array(crossings))
    components = np.array([POWER_W, 0, POWER_W])
    return PulseEnergies(
        smoothed_j=POWER_W * stamps,
        power_w=np.full(count, POWER_W),
        ripple=ripple_at_pulses(components, omega * stamps, MAINS_HZ),
    )


@pytest.mark.parametrize(("lag_deg", "interval_s"), [
    *((lag, 0.10237) for lag in (0, 20, 45, 70, 90)), (0, 0.0997), (60, 0.1), (90, 0.0996612)
])  # fmt: skip
def test_any_filter_keeps_the_truth_inside(lag_deg: float, interval_s: float) -> None:
    bounds = bound_by_tick(pulsating(lag_deg, interval_s, 101), tick_s=TICK_S, slack_s=1e-9)
    assert bounds is not None
    low, high = bounds.smoothing_range_deg
    assert low - 0.5 <= lag_deg <= high + 0.5
    assert abs(bounds.energy_per_pulse_j - POWER_W * interval_s) <= bounds.half_width_j


def test_missing_pulses_and_long_trains_keep_the_truth_inside() -> None:
    numbers = np.delete(np.arange(600), [5, 6, 300, 590])
    stamps = at_ticks(0.10237 * (0.4 + numbers))
    pulses = PulseEnergies(
        smoothed_j=POWER_W * stamps, power_w=np.full(len(stamps), POWER_W), ripple=None,
        numbers=numbers,
    )  # fmt: skip
    bounds = bound_by_tick(pulses, tick_s=TICK_S, slack_s=0.0)
    assert bounds is not None
    assert abs(bounds.energy_per_pulse_j - 102.37) <= bounds.half_width_j < 102.37e-6


def test_export_is_the_mirror_of_import() -> None:
    stamps = at_ticks(0.10237 * (0.4 + np.arange(30)))
    there = bound_by_tick(smoothed(stamps), tick_s=TICK_S, slack_s=0.0)
    mirrored = PulseEnergies(
        smoothed_j=-POWER_W * stamps, power_w=np.full(30, -POWER_W), ripple=None
    )
    back = bound_by_tick(mirrored, tick_s=TICK_S, slack_s=0.0)
    assert there is not None
    assert back is not None
    assert back.energy_per_pulse_j == pytest.approx(-there.energy_per_pulse_j, rel=1e-12)
    assert back.half_width_j == pytest.approx(there.half_width_j, rel=1e-9)


def test_pulses_that_no_tick_explains_have_no_bounds() -> None:
    stamps = 0.1 * np.arange(20) + np.where(np.arange(20) % 2, 0.01, 0.0)
    assert all(b > a for a, b in combinations(stamps, 2))
    assert bound_by_tick(smoothed(stamps), tick_s=TICK_S, slack_s=0.0) is None


@pytest.mark.parametrize(("tick_s", "slack_s"), [(0.0, 0.0), (math.nan, 0.0), (1e-3, -1e-6)])
def test_bad_tick_or_slack_is_refused(tick_s: float, slack_s: float) -> None:
    with pytest.raises(ValueError, match="tick_s is"):
        bound_by_tick(smoothed(np.arange(3.0)), tick_s=tick_s, slack_s=slack_s)
