"""Blocks and pulse trains refuse what contradicts itself."""

from typing import Any

import pytest

from spotcheck.errors import EvidenceError
from spotcheck.pulses import Pulse, PulseTrain
from spotcheck.reading import CURES, CannotJudge, Reason
from spotcheck.samples import SampleBlock, StreamFormat


def stream(**changes: Any) -> StreamFormat:
    values: dict[str, Any] = {
        "sample_rate_hz": 8000, "phases": 1, "voltage_range": "U", "current_range": "C",
    }  # fmt: skip
    return StreamFormat(**(values | changes))


def train(*pairs: tuple[int, int]) -> PulseTrain:
    return PulseTrain(pulses=tuple(Pulse(stamp=s, index=i) for s, i in pairs))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phases": 2}, "phases is 2"),
        ({"sample_rate_hz": 3999}, "sample_rate_hz is 3999"),
        ({"sample_rate_hz": 200_001}, "sample_rate_hz is 200001"),
    ],
)
def test_stream_that_is_not_supported_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(EvidenceError, match=message):
        stream(**changes)


def test_stream_of_three_phases_has_six_channels() -> None:
    assert stream(phases=3).channels == 6
    assert stream(sample_rate_hz=4000).channels == 2


def test_block_counts_samples_of_all_channels() -> None:
    block = SampleBlock(first_sample=10, channels=6, codes=bytes(4 * 6 * 5))
    assert (block.sample_count, block.end_sample) == (5, 15)


@pytest.mark.parametrize("size", [1, 4, 23, 25])
def test_block_that_is_no_whole_number_of_samples_is_refused(size: int) -> None:
    with pytest.raises(EvidenceError, match=f"{size} bytes are no whole number of 6-channel"):
        SampleBlock(first_sample=0, channels=6, codes=bytes(size))


@pytest.mark.parametrize("stamps", [(5, 5), (5, 4), (1, 9, 8)])
def test_stamps_that_do_not_rise_are_refused(stamps: tuple[int, ...]) -> None:
    with pytest.raises(EvidenceError, match="not after pulse"):
        train(*((stamp, n) for n, stamp in enumerate(stamps)))


def test_lost_pulses_are_counted_from_their_numbers() -> None:
    assert train().lost == 0
    assert train((1, 7)).lost == 0
    assert train((1, 7), (2, 8), (3, 9)).lost == 0
    assert train((1, 7), (2, 9), (3, 12)).lost == 3


def test_stamp_counts_1_65536_of_a_sample() -> None:
    assert Pulse(stamp=65536 * 3 + 16384, index=0).sample == 3.25


def test_every_reason_has_its_cure() -> None:
    assert set(CURES) == set(Reason)
    outcome = CannotJudge(
        outcome_id="1", reason=Reason.NO_LOAD, detail="", at_sample=None, conditions=None
    )
    assert outcome.cure == "switch on a load"
