"""Kernel against its integral; places against the phase of the mains; values against sinusoids."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from spotcheck_dsp.harmonics.cycle_resampling import (
    KAISER_BETA,
    STEPS,
    CycleWindow,
    ResamplingKernel,
    cycles_for,
    fitted_window,
    kernel_for,
    resample_cycles,
    samples_needed,
)
from spotcheck_dsp.mains_fit import fit_mains

BAND = 12 * 51 / STEPS
DRIFT_HZ_PER_S = 0.5


def window_at(
    rate_hz: float, frequency_hz: float, cycles: int = 10, drift_hz_per_s: float = 0.0
) -> CycleWindow:
    return CycleWindow(
        start_sample=0.3,
        cycles=cycles,
        cycles_per_sample=frequency_hz / rate_hz,
        cycles_per_sample_squared=drift_hz_per_s / rate_hz**2,
    )


def samples_of(
    window: CycleWindow, kernel: ResamplingKernel, beyond: int, cycles_per_step: float
) -> tuple[np.ndarray, int]:
    """A cosine in places, with just the samples that the window needs."""
    first, last = samples_needed(window, kernel, beyond)
    places = window.steps(np.arange(first, last + 1, dtype=np.float64))
    return np.cos(2 * np.pi * cycles_per_step * places + 1)[:, None], first


@pytest.mark.parametrize("half_width", [6.78125, 8.8125, 21.75])
def test_response_is_the_integral_of_the_weight(half_width: float) -> None:
    kernel = ResamplingKernel(half_width_steps=half_width)
    edge = KAISER_BETA / (2 * np.pi * half_width)
    for frequency in (0.0, 0.3 * edge, 0.8 * edge, edge, 1.3 * edge):

        def integrand(distance: float, turns: float = 2 * np.pi * frequency) -> float:
            root = np.sqrt(1 - (distance / half_width) ** 2)
            shape = special.i0e(KAISER_BETA * root) * np.exp(KAISER_BETA * (root - 1))
            return float(2 * np.cos(turns * distance) * shape / special.i0e(KAISER_BETA))

        truth, _ = integrate.quad(integrand, 0, half_width, epsabs=1e-13, limit=400)
        assert abs(float(kernel.response(np.array(frequency))) - truth) < 1e-12


def test_response_is_finite_where_its_root_is_zero() -> None:
    kernel = ResamplingKernel(half_width_steps=8.0)
    edge = KAISER_BETA / (2 * np.pi * 8.0)
    frequencies = edge + np.array([-1e-9, 0.0, 1e-9])
    # sinh(z)/z = 1 + z²/6 …
    squares = KAISER_BETA**2 - (2 * np.pi * 8 * frequencies) ** 2
    truth = 16 / special.i0(KAISER_BETA) * (1 + squares / 6)
    assert np.allclose(kernel.response(frequencies), truth, rtol=1e-11, atol=0)


def test_weight_is_one_at_the_centre_even_and_zero_outside() -> None:
    kernel = ResamplingKernel(half_width_steps=7.5)
    distances = np.array([0.0, 3.25, -3.25, 7.51, -100.0])
    weights = kernel.weight(distances)
    assert weights[0] == 1
    assert weights[1] == weights[2] > 0
    assert np.all(weights[3:] == 0)


@pytest.mark.parametrize("frequency_hz", [45.0, 50.0, 54.99])
def test_kernel_has_16_taps_at_10_ks_per_second(frequency_hz: float) -> None:
    window = window_at(10_000, frequency_hz)
    kernel = kernel_for(window, 510 / STEPS)
    step = float(window.steps_per_sample(np.array(0.0)))
    assert 15.8 < 2 * kernel.half_width_steps / step <= 16.1


@pytest.mark.parametrize(("rate_hz", "limit"), [(10_000, 5e-10), (50_000, 5e-10), (200_000, 5e-10)])
def test_aliases_of_the_steps_are_a_billionth_of_the_band_edge(
    rate_hz: float, limit: float
) -> None:
    kernel = kernel_for(window_at(rate_hz, 64.9, 12), BAND)
    stopped = np.abs(kernel.response(np.linspace(1 - BAND, 20, 40_000)))
    assert np.max(stopped) < limit * float(kernel.response(np.array(BAND)))


@pytest.mark.parametrize("rate_hz", [4000, 10_000, 50_000, 200_000])
@pytest.mark.parametrize("drift_hz_per_s", [0.0, DRIFT_HZ_PER_S, -DRIFT_HZ_PER_S])
def test_values_are_those_of_the_signal_times_the_response(
    rate_hz: float, drift_hz_per_s: float
) -> None:
    window = window_at(rate_hz, 59.3, 12, drift_hz_per_s)
    band = min(BAND, 0.39 * rate_hz / (59.3 * STEPS / 12))
    kernel = kernel_for(window, band)
    for cycles_per_step in (0.0, 0.3 * band, band):
        samples, first = samples_of(window, kernel, 9, cycles_per_step)
        values = resample_cycles(samples, first, window, kernel, 9)
        places = np.arange(-9, STEPS + 9)
        level = float(kernel.response(np.array(cycles_per_step)))
        truth = level * np.cos(2 * np.pi * cycles_per_step * places + 1)
        assert values.shape == (STEPS + 18, 1)
        assert np.max(np.abs(values[:, 0] - truth)) < 2e-11 * float(kernel.response(np.array(0.0)))


@given(
    start=st.floats(-1e4, 1e6),
    frequency_hz=st.floats(45, 65),
    drift_hz_per_s=st.floats(-1, 1),
    cycles=st.sampled_from([10, 12]),
)
def test_samples_and_steps_are_inverse(
    start: float, frequency_hz: float, drift_hz_per_s: float, cycles: int
) -> None:
    window = CycleWindow(
        start_sample=start,
        cycles=cycles,
        cycles_per_sample=frequency_hz / 1e4,
        cycles_per_sample_squared=drift_hz_per_s / 1e8,
    )
    places = np.linspace(-50, STEPS + 50, 7)
    assert np.max(np.abs(window.steps(window.samples(places)) - places)) < 1e-8


@given(frequency_hz=st.floats(45, 65), drift_hz_per_s=st.floats(-1, 1))
def test_following_windows_tile_the_phase(frequency_hz: float, drift_hz_per_s: float) -> None:
    window = window_at(10_000, frequency_hz, drift_hz_per_s=drift_hz_per_s)
    second = window.following()
    assert second.start_sample == window.end_sample
    # Thirty cycles after the start of the first is the end of the third.
    end = float(window.steps(np.array(second.following().end_sample)))
    assert abs(end - 3 * STEPS) < 1e-8


def test_fitted_window_spans_whole_cycles_of_the_fit() -> None:
    seconds = np.arange(-5000, 5000) / 10_000
    voltage = 325 * np.cos(2 * np.pi * (50.2 + 0.25 * seconds) * seconds + 0.4)
    fit = fit_mains(voltage, 0.0, 10_000)
    assert fit.drift_hz_per_s == pytest.approx(0.5, abs=1e-6)
    window = fitted_window(fit, 1234.5, 10)
    # A quarter of a cycle at a time, so that whole turns do not hide an error.
    places = window.samples(np.arange(0, STEPS + 1, STEPS / 40))
    turned = np.unwrap(fit.phases_rad(places), period=2 * np.pi)
    assert np.max(np.abs(turned - turned[0] - np.arange(41) * np.pi / 2)) < 1e-10
    assert window.centre_sample == pytest.approx(places[20], abs=1e-9)


def test_each_channel_has_the_values_that_it_has_alone() -> None:
    window = window_at(10_000, 50.3)
    kernel = kernel_for(window, BAND)
    first, last = samples_needed(window, kernel, 5)
    samples = np.random.default_rng(3).normal(size=(2 * (last - first + 1), 4))
    strided = samples[::2, ::-1]
    found = resample_cycles(strided, first, window, kernel, 5)
    for channel in range(4):
        alone = resample_cycles(strided[:, [channel]].copy(), first, window, kernel, 5)
        assert np.array_equal(found[:, [channel]], alone)


def test_only_the_samples_needed_are_used() -> None:
    window = window_at(10_000, 50.3)
    kernel = kernel_for(window, BAND)
    samples, first = samples_of(window, kernel, 5, 0.1)
    around = np.full((20, 1), np.nan)
    found = resample_cycles(np.vstack([around, samples, around]), first - 20, window, kernel, 5)
    assert np.array_equal(found, resample_cycles(samples, first, window, kernel, 5))


@pytest.mark.parametrize(
    ("frequency_hz", "cycles"), [(45.0, 10), (50.0, 10), (54.999, 10), (55.0, 12), (65.0, 12)]
)
def test_cycles_go_by_the_frequency(frequency_hz: float, cycles: int) -> None:
    assert cycles_for(frequency_hz) == cycles


@pytest.mark.parametrize("frequency_hz", [39.9, 70.1, np.nan])
def test_cycles_of_what_is_no_mains_are_refused(frequency_hz: float) -> None:
    with pytest.raises(ValueError, match="frequency_hz"):
        cycles_for(frequency_hz)


@pytest.mark.parametrize(("before", "after"), [(3, 0), (0, 7), (2, 1)])
def test_missing_samples_are_counted(before: int, after: int) -> None:
    window = window_at(10_000, 50.3)
    kernel = kernel_for(window, BAND)
    samples, first = samples_of(window, kernel, 5, 0.1)
    cut = samples[before : len(samples) - after]
    with pytest.raises(ValueError, match=f"missing: {before} before the first and {after} after"):
        resample_cycles(cut, first + before, window, kernel, 5)


def test_a_value_that_is_not_finite_is_named() -> None:
    window = window_at(10_000, 50.3)
    kernel = kernel_for(window, BAND)
    samples, first = samples_of(window, kernel, 5, 0.1)
    samples = np.hstack([samples, samples])
    samples[40, 1] = np.inf
    with pytest.raises(ValueError, match=f"sample {first + 40} of channel 1 is not finite"):
        resample_cycles(samples, first, window, kernel, 5)


def test_integers_and_wrong_shapes_are_refused() -> None:
    window = window_at(10_000, 50.3)
    kernel = kernel_for(window, BAND)
    samples, first = samples_of(window, kernel, 5, 0.1)
    whole: Any = samples.astype(np.int32)
    with pytest.raises(TypeError, match="int32"):
        resample_cycles(whole, first, window, kernel, 5)
    for wrong in (samples[:, 0], samples[:, :0]):
        with pytest.raises(ValueError, match="shape"):
            resample_cycles(wrong, first, window, kernel, 5)


@pytest.mark.parametrize(
    ("cycles", "start", "rate", "drift", "message"),
    [
        (11, 0.0, 0.005, 0.0, "cycles is 11"),
        (10, np.nan, 0.005, 0.0, "finite"),
        (10, 0.0, np.inf, 0.0, "finite"),
        (10, 0.0, 0.0, 0.0, "above 0"),
        (10, 0.0, 0.4, 0.0, "below 0.4"),
        (10, 0.0, 0.005, 2e-7, "8 % over the window"),
    ],
)
def test_windows_that_cannot_be_are_refused(
    cycles: int, start: float, rate: float, drift: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        CycleWindow(
            start_sample=start,
            cycles=cycles,
            cycles_per_sample=rate,
            cycles_per_sample_squared=drift,
        )


@pytest.mark.parametrize(("half_width", "beta"), [(0.0, 30.0), (8.0, -1.0), (np.nan, 30.0)])
def test_kernels_that_cannot_be_are_refused(half_width: float, beta: float) -> None:
    with pytest.raises(ValueError, match=r"of a kernel is .*above 0"):
        ResamplingKernel(half_width_steps=half_width, beta=beta)
