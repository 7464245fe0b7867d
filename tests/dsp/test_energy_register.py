"""The register against energies integrated in closed form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import QUICK_KERNEL
from spotcheck_dsp.energy_register import EnergyRegister

Array = NDArray[np.float64]
RATE_HZ, SLOT = 8000.0, 8
FIRST_SLOT, SLOTS = 12_345, 2500
Spectrum = dict[int, tuple[float, float]]
VOLTAGE: Spectrum = {1: (220, 0), 3: (8, 0.4), 5: (5, -1.0)}
CURRENT: Spectrum = {1: (10, -np.pi / 3), 3: (3, 2.0), 5: (1.5, 0.3), 7: (0.7, 1.0)}


def energy_j(t_s: Array, frequency_hz: float, u: Spectrum, i: Spectrum) -> tuple[Array, float]:
    """∫ u·i dt of two Fourier sums, and the mean power: product to sum, integrated term by term."""
    omega = 2 * np.pi * frequency_hz
    total, power = np.zeros_like(t_s), 0.0
    for h, (u_v, a) in u.items():
        for k, (i_a, b) in i.items():
            if h == k:
                power += u_v * i_a * np.cos(a - b)
            else:
                total += u_v * i_a * np.sin((h - k) * omega * t_s + a - b) / ((h - k) * omega)
            total += u_v * i_a * np.sin((h + k) * omega * t_s + a + b) / ((h + k) * omega)
    return total + power * t_s, power


def filled(frequency_hz: float, u: Spectrum, i: Spectrum) -> EnergyRegister:
    """A register over slots whose increments are the exact integrals."""
    ends_s = ((FIRST_SLOT + np.arange(SLOTS + 1)) * SLOT - 0.5) / RATE_HZ
    register = EnergyRegister(first_slot=FIRST_SLOT, slot_length=SLOT, columns=1)
    register.extend(np.diff(energy_j(ends_s, frequency_hz, u, i)[0])[:, None])
    return register


def read(register: EnergyRegister, samples: Array, cycle: float) -> Array:
    return register.read(samples, np.full(len(samples), cycle))[:, 0]


@pytest.mark.parametrize("frequency_hz", [45.0, 49.5, 50.0, 50.3, 60.0, 65.0])
def test_energy_of_distorted_load_is_that_of_its_closed_form(frequency_hz: float) -> None:
    # At PF ½ with harmonics, over a second or more, from any instant to any other. What is left,
    # at most 4e-10, is the ripple's sidebands about the slot rate, (f·slot)⁴ of the ripple.
    register = filled(frequency_hz, VOLTAGE, CURRENT)
    cycle = RATE_HZ / frequency_hz
    rng = np.random.default_rng(1)
    start = register.earliest_sample(cycle) + rng.uniform(0, 4000, 400)
    end = start + rng.uniform(8000, 12_000, 400)
    found = read(register, end, cycle) - read(register, start, cycle)
    true = energy_j(np.zeros(1), frequency_hz, VOLTAGE, CURRENT)[1] * (end - start) / RATE_HZ
    assert np.max(np.abs(found / true - 1)) < 1e-9


def test_frequency_error_of_a_thousandth_leaves_no_ripple() -> None:
    register = filled(50.0, VOLTAGE, CURRENT)
    cycle = RATE_HZ / 50.05
    start = register.earliest_sample(cycle) + np.linspace(0, 320, 101)
    end = start + 8040
    found = read(register, end, cycle) - read(register, start, cycle)
    true = energy_j(np.zeros(1), 50.0, VOLTAGE, CURRENT)[1] * 8040 / RATE_HZ
    assert np.max(np.abs(found / true - 1)) < 1e-9


def test_plain_difference_of_the_integral_would_err_by_the_ripple() -> None:
    # So that the test above cannot pass for another reason.
    register = filled(50.0, VOLTAGE, CURRENT)
    start = FIRST_SLOT * SLOT + 400 + np.linspace(0, 320, 101)
    found = register.read_unfiltered(start + 8040)[:, 0] - register.read_unfiltered(start)[:, 0]
    true = energy_j(np.zeros(1), 50.0, VOLTAGE, CURRENT)[1] * 8040 / RATE_HZ
    assert np.max(np.abs(found / true - 1)) > 1e-3


def test_intervals_tile() -> None:
    register = filled(50.0, VOLTAGE, CURRENT)
    cycle = RATE_HZ / 50
    ends = (register.earliest_sample(cycle), register.latest_sample(cycle))
    instants = np.sort(np.random.default_rng(2).uniform(*ends, 1000))
    parts = np.diff(read(register, instants, cycle))
    whole = np.diff(read(register, instants[[0, -1]], cycle))[0]
    assert abs(parts.sum() / whole - 1) < 1e-14


def test_reading_is_the_sum_of_slots_by_their_distance_from_the_edge() -> None:
    """The kernel's plain twin: every slot, weighed by the smooth step."""
    increments = np.random.default_rng(4).normal(size=(300, 2)) * [1.0, 1e6]
    register = EnergyRegister(first_slot=7, slot_length=SLOT, columns=2)
    register.extend(increments)
    cycles = np.array([160.0, 123.4, 200.1, 160.0])
    ends = register.earliest_sample(200.1), register.latest_sample(200.1)
    instants = np.array([ends[0], 1000.0, 1234.567, ends[1]])
    centres = (7 + np.arange(300)) * float(SLOT) + (SLOT - 1) / 2
    distances = (instants[:, None] - centres) / cycles[:, None]
    expected = QUICK_KERNEL.smooth_step(distances) @ increments
    assert np.max(np.abs(register.read(instants, cycles) / expected - 1)) < 1e-12


