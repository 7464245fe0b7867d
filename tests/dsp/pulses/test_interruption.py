"""An interrupted train is told, and what meters do by themselves is not."""

import numpy as np
import pytest

from spotcheck_dsp.pulses.interruption import interruption

POWER_W = 4400.0
INTERVAL_S = 0.5


def train(count: int = 20, interval_s: float = INTERVAL_S, jitter_s: float = 20e-6) -> np.ndarray:
    drawn = np.random.default_rng(5)
    return interval_s * np.arange(count) + drawn.normal(0, jitter_s, count)


def found(stamps_s: np.ndarray, numbers: np.ndarray | None = None) -> str | None:
    counted = np.arange(len(stamps_s)) if numbers is None else numbers
    return interruption(stamps_s, POWER_W * stamps_s, counted)


@pytest.mark.parametrize("lost", [0.05, 0.3, 0.45])
@pytest.mark.parametrize("missing", [0, 3])
@pytest.mark.parametrize("at", [1, 9, 18])
def test_part_of_a_pulse_that_is_lost_is_told_with_its_place(
    lost: float, missing: int, at: int
) -> None:
    behind = np.arange(20) > at
    stamps = train() + INTERVAL_S * (missing + lost) * behind
    words = found(stamps, np.arange(20) + missing * behind)
    assert words is not None
    assert f"between pulses {at} and {at + 1}" in words


@pytest.mark.parametrize("missing", [1, 4])
def test_whole_pulses_that_are_missing_are_no_interruption(missing: int) -> None:
    behind = np.arange(20) > 9
    assert found(train() + INTERVAL_S * missing * behind, np.arange(20) + missing * behind) is None


@pytest.mark.parametrize("jitter_s", [0.0, 20e-6, 5e-3])
def test_jitter_is_none(jitter_s: float) -> None:
    assert found(train(jitter_s=jitter_s)) is None


@pytest.mark.parametrize("tick_s", [1e-3, 1e-2])
@pytest.mark.parametrize("interval_s", [0.0203, 0.1007, 0.5137, 3.1003])
def test_tick_is_none_though_it_jumps_now_and_then(tick_s: float, interval_s: float) -> None:
    assert found(np.ceil(train(200, interval_s) / tick_s) * tick_s) is None


@pytest.mark.parametrize("power_factor", [1.0, 0.25])
def test_ripple_that_nearly_keeps_step_with_the_pulses_is_none(power_factor: float) -> None:
    stamps = train(60, 0.50002)
    ripple_j = POWER_W / power_factor / (4 * np.pi * 50) * np.sin(4 * np.pi * 50 * stamps)
    assert interruption(stamps, POWER_W * stamps + ripple_j, np.arange(60)) is None


def test_change_of_load_by_the_error_curve_of_a_slow_meter_is_none() -> None:
    stamps = train(10, 60.0)
    energies = POWER_W * (stamps + 0.005 * np.maximum(stamps - 290.0, 0.0))
    assert interruption(stamps, energies, np.arange(10)) is None


def test_few_pulses_say_nothing_and_shapes_must_agree() -> None:
    assert found(np.array([0.0, 0.5, 1.2, 1.7])) is None
    with pytest.raises(ValueError, match="one for each pulse"):
        interruption(np.zeros(5), np.zeros(5), np.arange(4))
