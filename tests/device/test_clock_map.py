"""Counts to stamps, against exact rationals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_device.clock_map import ClockMap


def mapped(*markers: tuple[int, int]) -> ClockMap:
    clock = ClockMap()
    for sample, counter in markers:
        clock.add_marker(sample, counter)
    return clock


@given(
    st.integers(0, 2**45), st.integers(1, 2**20), st.integers(0, 2**60), st.integers(1, 2**31),
    st.integers(-(2**32), 2**32),
)  # fmt: skip
def test_stamp_is_the_nearest_to_the_exact_rational(
    sample: int, samples: int, counter: int, counts: int, since: int
) -> None:
    clock = mapped((sample, counter), (sample + samples, counter + counts))
    exact = 65536 * (sample + Fraction(since * samples, counts))
    assert abs(clock.stamp(counter + since) - exact) <= Fraction(1, 2)


def test_markers_themselves_are_stamped_with_their_samples() -> None:
    clock = mapped((800, 2_400_000), (1600, 4_800_007))
    assert clock.stamp(2_400_000) == 800 * 65536
    assert clock.stamp(4_800_007) == 1600 * 65536
    # 24 MHz and 8 kS/s: 3000 counts a sample, so a count is 21.8 stamps.
    assert mapped((0, 0), (800, 2_400_000)).stamp(1) == 22


@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=20, unique=True))
def test_order_of_counts_is_the_order_of_stamps(counts: list[int]) -> None:
    clock = mapped((10, 0), (810, 2_400_011))
    stamps = [clock.stamp(count) for count in sorted(counts)]
    assert stamps == sorted(stamps)


def test_two_latest_markers_decide() -> None:
    clock = mapped((0, 0), (100, 1000), (200, 2004))
    assert clock.stamp(2004 + 1004) == 300 * 65536


@pytest.mark.parametrize("markers", [(), ((0, 0),)])
def test_before_two_markers_nothing_can_be_mapped(markers: tuple[tuple[int, int], ...]) -> None:
    clock = mapped(*markers)
    assert not clock.is_ready
    with pytest.raises(ValueError, match="before two frame markers"):
        clock.stamp(5)


@pytest.mark.parametrize("restarted", [(2000, 50), (500, 9000), (1000, 3000), (2000, 3000)])
def test_marker_that_does_not_rise_in_both_starts_anew(restarted: tuple[int, int]) -> None:
    clock = mapped((0, 0), (1000, 3000), restarted)
    assert not clock.is_ready
    sample, counter = restarted
    clock.add_marker(sample + 10, counter + 30)
    assert clock.is_ready
    assert clock.stamp(counter + 3) == (sample + 1) * 65536


@pytest.mark.parametrize(("counter", "late"), [(9000, 0), (9001, 0), (9003, 1), (8994, -2)])
def test_marker_that_comes_whole_samples_off_starts_the_map_anew(counter: int, late: int) -> None:
    clock = ClockMap()
    clock.add_marker(0, 0)
    clock.add_marker(1000, 3000)
    clock.add_marker(2000, 6000)
    assert clock.add_marker(3000, counter) == late
    assert clock.is_ready is (late == 0)


def test_marker_after_lost_ones_is_in_time() -> None:
    clock = ClockMap()
    for sample in (0, 1000, 7000):
        assert clock.add_marker(sample, 3 * sample) == 0
    assert clock.stamp(21_300) == 7100 << 16
