"""Repair of pulse trains whose faults are known."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.pulses.pulse_line import least_squares_line
from spotcheck_dsp.pulses.pulse_train import (
    NotRecoverable,
    PulseFault,
    RepairedTrain,
    TrainObstacle,
    repair_train,
)

QUANTUM_J, POWER_W = 300.0, 600.0
INTERVAL_S = QUANTUM_J / POWER_W


def repaired(stamps: np.ndarray, claimed_j: float | None = QUANTUM_J) -> RepairedTrain:
    train = repair_train(stamps, POWER_W * stamps, claimed_j=claimed_j)
    assert isinstance(train, RepairedTrain), train
    return train


def refusal(stamps: np.ndarray, claimed_j: float | None = None) -> TrainObstacle:
    train = repair_train(stamps, POWER_W * stamps, claimed_j=claimed_j)
    assert isinstance(train, NotRecoverable), train
    assert train.detail
    return train.reason


def regular(count: int) -> np.ndarray:
    return 10 + INTERVAL_S * np.arange(count)


def slope_j(train: RepairedTrain, energies: np.ndarray) -> float:
    return float(np.polyfit(train.numbers, energies[train.used], 1)[0])


def test_whole_train_is_left_as_it_is() -> None:
    train = repaired(regular(20))
    assert train.used.tolist() == train.numbers.tolist() == list(range(20))
    assert train.events == ()
    assert train.quantum_j == pytest.approx(QUANTUM_J)


def test_missing_pulses_leave_their_numbers_out() -> None:
    train = repaired(np.delete(regular(60), [10, 30, 31]))
    assert train.numbers.tolist() == np.delete(np.arange(60), [10, 30, 31]).tolist()
    assert [(e.fault, e.edge, e.count) for e in train.events] == [
        (PulseFault.MISSING, 9, 1),
        (PulseFault.MISSING, 28, 2),
    ]


@pytest.mark.parametrize("gap_s", [0.05, 0.25, 0.42])
def test_double_pulse_is_dropped_wherever_it_comes(gap_s: float) -> None:
    stamps = np.sort(np.append(regular(30), 10 + 7 * INTERVAL_S + gap_s))
    train = repaired(stamps)
    assert train.numbers.tolist() == list(range(30))
    assert [(e.fault, e.edge, e.count) for e in train.events] == [(PulseFault.DOUBLE, 8, 1)]


def test_bounces_are_merged_into_the_first_edge_and_counted() -> None:
    bounces = 10 + 4 * INTERVAL_S + np.array([0.0004, 0.0011, 0.0047])
    train = repaired(np.sort(np.concatenate([regular(20), bounces])))
    assert [(e.fault, e.edge, e.count) for e in train.events] == [(PulseFault.BOUNCE, 5, 3)]
    assert train.used.tolist() == [0, 1, 2, 3, 4, *range(8, 23)]


def test_bouncing_of_every_pulse_is_no_obstacle() -> None:
    stamps = np.sort(np.concatenate([regular(20), regular(20) + 0.002]))
    train = repaired(stamps)
    assert train.count(PulseFault.BOUNCE) == 20
    assert train.numbers.tolist() == list(range(20))


def test_stray_light_before_the_first_pulse_is_foreign() -> None:
    train = repaired(np.append(9.7, regular(30)))
    assert [(e.fault, e.edge, e.count) for e in train.events] == [(PulseFault.FOREIGN, 0, 1)]


def test_edge_that_stands_off_its_place_is_no_pulse() -> None:
    stamps = regular(50) + np.random.default_rng(1).normal(0, 20e-6, 50)
    stamps[20] += 0.02
    train = repaired(stamps)
    assert 20 not in train.used
    assert train.count(PulseFault.MISSING) == 1


def test_varying_load_leaves_the_pulses_evenly_spaced_in_energy() -> None:
    rng = np.random.default_rng(2)
    power = np.repeat(rng.uniform(100, 2000, 20), 5)
    stamps = np.concatenate([[0], np.cumsum(QUANTUM_J / power)])
    energies = QUANTUM_J * np.arange(101.0)
    keep = np.delete(np.arange(101), [33, 70])
    train = repair_train(stamps[keep], energies[keep])
    assert isinstance(train, RepairedTrain)
    assert train.numbers.tolist() == keep.tolist()


def test_exported_energy_runs_down() -> None:
    stamps = np.delete(regular(40), 11)
    train = repair_train(stamps, -POWER_W * stamps)
    assert isinstance(train, RepairedTrain)
    assert train.count(PulseFault.MISSING) == 1
    assert train.quantum_j == pytest.approx(QUANTUM_J)


def spoilt(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray, Counter[str]]:
    """Edges with 1 % of each fault; the true number of each, −1 for others; the faults."""
    stamps = regular(count) + rng.normal(0, 20e-6, count)
    edges, faults = [], Counter[str]()
    for number, stamp in enumerate(stamps):
        missing, bounced, doubled = rng.random(3) < 0.01
        if missing and 0 < number < count - 1:
            faults["missing"] += 1
            continue
        edges.append((stamp, number))
        if bounced:
            faults["bounce"] += 1
            edges.append((stamp + rng.uniform(1e-4, 4e-3), -1))
        if doubled and number < count - 1:
            faults["double"] += 1
            edges.append((stamp + INTERVAL_S * rng.uniform(0.1, 0.9), -1))
    edges.sort()
    return np.array([e[0] for e in edges]), np.array([e[1] for e in edges]), faults


def test_one_percent_of_each_fault_is_recovered_without_bias() -> None:
    rng = np.random.default_rng(3)
    shifts_ppm, exact = [], 0
    for _ in range(60):
        stamps, numbers, faults = spoilt(rng, 100)
        train = repair_train(stamps, POWER_W * stamps)
        if isinstance(train, NotRecoverable):
            continue
        labels = numbers[train.used]
        assert np.all(labels >= 0)
        assert np.all(np.diff(labels - train.numbers) == 0)
        exact += all(train.count(fault) == faults[fault.value] for fault in PulseFault)
        shifts_ppm.append(1e6 * (slope_j(train, POWER_W * stamps) / QUANTUM_J - 1))
    assert len(shifts_ppm) >= 58
    assert exact >= 56
    # 20 µs over 100 pulses of 0.5 s: 0.14 ppm each.
    assert np.std(shifts_ppm) < 0.2
    assert abs(np.mean(shifts_ppm)) < 4 * 0.14 / np.sqrt(len(shifts_ppm))


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.floats(-1e6, 1e6), st.floats(1e-3, 1e3))
def test_origin_and_unit_of_energy_do_not_matter(seed: int, origin: float, scale: float) -> None:
    stamps, _, _ = spoilt(np.random.default_rng(seed), 40)
    train = repair_train(stamps, POWER_W * stamps)
    moved = repair_train(stamps, scale * POWER_W * (stamps + origin))
    assert type(train) is type(moved)
    if isinstance(train, RepairedTrain) and isinstance(moved, RepairedTrain):
        assert train.used.tolist() == moved.used.tolist()
        assert train.numbers.tolist() == moved.numbers.tolist()
        assert train.events == moved.events


@settings(max_examples=40)
@given(st.integers(0, 2**31))
def test_train_that_runs_backwards_has_the_same_gaps(seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Not both ends, and no more than a tenth: those are refused by name.
    missing = 1 + rng.choice(58, rng.integers(0, 6), replace=False)
    stamps = np.delete(regular(60), missing)
    forward = repaired(stamps)
    backward = repaired(stamps[-1] - stamps[::-1])
    assert (forward.numbers[-1] - forward.numbers[::-1]).tolist() == backward.numbers.tolist()


def test_repaired_line_is_that_of_the_pulses_left() -> None:
    stamps = np.delete(regular(30), [29])
    train = repaired(stamps)
    line = least_squares_line(POWER_W * stamps[train.used])
    assert line.energy_per_pulse == pytest.approx(QUANTUM_J, rel=1e-12)


def test_every_second_pulse_lost_needs_the_claimed_energy_to_be_seen() -> None:
    stamps = regular(60)[::2]
    assert repaired(stamps, claimed_j=None).quantum_j == pytest.approx(2 * QUANTUM_J)
    assert refusal(stamps, QUANTUM_J) is TrainObstacle.FACTOR_UNCLEAR


def test_constant_entered_wrong_by_a_third_is_not_the_trains_fault() -> None:
    assert repaired(regular(20), claimed_j=1.4 * QUANTUM_J).events == ()


def test_alternating_edges_are_ambiguous() -> None:
    # Rising and falling edge of every pulse.
    stamps = np.sort(np.concatenate([regular(30), regular(30) + 0.4 * INTERVAL_S]))
    assert refusal(stamps) in {TrainObstacle.AMBIGUOUS, TrainObstacle.TOO_MANY_FAULTS}


def test_pulses_of_two_meters_are_refused() -> None:
    stamps = np.sort(np.concatenate([regular(40), 10.1 + 0.83 * INTERVAL_S * np.arange(48)]))
    assert refusal(stamps) in {TrainObstacle.AMBIGUOUS, TrainObstacle.TOO_MANY_FAULTS}


def test_too_many_missing_pulses_are_refused() -> None:
    keep = np.random.default_rng(4).random(100) > 0.25
    assert refusal(regular(100)[keep]) is TrainObstacle.TOO_MANY_FAULTS


@pytest.mark.parametrize("positions", [[0, 1, 3], [0, 1, 3, 5], [0, 1, 2, 4], [0, 1, 2.5, 4]])
def test_few_pulses_that_fit_two_quanta_are_refused(positions: list[float]) -> None:
    assert refusal(INTERVAL_S * np.array(positions)) is TrainObstacle.AMBIGUOUS


def test_half_a_pulse_is_ambiguous() -> None:
    stamps = np.concatenate([regular(20), 10 + (20.5 + np.arange(20)) * INTERVAL_S])
    assert refusal(stamps) is TrainObstacle.AMBIGUOUS


def test_pulses_without_energy_are_refused() -> None:
    train = repair_train(regular(10), np.zeros(10))
    assert isinstance(train, NotRecoverable)
    assert train.reason is TrainObstacle.NO_ENERGY


@pytest.mark.parametrize("stamps", [np.zeros(0), regular(2), np.array([1.0, 1.5, 1.501, 1.502])])
def test_fewer_than_three_pulses_are_refused(stamps: np.ndarray) -> None:
    assert refusal(stamps) is TrainObstacle.TOO_FEW_PULSES


@pytest.mark.parametrize("missing", [0.3, 0.5, 0.7])
def test_badly_broken_trains_are_never_numbered_wrongly(missing: float) -> None:
    rng = np.random.default_rng(5)
    for _ in range(150):
        numbers = np.flatnonzero(rng.random(rng.integers(6, 60)) > missing)
        if len(numbers) < 3:
            continue
        stamps = regular(61)[numbers] + rng.normal(0, 20e-6, len(numbers))
        train = repair_train(stamps, POWER_W * stamps, claimed_j=1.03 * QUANTUM_J)
        if isinstance(train, RepairedTrain):
            assert np.all(np.diff(numbers[train.used] - train.numbers) == 0)


def test_bad_arguments_are_refused() -> None:
    stamps = regular(5)
    with pytest.raises(ValueError, match="energies_j"):
        repair_train(stamps, np.zeros(4))
    with pytest.raises(ValueError, match="stamps_s holds values that are not finite"):
        repair_train(np.array([0, np.nan, 1]), np.zeros(3))
    with pytest.raises(ValueError, match="stamps_s are out of order"):
        repair_train(stamps[::-1], stamps)
    with pytest.raises(ValueError, match="claimed_j is -1"):
        repair_train(stamps, stamps, claimed_j=-1.0)
    with pytest.raises(ValueError, match="bounce_s is"):
        repair_train(stamps, stamps, bounce_s=-0.1)
