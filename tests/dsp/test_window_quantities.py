"""Quantities of a window against sums of sinusoids in closed form."""

import numpy as np
import pytest

from spotcheck_dsp.edge_window import DEFAULT_KERNEL, QUICK_KERNEL, EdgeKernel, longest_kernel
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.window_quantities import (
    Edge,
    PieceSums,
    WindowQuantities,
    combine_pieces,
    harmonic_orders,
    piece_sums,
    window_edges,
)

# order, U, I, lag of the current
HARMONICS = ((1, 230.0, 10.0, 0.5), (3, 10.0, 3.0, 1.0), (5, 23.0, 4.0, 0.3), (39, 1.0, 0.2, 1.0))


def signal(t: np.ndarray, frequency: float) -> np.ndarray:
    """(n, 2): u and i."""
    turn = 2 * np.pi * frequency * t
    root = np.sqrt(2)
    u = sum(root * a * np.cos(h * (turn + 0.2) + 0.1 * h) for h, a, _, _ in HARMONICS)
    i = sum(root * b * np.cos(h * (turn + 0.2) + 0.1 * h - lag) for h, _, b, lag in HARMONICS)
    return np.column_stack([u, i])


TRUE_U = np.sqrt(sum(a * a for _, a, _, _ in HARMONICS))
TRUE_I = np.sqrt(sum(b * b for _, _, b, _ in HARMONICS))
TRUE_P = sum(a * b * np.cos(lag) for _, a, b, lag in HARMONICS)
TRUE_Q1 = 230 * 10 * np.sin(0.5)
S = TRUE_U * TRUE_I


def measured(samples: np.ndarray, rate: float, kernel: EdgeKernel) -> WindowQuantities:
    mains = fit_mains(samples[:, 0], 0, rate)
    begin, end = window_edges(0, len(samples), mains, kernel)
    span = (0, len(samples))
    return combine_pieces([piece_sums(samples, 0, (begin, end), kernel, mains, span)], 0)


@pytest.mark.parametrize("frequency", [45.3, 49.63, 50.0, 50.3, 61.7])
@pytest.mark.parametrize(("seconds", "ppm"), [(1.0, 1e-6), (0.2, 1e-5)])
def test_periodic_signals_are_met_to_a_millionth_of_a_ppm_of_s(
    frequency: float, seconds: float, ppm: float
) -> None:
    rate = 10_000.0
    samples = signal(np.arange(round(seconds * rate)) / rate, frequency)
    found = measured(samples, rate, longest_kernel(seconds * frequency))
    assert abs(found.power_w[0] - TRUE_P) / S * 1e6 < ppm
    assert abs(found.q1_var[0] - TRUE_Q1) / S * 1e6 < ppm
    assert abs(found.rms_u_v[0] / TRUE_U - 1) * 1e6 < ppm
    assert abs(found.rms_i_a[0] / TRUE_I - 1) * 1e6 < ppm
    lag = np.degrees(np.angle(found.fundamental[0] / found.fundamental[1]))
    assert abs(lag - np.degrees(0.5)) < 1e-6
    assert found.fundamental[0].imag == pytest.approx(0, abs=1e-9)
    for order, u, i, _ in HARMONICS:
        assert abs(found.harmonics_rms[0, order - 1] - u) / 230 < 1e-8
        assert abs(found.harmonics_rms[1, order - 1] - i) / 10 < 1e-8
    assert found.harmonics_rms[0, 1] < 1e-6


def test_bursts_of_two_cycles_in_four_are_met_by_the_default_kernel() -> None:
    """Long-run mean power: half of that of the load; whole-cycle averaging fails by percents."""
    rate, frequency = 10_000.0, 50.0
    t = np.arange(10_000) / rate
    u = 325 * np.sin(2 * np.pi * frequency * t)
    on = (np.floor(t * frequency + 1e-9) % 4) < 2
    found = measured(np.column_stack([u, np.where(on, u / 50, 0.0)]), rate, DEFAULT_KERNEL)
    assert abs(found.power_w[0] / (325**2 / 2 / 50 / 2) - 1) < 1e-9


def test_pieces_tile_a_window_exactly() -> None:
    rate = 10_000.0
    samples = signal(np.arange(30_000) / rate, 50.2)
    mains = fit_mains(samples[:, 0], 0, rate)
    low, high = window_edges(0, len(samples), mains, DEFAULT_KERNEL)
    middle = Edge(sample=14_321.7, cycle_samples=mains.cycle_samples(14_321.7))

    def sums(begin: Edge, end: Edge) -> PieceSums:
        span = (round(begin.sample), round(end.sample))
        return piece_sums(samples, 0, (begin, end), DEFAULT_KERNEL, mains, span)

    whole, parts = sums(low, high), (sums(low, middle), sums(middle, high))
    for name in ("weight", "power", "square_u", "square_i"):
        total = getattr(parts[0], name) + getattr(parts[1], name)
        assert np.allclose(total, getattr(whole, name), rtol=1e-13)


def test_power_keeps_its_sign_and_a_leading_current_has_negative_q1() -> None:
    rate = 10_000.0
    turn = 2 * np.pi * 50 * np.arange(10_000) / rate
    found = measured(
        np.column_stack([300 * np.cos(turn), -5 * np.cos(turn), 300 * np.cos(turn - 2),
                         5 * np.cos(turn - 2 + 0.7)]), rate, DEFAULT_KERNEL,
    )  # fmt: skip
    assert found.power_w[0] == pytest.approx(-750, rel=1e-12)
    assert found.power_w[1] == pytest.approx(750 * np.cos(0.7), rel=1e-12)
    assert found.q1_var[1] == pytest.approx(-750 * np.sin(0.7), rel=1e-12)
    assert np.degrees(np.angle(found.fundamental[2])) == pytest.approx(-np.degrees(2), abs=1e-9)


def test_direct_voltage_and_current_are_told_apart() -> None:
    turn = 2 * np.pi * 50 * np.arange(10_000) / 10_000
    half_wave = np.maximum(10 * np.sin(turn), 0)
    found = measured(np.column_stack([300 * np.sin(turn) + 2, half_wave]), 10_000.0, DEFAULT_KERNEL)
    assert found.direct_u_v[0] == pytest.approx(2, abs=1e-9)
    assert found.direct_i_a[0] == pytest.approx(10 / np.pi, rel=1e-4)  # samples of a kinked curve


def test_orders_end_below_half_the_sample_rate() -> None:
    assert harmonic_orders(50.0, 3200.0) == 31
    assert harmonic_orders(50.01, 3200.0) == 31
    assert harmonic_orders(50.0, 10_000.0) == 50


@pytest.mark.parametrize(
    ("cycles", "kernel"),
    [
        (50, DEFAULT_KERNEL),
        (24, DEFAULT_KERNEL),
        (10, QUICK_KERNEL),
        (6, QUICK_KERNEL),
        (5, EdgeKernel(boxes=4, box_cycles=1)),
        (3, EdgeKernel(boxes=2, box_cycles=1)),
        (2, EdgeKernel(boxes=1, box_cycles=1)),
    ],
)
def test_the_longest_kernel_that_fits_is_taken(cycles: float, kernel: EdgeKernel) -> None:
    assert longest_kernel(cycles) == kernel


def test_less_than_two_cycles_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.9 mains cycles"):
        longest_kernel(1.9)


def test_no_pieces_are_refused() -> None:
    with pytest.raises(ValueError, match="one piece"):
        combine_pieces([], 0)
