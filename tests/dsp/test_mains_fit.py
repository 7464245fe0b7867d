"""Frequency, drift and phase against signals whose truth is known in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.edge_window import STOPBAND_KERNEL, EdgeKernel
from spotcheck_dsp.mains_fit import fit_mains


def voltage(rate: float, seconds: float, frequency: float, phase: float = 0.3) -> np.ndarray:
    """A voltage with third and fifth harmonic and a direct part, from t = 0."""
    t = np.arange(round(rate * seconds)) / rate
    turn = 2 * np.pi * frequency * t
    found: np.ndarray = (
        311 * np.cos(turn + phase)
        + 15 * np.cos(3 * turn + 1)
        + 30 * np.cos(5 * turn + 2)
        + np.full_like(t, 4.0)
    )
    return found


@settings(deadline=None, max_examples=40)
@given(
    frequency=st.floats(45.0, 65.0),
    phase=st.floats(-3.0, 3.0),
    rate=st.sampled_from([3200.0, 10_000.0, 51_200.0]),
)
def test_frequency_of_a_second_with_harmonics_is_exact_to_a_millionth_of_a_ppm(
    frequency: float, phase: float, rate: float
) -> None:
    fit = fit_mains(voltage(rate, 1.0, frequency, phase), 0, rate)
    # At 3200 S/s a cycle has 49 samples: the kernel's images are that much nearer.
    assert abs(fit.frequency_hz / frequency - 1) < (1e-10 if rate < 10_000 else 1e-12)
    error = fit.phases_rad(np.array([0.0]))[0] - phase
    assert abs((error + np.pi) % (2 * np.pi) - np.pi) < 1e-8


@pytest.mark.parametrize(("cycles", "relative"), [(50, 1e-12), (10, 1e-11), (5, 1e-5), (2.5, 1e-3)])
def test_short_windows_are_less_exact_but_honest(cycles: float, relative: float) -> None:
    fit = fit_mains(voltage(10_000.0, cycles / 50, 50.4), 0, 10_000.0)
    assert abs(fit.frequency_hz / 50.4 - 1) < relative


def test_drift_is_found_and_the_frequency_is_that_of_the_centre() -> None:
    rate, drift = 10_000.0, 0.5
    t = np.arange(10_000) / rate - 0.49995
    turn = 2 * np.pi * (50 * t + drift * t * t / 2)
    fit = fit_mains(311 * np.cos(turn) + 30 * np.cos(5 * turn), 0, rate)
    assert abs(fit.frequency_hz / 50 - 1) < 1e-9
    assert abs(fit.drift_hz_per_s - drift) < 1e-5
    assert abs(fit.cycle_samples(9999.0) - rate / (50 + drift * 0.49995)) < 1e-3


def test_noise_moves_the_frequency_little_more_than_it_must() -> None:
    """Cramér–Rao for one sinusoid of unknown phase: var ω = 24 σ²/(A² N (N²−1))."""
    rng = np.random.default_rng(3)
    count, rate, sigma = 10_000, 10_000.0, 1e-3
    t = np.arange(count) / rate
    found = [
        fit_mains(
            np.cos(2 * np.pi * 50.1 * t + rng.uniform(0, 6)) + rng.normal(0, sigma, count), 0, rate
        ).frequency_hz
        for _ in range(200)
    ]
    bound = np.sqrt(24 * sigma**2 / (count * (count**2 - 1))) * rate / (2 * np.pi)
    assert 0.9 * bound < np.std(found) < 1.3 * bound


def test_an_hour_into_the_stream_the_phase_keeps_its_digits() -> None:
    rate, first = 10_000.0, 36_000_000
    t = (first + np.arange(10_000)) / rate
    fit = fit_mains(np.cos(2 * np.pi * 50.0 * t), first, rate)
    assert abs(fit.frequency_hz / 50 - 1) < 1e-11
    phase = fit.phases_rad(np.array([float(first)]))[0]
    assert abs((phase + np.pi) % (2 * np.pi) - np.pi) < 1e-7


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.zeros(10_000), 10_000.0, "no mains"),
        (np.cos(2 * np.pi * 400 * np.arange(10_000) / 10_000), 10_000.0, "no mains"),
        (np.ones(100), 10_000.0, "too few"),
        (np.cos(np.arange(50.0)), 50.0, "too few"),
        (np.random.default_rng(1).normal(size=10_000), 10_000.0, "no mains"),
    ],
)
def test_what_is_no_mains_is_refused(samples: np.ndarray, rate: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        fit_mains(samples, 0, rate)


@pytest.mark.parametrize("drift", [-0.5, 0.5])
@pytest.mark.parametrize("frequency", [45.0, 52.7, 65.0])
def test_a_drift_with_harmonics_leaves_the_centres_frequency_to_a_thousandth_of_a_ppm(
    drift: float, frequency: float
) -> None:
    rate = 10_000.0
    t = np.arange(10_000) / rate - 0.49995
    turn = 2 * np.pi * (frequency * t + drift * t * t / 2) + 0.4
    fit = fit_mains(311 * np.cos(turn) + 15 * np.cos(3 * turn + 1) + 31 * np.cos(5 * turn), 0, rate)
    assert abs(fit.frequency_hz / frequency - 1) < 1e-9
    assert abs(fit.drift_hz_per_s - drift) < 1e-6
    assert abs(fit.phase_rad - 0.4) < 1e-9


@pytest.mark.parametrize("frequency", [45.0, 50.02, 65.0])
def test_interharmonics_leave_the_frequency_to_the_long_kernel(frequency: float) -> None:
    rate = 10_000.0
    turn = 2 * np.pi * frequency * np.arange(10_000) / rate
    mains = 311 * np.cos(turn + 0.2) + 31 * np.cos(5 * turn)
    fit = fit_mains(mains + 16 * np.cos(1.31 * turn) + 9 * np.cos(2.6 * turn + 1), 0, rate)
    assert fit.kernel is STOPBAND_KERNEL
    assert abs(fit.frequency_hz / frequency - 1) < 1e-12
    plain = fit_mains(mains, 0, rate)
    assert plain.kernel == EdgeKernel(boxes=4, box_cycles=1)


def test_noise_leaves_the_frequency_to_the_short_kernel() -> None:
    """It costs less of what Cramér and Rao allow; the long one costs a factor of two."""
    rng = np.random.default_rng(6)
    turn = 2 * np.pi * 45 * np.arange(10_000) / 10_000
    for _ in range(50):
        fit = fit_mains(np.cos(turn) + rng.normal(0, 1e-4, 10_000), 0, 10_000.0)
        assert fit.kernel is not STOPBAND_KERNEL


@pytest.mark.parametrize("gone_s", [0.05, 0.2, 0.4])
def test_an_interruption_does_not_disturb_the_frequency(gone_s: float) -> None:
    """In the middle of a second there is no voltage, then it is back in step."""
    t = np.arange(10_000) / 10_000
    live = np.abs(t - 0.5) > gone_s / 2
    fit = fit_mains(np.where(live, 325 * np.cos(2 * np.pi * 50.3 * t + 0.3), 0.0), 0, 10_000.0)
    assert abs(fit.frequency_hz / 50.3 - 1) < 1e-4


@pytest.mark.parametrize("gone_s", [0.1, 0.25, 0.4])
def test_a_voltage_that_is_there_for_less_than_half_of_the_window_is_refused(gone_s: float) -> None:
    t = np.arange(15_000) / 10_000
    with pytest.raises(ValueError, match="no mains voltage: it is 0 V, or does not"):
        fit_mains(np.where(t < gone_s, np.cos(2 * np.pi * 50.03 * t), 0.0), 0, 10_000.0)
