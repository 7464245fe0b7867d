"""Channels moved by a fraction of a sample, against the sinusoid at the right instant."""

import numpy as np
import pytest
from scipy.signal.windows import tukey

from spotcheck_dsp.channel_alignment import REACH, aligned

RATE = 10_000.0


@pytest.mark.parametrize("order", [1, 7, 25, 50, 70])
@pytest.mark.parametrize("delay_us", [-20.0, -3.3, 17.0, 250.0])
def test_a_sinusoid_is_put_right_to_a_billionth(order: int, delay_us: float) -> None:
    t = np.arange(2000) / RATE
    taken = np.cos(2 * np.pi * 50 * order * (t + delay_us * 1e-6) + 0.3)
    found = aligned(taken[:, None], np.array([delay_us * 1e-6 * RATE]))[:, 0]
    inside = slice(REACH + 4, -REACH - 4)
    assert np.max(np.abs(found - np.cos(2 * np.pi * 50 * order * t + 0.3))[inside]) < 2e-9


@pytest.mark.parametrize("order", [1, 5])
def test_the_ends_are_met_too_at_low_orders(order: int) -> None:
    t = np.arange(700) / RATE
    taken = np.cos(2 * np.pi * 50 * order * (t - 20e-6))
    found = aligned(taken[:, None], np.array([-0.2]))[:, 0]
    assert np.max(np.abs(found - np.cos(2 * np.pi * 50 * order * t))) < 1e-7


def test_a_whole_sample_is_a_shift() -> None:
    values = np.random.default_rng(2).normal(size=300) * tukey(300)
    found = aligned(values[:, None], np.array([-2.0]))[:, 0]
    assert np.allclose(found[40:-40], values[42:-38], atol=1e-9)


def test_channels_move_each_by_its_own_delay() -> None:
    t = np.arange(1000) / RATE
    delays = np.array([0.0, 0.17, -0.2])
    taken = np.column_stack([np.sin(2 * np.pi * 50 * (t + d / RATE)) for d in delays])
    found = aligned(taken, delays)
    assert np.array_equal(found[:, 0], taken[:, 0])
    assert np.max(np.abs(found - np.sin(2 * np.pi * 50 * t)[:, None])) < 1e-8


def test_no_delay_gives_the_very_values() -> None:
    values = np.ones((5, 2))
    assert aligned(values, np.zeros(2)) is values


@pytest.mark.parametrize(("count", "delay"), [(5, 0.1), (5000, 1001.0)])
def test_what_cannot_be_moved_is_refused(count: int, delay: float) -> None:
    with pytest.raises(ValueError, match="cannot be moved"):
        aligned(np.ones((count, 1)), np.array([delay]))
