"""Harmonics against their closed form, and against a coherent FFT."""

import numpy as np
import pytest
from scipy import fft

from spotcheck_dsp.harmonics.four_cycle_harmonics import (
    channel_harmonics,
    harmonic_phasors,
    total_harmonic_distortion_percent,
)

LEVELS = {1: (220, 0.3), 2: (1, 0.1), 3: (9, 1.0), 5: (5, -2.0), 7: (3, 0.5), 40: (0.5, 0.7)}


@pytest.mark.parametrize(
    ("rate_hz", "frequency_hz", "count"),
    [(8000, 50.0, 1600), (8000, 50.3, 1000), (8000, 50.0, 641), (12_800, 60.0, 2000)],
)
def test_phasors_of_every_order(rate_hz: float, frequency_hz: float, count: int) -> None:
    t_s = (np.arange(count) - (count - 1) / 2) / rate_hz
    samples = np.zeros(count)
    expected = np.zeros(50, complex)
    for order, (level, phase) in LEVELS.items():
        angle = 2 * np.pi * order * frequency_hz * t_s
        samples += np.sqrt(2) * level * np.cos(angle + phase)
        expected[order - 1] = level * np.exp(1j * phase)
    found = harmonic_phasors(samples, rate_hz, frequency_hz, 50)
    assert np.max(np.abs(found - expected)) < 1e-8


def test_magnitudes_are_those_of_a_coherent_fft() -> None:
    # Flattened sine, ten cycles in 1600 samples: the bins 10, 20, 30 … are exact.
    n = np.arange(1600)
    samples = np.tanh(4 * np.sin(2 * np.pi * n / 160 + 0.2))
    spectrum = np.abs(fft.rfft(samples)) * np.sqrt(2) / 1600
    found = np.abs(harmonic_phasors(samples, 8000, 50.0, 25))
    assert np.max(np.abs(found - spectrum[10:260:10])) < 1e-12
    thd = 100 * np.sqrt(np.sum(spectrum[20:260:10] ** 2)) / spectrum[10]
    assert abs(total_harmonic_distortion_percent(found + 0j) - thd) < 1e-9


def test_each_channel_has_the_phasors_that_it_has_alone() -> None:
    samples = np.random.default_rng(1).normal(size=(701, 3))
    found = channel_harmonics(samples, 8000 / 50.3, 40)
    assert found.shape == (3, 40)
    for channel, phasors in zip(samples.T, found, strict=True):
        assert np.max(np.abs(phasors - harmonic_phasors(channel, 8000, 50.3, 40))) < 1e-12


def test_no_channel_has_no_phasors() -> None:
    assert channel_harmonics(np.empty((700, 0)), 160.0, 5).shape == (0, 5)


def test_distortion_by_hand() -> None:
    assert total_harmonic_distortion_percent(np.array([100, 3j, -4.0])) == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("count", "orders", "message"),
    [
        (639, 5, "639 samples; four cycles are 640"),
        (1600, 80, "order 80 is beyond half of 160 samples a cycle"),
    ],
)
def test_what_cannot_be_resolved_is_refused(count: int, orders: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        harmonic_phasors(np.zeros(count), 8000, 50.0, orders)
