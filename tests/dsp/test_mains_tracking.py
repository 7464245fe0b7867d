"""Frequency and phasors of synthesised mains, whose frequency and phase are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_dsp.mains_tracking import (
    SlotGrid,
    coarse_frequency_hz,
    phasors,
    track_mains,
)

Array = NDArray[np.float64]
RATE_HZ, SLOT, FIRST_SLOT = 8000.0, 8, 1000
GRID = SlotGrid(first_slot=FIRST_SLOT, slot_length=SLOT, sample_rate_hz=RATE_HZ)
INSTANTS_S = (FIRST_SLOT * SLOT + np.arange(16_000)) / RATE_HZ


def slot_means(samples: Array) -> Array:
    return samples.reshape(-1, SLOT, *samples.shape[1:]).mean(axis=1)


@pytest.mark.parametrize("frequency_hz", [45.0, 47.3, 49.5, 50.0, 50.3, 55.0, 60.0, 65.0])
def test_frequency_of_distorted_mains(frequency_hz: float) -> None:
    theta = 2 * np.pi * frequency_hz * INSTANTS_S
    u = np.cos(theta + 0.7) + 0.05 * np.cos(3 * theta + 1) + 0.03 * np.cos(5 * theta)
    track = track_mains(slot_means(u), GRID)
    assert np.max(np.abs(track.frequency_hz - frequency_hz)) < 2e-7
    assert abs(track.mean_hz - frequency_hz) < 1e-7


@pytest.mark.parametrize(("start_hz", "drift"), [(50.0, 0.5), (50.0, -0.5), (59.0, 0.5)])
def test_drifting_frequency_is_followed(start_hz: float, drift: float) -> None:
    theta = 2 * np.pi * (start_hz * INSTANTS_S + drift * INSTANTS_S**2 / 2)
    track = track_mains(slot_means(np.cos(theta)), GRID)
    true = start_hz + drift * track.samples / RATE_HZ
    assert np.max(np.abs(track.frequency_hz - true)) < 1e-6
    cycles = track.cycle_samples(track.samples, RATE_HZ)
    assert np.max(np.abs(cycles - RATE_HZ / true)) < 1e-5


def test_harmonic_near_the_slot_rate_moves_the_frequency_by_millihertz_at_most() -> None:
    # The 19th of 50.3 Hz folds onto 44.3 Hz with a twentieth of its level.
    theta = 2 * np.pi * 50.3 * INSTANTS_S
    track = track_mains(slot_means(np.cos(theta) + 0.02 * np.cos(19 * theta)), GRID)
    assert np.max(np.abs(track.frequency_hz - 50.3)) < 5e-3


@pytest.mark.parametrize("frequency_hz", [41.0, 45.0, 50.07, 65.0])
def test_coarse_frequency_is_within_a_tenth(frequency_hz: float) -> None:
    for cycles in (10, 40):
        n = np.arange(int(1000 * cycles / frequency_hz))
        means = 5.0 + np.cos(2 * np.pi * frequency_hz * n / 1000 + 0.3)
        assert abs(coarse_frequency_hz(means, 1000.0) - frequency_hz) < 0.2


def test_too_short_a_record_is_refused() -> None:
    with pytest.raises(ValueError, match="149 slots are too few to find"):
        coarse_frequency_hz(np.ones(149), 1000.0)
    means = np.cos(2 * np.pi * 50 * np.arange(160) / 1000)
    with pytest.raises(ValueError, match="160 slots are too few to track"):
        track_mains(means, GRID)


@pytest.mark.parametrize("frequency_hz", [45.0, 50.0, 50.3, 60.0, 65.0])
def test_phasors_of_distorted_mains(frequency_hz: float) -> None:
    theta = 2 * np.pi * frequency_hz * INSTANTS_S
    u = np.sqrt(2) * (220 * np.cos(theta + 0.3) + 11 * np.cos(3 * theta) + 6 * np.cos(5 * theta))
    i = np.sqrt(2) * (5 * np.cos(theta + 0.3 - np.pi / 3) + np.cos(3 * theta + 1)) + 0.4
    means = slot_means(np.stack([u, i], axis=1))
    found = phasors(means, GRID, np.linspace(8400, 23_600, 40), frequency_hz)
    assert np.max(np.abs(found[:, 0] / (220 * np.exp(0.3j)) - 1)) < 1e-6
    assert np.max(np.abs(found[:, 1] / (5 * np.exp(1j * (0.3 - np.pi / 3))) - 1)) < 1e-6


@pytest.mark.parametrize(("lag", "sign"), [(np.pi / 3, 1), (-0.6, -1)])
def test_lagging_current_has_positive_reactive_power(lag: float, sign: int) -> None:
    theta = 2 * np.pi * 50 * INSTANTS_S
    both = np.sqrt(2) * np.stack([230 * np.cos(theta), 5 * np.cos(theta - lag)], axis=1)
    u, i = phasors(slot_means(both), GRID, np.array([12_000.0]), 50.0)[0]
    q1 = (u * np.conj(i)).imag
    assert np.sign(q1) == sign
    assert abs(q1 - 1150 * np.sin(lag)) < 1e-8


def test_grid_knows_centres_and_droop() -> None:
    assert GRID.centres(2).tolist() == [8003.5, 8011.5]
    n = np.arange(8) - 3.5
    mean = np.mean(np.cos(2 * np.pi * 50 / RATE_HZ * n))
    assert abs(GRID.droop(50.0) - mean) < 1e-15
