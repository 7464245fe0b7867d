"""The reactive register, read at instants as a kvarh meter gives them, against closed forms."""

import numpy as np
import pytest

from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.mains_tracking import MainsTrack, SlotGrid, track_mains
from spotcheck_dsp.quantities.reactive_register import (
    fundamental_reactive_increments,
    lagged_reactive_increments,
    quarter_period_reactive_increments,
)
from spotcheck_dsp.slot_sums import LAG_DIFFERENCE, slot_sums_reference

RATE = 10_000.0
Q1 = 230 * 10 * np.sin(0.5)


def waves(
    count: int, frequency: float, third: bool = True, drift: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(count) / RATE
    turn = 2 * np.pi * (frequency * t + drift * t * t / 2)
    u = np.sqrt(2) * 230 * np.cos(turn)
    i = np.sqrt(2) * 10 * np.cos(turn - 0.5)
    if third:
        u = u + np.sqrt(2) * 20 * np.cos(3 * turn)
        i = i + np.sqrt(2) * 4 * np.cos(3 * turn - 1.0)
    return u[:, None], i[:, None]


def means(values: np.ndarray, slot_length: int) -> np.ndarray:
    whole = len(values) // slot_length * slot_length
    return np.asarray(values[:whole].reshape(-1, slot_length, values.shape[1]).mean(axis=1))


def steady(frequency: float, count: int = 30_000) -> MainsTrack:
    return MainsTrack(samples=np.array([0.0, count]), frequency_hz=np.full(2, frequency))


def read(first_slot: int, slot_length: int, increments: np.ndarray, at: np.ndarray,
         frequency: float) -> np.ndarray:  # fmt: skip
    register = EnergyRegister(
        first_slot=first_slot, slot_length=slot_length, columns=increments.shape[1]
    )
    register.extend(increments / RATE)
    return register.read(at, np.full(len(at), RATE / frequency))[:, 0]


PULSES = np.sort(np.random.default_rng(3).uniform(1500, 28_000, 20))


@pytest.mark.parametrize("frequency", [45.4, 50.0, 50.3, 63.9])
def test_fundamental_register_counts_q1_of_a_distorted_load_between_any_pulses(
    frequency: float,
) -> None:
    u, i = waves(30_000, frequency)
    grid = SlotGrid(first_slot=0, slot_length=10, sample_rate_hz=RATE)
    first, increments = fundamental_reactive_increments(
        means(u, 10), means(i, 10), grid, steady(frequency)
    )
    energies = read(first, 10, increments, PULSES, frequency)
    truth = Q1 * (PULSES - PULSES[0]) / RATE
    assert np.max(np.abs(energies - energies[0] - truth)) < 1e-9 * Q1


def test_fundamental_register_with_the_tracked_frequency_follows_a_drift() -> None:
    u, i = waves(30_000, 49.5, third=False, drift=0.5)
    grid = SlotGrid(first_slot=0, slot_length=10, sample_rate_hz=RATE)
    track = track_mains(means(u, 10)[:, 0], grid)
    _, increments = fundamental_reactive_increments(means(u, 10), means(i, 10), grid, track)
    power = increments[:, 0] / 10
    assert np.max(np.abs(power[200:-200] / Q1 - 1)) < 1e-5


def test_step_of_the_current_loses_no_reactive_energy_under_a_steady_voltage() -> None:
    u, i = waves(30_000, 50.0, third=False)
    step = 13_337
    i[step:] *= 0.5
    grid = SlotGrid(first_slot=0, slot_length=10, sample_rate_hz=RATE)
    first, increments = fundamental_reactive_increments(
        means(u, 10), means(i, 10), grid, steady(50.0)
    )
    ends = np.array([3000.0, 25_000.0])
    energy = np.diff(read(first, 10, increments, ends, 50.0))[0]
    # The truth: the mean of u(t−T/4)·i(t) with the ripple of the part before the step, in closed
    # form; it is within S/(2ω) of Q1 times time, here the sum over the samples tells it.
    quadrature = np.sqrt(2) * 230 * np.sin(2 * np.pi * 50 * np.arange(30_000) / RATE)
    ripple_bound = 230 * 10 / (2 * 2 * np.pi * 50)
    steps_truth = Q1 * ((step - 0.5 - 3000) + 0.5 * (25_000 - step + 0.5)) / RATE
    assert abs(energy - steps_truth) <= ripple_bound
    assert energy == pytest.approx(
        float(quadrature[3000:25_000] @ i[3000:25_000, 0]) / RATE, abs=ripple_bound
    )


def test_pieces_of_the_register_add_up_to_the_whole() -> None:
    u, i = waves(30_000, 50.3)
    grid = SlotGrid(first_slot=0, slot_length=10, sample_rate_hz=RATE)
    first, increments = fundamental_reactive_increments(
        means(u, 10), means(i, 10), grid, steady(50.3)
    )
    energies = read(first, 10, increments, PULSES, 50.3)
    assert np.sum(np.diff(energies)) == pytest.approx(energies[-1] - energies[0], rel=1e-14)


def test_capacitive_import_counts_negative() -> None:
    u, i = waves(10_000, 50.0, third=False)
    grid = SlotGrid(first_slot=5, slot_length=10, sample_rate_hz=RATE)
    first, increments = fundamental_reactive_increments(
        means(u, 10), means(-i, 10), grid, steady(50.0)
    )
    assert first > 5 + 40
    assert np.all(increments < 0)


@pytest.mark.parametrize("frequency", [49.7, 50.0])
def test_quarter_period_register_counts_its_own_definition(frequency: float) -> None:
    u, i = waves(30_000, frequency)
    first, increments = quarter_period_reactive_increments(u, i, RATE / frequency / 4, 10)
    truth_var = Q1 + 20 * 4 * np.cos(1.0 - 3 * np.pi / 2)
    energies = read(first, 10, increments, PULSES, frequency)
    truth = truth_var * (PULSES - PULSES[0]) / RATE
    assert np.max(np.abs(energies - energies[0] - truth)) < 1e-8 * truth_var


def test_lagged_register_from_exact_integer_sums_is_q_of_a_sinusoid_and_thrice_that_of_a_third(
) -> None:  # fmt: skip
    u, i = waves(30_000, 50.0)
    codes = np.rint(np.hstack([u / 1e-4, i / 1e-5])).astype(np.int32)
    sums = np.asarray(slot_sums_reference(codes, 10)[:, :, LAG_DIFFERENCE] * 1e-9, np.float64)
    omega = 2 * np.pi * 50 / RATE
    increments = lagged_reactive_increments(sums, np.full(len(sums), omega))
    energies = read(0, 10, increments, PULSES, 50.0)
    weight = np.sin(3 * omega) / np.sin(omega)
    truth_var = Q1 + weight * 20 * 4 * np.sin(1.0)
    truth = truth_var * (PULSES - PULSES[0]) / RATE
    assert np.max(np.abs(energies - energies[0] - truth)) < 1e-6 * truth_var


def test_slot_means_that_do_not_pair_or_are_too_few_are_refused() -> None:
    grid = SlotGrid(first_slot=0, slot_length=10, sample_rate_hz=RATE)
    with pytest.raises(ValueError, match="must pair"):
        fundamental_reactive_increments(np.zeros((200, 1)), np.zeros((200, 2)), grid, steady(50.0))
    with pytest.raises(ValueError, match="more than 82"):
        fundamental_reactive_increments(np.zeros((82, 1)), np.zeros((82, 1)), grid, steady(50.0))


def test_slots_that_do_not_fit_the_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="slot_length is 0"):
        quarter_period_reactive_increments(np.zeros((200, 1)), np.zeros((200, 1)), 50.0, 0)
    with pytest.raises(ValueError, match="no whole slot"):
        quarter_period_reactive_increments(np.zeros((200, 1)), np.zeros((200, 1)), 50.0, 150)


def test_advance_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and π"):
        lagged_reactive_increments(np.zeros((2, 1)), np.array([0.03, 0.0]))
    with pytest.raises(ValueError, match="3 values for 2 slots"):
        lagged_reactive_increments(np.zeros((2, 1)), np.full(3, 0.03))