def test_columns_of_any_memory_layout_and_whole_numbers_are_taken() -> None:
    columns = np.arange(2400).reshape(2, 1200).T
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=2)
    register.extend(columns[::2])
    plain = EnergyRegister(first_slot=0, slot_length=SLOT, columns=2)
    plain.extend(columns[::2].astype(np.float64))
    instants, cycles = np.arange(1000, 3000, 100), np.full(40, 160.0)[::2]
    expected = plain.read(instants.astype(np.float64), cycles.copy())
    assert register.read(instants, cycles).tolist() == expected.tolist()


@pytest.mark.parametrize("instant", [np.nan, np.inf, -np.inf])
def test_instant_that_is_no_number_is_refused(instant: float) -> None:
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=1)
    register.extend(np.ones((400, 1)))
    with pytest.raises(ValueError, match="the register can be read from"):
        register.read(np.array([1000.0, instant]), np.full(2, 160.0))


@pytest.mark.parametrize("cycle", [0.0, -160.0, np.nan])
def test_cycle_without_a_length_is_refused(cycle: float) -> None:
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=1)
    register.extend(np.ones((400, 1)))
    with pytest.raises(ValueError, match="cycle_samples is"):
        register.read(np.array([1000.0, 1100.0]), np.array([160.0, cycle]))


def test_columns_of_another_number_are_refused() -> None:
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=2)
    with pytest.raises(IndexError, match="no room for the increments"):
        register.extend(np.ones((10, 3)))


def test_reading_depends_on_its_own_instant_alone() -> None:
    register = filled(50.2, VOLTAGE, CURRENT)
    cycle = RATE_HZ / 50.2
    instants = np.linspace(register.earliest_sample(cycle), register.latest_sample(cycle), 57)
    together = read(register, instants, cycle)
    alone = [read(register, instants[n : n + 1], cycle)[0] for n in range(len(instants))]
    assert together.tolist() == alone


@settings(max_examples=30)
@given(st.lists(st.integers(0, 400), max_size=6), st.integers(0, 2**32))
def test_split_of_extend_leaves_no_trace_in_any_bit(cuts: list[int], seed: int) -> None:
    increments = np.random.default_rng(seed).normal(size=(400, 3)) * [1.0, 1e6, 1e-9]
    instants, cycles = np.linspace(400, 2700, 33), np.full(33, 160.3)
    registers = []
    for pieces in ([increments], np.split(increments, sorted(cuts))):
        register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=3)
        for piece in pieces:
            register.extend(piece)
        registers.append(register)
    one, many = registers
    assert one.read(instants, cycles).tobytes() == many.read(instants, cycles).tobytes()
    assert one.read_unfiltered(instants).tobytes() == many.read_unfiltered(instants).tobytes()


