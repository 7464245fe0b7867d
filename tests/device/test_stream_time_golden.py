"""The rules of stream time that version 1 froze (docs/formats/stream-time.md)."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_device.clock_map import ClockMap
from spotcheck_device.slot_history import SlotHistory

GOLDEN: dict[str, Any] = json.loads(
    (Path(__file__).parent / "golden" / "stream_time_v1.json").read_text("utf-8")
)


def test_counts_map_to_the_golden_stamps() -> None:
    clock = ClockMap()
    stamps = []
    for message in GOLDEN["messages"]:
        if "marker" in message:
            clock.add_marker(**message["marker"])
        else:
            pulse = message["pulse"]
            stamps.append([pulse["index"], clock.stamp(pulse["counter"])])
    assert stamps == GOLDEN["stamps"]


def test_slots_stand_at_the_golden_indexes() -> None:
    golden = GOLDEN["slots"]
    stream = StreamFormat(sample_rate_hz=8000, phases=1, voltage_range="480V", current_range="C100")
    history = SlotHistory(stream, golden["length"])
    codes = np.ones((golden["samples"], 2), np.int32)
    block = SampleBlock(
        first_sample=golden["first_block_sample"], channels=2, codes=codes.tobytes()
    )
    history.add(block)
    assert (history.first_slot, history.end_slot) == (golden["first_slot"], golden["end_slot"])
