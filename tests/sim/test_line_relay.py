"""Damage on the line happens by stream time, however the bytes arrive."""

import math

import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_sim.line_relay import LineFaults, LineRelay
from spotcheck_wire import frontend_codec as codec

COUNTER_HZ = 24_000_000


def complete_frames(seconds: int) -> bytes:
    """Ten COMPLETE messages a second."""
    frames = bytearray()
    for tenth in range(1, 10 * seconds + 1):
        body = codec.pack_body(codec.COMPLETE, tenth * COUNTER_HZ // 10, *[0] * 7)
        frames += codec.build_frame(codec.COMPLETE, tenth, body)
    return bytes(frames)


def relayed(faults: LineFaults, line: bytes, piece: int, seed: int = 1) -> bytes:
    passed = bytearray()
    relay = LineRelay(faults, COUNTER_HZ, seed, passed.extend, lambda: passed.extend(b"HUNG UP"))
    for start in range(0, len(line), piece):
        relay.feed(line[start : start + piece])
    return bytes(passed)


def test_sound_line_passes_every_byte() -> None:
    line = complete_frames(3)
    assert relayed(LineFaults(), line, 7) == line


def test_damage_flips_one_bit_in_every_nth_frame_from_its_stream_time() -> None:
    line = complete_frames(3)
    damaged = relayed(LineFaults(damage_from_s=2.0, damage_every=4), line, len(line))
    wrong = [at for at, (sent, got) in enumerate(zip(line, damaged, strict=True)) if sent != got]
    assert len(wrong) == 2
    assert all((line[at] ^ damaged[at]).bit_count() == 1 for at in wrong)
    frames_before = [line[:at].count(0) for at in wrong]
    assert frames_before == [23, 27]


def test_damage_is_the_same_for_a_seed_and_any_split() -> None:
    line, faults = complete_frames(5), LineFaults(damage_from_s=1.0, damage_every=3)
    whole = relayed(faults, line, len(line))
    assert relayed(faults, line, 1) == whole
    assert relayed(faults, line, 1000) == whole
    assert relayed(faults, line, 1000, seed=2) != whole


def test_cut_line_hangs_up_once_and_carries_nothing_more() -> None:
    line = complete_frames(3)
    passed = relayed(LineFaults(unplug_at_s=1.0), line, 1)
    assert passed.endswith(b"HUNG UP")
    assert passed.count(b"\x00") == 10


def test_damage_of_every_zeroth_frame_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="damage_every"):
        LineFaults(damage_from_s=math.inf, damage_every=0)
