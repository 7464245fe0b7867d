"""The edge window against boxes convolved numerically, and against SciPy's B-spline."""

import numpy as np
from scipy.interpolate import BSpline

from spotcheck_dsp.edge_window import smooth_step, window

CUBIC = BSpline.basis_element([-2, -1, 0, 1, 2], extrapolate=False)


def test_window_is_the_cubic_b_spline() -> None:
    x = np.linspace(-2.5, 2.5, 2001)
    assert np.max(np.abs(window(x) - np.nan_to_num(CUBIC(x)))) < 1e-15


def test_smooth_step_is_the_integral_of_the_cubic_b_spline() -> None:
    x = np.linspace(-2, 2, 2001)
    assert np.max(np.abs(smooth_step(x) - CUBIC.antiderivative()(x))) < 1e-15


def test_smooth_step_is_a_step_convolved_with_four_boxes() -> None:
    # Midpoints of 1/500 cycle: what is left is that grid's own error, of the order of its square.
    grid = 500
    box = np.full(grid, 1 / grid)
    pulse = np.array([1.0])
    for _ in range(4):
        pulse = np.convolve(pulse, box)
    convolved = np.cumsum(pulse)
    x = (np.arange(len(pulse)) - (len(pulse) - 1) / 2 + 0.5) / grid
    assert np.max(np.abs(smooth_step(x) - convolved)) < 1e-6
    assert np.max(np.abs(window(x - 0.5 / grid) - pulse * grid)) < 2e-6


def test_smooth_step_rises_from_zero_to_one_and_turns_about_its_middle() -> None:
    x = np.linspace(-3, 3, 4001)
    step = smooth_step(x)
    assert step[0] == 0.0
    assert step[-1] == 1.0
    assert smooth_step(np.array([0.0]))[0] == 0.5
    assert np.all(np.diff(step) >= 0)
    assert np.max(np.abs(step + smooth_step(-x) - 1)) < 1e-15


def test_far_tails_keep_their_digits() -> None:
    # (2−|x|)⁴/24 near the end: no difference of large numbers may drown it.
    x = np.array([-2 + 1e-3])
    assert abs(smooth_step(x)[0] / (1e-12 / 24) - 1) < 1e-9
