"""Overload of codes, over streams of any cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.faults.overload import OverloadDetector

FULL = (1 << 23) - 1


def test_last_code_below_the_ends_is_none_and_the_ends_are() -> None:
    codes = np.array([[FULL - 1, -FULL + 1], [3, -FULL], [FULL, 5], [FULL + 1, 0]], np.int32)
    detector = OverloadDetector(channels=2, first_sample=100)
    detector.add(codes[:1])
    assert not any(channel.detected for channel in detector.channels)
    detector.add(codes[1:])
    first, second = detector.channels
    assert (first.first_sample, first.last_sample, first.samples) == (102, 103, 2)
    assert first.largest_code == FULL + 1
    assert (second.first_sample, second.last_sample, second.samples) == (101, 101, 1)
    assert second.detected


def test_smallest_int32_is_an_overload_too() -> None:
    detector = OverloadDetector(channels=1)
    detector.add(np.array([[-(1 << 31)]], np.int32))
    assert detector.channels[0].largest_code == 1 << 31
    assert detector.channels[0].samples == 1


@given(st.lists(st.integers(-120, 120), min_size=1, max_size=200), st.data())
def test_cut_of_the_stream_has_no_say(values: list[int], data: st.DataObject) -> None:
    codes = np.array(values, np.int32)[:, None]
    whole = OverloadDetector(channels=1, threshold_code=100)
    whole.add(codes)
    cut = OverloadDetector(channels=1, threshold_code=100)
    at = sorted(data.draw(st.lists(st.integers(0, len(codes)), max_size=5)))
    for piece in np.split(codes, at):
        cut.add(piece)
    assert cut.channels == whole.channels
    beyond = np.flatnonzero(np.abs(codes[:, 0]) >= 100)
    assert whole.channels[0].samples == len(beyond)
    assert whole.channels[0].first_sample == (int(beyond[0]) if len(beyond) else None)


def test_detector_without_channels_or_threshold_is_refused() -> None:
    with pytest.raises(ValueError, match="channels is 0"):
        OverloadDetector(channels=0)
    with pytest.raises(ValueError, match="threshold_code is 0"):
        OverloadDetector(channels=1, threshold_code=0)


def test_codes_of_another_type_or_shape_are_refused() -> None:
    detector = OverloadDetector(channels=2)
    with pytest.raises(TypeError, match="int64"):
        detector.add(np.zeros((3, 2), np.int64))
    with pytest.raises(ValueError, match=r"\(3, 1\)"):
        detector.add(np.zeros((3, 1), np.int32))
