"""Gaps over a stream, whatever its cut."""

import numpy as np
import pytest

from spotcheck_dsp.faults.time_step_watch import TimeStepWatch

RATE = 10_000.0
PLACES = (1500, 4001, 9000, 16_500)


def stream(count: int = 20_000) -> np.ndarray:
    """Two voltages with gaps of 3 samples, of which the first stands too early to be seen whole."""
    turns = 50.2 * np.arange(count + 3 * len(PLACES)) / RATE
    for place in PLACES:
        turns = np.delete(turns, slice(place, place + 3))
    angle = 2 * np.pi * turns[:, None] - np.array([0, 2 * np.pi / 3])
    noise = np.random.default_rng(1).normal(0, 0.02, angle.shape)
    return np.asarray(325 * np.sin(angle) + noise)


@pytest.mark.parametrize("block", [1, 77, 1000, 4999, 20_000])
def test_each_gap_is_told_once_whatever_the_cut(block: int) -> None:
    samples = stream()
    step = 250 if block == 1 else block
    watch = TimeStepWatch(phases=2, sample_rate_hz=RATE, first_sample=100)
    told = [
        found
        for start in range(0, len(samples), step)
        for found in watch.add(samples[start : start + step])
    ]
    assert [found.sample for found in told] == [100 + place for place in PLACES]
    assert all(found.lost_samples_candidates(100) == (3,) for found in told)
    assert watch.unseen == ()


def test_gap_at_the_bound_of_two_windows_is_told_once() -> None:
    # Windows of 5000 samples overlap by 2000: their bounds are at 4000, 7000, …
    for place in range(3990, 4011):
        turns = np.delete(50.0 * np.arange(12_001) / RATE, [place])
        watch = TimeStepWatch(phases=1, sample_rate_hz=RATE)
        found = watch.add(325 * np.sin(2 * np.pi * turns)[:, None])
        assert len(found) == 1
        assert abs(found[0].sample - place) <= 1


def test_stretch_without_mains_is_told_as_unseen() -> None:
    samples = stream()
    samples[5000:12_000] = 0
    watch = TimeStepWatch(phases=2, sample_rate_hz=RATE)
    watch.add(samples)
    assert watch.unseen
    first, end = watch.unseen[0]
    assert first < 12_000
    assert end > 5000


def test_watch_without_phases_or_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="phases is 0"):
        TimeStepWatch(phases=0, sample_rate_hz=RATE)
    with pytest.raises(ValueError, match="sample_rate_hz is nan"):
        TimeStepWatch(phases=1, sample_rate_hz=float("nan"))
    with pytest.raises(ValueError, match="40 samples a cycle"):
        TimeStepWatch(phases=1, sample_rate_hz=2000)


def test_samples_of_another_shape_or_not_finite_are_refused() -> None:
    watch = TimeStepWatch(phases=2, sample_rate_hz=RATE)
    with pytest.raises(ValueError, match=r"\(n, 2\)"):
        watch.add(np.zeros((5, 3)))
    with pytest.raises(ValueError, match="not finite"):
        watch.add(np.full((5, 2), np.inf))
