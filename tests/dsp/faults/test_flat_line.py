"""Stuck channels and channels without signal."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck_dsp.faults.flat_line import ChannelLife, FlatLineDetector, stuck_run_samples


def detector(run: int = 500, window: int = 2000, noise: float = 3.0) -> FlatLineDetector:
    return FlatLineDetector(noise_codes_rms=(noise,), run_samples=run, window_samples=window)


def looked_at(codes: np.ndarray, **given: int) -> FlatLineDetector:
    found = detector(**given)
    found.add(np.rint(codes).astype(np.int32)[:, None])
    return found


def sine(count: int = 4000, level: float = 1e5) -> np.ndarray:
    return np.asarray(level * np.sin(2 * np.pi * np.arange(count) / 199.7))


def test_mains_with_noise_is_live() -> None:
    rng = np.random.default_rng(1)
    (found,) = looked_at(sine() + rng.normal(0, 3, 4000)).channels
    assert found.life is ChannelLife.LIVE
    # The window of 2000 samples is not whole cycles: within a percent of the sine's RMS.
    assert found.least_rms_codes == pytest.approx(1e5 / math.sqrt(2), rel=0.01)


def test_channel_that_stops_changing_is_stuck_and_the_place_is_told() -> None:
    codes = sine()
    codes[1234:1734] = codes[1233]
    (found,) = looked_at(codes).channels
    assert found.life is ChannelLife.STUCK
    assert found.longest_run_samples == 501
    assert found.run_first_sample == 1233


def test_noise_only_is_no_signal_and_constant_codes_are_stuck() -> None:
    rng = np.random.default_rng(2)
    assert looked_at(rng.normal(500, 3, 4000)).channels[0].life is ChannelLife.NO_SIGNAL
    assert looked_at(np.full(4000, 7)).channels[0].life is ChannelLife.STUCK


def test_pauses_of_a_dimmer_and_of_a_burst_without_any_noise_are_no_faults() -> None:
    n = np.arange(8000)
    fired = np.where(n % 100 > 80, sine(8000), 0.0)
    burst = np.where(n % 800 < 400, np.sin(2 * np.pi * n / 200) * 1e5, 0.0)
    for codes in (fired, burst):
        (found,) = looked_at(codes).channels
        assert found.life is ChannelLife.LIVE
        assert found.longest_run_samples < 402


def test_nothing_is_said_before_a_whole_window() -> None:
    (found,) = looked_at(sine(100)).channels
    assert found.life is ChannelLife.UNDETERMINED
    assert found.least_rms_codes is None
    (unseen,) = detector().channels
    assert unseen.run_first_sample is None


@settings(max_examples=60)
@given(st.lists(st.integers(-2, 2), min_size=1, max_size=120), st.data())
def test_cut_of_the_stream_has_no_say(values: list[int], data: st.DataObject) -> None:
    codes = np.array(values, np.int32)[:, None]
    whole, cut = detector(5, 16), detector(5, 16)
    whole.add(codes)
    at = sorted(data.draw(st.lists(st.integers(0, len(codes)), max_size=6)))
    for piece in np.split(codes, at):
        cut.add(piece)
    assert cut.channels == whole.channels


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=80))
def test_longest_run_is_that_of_a_plain_count(values: list[int]) -> None:
    longest = run = 1
    for before, after in itertools.pairwise(values):
        run = run + 1 if after == before else 1
        longest = max(longest, run)
    found = detector(5, 16)
    found.add(np.array(values, np.int32)[:, None])
    assert found.channels[0].longest_run_samples == longest


def test_quietest_window_is_that_of_exact_deviations_even_at_full_scale() -> None:
    # Offset of full scale and deviations of ±1: floating sums of squares would lose them.
    codes = np.full(64, (1 << 23) - 2) + np.tile([1, -1], 32)
    (found,) = looked_at(codes, window=64).channels
    assert found.least_rms_codes == pytest.approx(math.sqrt(64 / 63), rel=1e-12)


@pytest.mark.parametrize("noise", [0.15, 0.3, 0.5, 1.0, 5.0])
def test_run_that_noise_does_not_bring_about(noise: float) -> None:
    run = stuck_run_samples(noise, 200_000, 0.01)
    rng = np.random.default_rng(4)
    codes = np.rint(rng.normal(0, noise, 200_000))
    changes = np.flatnonzero(np.diff(codes))
    assert np.max(np.diff(changes)) < run
    # And it is not much too long: noise comes within a factor of two of it.
    assert np.max(np.diff(changes)) > run / 2


def test_stronger_noise_and_shorter_streams_allow_shorter_runs() -> None:
    assert stuck_run_samples(1.0, 10**6, 1e-6) < stuck_run_samples(0.3, 10**6, 1e-6)
    assert stuck_run_samples(1.0, 10**3, 1e-6) < stuck_run_samples(1.0, 10**9, 1e-6)


@pytest.mark.parametrize(
    ("noise", "samples", "probability", "words"),
    [
        (0.0, 10, 0.1, "noise_codes_rms"),
        (0.01, 10, 0.1, "one code for ever"),
        (1.0, 0, 0.1, "stream_samples"),
        (1.0, 10, 0.7, "false_alarm_probability"),
    ],
)
def test_run_without_noise_or_probability_is_refused(
    noise: float, samples: int, probability: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        stuck_run_samples(noise, samples, probability)


def test_detector_without_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="noise_codes_rms is empty"):
        FlatLineDetector(noise_codes_rms=(), run_samples=5, window_samples=5)
    with pytest.raises(ValueError, match="run_samples is 1"):
        detector(run=1)
    with pytest.raises(ValueError, match="window_samples is 65536"):
        detector(window=65_536)


def test_codes_of_another_type_or_beyond_24_bits_are_refused() -> None:
    samples: Any = np.zeros((3, 1))
    with pytest.raises(TypeError, match="float64"):
        detector().add(samples)
    with pytest.raises(ValueError, match="beyond"):
        detector().add(np.full((3, 1), (1 << 23) + 1, np.int32))
