"""The kernel, its NumPy twin and Python's own integers give the same sums."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck_dsp.slot_sums import KERNELS, LONGEST_SLOT, SlotAccumulator, slot_sums_reference

Codes = NDArray[np.int32]
EXTREME = 1 << 23


def by_python(codes: Codes, slot_length: int) -> list[list[list[int]]]:
    """The definition, in integers without a limit."""
    rows = [[int(code) for code in row] for row in codes]
    slots = []
    for first in range(0, len(rows) - slot_length + 1, slot_length):
        phases = []
        for p in range(codes.shape[1] // 2):
            sums = [0] * 6
            for n in range(first, first + slot_length):
                u, i = rows[n][2 * p], rows[n][2 * p + 1]
                u_before, i_before = (rows[n - 1][2 * p : 2 * p + 2]) if n else (0, 0)
                terms = (u * i, u * i_before - u_before * i, u * u, i * i, u, i)
                sums = [total + term for total, term in zip(sums, terms, strict=True)]
            phases.append(sums)
        slots.append(phases)
    return slots


def random_codes(samples: int, phases: int, seed: int = 0) -> Codes:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-EXTREME, EXTREME, (samples, 2 * phases), endpoint=True)
    return codes.astype(np.int32)


def in_one_go(codes: Codes, slot_length: int, kernel: str = KERNELS[0]) -> NDArray[np.int64]:
    phases = codes.shape[1] // 2
    return SlotAccumulator(phases=phases, slot_length=slot_length, kernel=kernel).add(codes)[0]


@pytest.mark.parametrize("phases", [1, 2, 3, 4])
@pytest.mark.parametrize("samples", [0, 1, 7, 8, 9, 333])
@pytest.mark.parametrize("slot_length", [1, 3, 8])
def test_kernel_and_twin_give_the_sums_of_the_definition(
    phases: int, samples: int, slot_length: int
) -> None:
    codes = random_codes(samples, phases)
    expected = by_python(codes, slot_length)
    for kernel in KERNELS:
        assert in_one_go(codes, slot_length, kernel).tolist() == expected
    assert slot_sums_reference(codes, slot_length).tolist() == expected


@given(
    st.integers(0, 60),
    st.sampled_from([1, 2, 3, 4]),
    st.integers(1, 9),
    st.lists(st.integers(0, 60), max_size=8),
    st.sampled_from(KERNELS),
)
def test_any_split_into_blocks_gives_the_slots_of_one_block(
    samples: int, phases: int, slot_length: int, cuts: list[int], kernel: str
) -> None:
    codes = random_codes(samples, phases, seed=samples)
    accumulator = SlotAccumulator(phases=phases, slot_length=slot_length, kernel=kernel)
    slots: list[Any] = []
    largest = 0
    for block in np.split(codes, sorted(min(cut, samples) for cut in cuts)):
        completed, peak = accumulator.add(block)
        slots += completed.tolist()
        largest = max(largest, peak)
    assert slots == by_python(codes, slot_length)
    assert largest == max((abs(int(code)) for code in codes.flat), default=0)


@pytest.mark.parametrize("step", [2, -1])
def test_strided_codes_give_the_sums_of_a_copy(step: int) -> None:
    codes = random_codes(64, 3)[::step]
    assert in_one_go(codes, 5).tolist() == by_python(codes, 5)
    columns = random_codes(64, 3)[:, ::step]
    if columns.shape[1] % 2 == 0:
        assert in_one_go(columns, 5).tolist() == by_python(columns, 5)


def test_planar_channels_give_the_sums_of_interleaved_ones() -> None:
    codes = random_codes(100, 3)
    planar = np.ascontiguousarray(codes.T)
    assert in_one_go(planar.T, 10).tolist() == by_python(codes, 10)


@pytest.mark.parametrize("kernel", KERNELS)
def test_without_lagged_sums_they_are_zero_and_the_others_stand(kernel: str) -> None:
    codes = random_codes(500, 3)
    expected = np.array(by_python(codes, 50))
    expected[:, :, 1] = 0
    accumulator = SlotAccumulator(phases=3, slot_length=50, lagged=False, kernel=kernel)
    slots = np.concatenate([accumulator.add(block)[0] for block in np.split(codes, [3, 160])])
    assert slots.tolist() == expected.tolist()


def test_channels_of_a_fortran_ordered_array_are_not_mixed_up() -> None:
    codes = np.asfortranarray(random_codes(40, 3))
    assert in_one_go(codes, 8).tolist() == by_python(codes, 8)


def test_read_only_codes_are_taken() -> None:
    codes = np.frombuffer(random_codes(16, 1).tobytes(), np.int32).reshape(-1, 2)
    assert in_one_go(codes, 8).tolist() == by_python(codes, 8)


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, -1)])
def test_longest_slot_of_the_largest_codes_does_not_overflow(signs: tuple[int, int]) -> None:
    codes = np.tile(np.array(signs, np.int32) * EXTREME, (LONGEST_SLOT, 1))
    square = EXTREME * EXTREME * LONGEST_SLOT
    assert in_one_go(codes, LONGEST_SLOT).tolist() == [
        [[
            signs[0] * signs[1] * square, 0, square, square,
            signs[0] * EXTREME * LONGEST_SLOT, signs[1] * EXTREME * LONGEST_SLOT,
        ]]
    ]  # fmt: skip


def test_longest_slot_of_the_largest_lagged_products_does_not_overflow() -> None:
    # In quadrature at a quarter of the sample rate every lagged term is 2·2⁴⁶.
    turn = np.array([[1, -1], [1, 1], [-1, 1], [-1, -1]], np.int32) * EXTREME
    codes = np.tile(turn, (LONGEST_SLOT, 1))[: 2 * LONGEST_SLOT]
    wide = codes.astype(object)
    lagged = wide[1:, 0] * wide[:-1, 1] - wide[:-1, 0] * wide[1:, 1]
    sums = in_one_go(codes, LONGEST_SLOT)
    assert sums.shape[0] == 2
    assert int(sums[1, 0, 1]) == sum(lagged[LONGEST_SLOT - 1 :])
    assert abs(int(sums[1, 0, 1])) > 2**62


@pytest.mark.parametrize("code", [EXTREME + 1, -EXTREME - 1, 2**31 - 1, -(2**31)])
def test_code_beyond_24_bits_is_refused_and_leaves_no_trace(code: int) -> None:
    codes = random_codes(20, 1)
    accumulator = SlotAccumulator(phases=1, slot_length=8)
    slots = accumulator.add(codes[:5])[0].tolist()
    with pytest.raises(ValueError, match="beyond ±2²³"):
        accumulator.add(np.array([[0, 0], [0, code]], np.int32))
    slots += accumulator.add(codes[5:])[0].tolist()
    assert slots == by_python(codes, 8)


@pytest.mark.parametrize("code", [EXTREME, -EXTREME])
def test_extreme_codes_are_taken_and_told(code: int) -> None:
    accumulator = SlotAccumulator(phases=1, slot_length=2)
    _, largest = accumulator.add(np.array([[0, 0], [0, code]], np.int32))
    assert largest == EXTREME


@pytest.mark.parametrize(
    "codes",
    [
        np.zeros((4, 6), np.int32),
        np.zeros((4, 2), np.int64),
        np.zeros((4, 2), np.float64),
        np.zeros((4, 2), ">i4"),
        np.zeros(8, np.int32),
        np.zeros((2, 2, 2), np.int32),
    ],
)
def test_codes_of_another_shape_or_type_are_refused(codes: Any) -> None:
    with pytest.raises(ValueError, match="expected int32"):
        SlotAccumulator(phases=1, slot_length=2).add(codes)


@pytest.mark.parametrize("slot_length", [0, -1, LONGEST_SLOT + 1])
def test_slot_length_out_of_range_is_refused(slot_length: int) -> None:
    with pytest.raises(ValueError, match="slot_length is"):
        SlotAccumulator(phases=1, slot_length=slot_length)


@pytest.mark.parametrize("phases", [0, -1, 5])
def test_number_of_phases_out_of_range_is_refused(phases: int) -> None:
    with pytest.raises(ValueError, match="phases is"):
        SlotAccumulator(phases=phases, slot_length=8)


def test_kernel_that_this_processor_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="kernel is 'abacus'; this processor runs"):
        SlotAccumulator(phases=1, slot_length=8, kernel="abacus")


@settings(max_examples=20)
@given(st.floats(-3.1, 3.1), st.floats(0.01, 0.2))
def test_lagged_sum_of_sinusoids_tells_the_reactive_power(lag: float, omega: float) -> None:
    """Σ(u[n]i[n−1] − u[n−1]i[n]) is −2·sin ω·N·Q for sinusoids, Q > 0 where the current lags."""
    n = np.arange(20_000)
    peak = 8e6
    u, i = peak * np.cos(omega * n), peak * np.cos(omega * n - lag)
    codes = np.rint(np.stack([u, i], axis=1)).astype(np.int32)
    sums = slot_sums_reference(codes, len(codes))[0, 0]
    expected = -2 * np.sin(omega) * len(n) * peak**2 / 2 * np.sin(lag)
    # The first sample has none before it: one term of at most 2·peak², and rounding of codes.
    assert abs(sums[1] - expected) < 2.1 * peak**2
