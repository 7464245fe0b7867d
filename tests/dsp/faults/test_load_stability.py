"""Scatter of cycle powers against courses of known kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spotcheck_dsp.faults.load_stability import LoadMotion, cycle_power_noise, load_stability


def course(shape: np.ndarray, relative: float, seed: int = 1) -> np.ndarray:
    """Powers around 1000 W with a course of a relative scatter, and noise of 1 W."""
    local = shape - shape.mean()
    local = local * relative / local.std(ddof=1)
    noise = np.random.default_rng(seed).normal(0, 1, len(shape))
    return np.asarray(1000 * (1 + local) + noise)


K = np.arange(48)


def test_steady_load_is_steady() -> None:
    found = load_stability(1000 + np.random.default_rng(2).normal(0, 1, 48), noise=1.0)
    assert not found.detected
    assert found.motion is LoadMotion.STEADY
    assert found.relative_scatter == pytest.approx(1e-3, rel=0.4)


def test_drift_is_named() -> None:
    found = load_stability(course(K.astype(float), 0.03), noise=1.0)
    assert found.motion is LoadMotion.DRIFT
    assert found.drift_share > 0.99
    assert found.scatter == pytest.approx(30, rel=0.02)


def test_step_is_named_and_placed() -> None:
    found = load_stability(course((K >= 17).astype(float), 0.03), noise=1.0)
    assert found.motion is LoadMotion.STEP
    assert found.step_cycle == 17


@pytest.mark.parametrize("length", [2, 4, 6, 12])
def test_burst_firing_is_named_with_the_length_of_its_rhythm(length: int) -> None:
    powers = np.where(K % length < (length + 1) // 2, 2000.0, 0.0)
    found = load_stability(powers + np.random.default_rng(3).normal(0, 1, 48), noise=1.0)
    assert found.motion is LoadMotion.RHYTHM
    assert found.rhythm_cycles == length
    assert found.rhythm_share > 0.99


def test_wandering_load_is_irregular() -> None:
    powers = course(np.random.default_rng(8).normal(size=48), 0.05)
    assert load_stability(powers, noise=1.0).motion is LoadMotion.IRREGULAR


def test_shares_of_a_line_and_of_a_step_are_their_closed_forms() -> None:
    # The best single cut of a straight line of n points, n even, explains 3n²/(4(n²−1)) of it.
    line = load_stability(K.astype(float), noise=0.0)
    assert line.drift_share == pytest.approx(1)
    assert line.step_share == pytest.approx(0.75 * 48**2 / (48**2 - 1))
    # And a line the same share of a step in the middle.
    step = load_stability((K >= 24).astype(float), noise=0.0)
    assert step.step_share == pytest.approx(1)
    assert step.drift_share == pytest.approx(0.75 * 48**2 / (48**2 - 1))


def test_threshold_is_that_of_chi_squared() -> None:
    powers = 1000 + np.random.default_rng(2).normal(0, 1, 48)
    found = load_stability(
        powers, noise=3.0, tolerated_relative=0.004, false_alarm_probability=0.01
    )
    widening = np.sqrt(stats.chi2.isf(0.01, 47) / 47)
    level = np.hypot(3.0, 0.004 * powers.mean())
    assert found.threshold == pytest.approx(widening * level, rel=1e-9)


def test_false_alarms_come_as_often_as_stated() -> None:
    rng = np.random.default_rng(11)
    told = sum(
        load_stability(
            500 + rng.normal(0, 2, 24), noise=2.0, tolerated_relative=0.0,
            false_alarm_probability=0.05,
        ).detected
        for _ in range(2000)
    )  # fmt: skip
    # 100 are expected, with a standard deviation of 9.7; four of these.
    assert abs(told - 100) < 39


def test_no_load_but_noise_raises_no_alarm() -> None:
    rng = np.random.default_rng(4)
    powers = rng.normal(0, 2, 48)
    assert not load_stability(powers - powers.mean(), noise=2.0).detected


def test_power_that_swings_around_zero_is_unstable_without_a_relative_scatter() -> None:
    found = load_stability(np.tile([100.0, -100.0], 24), noise=1.0)
    assert found.detected
    assert found.relative_scatter is None


def test_window_too_short_for_three_repeats_tells_no_rhythm_of_that_length() -> None:
    found = load_stability(np.array([2.0, 2, 0, 0, 2, 2]), noise=0.0)
    assert found.rhythm_cycles == 2
    assert found.rhythm_share < 0.5


@given(st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=60), st.floats(0.1, 100))
def test_shares_are_shares_and_do_not_depend_on_the_unit(values: list[float], unit: float) -> None:
    powers = np.round(np.array(values), 3)
    first = load_stability(powers, noise=1.0)
    second = load_stability(unit * powers, noise=unit)
    for name in ("drift_share", "step_share", "rhythm_share"):
        share = getattr(first, name)
        assert -1e-9 <= share <= 1 + 1e-9
        if np.ptp(powers) > 0:
            assert getattr(second, name) == pytest.approx(share, abs=1e-6)
    assert second.scatter == pytest.approx(unit * first.scatter, rel=1e-6, abs=1e-9)


def test_noise_of_a_cycle_power_is_that_of_simulated_cycles() -> None:
    rng = np.random.default_rng(6)
    angle = 2 * np.pi * np.arange(200) / 200
    u, i = 325 * np.sin(angle), 14 * np.sin(angle - 0.7)
    powers = np.mean(
        (u + rng.normal(0, 1.5, (4000, 200))) * (i + rng.normal(0, 0.1, (4000, 200))), axis=1
    )
    stated = cycle_power_noise(
        325 / np.sqrt(2), 14 / np.sqrt(2), noise_voltage=1.5, noise_current=0.1,
        samples_per_cycle=200,
    )  # fmt: skip
    # Standard deviation of a standard deviation of 4000 is 1.1 %; four of these.
    assert np.std(powers) == pytest.approx(stated, rel=0.045)


@pytest.mark.parametrize(
    ("powers", "noise", "tolerated", "probability", "words"),
    [
        (np.zeros(5), 1.0, 0.0, 0.1, "six|6"),
        (np.zeros(9), -1.0, 0.0, 0.1, "noise"),
        (np.zeros(9), 1.0, -0.1, 0.1, "tolerated_relative"),
        (np.zeros(9), 1.0, 0.0, 0.0, "false_alarm_probability"),
        (np.full(9, np.inf), 1.0, 0.0, 0.1, "not finite"),
    ],
)
def test_what_has_no_scatter_is_refused(
    powers: np.ndarray, noise: float, tolerated: float, probability: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        load_stability(
            powers, noise=noise, tolerated_relative=tolerated, false_alarm_probability=probability
        )


def test_noise_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="samples_per_cycle"):
        cycle_power_noise(1, 1, noise_voltage=1, noise_current=1, samples_per_cycle=0)
    with pytest.raises(ValueError, match="noise_current"):
        cycle_power_noise(1, 1, noise_voltage=1, noise_current=-1, samples_per_cycle=200)
