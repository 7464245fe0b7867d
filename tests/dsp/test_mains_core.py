"""The compiled stream by itself: a wrong call gets an error, not what happens to lie in memory."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_dsp._mains_stream import MainsCore, group_levels
from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS, MainsStream

RATE_HZ = 10e3
HALVED = [([0.05, 0.25, 0.4, 0.25, 0.05], 2)]


def core_of_one_phase(samples: int, variant: int = 0) -> MainsCore:
    """Tracks 50 Hz at the rate of the samples, of which it keeps 1,000."""
    core = MainsCore(variant, 2, [], 0, 1000, 1000)
    core.add(mains(samples, 2))
    return core


def mains(samples: int, channels: int, rate_hz: float = RATE_HZ) -> NDArray[np.int32]:
    angle = 2 * np.pi * 50.0 / rate_hz * np.arange(samples)
    return np.rint(4e6 * np.cos(angle[:, None] - 0.3 * np.arange(channels))).astype(np.int32)


@pytest.mark.parametrize("kernel", WAVEFORM_KERNELS)
@pytest.mark.parametrize("rate_hz", [4e3, 10e3, 50e3])
@pytest.mark.parametrize("phases", [1, 2, 4])
def test_blocks_that_end_where_their_memory_ends_give_what_one_block_gives(
    phases: int, rate_hz: float, kernel: str
) -> None:
    """Vectors of eight codes would reach beyond the last instants of one or two phases."""
    codes = mains(round(0.7 * rate_hz), 2 * phases, rate_hz)
    whole = MainsStream(phases=phases, sample_rate_hz=rate_hz, kernel=kernel).add(codes)
    rng = np.random.default_rng(11)
    stream = MainsStream(phases=phases, sample_rate_hz=rate_hz, kernel=kernel)
    cuts = np.sort(np.append(rng.integers(0, len(codes), 50), np.arange(1, 30)))
    steps = [stream.add(block.copy()) for block in np.split(codes, cuts)]
    assert len(whole.instants) > 10
    assert np.concatenate([s.phasors for s in steps]).tolist() == whole.phasors.tolist()


@pytest.mark.parametrize(
    "arguments",
    [
        (99, 2, [], 0, 100, 100),
        (0, 0, [], 0, 100, 100),
        (0, 9, [], 0, 100, 100),
        (0, 2, [([0.2] * 6, 2)], 0, 100, 100),
        (0, 2, [([0.05] * 20, 2)], 0, 100, 100),
        (0, 2, [([0.2] * 5, 4)], 0, 100, 100),
        (0, 2, [([0.1] * 10, 2)], 0, 100, 100),
        (0, 2, [([0.2] * 5, 3)], 0, 100, 100),
        (0, 2, HALVED * 13, 0, 100, 100),
        (0, 2, HALVED, 2, 100, 100),
        (0, 2, [], 0, 63, 100),
        (0, 2, [], 0, 100, 63),
    ],
)
def test_stages_that_the_kernels_do_not_know_are_refused(arguments: Any) -> None:
    with pytest.raises(IndexError, match="no such variant, channels, stages or frames"):
        MainsCore(*arguments)


@pytest.mark.parametrize(
    ("start", "step", "bend", "count", "shape"),
    [
        (np.nan, 1.0, 0.0, 10, (64, 4, 16)),
        (100.0, np.nan, 0.0, 10, (64, 4, 16)),
        (100.0, 1.0, np.nan, 10, (64, 4, 16)),
        (-np.inf, 1.0, 0.0, 10, (64, 4, 16)),
        (7.0, 1.0, 0.0, 10, (64, 4, 16)),
        (500.0, 60.0, 0.0, 10, (64, 4, 16)),
        (982.0, 1.0, 0.0, 10, (64, 4, 16)),
        (500.0, -100.0, 0.0, 5, (64, 4, 16)),
        (500.0, 1000.0, -100.0, 11, (64, 4, 16)),
        (100.0, 1.0, 0.0, 0, (64, 4, 16)),
        (100.0, 1.0, 0.0, 10, (0, 4, 16)),
        (100.0, 1.0, 0.0, 10, (64, 3, 16)),
        (100.0, 1.0, 0.0, 10, (64, 4, 12)),
        (100.0, 1.0, 0.0, 10, (64, 4, 0)),
        (500.0, 1.0, 0.0, 10, (64, 4, 136)),
    ],
)
def test_places_beyond_the_kept_frames_are_refused(
    start: float, step: float, bend: float, count: int, shape: tuple[int, int, int]
) -> None:
    core = core_of_one_phase(1000)
    with pytest.raises(IndexError, match="beyond the kept frames"):
        core.resample(start, step, bend, np.zeros(shape), np.zeros((count, 8)))


def test_places_up_to_a_frame_from_both_ends_of_what_is_kept_are_taken() -> None:
    core = core_of_one_phase(1000)
    table = np.zeros((1, 4, 16))
    table[:, 0, 7] = 1.0
    out = np.zeros((983, 8))
    core.resample(8.0, 1.0, 0.0, table, out)
    expected = mains(1000, 2)[8:991]
    assert out[:, :2].tolist() == expected.tolist()


def test_channel_whose_frames_are_gone_is_lost() -> None:
    core = core_of_one_phase(1000)
    core.lock(0, 50 / RATE_HZ, 40 / RATE_HZ, 70 / RATE_HZ, 0)
    core.add(mains(20_000, 2))
    assert core.track_frames[0] > 1000
    assert core.follow() == 0
    assert core.lost


@pytest.mark.parametrize(("channel", "first", "count"), [(2, 0, 10), (0, -1, 10), (0, 995, 6)])
def test_track_that_is_not_kept_is_refused(channel: int, first: int, count: int) -> None:
    with pytest.raises(IndexError, match="beyond the kept track"):
        core_of_one_phase(1000).track_values(channel, first, count)


@pytest.mark.parametrize(
    ("values", "turns", "series", "transformed", "out"),
    [
        ((1280, 8), 2560, 4, (1280, 8), (2, 510)),
        ((1600, 7), 3200, 4, (1600, 8), (2, 510)),
        ((1600, 8), 3199, 4, (1600, 8), (2, 510)),
        ((1600, 8), 3200, 1, (1600, 8), (2, 510)),
        ((1600, 8), 3200, 4, (1599, 8), (2, 510)),
        ((1600, 8), 3200, 4, (1600, 7), (2, 510)),
        ((1600, 8), 3200, 4, (1600, 8), (3, 510)),
        ((1600, 8), 3200, 4, (1600, 8), (0, 510)),
        ((1600, 8), 3200, 4, (1600, 8), (2, 613)),
        ((1600, 8), 3200, 4, (1600, 8), (2, 0)),
    ],
)
def test_bins_of_another_shape_are_refused(
    values: Any, turns: int, series: int, transformed: Any, out: Any
) -> None:
    core = core_of_one_phase(1000)
    with pytest.raises(IndexError, match="bins of another shape"):
        core.spectrum_bins(
            np.zeros(values), np.zeros(turns), 1e-3, np.ones(series), 0.5, np.zeros(transformed),
            np.zeros(out, complex),
        )  # fmt: skip


@pytest.mark.parametrize(
    ("phasors", "bins", "levels", "whole"),
    [
        ((2, 510), 11, (4, 2, 51), (2, 2)),
        ((2, 509), 10, (4, 2, 51), (2, 2)),
        ((2, 510), 10, (5, 2, 51), (2, 2)),
        ((2, 510), 10, (4, 3, 51), (2, 2)),
        ((2, 510), 10, (4, 2, 51), (2, 3)),
        ((2, 510), 10, (4, 2, 51), (1, 2)),
        ((2, 0), 10, (4, 2, 0), (2, 2)),
    ],
)
def test_groups_of_another_shape_are_refused(
    phasors: Any, bins: int, levels: Any, whole: Any
) -> None:
    with pytest.raises(IndexError, match="bins of another shape"):
        group_levels(np.zeros(phasors, complex), bins, np.zeros(levels), np.zeros(whole))
