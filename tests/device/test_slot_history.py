"""Slots of a stream, whatever the blocks were."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_device.slot_history import SlotHistory

STREAM = StreamFormat(sample_rate_hz=8000, phases=1, voltage_range="U", current_range="C")
L = 8
CODES = np.random.default_rng(1).integers(-8_000_000, 8_000_000, (400, 2)).astype("<i4")


def block(first: int, codes: NDArray[np.int32]) -> SampleBlock:
    return SampleBlock(first_sample=first, channels=2, codes=codes.tobytes())


def expected_ui(first: int, end: int) -> list[int]:
    """Σu·i of the slots that lie in [first, end), in Python's integers."""
    begin = -(-first // L)
    products = [int(u) * int(i) for u, i in CODES]
    return [sum(products[k * L : k * L + L]) for k in range(begin, end // L)]


@given(st.integers(0, 40), st.lists(st.integers(0, 400), max_size=6))
def test_any_split_gives_the_same_slots_from_the_first_boundary_on(
    first: int, cuts: list[int]
) -> None:
    history = SlotHistory(STREAM, L)
    edges = [first, *sorted(max(first, cut) for cut in cuts), 400]
    for start, end in pairwise(edges):
        history.add(block(start, CODES[start:end]))
    number, slots = history.between(0, 400)
    assert number == history.first_slot == -(-first // L)
    assert history.end_sample == 400
    assert slots[:, 0, 0].tolist() == expected_ui(first, 400)


def filled() -> SlotHistory:
    history = SlotHistory(STREAM, L)
    for start in range(0, 400, 50):
        history.add(block(start, CODES[start : start + 50]))
    return history


@pytest.mark.parametrize(
    ("first", "end", "number", "count"),
    [(0, 400, 0, 50), (8, 16, 1, 1), (7, 17, 0, 3), (392, 1000, 49, 1), (-50, 9, 0, 2)],
)
def test_interval_is_covered_by_whole_slots_as_far_as_they_are_kept(
    first: int, end: int, number: int, count: int
) -> None:
    found, slots = filled().between(first, end)
    assert (found, len(slots)) == (number, count)
    assert slots[:, 0, 0].tolist() == expected_ui(0, 400)[number : number + count]


def test_what_is_forgotten_ended_before_the_sample() -> None:
    history = filled()
    history.forget_before(120)
    assert 0 < history.first_slot * L <= 120
    number, slots = history.between(0, 400)
    assert number == history.first_slot
    assert slots[:, 0, 0].tolist() == expected_ui(0, 400)[number:]
    assert history.end_sample == 400


def test_empty_history_has_no_slots() -> None:
    history = SlotHistory(STREAM, L)
    assert history.end_sample == 0
    assert len(history.between(0, 100)[1]) == 0


def test_gap_and_repetition_are_told_and_refused() -> None:
    history = filled()
    assert history.missing_before(block(400, CODES[:8])) == 0
    assert history.missing_before(block(408, CODES[:8])) == 8
    assert history.missing_before(block(350, CODES[:8])) == -50
    for first in (408, 350):
        with pytest.raises(ValueError, match=f"block at {first} does not follow 400"):
            history.add(block(first, CODES[:8]))
    assert history.end_sample == 400


@pytest.mark.parametrize(
    ("code", "overloaded"),
    [(2**23 - 1, True), (-(2**23), True), (2**23 - 2, False), (-(2**23) + 2, False)],
)
def test_code_at_full_scale_is_overload(code: int, overloaded: bool) -> None:
    codes = np.zeros((16, 2), "<i4")
    codes[13, 1] = code
    history = SlotHistory(STREAM, L)
    history.add(block(0, codes))
    assert history.overloaded_between(0, 16) == (8 if overloaded else None)
    assert history.overloaded_between(0, 8) is None
    history.forget_before(16)
    assert history.overloaded_between(0, 16) is None


def test_refused_block_leaves_no_trace() -> None:
    history = SlotHistory(STREAM, L)
    history.add(block(0, CODES[:50]))
    bad = CODES[50:100].copy()
    bad[7, 0] = 2**23 + 1
    with pytest.raises(ValueError, match="beyond ±2²³"):
        history.add(block(50, bad))
    history.add(block(50, CODES[50:]))
    assert history.between(0, 400)[1][:, 0, 0].tolist() == expected_ui(0, 400)


def test_code_beyond_24_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="beyond ±2²³"):
        SlotHistory(STREAM, L).add(block(0, np.full((8, 2), 2**23 + 1, "<i4")))
