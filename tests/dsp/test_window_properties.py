"""What holds for every window: tiling, linearity, reversal, permutation, any phase, any number."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import DEFAULT_KERNEL, STOPBAND_KERNEL, Kernel
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.measured_window import (
    RegisterReadings,
    measure_window,
    register_readings,
    unsteadiness,
)
from spotcheck_dsp.window_quantities import Edge, combine_pieces, piece_sums, window_edges

Array = NDArray[np.float64]
RATE = 10_000.0
KERNELS = st.sampled_from([DEFAULT_KERNEL, STOPBAND_KERNEL])
FREQUENCIES = st.floats(45.0, 65.0)
SEEDS = st.integers(0, 2**32 - 1)


def load(frequency: float, seed: int, phases: int = 1) -> Array:
    """(10000, 2·phases) sums of random harmonics and interharmonics, with noise."""
    rng = np.random.default_rng(seed)
    turn = 2 * np.pi * frequency * np.arange(10_000) / RATE
    found = rng.normal(0, 1e-3, (10_000, 2 * phases))
    for order in (1, 3, 5, 7, 2.43, 4.61):
        peaks = rng.uniform(0.2, 1, 2 * phases) * (1 if order == 1 else 0.1)
        found += peaks * np.cos(order * turn[:, None] + rng.uniform(0, 6, 2 * phases))
    return found


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, seed=SEEDS, kernel=KERNELS, share=st.floats(0.05, 0.95))
def test_pieces_tile_a_window_wherever_it_is_cut(
    frequency: float, seed: int, kernel: Kernel, share: float
) -> None:
    samples = load(frequency, seed)
    mains = fit_mains(samples[:, 0], 0, RATE)
    low, high = window_edges(0, len(samples), mains, kernel)
    at = low.sample + share * (high.sample - low.sample)
    middle = Edge(sample=at, cycle_samples=mains.cycle_samples(at))
    whole, left, right = (
        piece_sums(samples, 0, ends, kernel, mains, (0, len(samples)))
        for ends in ((low, high), (low, middle), (middle, high))
    )
    size = float(np.sum(np.abs(samples[:, 0] * samples[:, 1])))
    assert abs(left.power[0] + right.power[0] - whole.power[0]) < 1e-14 * size
    assert abs(left.weight + right.weight - whole.weight) < 1e-9
    both = combine_pieces([left, right], 0)
    assert abs(both.power_w[0] * whole.weight - whole.power[0]) < 1e-13 * size


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, seed=SEEDS, by=st.floats(-50.0, 50.0).filter(lambda x: abs(x) > 0.1))
def test_a_current_times_a_number_is_a_power_times_it(
    frequency: float, seed: int, by: float
) -> None:
    samples = load(frequency, seed)
    once, often = (measure_window(samples * [1.0, x], 0, RATE) for x in (1.0, by))
    assert once.kernel == often.kernel
    found, scaled = once.quantities, often.quantities
    s = float(found.rms_u_v[0] * found.rms_i_a[0])
    assert abs(scaled.power_w[0] / by - found.power_w[0]) < 1e-12 * s
    assert abs(scaled.q1_var[0] / by - found.q1_var[0]) < 1e-12 * s
    assert abs(scaled.rms_i_a[0] / abs(by) - found.rms_i_a[0]) < 1e-12 * found.rms_i_a[0]


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, seed=SEEDS)
def test_powers_of_currents_add_up(frequency: float, seed: int) -> None:
    """The same voltage with two currents, and with their sum."""
    two = load(frequency, seed, phases=2)
    u, first, second = two[:, 0], two[:, 1], two[:, 3]
    samples = np.column_stack([u, first, u, second, u, first + second])
    found = measure_window(samples, 0, RATE).quantities
    s = float(found.rms_u_v[2] * found.rms_i_a[2])
    assert abs(found.power_w[0] + found.power_w[1] - found.power_w[2]) < 1e-12 * s
    assert abs(found.q1_var[0] + found.q1_var[1] - found.q1_var[2]) < 1e-12 * s


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, seed=SEEDS)
def test_a_window_run_backwards_has_the_same_power_and_the_opposite_q1(
    frequency: float, seed: int
) -> None:
    samples = load(frequency, seed)
    there, back = (measure_window(s, 0, RATE) for s in (samples, samples[::-1]))
    assert there.kernel == back.kernel
    found, mirrored = there.quantities, back.quantities
    s = float(found.rms_u_v[0] * found.rms_i_a[0])
    assert abs(mirrored.power_w[0] - found.power_w[0]) < 1e-11 * s
    assert abs(mirrored.q1_var[0] + found.q1_var[0]) < 1e-11 * s
    assert abs(mirrored.frequency_hz / found.frequency_hz - 1) < 1e-11


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, seed=SEEDS, order=st.permutations([0, 1, 2]))
def test_phases_may_stand_in_any_order(frequency: float, seed: int, order: list[int]) -> None:
    samples = load(frequency, seed, phases=3)
    columns = [column for phase in order for column in (2 * phase, 2 * phase + 1)]
    straight, shuffled = (measure_window(s, 0, RATE) for s in (samples, samples[:, columns]))
    assert straight.kernel == shuffled.kernel
    for name in ("power_w", "rms_u_v", "rms_i_a", "q1_var"):
        values = getattr(straight.quantities, name)[order]
        assert np.allclose(getattr(shuffled.quantities, name), values, rtol=1e-11, atol=1e-11)


@settings(deadline=None, max_examples=15)
@given(frequency=FREQUENCIES, first=st.floats(0, 6.3), second=st.floats(0, 6.3))
def test_the_phase_at_which_a_window_begins_leaves_no_trace(
    frequency: float, first: float, second: float
) -> None:
    turn = 2 * np.pi * frequency * np.arange(10_000) / RATE
    found = []
    for phase in (first, second):
        angle = turn + phase
        u = 325 * np.cos(angle) + 20 * np.cos(5 * angle)
        i = 14 * np.cos(angle - 1) + 5 * np.cos(5 * angle - 2)
        found.append(measure_window(np.column_stack([u, i]), 0, RATE).quantities)
    s = float(found[0].rms_u_v[0] * found[0].rms_i_a[0])
    for name in ("power_w", "q1_var"):
        assert abs(getattr(found[0], name)[0] - getattr(found[1], name)[0]) < 1e-12 * s
    assert np.allclose(found[0].fundamental, found[1].fundamental, rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=15)
@given(first_sample=st.integers(0, 10**10), seed=SEEDS)
def test_the_number_of_the_first_sample_leaves_no_trace(first_sample: int, seed: int) -> None:
    samples = load(50.02, seed)
    begun, later = (measure_window(samples, first, RATE) for first in (0, first_sample))
    assert begun.kernel == later.kernel
    for name in ("power_w", "rms_u_v", "rms_i_a", "q1_var"):
        values = getattr(begun.quantities, name)
        # Instants of 1e10 samples are known to 1e-6 of a sample.
        assert np.allclose(getattr(later.quantities, name), values, rtol=1e-8, atol=1e-9)


@settings(deadline=None, max_examples=8)
@given(frequency=FREQUENCIES, step_s=st.floats(1.0, 10.0))
def test_energy_of_ten_chained_seconds_meets_a_step_to_half_a_sample(
    frequency: float, step_s: float
) -> None:
    """Of the ripple's integral, what runs up to the step stays: half of S/(2ω)·sin(2ωt).

    A step between two samples is known to half a sample: 50 µs of the power that is lost there.
    """
    times = np.arange(110_000) / RATE
    turn = 2 * np.pi * frequency * times
    level = np.where(times < step_s, 1.0, 0.5)
    samples = np.column_stack([np.cos(turn), 2 * level * np.cos(turn)])
    bounds = [5000 + 10_000 * k for k in range(11)]
    found, begin = 0.0, None
    for low, high in itertools.pairwise(bounds):
        start, piece = low - 2500, samples[low - 2500 : high + 2500]
        mains = fit_mains(piece[:, 0], start, RATE)
        begin = begin or Edge(sample=low, cycle_samples=mains.cycle_samples(low))
        end = Edge(sample=high, cycle_samples=mains.cycle_samples(high))
        sums = piece_sums(piece, start, (begin, end), DEFAULT_KERNEL, mains, (low, high))
        found, begin = found + float(sums.power[0]) / RATE, end
    ripple = 0.5 * np.sin(4 * np.pi * frequency * step_s) / (4 * np.pi * frequency)
    truth = step_s - 0.5 + 0.5 * (10.5 - step_s) + ripple
    # S is 1 W·A/W: 5 ppm of it over ten seconds.
    assert abs(found - truth) < 5e-6 * 10 + 1e-9


def test_too_few_readings_cannot_tell_steadiness() -> None:
    with pytest.raises(ValueError, match="4 readings are too few"):
        unsteadiness([RegisterReadings(samples=np.arange(4.0), readings=np.ones((4, 3)))])


def test_readings_of_pieces_say_the_same_as_those_of_the_whole() -> None:
    rng = np.random.default_rng(8)
    turn = 2 * np.pi * 50 * np.arange(30_000) / RATE
    level = 1 + 0.1 * np.cos(0.06 * turn)
    samples = np.column_stack([np.cos(turn), level * np.cos(turn)])
    samples += rng.normal(0, 1e-6, samples.shape)
    mains = fit_mains(samples[:, 0], 0, RATE)
    low, high = window_edges(0, len(samples), mains, DEFAULT_KERNEL)
    middle = Edge(sample=14_003.3, cycle_samples=mains.cycle_samples(14_003.3))
    whole, *parts = (
        register_readings(samples, 0, ends, DEFAULT_KERNEL)
        for ends in ((low, high), (low, middle), (middle, high))
    )
    assert np.allclose(
        parts[0].readings[-1] + parts[1].readings[-1], whole.readings[-1], rtol=1e-12, atol=1e-12
    )
    one, two = unsteadiness([whole]), unsteadiness(parts)
    assert np.allclose(one.power_w, two.power_w, rtol=0.02)
