"""Losses of every length are found and named, and what follows them has its true number.

Truth is the simulated converter: its frame n carries n as its code.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck.errors import SampleSourceError
from spotcheck.samples import SampleBlock
from spotcheck_device.sources import frame_numbers
from spotcheck_device.sources.numbered_stream import NumberedStream, StampedFrames
from spotcheck_device.sources.port import SampleGap

RATE_HZ = 32_000
BEGIN_NS = 1_000_000_000_000_000
MARKER_WAY_NS = 3_000_000


@dataclass
class Converter:
    """Frames of a converter, and stamps as an interrupt makes them: late by chance, never early."""

    frames: int
    ppm: float = 0.0
    seed: int = 1
    rate_hz: int = RATE_HZ

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.edges_ns = BEGIN_NS + np.arange(self.frames) * 1e9 / self.rate_hz * (
            1 + 1e-6 * self.ppm
        )
        late_ns = rng.exponential(2000.0, self.frames)
        # Now and then interrupts are off for up to two periods, and some frames are stamped late.
        for at in np.flatnonzero(rng.random(self.frames) < 0.002):
            run = late_ns[at : at + 6]
            run += rng.uniform(0, 60_000) * np.linspace(1, 0.2, len(run))
        self.stamps_ns = np.maximum.accumulate(self.edges_ns + late_ns).astype(np.int64)
        self.read = np.ones(self.frames, np.bool_)
        self.whole = np.ones(self.frames, np.bool_)

    def lose(self, first: int, count: int) -> None:
        self.read[first : first + count] = False

    def frames_at(self, numbers: NDArray[np.int64]) -> StampedFrames:
        codes = np.stack([numbers, -numbers], 1).astype(np.int32)
        codes[~self.whole[numbers]] = 8_000_000
        return StampedFrames(
            codes=codes, stamps_ns=self.stamps_ns[numbers], whole=self.whole[numbers]
        )


@dataclass
class Heard:
    """What came of it, up to the last sample that has come."""

    given: NDArray[np.bool_]
    named: NDArray[np.bool_]
    gaps: list[SampleGap]

    def accounts_for(self, converter: Converter) -> bool:
        """Every frame was given or named, and none that was lost or damaged was given."""
        usable = (converter.read & converter.whole)[: len(self.given)]
        return bool((self.given ^ self.named).all() and not (self.given & ~usable).any())


def listen(converter: Converter, *, seed: int = 2, marker: int = 0) -> Heard:
    rng = np.random.default_rng(seed)
    stream = NumberedStream(converter.rate_hz, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=True)
    stream.add_marker(marker, int(converter.edges_ns[0]) + MARKER_WAY_NS)
    numbers = np.flatnonzero(converter.read)
    parts: list[SampleBlock | SampleGap] = []
    at = 0
    while at < len(numbers):
        count = int(rng.integers(1, 400))
        parts += stream.feed(converter.frames_at(numbers[at : at + count]))
        at += count
    return heard(parts, marker)


def heard(parts: list[SampleBlock | SampleGap], marker: int) -> Heard:
    """In stream order, without a hole, and each block with the codes of its numbers."""
    end = parts[-1].end_sample if isinstance(parts[-1], SampleBlock) else parts[-1].first_sample
    given = np.zeros(end - marker, np.bool_)
    named = np.zeros(end - marker, np.bool_)
    next_sample = marker
    for part in parts:
        assert part.first_sample == next_sample
        begin = part.first_sample - marker
        if isinstance(part, SampleGap):
            next_sample += part.samples
            named[begin : begin + part.samples] = True
        else:
            codes = np.frombuffer(part.codes, "<i4").reshape(-1, 2)
            next_sample = part.end_sample
            assert codes[:, 0].tolist() == list(range(begin, next_sample - marker))
            given[begin : next_sample - marker] = True
    return Heard(given=given, named=named, gaps=[p for p in parts if isinstance(p, SampleGap)])


@pytest.mark.parametrize("first_length", range(1, 1001, 100))
def test_every_loss_of_1_to_1000_samples_is_found_and_named(first_length: int) -> None:
    """A hundred lengths each; a second loss soon after, and one at the very begin."""
    rng = np.random.default_rng(first_length)
    for length in range(first_length, first_length + 100):
        at = int(rng.integers(200, 900))
        second = at + length + int(rng.integers(1, 300))
        converter = Converter(
            frames=second + 1200, ppm=rng.uniform(-100, 100), seed=int(rng.integers(1 << 30))
        )
        converter.lose(at, length)
        converter.lose(second, int(rng.integers(1, 50)))
        converter.lose(0, int(rng.integers(0, 30)))
        found = listen(converter)
        assert found.accounts_for(converter)
        assert len(found.given) > second + 500


def test_without_a_loss_every_sample_is_given_whatever_the_stamps_do() -> None:
    for seed in range(10):
        converter = Converter(frames=20_000, ppm=100.0 - 20 * seed, seed=seed)
        found = listen(converter)
        assert (found.gaps, found.given.all(), len(found.given) > 19_000) == ([], True, True)


def test_losses_between_two_markers_are_each_found_where_they_are() -> None:
    converter = Converter(frames=4096)
    for at, length in ((300, 1), (400, 2), (500, 7), (900, 1)):
        converter.lose(at, length)
    found = listen(converter)
    assert found.accounts_for(converter)
    assert [gap.cause.partition(";")[0] for gap in found.gaps] == [
        f"not read in time: {n}" for n in (1, 2, 7, 1)
    ]
    # Stamps leave open whether the frames just behind a loss come from before it.
    beside = frame_numbers.UNCERTAIN_BEHIND
    assert [gap.samples for gap in found.gaps] == [n + beside for n in (1, 2, 7, 1)]


def test_damaged_frame_is_a_gap_of_one_sample_by_name() -> None:
    converter = Converter(frames=2048)
    converter.whole[[700, 1000, 1001]] = False
    found = listen(converter)
    assert [(gap.first_sample, gap.samples) for gap in found.gaps] == [(700, 1), (1000, 2)]
    assert str(found.gaps[0]) == (
        "samples missing from 700 on: 1 (damaged on the bus or not fresh: 1)"
    )


def test_samples_have_the_front_end_s_numbers_when_it_began_long_before() -> None:
    converter = Converter(frames=2048)
    stream = NumberedStream(RATE_HZ, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=False)
    marked = 5_000_000
    stream.add_marker(marked, int(converter.edges_ns[0]) + frame_numbers.MARKER_WAY_NS)
    parts = stream.feed(converter.frames_at(np.arange(2048)))
    assert [part.first_sample for part in parts] == [marked]


def test_nothing_is_given_before_the_front_end_has_counted_and_what_waits_is_bounded() -> None:
    converter = Converter(frames=3 * RATE_HZ)
    stream = NumberedStream(RATE_HZ, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=True)
    for second in range(2):
        numbers = np.arange(RATE_HZ) + second * RATE_HZ
        assert stream.feed(converter.frames_at(numbers)) == []
    stream.add_marker(2 * RATE_HZ, int(converter.edges_ns[2 * RATE_HZ]) + MARKER_WAY_NS)
    parts = stream.feed(converter.frames_at(np.arange(RATE_HZ) + 2 * RATE_HZ))
    first = parts[0]
    assert isinstance(first, SampleBlock)
    assert first.first_sample == RATE_HZ
    assert np.frombuffer(first.codes, "<i4")[0] == RATE_HZ


def test_loss_that_stamps_do_not_show_is_found_by_the_front_end_s_count() -> None:
    """A clock that stood still while frames were lost: only the count of edges can tell."""
    converter = Converter(frames=4096)
    stream = NumberedStream(RATE_HZ, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=True)
    stream.add_marker(0, int(converter.edges_ns[0]) + MARKER_WAY_NS)
    stream.feed(converter.frames_at(np.arange(2048)))
    stream.add_marker(1024, int(converter.edges_ns[1024]) + MARKER_WAY_NS)
    with pytest.raises(SampleSourceError, match="lost without a trace"):
        stream.add_marker(2048 + 200, int(converter.edges_ns[2048]) + MARKER_WAY_NS)


def test_front_end_that_counts_something_else_is_refused() -> None:
    converter = Converter(frames=4096)
    stream = NumberedStream(RATE_HZ, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=True)
    stream.add_marker(0, int(converter.edges_ns[0]) + MARKER_WAY_NS)
    late_ns = frame_numbers.LONGEST_MARKER_WAY_NS + 1_000_000
    for _ in range(frame_numbers.MOST_LATE_MARKERS):
        stream.add_marker(1024, int(converter.edges_ns[1024]) + late_ns)
    # One that comes in time says that those before were only held up.
    stream.add_marker(1024, int(converter.edges_ns[1024]) + MARKER_WAY_NS)
    for _ in range(frame_numbers.MOST_LATE_MARKERS):
        stream.add_marker(1024, int(converter.edges_ns[1024]) + late_ns)
    with pytest.raises(SampleSourceError, match="do not count the same frames"):
        stream.add_marker(1024, int(converter.edges_ns[1024]) + late_ns)


def test_loss_longer_than_stamps_can_count_ends_the_stream() -> None:
    converter = Converter(frames=8000)
    converter.lose(1000, frame_numbers.LONGEST_LOSS + 1)
    with pytest.raises(SampleSourceError, match="more than their times can count"):
        listen(converter)


def test_frames_that_come_too_early_end_the_stream() -> None:
    converter = Converter(frames=4096)
    converter.stamps_ns[2000:] -= 60_000
    with pytest.raises(SampleSourceError, match="before they were due"):
        listen(converter)


def test_converter_of_another_rate_ends_the_stream() -> None:
    """Its stamps alone look like a loss now and then; the front end has counted no such loss."""
    converter = Converter(frames=8 * RATE_HZ, ppm=20_000.0)
    stream = NumberedStream(RATE_HZ, channels=2)
    stream.begin(int(converter.edges_ns[0]), is_started_here=True)

    def eight_seconds() -> None:
        for at in range(0, converter.frames, 1024):
            stream.add_marker(at, int(converter.edges_ns[at]) + MARKER_WAY_NS)
            stream.feed(converter.frames_at(np.arange(at, min(at + 1024, converter.frames))))

    with pytest.raises(SampleSourceError, match="do not count the same frames"):
        eight_seconds()


def test_stamps_that_never_agree_with_a_number_again_end_the_stream() -> None:
    converter = Converter(frames=RATE_HZ)
    converter.lose(1000, 1)
    converter.stamps_ns[1000:] += 12_500
    with pytest.raises(SampleSourceError, match="does not run at the rate"):
        listen(converter)
