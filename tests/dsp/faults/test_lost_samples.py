"""Gaps in a stream without sample numbers, of known length and place."""

import numpy as np
import pytest

from spotcheck_dsp.faults.lost_samples import TimeStep, find_time_steps

RATE = 10_000.0


def voltages(
    turns: np.ndarray, phases: int = 3, noise_v: float = 0.02, seed: int = 1
) -> np.ndarray:
    out = np.empty((len(turns), phases))
    for phase in range(phases):
        angle = 2 * np.pi * (turns - phase / 3)
        out[:, phase] = 325 * (
            np.sin(angle) + 0.03 * np.sin(3 * angle + phase) + 0.04 * np.sin(5 * angle + 1)
        )
    return out + np.random.default_rng(seed).normal(0, noise_v, out.shape)


def turns_at(frequency: float, count: int = 5000, drift: float = 0.0) -> np.ndarray:
    t = np.arange(count) / RATE
    return 0.1 + frequency * t + drift * t * t / 2


def without(turns: np.ndarray, place: int, gap: int) -> np.ndarray:
    return np.delete(turns, slice(place, place + gap))


@pytest.mark.parametrize("frequency", [45.3, 49.97, 50.0, 50.4, 63.9])
@pytest.mark.parametrize("gap", [1, 2, 7, 50, 100, 133])
def test_gap_below_a_cycle_is_placed_and_counted(frequency: float, gap: int) -> None:
    turns = without(turns_at(frequency, 5000 + gap), 2468, gap)
    (step,) = find_time_steps(voltages(turns), 1_000_000, RATE)
    assert abs(step.sample - 1_002_468) <= 1
    assert step.lost_samples_modulo_cycle == pytest.approx(gap, abs=0.003)
    assert gap in step.lost_samples_candidates(150)
    assert step.cycle_samples == pytest.approx(RATE / frequency, rel=1e-4)
    assert step.explained_share > 0.999
    assert abs(step.step_deg) > step.threshold_deg


@pytest.mark.parametrize("gap", [303, 650, 1000])
def test_gap_of_several_cycles_is_known_modulo_the_cycle(gap: int) -> None:
    turns = without(turns_at(50.4, 5000 + gap), 2468, gap)
    (step,) = find_time_steps(voltages(turns), 0, RATE)
    assert step.lost_samples_modulo_cycle == pytest.approx(gap % (RATE / 50.4), abs=0.003)
    # Off the nominal frequency a cycle is no whole number of samples: the true number stands out.
    assert step.lost_samples_candidates(1000) == (gap,)


def test_gap_of_whole_cycles_leaves_no_trace() -> None:
    # A documented limit: what comes after is what would have come.
    assert find_time_steps(voltages(without(turns_at(50.0, 5200), 2468, 200)), 0, RATE) == ()
    # Off the nominal frequency the same gap leaves 0.8 % of a cycle.
    (step,) = find_time_steps(voltages(without(turns_at(50.4, 5200), 2468, 200)), 0, RATE)
    assert step.lost_samples_modulo_cycle == pytest.approx(200 - RATE / 50.4, abs=0.003)


@pytest.mark.parametrize("drift", [-0.5, 0.0, 0.5])
def test_drifting_distorted_mains_without_a_gap_raise_no_alarm(drift: float) -> None:
    for seed in range(10):
        frequency = 46.0 + 1.7 * seed
        found = find_time_steps(voltages(turns_at(frequency, drift=drift), seed=seed), 0, RATE)
        assert found == ()


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("left", [0.0, 0.05, 0.15, 0.4, 0.9, 1.3])
@pytest.mark.parametrize("length", [37, 100, 333, 1000])
def test_dips_swells_and_interruptions_without_a_phase_jump_raise_no_alarm(
    phases: int, left: float, length: int
) -> None:
    for begin in (1500, 1553, 1611, 1777):
        u = voltages(turns_at(50.1), phases)
        u[begin : begin + length] *= left
        assert find_time_steps(u, 0, RATE) == ()


@pytest.mark.parametrize("phases", [1, 3])
def test_gap_is_found_beside_a_dip(phases: int) -> None:
    u = voltages(without(turns_at(50.1, 6005), 3500, 5), phases)
    u[1200:1800] *= 0.5
    (step,) = find_time_steps(u, 0, RATE)
    assert step.sample == pytest.approx(3500, abs=1)
    assert step.lost_samples_modulo_cycle == pytest.approx(5, abs=0.003)


def test_voltage_that_repeats_without_any_noise_raises_no_alarm() -> None:
    u = np.tile(np.sin(2 * np.pi * np.arange(200) / 200), 25)[:, None]
    assert find_time_steps(u, 0, RATE) == ()


def test_repeated_samples_are_a_step_backwards() -> None:
    turns = turns_at(50.4)
    turns = np.insert(turns, 2500, turns[2497:2500])
    (step,) = find_time_steps(voltages(turns), 0, RATE)
    assert step.step_deg == pytest.approx(-360 * 3 * 50.4 / RATE, abs=0.01)


