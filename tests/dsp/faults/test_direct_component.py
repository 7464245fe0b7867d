"""Direct components of known size."""

import numpy as np
import pytest
from scipy import stats

from spotcheck_dsp.edge_window import STOPBAND_KERNEL
from spotcheck_dsp.faults.direct_component import find_direct_component
from spotcheck_dsp.mains_fit import MainsFit, fit_mains

RATE = 10_000.0


def wave(frequency: float, count: int) -> np.ndarray:
    angle = 2 * np.pi * frequency * np.arange(count) / RATE + 0.4
    return np.asarray(
        325 * (np.cos(angle) + 0.1 * np.cos(2 * angle) + 0.05 * np.cos(5 * angle)), np.float64
    )


def mains(frequency: float, count: int) -> MainsFit:
    return fit_mains(wave(frequency, count), 0, RATE)


@pytest.mark.parametrize("frequency", [45.3, 50.0, 50.37, 64.1])
@pytest.mark.parametrize("count", [2000, 10_000])
def test_mean_is_free_of_mains_and_harmonics(frequency: float, count: int) -> None:
    values = wave(frequency, count)
    found = find_direct_component(values + 0.75, 0, mains(frequency, count), noise_rms=1e-6)
    assert found.mean == pytest.approx(0.75, abs=1e-6)
    assert (found.first_sample, found.end_sample) == (0, count)


def test_half_wave_current_has_its_direct_component() -> None:
    angle = 2 * np.pi * 50 * np.arange(10_000) / RATE
    found = find_direct_component(
        np.maximum(np.sin(angle), 0), 0, fit_mains(np.sin(angle), 0, RATE), noise_rms=1e-5,
        tolerated=0.01,
    )  # fmt: skip
    # Mean of the samples k of max(sin(2πk/200), 0), which tends to 1/π.
    assert found.mean == pytest.approx(1 / np.tan(np.pi / 200) / 200, rel=1e-9)
    assert found.detected


def test_scatter_of_the_mean_is_the_stated_uncertainty() -> None:
    rng = np.random.default_rng(5)
    fit = mains(50.0, 2000)
    found = [
        find_direct_component(wave(50.0, 2000) + rng.normal(0, 2, 2000), 0, fit, noise_rms=2.0)
        for _ in range(600)
    ]
    scatter = float(np.std([f.mean for f in found]))
    # Standard deviation of a standard deviation of 600 is 2.9 %; four of these.
    assert scatter == pytest.approx(found[0].standard_uncertainty, rel=0.116)
    # A B-spline of four boxes of B samples has Σw² = 151/(315·B); eight of ten cycles are used.
    assert found[0].standard_uncertainty == pytest.approx(
        2 * np.sqrt(151 / (315 * 2 * 200)), rel=1e-3
    )


def test_threshold_is_the_normal_quantile_beyond_what_is_tolerated() -> None:
    found = find_direct_component(
        wave(50.0, 2000), 0, mains(50.0, 2000), noise_rms=1.0, tolerated=0.3,
        false_alarm_probability=0.01,
    )  # fmt: skip
    expected = 0.3 + stats.norm.isf(0.005) * found.standard_uncertainty
    assert found.threshold == pytest.approx(expected, rel=1e-12)
    assert not found.detected


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_both_signs_are_detected_beyond_the_threshold_and_not_below(sign: float) -> None:
    fit = mains(50.0, 2000)
    none = find_direct_component(wave(50.0, 2000), 0, fit, noise_rms=1.0)
    for factor, told in ((0.99, False), (1.01, True)):
        values = wave(50.0, 2000) + sign * factor * none.threshold
        assert find_direct_component(values, 0, fit, noise_rms=1.0).detected is told


@pytest.mark.parametrize("frequency", [46.0, 50.0, 64.0])
@pytest.mark.parametrize("off", [2, 4])
def test_bursts_of_whole_cycles_have_no_direct_component(frequency: float, off: int) -> None:
    turns = frequency * np.arange(5000) / RATE
    burst = np.where(np.floor(turns) % (2 + off) < 2, np.sin(2 * np.pi * turns), 0.0)
    fit = fit_mains(np.sin(2 * np.pi * turns), 0, RATE)
    found = find_direct_component(burst, 0, fit, noise_rms=1e-5, tolerated=5e-4)
    assert not found.detected


def test_interharmonics_want_the_stopband_kernel() -> None:
    count = 10_000
    beat = 3 * np.cos(2 * np.pi * 23.7 * np.arange(count) / RATE)
    fit = mains(50.0, count)
    boxes = find_direct_component(wave(50.0, count) + beat, 0, fit, noise_rms=1e-9)
    stopband = find_direct_component(
        wave(50.0, count) + beat, 0, fit, noise_rms=1e-9, kernel=STOPBAND_KERNEL
    )
    assert abs(stopband.mean) < 3 * 3.3e-8
    assert abs(stopband.mean) < abs(boxes.mean)


@pytest.mark.parametrize(
    ("values", "noise", "tolerated", "probability", "words"),
    [
        (np.zeros(0), 1.0, 0.0, 0.1, "empty"),
        (np.zeros(300), 1.0, 0.0, 0.1, "too few"),
        (np.zeros(399), 1.0, 0.0, 0.1, "two are needed"),
        (np.zeros(2000), 0.0, 0.0, 0.1, "noise_rms"),
        (np.zeros(2000), 1.0, -1.0, 0.1, "tolerated"),
        (np.zeros(2000), 1.0, 0.0, 0.5, "false_alarm_probability"),
        (np.full(2000, np.nan), 1.0, 0.0, 0.1, "not finite"),
    ],
)
def test_what_has_no_mean_is_refused(
    values: np.ndarray, noise: float, tolerated: float, probability: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        find_direct_component(
            values, 0, mains(50.0, 2000), noise_rms=noise, tolerated=tolerated,
            false_alarm_probability=probability,
        )  # fmt: skip


def test_kernel_longer_than_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="takes 4000"):
        find_direct_component(
            np.zeros(2000), 0, mains(50.0, 2000), noise_rms=1.0, kernel=STOPBAND_KERNEL
        )
