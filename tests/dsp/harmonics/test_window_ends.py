"""The correction against components whose Fourier coefficients are closed forms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.harmonics.cycle_resampling import STEPS, ResamplingKernel
from spotcheck_dsp.harmonics.window_ends import end_correction

KERNEL = ResamplingKernel(half_width_steps=6.8125)
BAND = 12 * 51 / STEPS
BINS = np.arange(12 * 51)


def values_of(cycles_per_step: float, angle_rad: float, beyond: int) -> np.ndarray:
    """What the kernel makes of a cosine, in closed form."""
    places = np.arange(-beyond, STEPS + beyond)
    level = float(KERNEL.response(np.array(cycles_per_step)))
    turns = cycles_per_step * places
    return np.asarray(level * np.cos(2 * np.pi * turns + angle_rad)[:, None])


def coefficients(cycles_per_step: float, angle_rad: float) -> np.ndarray:
    """(1/N)·∫₀ᴺ cos(2πθp + φ)·e^{−2πjbp/N} dp at the bins b."""
    turns = cycles_per_step * STEPS
    half = 0.5 * np.exp(1j * angle_rad)
    right = half * np.sinc(turns - BINS) * np.exp(1j * np.pi * (turns - BINS))
    left = np.conj(half) * np.sinc(turns + BINS) * np.exp(-1j * np.pi * (turns + BINS))
    return np.asarray(right + left)


def divided(values: np.ndarray) -> np.ndarray:
    return np.asarray(
        np.fft.rfft(values[:, 0])[: len(BINS)] / STEPS / KERNEL.response(BINS / STEPS)
    )


@given(cycles_per_step=st.floats(0, BAND), angle_rad=st.floats(-3.2, 3.2))
def test_any_component_of_the_band_has_its_fourier_integral(
    cycles_per_step: float, angle_rad: float
) -> None:
    ends = end_correction(KERNEL, BAND, BAND)
    values = values_of(cycles_per_step, angle_rad, ends.beyond_steps)
    error = divided(ends.wrapped(values)) - coefficients(cycles_per_step, angle_rad)
    assert np.max(np.abs(error)) < 1e-9


@pytest.mark.parametrize("cycles_per_step", [0.32, 0.3701, 0.42])
def test_what_lies_above_the_band_leaks_as_it_should(cycles_per_step: float) -> None:
    ends = end_correction(KERNEL, BAND, 0.43)
    values = values_of(cycles_per_step, 0.7, ends.beyond_steps)
    error = divided(ends.wrapped(values)) - coefficients(cycles_per_step, 0.7)
    assert np.max(np.abs(error)) < 1e-7


def test_division_alone_is_wrong_by_a_hundredth() -> None:
    ends = end_correction(KERNEL, BAND, BAND)
    values = values_of(0.2502, 0.7, ends.beyond_steps)
    within = values[ends.beyond_steps : -ends.beyond_steps]
    assert np.max(np.abs(divided(within) - coefficients(0.2502, 0.7))) > 1e-3


@pytest.mark.parametrize("bin_number", [0, 12, 600])
def test_what_repeats_with_the_window_is_left_alone(bin_number: int) -> None:
    ends = end_correction(KERNEL, BAND, BAND)
    values = values_of(bin_number / STEPS, 0.4, ends.beyond_steps)
    within = values[ends.beyond_steps : -ends.beyond_steps]
    assert np.max(np.abs(ends.wrapped(values) - within)) < 1e-9


def test_the_values_given_stay_as_they_are() -> None:
    ends = end_correction(KERNEL, BAND, BAND)
    values = values_of(0.2502, 0.7, ends.beyond_steps)
    before = values.copy()
    ends.wrapped(values)
    assert np.array_equal(values, before)
    assert not ends.matrix.flags.writeable


def test_another_number_of_values_is_refused() -> None:
    ends = end_correction(KERNEL, BAND, BAND)
    with pytest.raises(ValueError, match=f"2048 values; 2048 and twice {ends.beyond_steps}"):
        ends.wrapped(np.zeros((STEPS, 1)))