def test_two_gaps_far_enough_apart_are_both_told() -> None:
    turns = without(without(turns_at(50.0, 8005), 5000, 2), 2500, 3)
    first, second = find_time_steps(voltages(turns), 0, RATE)
    assert (first.sample, second.sample) == (2500, 4997)
    assert first.lost_samples_modulo_cycle == pytest.approx(3, abs=0.003)
    assert second.lost_samples_modulo_cycle == pytest.approx(2, abs=0.003)


def test_phase_jump_of_the_grid_looks_the_same_but_is_no_whole_number_of_samples() -> None:
    turns = turns_at(50.0)
    turns[2500:] += 10.7 * 50.0 / RATE
    (step,) = find_time_steps(voltages(turns), 0, RATE)
    assert step.sample == pytest.approx(2500, abs=1)
    assert step.explained_share > 0.999
    assert step.lost_samples_candidates(100) == ()


def test_phase_jump_in_one_phase_alone_is_no_jump_in_time() -> None:
    turns = turns_at(50.0)
    u = voltages(turns)
    turns[2500:] += 6 / 360
    u[:, 1] = voltages(turns)[:, 1]
    assert find_time_steps(u, 0, RATE) == ()


def test_single_phase_and_a_dead_second_phase_serve_as_well() -> None:
    turns = without(turns_at(50.2, 5001), 2468, 1)
    one = voltages(turns, 1)
    (step,) = find_time_steps(one, 0, RATE)
    assert step.sample == pytest.approx(2468, abs=1)
    noise = np.random.default_rng(3).normal(0, 0.02, (len(one), 1))
    (beside,) = find_time_steps(np.hstack([noise, one]), 0, RATE)
    assert beside.step_deg == pytest.approx(step.step_deg, abs=1e-3)


def test_smaller_steps_than_the_grids_own_are_let_pass() -> None:
    turns = turns_at(50.0)
    turns[2500:] += 2 / 360
    assert find_time_steps(voltages(turns), 0, RATE, grid_step_deg=3.0) == ()
    assert len(find_time_steps(voltages(turns), 0, RATE)) == 1


def test_noise_raises_the_threshold() -> None:
    quiet = find_time_steps(voltages(without(turns_at(50.0, 5001), 2468, 1)), 0, RATE)
    assert quiet[0].threshold_deg == pytest.approx(0.9, abs=0.001)
    noisy = voltages(without(turns_at(50.0, 5050), 2468, 50), noise_v=23.0)
    (loud,) = find_time_steps(noisy, 0, RATE)
    assert loud.threshold_deg > 2 * 0.9


def step_of(step_deg: float, cycle: float = 200.0) -> TimeStep:
    return TimeStep(
        sample=0, step_deg=step_deg, threshold_deg=1.0, standard_uncertainty_deg=0.001,
        cycle_samples=cycle, explained_share=1.0,
    )  # fmt: skip


def test_candidates_are_all_numbers_that_fit() -> None:
    assert step_of(18.0).lost_samples_candidates(500) == (10, 210, 410)
    assert step_of(-18.0).lost_samples_candidates(500) == (190, 390)
    assert step_of(18.9).lost_samples_candidates(500) == ()
    assert step_of(0.9, 200.5).lost_samples_candidates(500) == (201,)
    # Just below 0 is a whole cycle, not a gap of 0 samples.
    assert step_of(0.0).lost_samples_candidates(400) == (200, 400)


@pytest.mark.parametrize(
    ("u", "rate", "words"),
    [
        (np.zeros((5000, 1)), RATE, "no mains"),
        (np.random.default_rng(1).normal(size=(5000, 1)), RATE, "no mains"),
        (voltages(turns_at(50.0, 2000)), RATE, "twelve cycles"),
        (voltages(turns_at(50.0, 2000 * 4)[::7]), RATE / 7, "40 samples"),
        (np.full((5000, 1), np.nan), RATE, "not finite"),
        (np.zeros((5000, 0)), RATE, "phases"),
        (np.zeros((5000, 1)), 0.0, "sample_rate_hz"),
    ],
)
def test_what_gives_no_phase_is_refused(u: np.ndarray, rate: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        find_time_steps(u, 0, rate)


def test_settings_without_sense_are_refused() -> None:
    u = voltages(turns_at(50.0))
    with pytest.raises(ValueError, match="false_alarm_probability"):
        find_time_steps(u, 0, RATE, false_alarm_probability=0)
    with pytest.raises(ValueError, match="grid_step_deg"):
        find_time_steps(u, 0, RATE, grid_step_deg=-1)
    with pytest.raises(ValueError, match="longest is 0"):
        step_of(1.0).lost_samples_candidates(0)
    with pytest.raises(ValueError, match="tolerance_samples"):
        step_of(1.0).lost_samples_candidates(5, 0.0)
