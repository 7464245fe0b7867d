"""Clipping below full scale, against waveforms that are and are not clipped."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.faults.clipping import find_clipping

COUNT = 2000
NOISE = 3e-5


def angle(samples_per_cycle: float = 199.7, phase: float = 0.3) -> np.ndarray:
    return 2 * np.pi * np.arange(COUNT) / samples_per_cycle + phase


def noise(seed: int = 1, level: float = NOISE) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, level, COUNT)


def test_clipped_sine_is_found_with_level_place_and_every_top() -> None:
    wave = np.sin(angle())
    clipped = np.clip(wave, -0.98, 0.98)
    found = find_clipping(clipped + noise(), 5000, NOISE)
    assert found.detected
    first = int(np.flatnonzero(np.abs(wave) > 0.98)[0])
    assert found.first_sample == pytest.approx(5000 + first, abs=1)
    assert found.level == pytest.approx(np.sign(wave[first]) * 0.98, abs=NOISE)
    assert found.tops == 20
    assert found.samples == pytest.approx(np.sum(np.abs(wave) > 0.98), abs=10)
    assert found.fall_ratio >= found.threshold


def test_one_clipped_half_wave_is_enough() -> None:
    wave = np.sin(angle())
    wave[:200] = np.clip(1.2 * wave[:200], None, 1.05)
    found = find_clipping(wave + noise(), 0, NOISE)
    assert found.tops == 1
    assert found.level == pytest.approx(1.05, abs=NOISE)


def test_clipping_of_the_negative_side_alone_is_found() -> None:
    found = find_clipping(np.maximum(np.sin(angle()), -0.9) + noise(), 0, NOISE)
    assert found.detected
    assert found.level == pytest.approx(-0.9, abs=NOISE)


def test_codes_that_stand_on_one_value_are_found_without_other_noise() -> None:
    codes = np.rint(np.clip(1e6 * np.sin(angle()), -9.7e5, 9.7e5))
    assert find_clipping(codes, 0, 12**-0.5).detected


@settings(max_examples=200)
@given(
    st.floats(150, 250),
    st.floats(0, 6.3),
    st.lists(st.tuples(st.floats(0, 0.06), st.floats(0, 6.3)), min_size=12, max_size=12),
    st.sampled_from([1e-6, 1e-5, 1e-4, 5e-4]),
)
def test_distorted_mains_are_not_clipped(
    cycle: float, phase: float, harmonics: list[tuple[float, float]], level: float
) -> None:
    turn = angle(cycle, phase)
    wave = np.cos(turn)
    for order, (size, turned) in enumerate(harmonics, 2):
        wave = wave + size * np.cos(order * turn + turned)
    assert not find_clipping(wave + noise(2, level), 0, level).detected


@pytest.mark.parametrize("third", [0.08, 0.1, 1 / 9, 0.12, 0.15])
@pytest.mark.parametrize("level", [1e-6, 1e-5, 1e-4, 1e-3])
def test_flattest_smooth_tops_are_not_clipped(third: float, level: float) -> None:
    # At 1/9 the curvature of the top is gone: it is flat to the fourth power.
    turn = angle()
    wave = np.cos(turn) - third * np.cos(3 * turn)
    for seed in range(20):
        assert not find_clipping(wave + noise(seed, level), 0, level).detected


@pytest.mark.parametrize("firing_deg", [30, 60, 90, 120, 150])
def test_phase_fired_and_trailing_edge_dimmers_are_not_clipped(firing_deg: float) -> None:
    turn = angle()
    half = np.degrees(turn) % 180
    for part in (half >= firing_deg, half <= 180 - firing_deg):
        assert not find_clipping(np.where(part, np.sin(turn), 0.0) + noise(), 0, NOISE).detected


@pytest.mark.parametrize("mean", [0.0, 1 / np.pi])
def test_half_wave_current_with_and_without_its_direct_part_is_not_clipped(mean: float) -> None:
    wave = np.maximum(np.sin(angle()), 0.0) - mean
    assert not find_clipping(wave + noise(), 0, NOISE).detected


def test_noise_and_nothing_are_not_clipped() -> None:
    assert not find_clipping(noise(), 0, NOISE).detected
    assert not find_clipping(np.zeros(COUNT), 0, NOISE).detected


def test_blocks_of_constant_current_cannot_be_told_from_clipping() -> None:
    # A documented limit: the load truly draws a flat top with a kink at either end.
    turn = angle()
    trapeze = np.clip(2 * np.sin(turn), -1, 1)
    assert find_clipping(trapeze + noise(), 0, NOISE).detected


@given(st.floats(0.01, 1e6), st.sampled_from([-1.0, 1.0]))
def test_unit_and_sign_of_the_signal_have_no_say(scale: float, sign: float) -> None:
    values = np.clip(np.sin(angle()), -0.98, 0.98) + noise()
    first = find_clipping(values, 0, NOISE)
    second = find_clipping(sign * scale * values, 0, scale * NOISE)
    assert second.tops == first.tops
    assert second.fall_ratio == pytest.approx(first.fall_ratio, rel=1e-6)


@pytest.mark.parametrize(
    ("values", "level", "words"),
    [
        (np.zeros(15), 1.0, "16 are needed"),
        (np.zeros(20), 0.0, "noise_rms"),
        (np.full(20, np.nan), 1.0, "not finite"),
        (np.zeros((20, 2)), 1.0, "dimensions"),
    ],
)
def test_what_cannot_be_judged_is_refused(values: np.ndarray, level: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_clipping(values, 0, level)


def test_integers_are_refused() -> None:
    codes: Any = np.zeros(20, np.int32)
    with pytest.raises(TypeError, match="floating-point"):
        find_clipping(codes, 0, 1.0)
