"""The edge windows against boxes convolved numerically, SciPy's B-spline and quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.interpolate import BSpline

from spotcheck_dsp.edge_window import (
    DEFAULT_KERNEL,
    QUICK_KERNEL,
    STOPBAND_KERNEL,
    CosineKernel,
    candidate_kernels,
    window,
)

CUBIC = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)


def test_window_is_the_cubic_b_spline() -> None:
    x = np.linspace(-2.5, 2.5, 2001)
    assert np.max(np.abs(window(x) - np.nan_to_num(CUBIC(x)))) < 1e-15


def test_smooth_step_is_the_integral_of_the_cubic_b_spline() -> None:
    x = np.linspace(-2, 2, 2001)
    assert np.max(np.abs(QUICK_KERNEL.smooth_step(x) - CUBIC.antiderivative()(x))) < 1e-15


def test_smooth_step_is_a_step_convolved_with_four_boxes() -> None:
    # Midpoints of 1/500 cycle: what is left is that grid's own error, of the order of its square.
    grid = 500
    box = np.full(grid, 1 / grid)
    pulse = np.array([1.0])
    for _ in range(4):
        pulse = np.convolve(pulse, box)
    convolved = np.cumsum(pulse)
    x = (np.arange(len(pulse)) - (len(pulse) - 1) / 2 + 0.5) / grid
    assert np.max(np.abs(QUICK_KERNEL.smooth_step(x) - convolved)) < 1e-6
    assert np.max(np.abs(window(x - 0.5 / grid) - pulse * grid)) < 2e-6


def test_smooth_step_rises_from_zero_to_one_and_turns_about_its_middle() -> None:
    x = np.linspace(-3, 3, 4001)
    step = QUICK_KERNEL.smooth_step(x)
    assert step[0] == 0.0
    assert step[-1] == 1.0
    assert QUICK_KERNEL.smooth_step(np.array([0.0]))[0] == 0.5
    assert np.all(np.diff(step) >= 0)
    assert np.max(np.abs(step + QUICK_KERNEL.smooth_step(-x) - 1)) < 1e-15


def test_far_tails_keep_their_digits() -> None:
    # (2−|x|)⁴/24 near the end: no difference of large numbers may drown it.
    x = np.array([-2 + 1e-3])
    assert abs(QUICK_KERNEL.smooth_step(x)[0] / (1e-12 / 24) - 1) < 1e-9


def test_cosine_kernel_with_one_coefficient_is_a_hann_window() -> None:
    """cos² over the width; its integral is x + sin(2πx)/2π."""
    kernel = CosineKernel(width_cycles=4.0, coefficients=(1.0,))
    x = np.linspace(-2.5, 2.5, 1001)
    inside = np.abs(x) <= 2
    assert np.allclose(
        kernel.window(x), np.where(inside, np.cos(np.pi * x / 4) ** 2 / 2, 0), atol=1e-15
    )
    step = np.clip(0.5 + x / 4 + np.sin(np.pi * x / 2) / (2 * np.pi), 0, 1)
    assert np.allclose(
        kernel.smooth_step(x), np.where(x > 2, 1, np.where(x < -2, 0, step)), atol=1e-15
    )


def test_stopband_step_is_the_integral_of_its_window_and_rises_from_zero_to_one() -> None:
    for end in (-9.5, -6.0, -1.3, 0.0, 2.7, 8.8):
        area, _ = quad(lambda y: float(STOPBAND_KERNEL.window(np.array([y]))[0]), -10, end)
        assert abs(STOPBAND_KERNEL.smooth_step(np.array([end]))[0] - area) < 1e-9
    x = np.linspace(-11, 11, 4001)
    step = STOPBAND_KERNEL.smooth_step(x)
    assert step[0] == 0.0
    assert step[-1] == 1.0
    assert np.all(np.diff(step) >= 0)
    assert np.max(np.abs(step + STOPBAND_KERNEL.smooth_step(-x) - 1)) < 1e-15


def test_stopband_begins_at_three_tenths_of_the_mains_frequency() -> None:
    """The window's Fourier transform, by quadrature over 20 cycles."""
    x = np.linspace(-10, 10, 20_001)
    weights = STOPBAND_KERNEL.window(x) * (x[1] - x[0])
    weights[[0, -1]] /= 2
    ratios = np.linspace(0.3, 4, 300)
    left = np.array([weights @ np.cos(2 * np.pi * ratio * x) for ratio in ratios])
    assert np.max(np.abs(left)) < 3.3e-8
    assert np.max(np.abs(left / (np.pi * 25 * ratios))) < 7e-10
    assert np.max(np.abs(left - STOPBAND_KERNEL.gain(ratios))) < 1e-12
    assert STOPBAND_KERNEL.gain(np.array([0.0]))[0] == 1.0


@pytest.mark.parametrize(
    ("cycles", "kernels"),
    [
        (45, (DEFAULT_KERNEL, STOPBAND_KERNEL)),
        (28, (DEFAULT_KERNEL, STOPBAND_KERNEL)),
        (27.9, (DEFAULT_KERNEL,)),
        (10, (QUICK_KERNEL,)),
    ],
)
def test_the_stopband_is_a_candidate_where_it_leaves_eight_cycles(
    cycles: float, kernels: tuple[object, ...]
) -> None:
    assert candidate_kernels(cycles) == kernels


def test_kernels_say_their_names() -> None:
    assert str(DEFAULT_KERNEL) == "4 boxes of 4 cycles"
    assert str(STOPBAND_KERNEL) == "cosine sum of 20 cycles"
