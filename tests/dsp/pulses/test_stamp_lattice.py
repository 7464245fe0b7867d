"""Pulses of a meter with a tick, of one without, and of one that keeps step with its tick."""

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_dsp.pulses.stamp_lattice import TICKS_S, tick_of

Array = NDArray[np.float64]


def ticking(due_s: Array, tick_s: float, jitter_s: float, seed: int) -> Array:
    """A pulse leaves at the first tick after it was due; the head adds jitter."""
    jitter = np.random.default_rng(seed).normal(0, jitter_s, len(due_s))
    return np.ceil(due_s / tick_s) * tick_s + jitter


@pytest.mark.parametrize("tick_s", [0.02, 0.01, 1 / 128, 0.005])
@pytest.mark.parametrize("drift", [0.0, 80e-6, -150e-6])
def test_tick_is_found_whatever_its_crystal(tick_s: float, drift: float) -> None:
    due_s = 0.3 + 0.4137 * np.arange(20)
    stamps_s = (1 + drift) * ticking(due_s, tick_s, 15e-6, 1)
    assert tick_of(stamps_s) == tick_s


def test_tick_is_found_where_the_pulses_keep_step_with_it() -> None:
    """Residuals are nothing but jitter there."""
    stamps_s = ticking(0.3 + 0.41 * np.arange(10), 0.01, 10e-6, 2)
    assert tick_of(stamps_s) == 0.01


def test_few_pulses_show_no_tick() -> None:
    assert tick_of(ticking(0.3 + 0.4137 * np.arange(4), 0.01, 0.0, 3)) is None


def test_pulses_without_a_tick_show_none() -> None:
    rng = np.random.default_rng(4)
    for _ in range(300):
        interval_s = rng.uniform(0.05, 2.0)
        count = int(rng.integers(5, 40))
        steady = rng.uniform(0, 1) + interval_s * np.arange(count)
        stamps_s = steady + rng.normal(0, 20e-6, count) + 0.1 * interval_s * np.sin(steady)
        assert tick_of(stamps_s) is None


def test_longest_tick_is_taken() -> None:
    assert sorted(TICKS_S, reverse=True) == list(TICKS_S)
    stamps_s = ticking(0.3 + 0.4137 * np.arange(12), 0.02, 0.0, 5)
    assert tick_of(stamps_s) == 0.02
