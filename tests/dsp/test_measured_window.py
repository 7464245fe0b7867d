"""Windows whose kernel the data choose, against sums of sinusoids in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import DEFAULT_KERNEL, QUICK_KERNEL, STOPBAND_KERNEL
from spotcheck_dsp.measured_window import (
    COVERAGE_FACTOR,
    Unsteadiness,
    measure_window,
    measure_without_mains,
    steadier,
)

Array = NDArray[np.float64]
RATE = 10_000.0
# Times the mains frequency: complex peak of the voltage, of the current.
Tones = dict[float, tuple[complex, complex]]
FIFTH: Tones = {1.0: (325.0, 14 * np.exp(-1j)), 3.0: (9.0, 3j), 5.0: (32.5, 5.6 + 1j)}
BETWEEN: Tones = {
    0.69: (16.0, 2.8j), 2.42: (4j, 0.7), 3.55: (3.0, 0.7j), 6.31: (2.0, -0.5), 9.64: (2j, 0.3),
}  # fmt: skip
EVEN: Tones = {1.0: (325.0, 7.0), 0.0: (1.0, 4.5), 2.0: (0.0, 3.0), 4.0: (0.0, -0.6)}


def burst() -> Tones:
    """Fourier tones to the order 20 of cos θ that flows for two cycles in four, from θ = 0.

    C_k = 1/(4π) ∫ cos θ exp(−jkθ) dθ over two cycles; half of it for k = 0.
    """
    tones: Tones = {1.0: (325.0, 7.0)}
    for m in range(81):
        k = m / 4
        if k == 1:
            continue
        ends = [np.exp(1j * s * 4 * np.pi) - 1 for s in (1 - k, -1 - k)]
        c = (ends[0] / (1j * (1 - k)) - ends[1] / (1j * (1 + k))) / (8 * np.pi)
        tones[k] = (0.0, 14 * c / (1 if m else 2))
    return tones


def signal(tones: Tones, frequency: float, seconds: float = 1.0, turn: float = 0.0) -> Array:
    """(n, 2): u and i, begun at an angle of the mains."""
    angle = 2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE + turn
    found = np.zeros((len(angle), 2))
    for order, peaks in tones.items():
        found += np.real(np.exp(1j * order * angle)[:, None] * np.array(peaks))
    return found


def truth(tones: Tones) -> tuple[float, float, float, float]:
    """P, U, I and Q1: tones of different frequencies share no power."""
    share = {order: 0.5 if order else 1.0 for order in tones}
    power = sum(share[k] * (u * np.conj(i)).real for k, (u, i) in tones.items())
    squares = [sum(share[k] * abs(peaks[c]) ** 2 for k, peaks in tones.items()) for c in (0, 1)]
    u1, i1 = tones[1.0]
    return power, np.sqrt(squares[0]), np.sqrt(squares[1]), (u1 * np.conj(i1)).imag / 2


def worst_ppm(tones: Tones, samples: Array) -> float:
    found = measure_window(samples, 0, RATE).quantities
    power, u, i, q1 = truth(tones)
    errors = [
        (found.power_w[0] - power) / (u * i),
        (found.q1_var[0] - q1) / (u * i),
        found.rms_u_v[0] / u - 1,
        found.rms_i_a[0] / i - 1,
    ]
    return float(np.max(np.abs(errors))) * 1e6


@pytest.mark.parametrize("frequency", [45.0, 50.03, 65.0])
@pytest.mark.parametrize("tones", [FIFTH, EVEN, burst()], ids=["fifth", "even", "burst"])
def test_periodic_loads_and_bursts_are_met_by_the_boxes(tones: Tones, frequency: float) -> None:
    samples = signal(tones, frequency, turn=0.7)
    assert measure_window(samples, 0, RATE).kernel is DEFAULT_KERNEL
    assert worst_ppm(tones, samples) < 1e-6


@settings(deadline=None, max_examples=20)
@given(frequency=st.floats(45.0, 65.0), turn=st.floats(0.0, 60.0))
def test_interharmonics_are_met_by_the_stopband_to_a_thousandth_of_a_ppm(
    frequency: float, turn: float
) -> None:
    tones = FIFTH | BETWEEN
    samples = signal(tones, frequency, turn=turn)
    assert measure_window(samples, 0, RATE).kernel is STOPBAND_KERNEL
    assert worst_ppm(tones, samples) < 1e-3


@pytest.mark.parametrize("frequency", [45.0, 50.03, 65.0])
def test_a_fifth_of_a_second_is_met_by_the_quick_kernel(frequency: float) -> None:
    samples = signal(FIFTH, frequency, 0.2)
    assert measure_window(samples, 0, RATE).kernel == QUICK_KERNEL
    assert worst_ppm(FIFTH, samples) < 1e-5


@pytest.mark.parametrize("tones", [FIFTH, FIFTH | BETWEEN])
def test_the_angle_between_channels_is_met_to_a_millionth_of_a_degree(tones: Tones) -> None:
    u, i = measure_window(signal(tones, 47.3, turn=2.0), 0, RATE).quantities.fundamental
    assert abs(np.degrees(np.angle(i / u)) + np.degrees(1.0)) < 1e-6


@pytest.mark.parametrize("frequency", [45.0, 50.3])
def test_noise_leaves_the_choice_to_the_boxes_and_costs_a_fifth_at_most(frequency: float) -> None:
    """Cramér–Rao of the power of a sinusoid: var P = (U²σi² + I²σu²)/N."""
    rng, errors = np.random.default_rng(11), []
    tones: Tones = {1.0: (1.0, 1.0)}
    sigma = 1e-4 / np.sqrt(2)
    for _ in range(20):
        noise = rng.normal(0, sigma, (10_000, 60))
        found = measure_window(np.tile(signal(tones, frequency), (1, 30)) + noise, 0, RATE)
        assert found.kernel is DEFAULT_KERNEL
        errors += list(found.quantities.power_w - 0.5)
    # 600 independent phases: their rms is known to 3 %.
    assert np.sqrt(np.mean(np.square(errors))) < 1.2 * 1.03 * sigma / 100


@settings(deadline=None, max_examples=20)
@given(per_cycle=st.floats(0.05, 0.29), frequency=st.floats(45.0, 65.0), turn=st.floats(0.0, 60.0))
def test_the_expanded_unsteadiness_covers_any_slow_swing_of_a_period_in_the_window(
    per_cycle: float, frequency: float, turn: float
) -> None:
    swing: Tones = {1 + per_cycle: (0.0, 1.4), 1 - per_cycle: (0.0, 1.4)}
    tones = {1.0: (325.0 + 0j, 14.0 + 0j)} | swing
    measured = measure_window(signal(tones, frequency, turn=turn), 0, RATE)
    power, u, i, _ = truth(tones)
    # An error that rounding makes needs no cover.
    assert measured.unsteadiness is not None
    covered = COVERAGE_FACTOR * measured.unsteadiness.power_w[0] + 1e-12 * u * i
    assert abs(measured.quantities.power_w[0] - power) <= covered
    covered = COVERAGE_FACTOR * measured.unsteadiness.rms_i_a[0] + 1e-12 * i
    assert abs(measured.quantities.rms_i_a[0] - i) <= covered


def test_a_steady_load_is_steady_and_a_short_window_cannot_tell() -> None:
    steady = measure_window(signal(FIFTH, 50.0), 0, RATE).unsteadiness
    assert steady is not None
    assert steady.relative < 1e-12
    assert measure_window(signal(FIFTH, 50.0, 0.12), 0, RATE).unsteadiness is None


def test_without_mains_direct_current_is_met_and_so_is_alternating() -> None:
    ripple: Tones = {0.0: (48.0, 10.0), 2.0: (1.0, 2j), 0.31: (0.5j, 1.0), 1.0: (0.1, 0.1)}
    for tones in (ripple, FIFTH | BETWEEN):
        found = measure_without_mains(signal(tones, 45.0, turn=0.4), 0, RATE)
        power, u, i, _ = truth(tones)
        assert abs(found.power_w[0] - power) / (u * i) < 1e-9
        assert abs(found.rms_u_v[0] / u - 1) < 1e-9
        assert abs(found.rms_i_a[0] / i - 1) < 1e-9
        direct_u, direct_i = tones.get(0.0, (0.0, 0.0))
        assert abs(found.direct_u_v[0] - direct_u) / u < 1e-9
        assert abs(found.direct_i_a[0] - direct_i) / i < 1e-9
        assert found.kernel is STOPBAND_KERNEL
        assert found.unsteadiness.relative < 1e-7


def test_the_kernel_is_changed_only_for_one_that_is_much_steadier() -> None:
    def unsteady(relative: float) -> Unsteadiness:
        zero = np.zeros(1)
        return Unsteadiness(power_w=zero, rms_u_v=zero, rms_i_a=zero, relative=relative)

    assert steadier([unsteady(1e-3), unsteady(1e-6)]) == 1
    assert steadier([unsteady(1e-3), unsteady(0.6e-3)]) == 0
    assert steadier([unsteady(1e-6), unsteady(1e-3)]) == 0
    assert steadier([unsteady(1e-13), unsteady(1e-15)]) == 0
    assert steadier([unsteady(1e-3)]) == 0
    assert steadier([None, unsteady(1e-6)]) == 0


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.ones(10_000), RATE, "shape"),
        (np.ones((10_000, 3)), RATE, "shape"),
        (np.full((10_000, 2), np.nan), RATE, "not finite"),
        (np.full((10_000, 2), np.inf), RATE, "not finite"),
        (np.ones((10_000, 2)), 0.0, "sample_rate_hz is 0"),
        (np.ones((10_000, 2)), np.nan, "sample_rate_hz is nan"),
    ],
)
def test_what_is_no_window_is_refused(samples: Array, rate: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        measure_window(samples, 0, rate)
    with pytest.raises(ValueError, match=words):
        measure_without_mains(samples, 0, rate)


def test_too_short_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.6 s are too few .* 0\.622 s are needed"):
        measure_without_mains(np.ones((6000, 2)), 0, RATE)
    with pytest.raises(ValueError, match="too few"):
        measure_window(signal(FIFTH, 50.0, 0.03), 0, RATE)


def test_what_is_no_mains_is_refused() -> None:
    with pytest.raises(ValueError, match="no mains"):
        measure_window(np.full((10_000, 2), 3.0), 0, RATE)
