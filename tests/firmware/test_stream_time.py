"""The 64-bit extension against counts that are known, whatever order they come in."""

from hypothesis import given
from hypothesis import strategies as st
from stream_time import StreamTime

steps = st.integers(0, (1 << 31) - 1)
swaps = st.integers(0, (1 << 31) - 1)


@given(st.integers(0, (1 << 32) - 1), st.lists(st.tuples(steps, swaps), max_size=40))
def test_every_record_gets_its_own_count_over_any_wrap(
    start: int, records: list[tuple[int, int]]
) -> None:
    time = StreamTime()
    assert time.extend(start) == start
    newest = start
    for step, swap in records:
        newest += step
        assert time.extend(newest % (1 << 32)) == newest
        # A record of another input that is older, by less than half a turn.
        assert time.extend((newest - swap) % (1 << 32)) == newest - swap