def test_later_slots_do_not_change_an_earlier_reading() -> None:
    increments = np.random.default_rng(3).normal(size=(400, 1))
    register = EnergyRegister(first_slot=5, slot_length=SLOT, columns=1)
    register.extend(increments[:200])
    instants, cycles = np.array([700.0, 1000.25, 1200.0]), np.full(3, 160.0)
    before = register.read(instants, cycles)
    register.extend(increments[200:])
    assert register.read(instants, cycles).tolist() == before.tolist()


def test_energy_across_a_load_step_is_conserved() -> None:
    # 100 W up to slot 1000, 3000 W from there: a kernel that is no window of energy fails here.
    increments = np.where(np.arange(2000) < 1000, 0.1, 3.0)[:, None]
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=1)
    register.extend(increments)
    start, end = 2000.0, 14_000.0
    found = np.diff(read(register, np.array([start, end]), 160.0))[0]
    step_at = 1000 * SLOT - 0.5
    true = 0.1 * (step_at - start) / SLOT + 3.0 * (end - step_at) / SLOT
    assert abs(found / true - 1) < 1e-13


@pytest.mark.parametrize(
    ("current", "bound_us"), [({1: (10, 0)}, 1.0), ({1: (10, 0), 3: (2, 0), 5: (1, 0)}, 20.0)]
)
def test_unfiltered_reading_is_the_instantaneous_energy(current: Spectrum, bound_us: float) -> None:
    # In µs of mean power, as the register's own text says, at 50 Hz.
    voltage: Spectrum = {1: (220, 0)}
    register = filled(50.0, voltage, current)
    instants = FIRST_SLOT * SLOT + np.random.default_rng(4).uniform(40, SLOTS * SLOT - 40, 2000)
    start_s = np.array([(FIRST_SLOT * SLOT - 0.5) / RATE_HZ])
    true, power = energy_j(instants / RATE_HZ, 50.0, voltage, current)
    true -= energy_j(start_s, 50.0, voltage, current)[0]
    found = register.read_unfiltered(instants)[:, 0]
    assert 1e6 * np.max(np.abs(found - true)) / power < bound_us


def test_unfiltered_reading_is_exact_for_a_polynomial_of_fifth_degree() -> None:
    def integral(x: Array) -> Array:
        return np.polyval([3.0, -2.0, 1.0, 4.0, -1.0, 0.0], x)

    ends = np.arange(41) / 40
    register = EnergyRegister(first_slot=0, slot_length=SLOT, columns=1)
    register.extend(np.diff(integral(ends))[:, None])
    instants = np.linspace(-0.5, 319.5, 777)
    found = register.read_unfiltered(instants)[:, 0]
    assert np.max(np.abs(found - integral((instants + 0.5) / 320))) < 1e-13


def test_register_tells_where_it_can_be_read() -> None:
    register = EnergyRegister(first_slot=100, slot_length=SLOT, columns=1)
    register.extend(np.ones((100, 1)))
    # Centres of the first and last slot are 803.5 and 1595.5; two cycles of 160 to either side.
    assert register.earliest_sample(160.0) == 1123.5
    assert register.latest_sample(160.0) == 1275.5
    cycles = np.array([160.0])
    register.read(np.array([1123.5]), cycles)
    register.read(np.array([1275.5]), cycles)
    for outside in (1123.4, 1275.6):
        with pytest.raises(ValueError, match="can be read from sample 1124 to 1276"):
            register.read(np.array([outside]), cycles)


def test_constant_power_is_read_exactly_at_every_instant() -> None:
    register = EnergyRegister(first_slot=100, slot_length=SLOT, columns=1)
    register.extend(np.full((100, 1), 2.0))
    instants = np.linspace(1123.5, 1275.5, 61)
    expected = 2.0 * (instants - 799.5) / SLOT
    assert np.max(np.abs(read(register, instants, 160.0) - expected)) < 1e-12
