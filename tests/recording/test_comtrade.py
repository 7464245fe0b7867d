"""COMTRADE of every revision and encoding, against files written by hand."""

from pathlib import Path
from types import ModuleType

import comtrade as oracle
import numpy as np
import pytest

from spotcheck.errors import RecordingChannelError, RecordingError
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording
from spotcheck_recording.recording import Recording


def values(recording: Recording) -> np.ndarray:
    return np.concatenate([block.values for block in recording.blocks()])


def expected(made: object) -> np.ndarray:
    channels = range(len(made.lines))
    return np.array([[made.value(n, k) for k in channels] for n in range(made.samples)])


@pytest.mark.parametrize(
    ("revision", "kind"),
    [
        ("", "ASCII"),
        ("1991", "BINARY"),
        ("1999", "ASCII"),
        ("1999", "BINARY"),
        ("2013", "ASCII"),
        ("2013", "BINARY"),
        ("2013", "BINARY32"),
        ("2013", "FLOAT32"),
    ],
)
@pytest.mark.parametrize("status", [0, 3, 17])
def test_values_of_every_revision_and_encoding(
    tmp_path: Path, by_hand: ModuleType, revision: str, kind: str, status: int
) -> None:
    made = by_hand.Comtrade(revision=revision, kind=kind, status=status)
    with open_recording(made.write(tmp_path)) as recording:
        assert np.array_equal(values(recording), expected(made))
        assert [channel.name for channel in recording.channels] == ["u1", "i1"]
        (segment,) = recording.segments
        assert (segment.sample_rate_hz, segment.sample_count, segment.start_s) == (1000.0, 40, 0.0)
        assert recording.format_name == f"COMTRADE {revision or 1991} {kind}"


@pytest.mark.parametrize("kind", ["ASCII", "BINARY", "BINARY32", "FLOAT32"])
def test_single_file_is_read_like_the_pair(tmp_path: Path, by_hand: ModuleType, kind: str) -> None:
    made = by_hand.Comtrade(revision="2013", kind=kind)
    path = made.cff(tmp_path)
    with open_recording(path) as recording:
        assert np.array_equal(values(recording), expected(made))
    assert [channel.key for channel in list_channels(path)] == ["Ua", "Ia"]
    pair = oracle.load(str(path), encoding="utf-8")
    assert pair.analog[0][7] == pytest.approx(made.value(7, 0))


def test_data_file_may_be_named_and_siblings_differ_in_case(
    tmp_path: Path, by_hand: ModuleType
) -> None:
    made = by_hand.Comtrade()
    made.write(tmp_path)
    (tmp_path / "rec.dat").rename(tmp_path / "REC.DAT")
    (tmp_path / "rec.cfg").rename(tmp_path / "rec.CFG")
    for name in ("REC.DAT", "rec.CFG"):
        with open_recording(tmp_path / name) as recording:
            assert np.array_equal(values(recording), expected(made))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_chinese_names_in_every_encoding(
    tmp_path: Path, by_hand: ModuleType, encoding: str
) -> None:
    lines = (by_hand.Line(name="母线_Ua"), by_hand.Line(name="开关_Ia", unit="A"))
    path = by_hand.Comtrade(lines=lines).write(tmp_path, encoding=encoding)
    assert [channel.key for channel in list_channels(path)] == ["母线_Ua", "开关_Ia"]


def test_each_rate_is_a_segment_placed_by_its_stamp(tmp_path: Path, by_hand: ModuleType) -> None:
    stamps = [k * 1000 for k in range(20)] + [100_000 + k * 20_000 for k in range(10)]
    made = by_hand.Comtrade(rates=(("1000", 20), ("50", 30)), stamps=stamps)
    with open_recording(made.write(tmp_path)) as recording:
        first, second = recording.segments
        assert (first.sample_rate_hz, second.sample_rate_hz) == (1000.0, 50.0)
        assert (second.first_sample, second.sample_count) == (20, 10)
        assert second.start_s == pytest.approx(0.1)
        blocks = list(recording.blocks(15, 25))
        assert [(b.segment.index, b.first_sample, len(b.values)) for b in blocks] == [
            (0, 15, 5),
            (1, 20, 5),
        ]
        assert np.array_equal(np.concatenate([b.values for b in blocks]), expected(made)[15:25])


@pytest.mark.parametrize("kind", ["ASCII", "BINARY"])
@pytest.mark.parametrize("timemult", ["1", "0.5"])
def test_stamps_decide_where_no_rate_is_stated(
    tmp_path: Path, by_hand: ModuleType, kind: str, timemult: str
) -> None:
    # 12 800 S/s in whole stamps, and a gap of a second.
    per_stamp = 1e6 / float(timemult)
    stamps = [round(k / 12_800 * per_stamp) for k in range(2000)]
    stamps += [round((1 + k / 12_800) * per_stamp) for k in range(2000, 4000)]
    made = by_hand.Comtrade(
        rates=(("0", 4000),), promised_rates=0, stamps=stamps, kind=kind, timemult=timemult
    )
    with open_recording(made.write(tmp_path)) as recording:
        assert [s.sample_rate_hz for s in recording.segments] == [12_800.0, 12_800.0]
        assert [s.first_sample for s in recording.segments] == [0, 2000]
        assert recording.segments[1].start_s == pytest.approx(1 + 2000 / 12_800, abs=1e-6)


def test_stamps_may_begin_again_at_zero(tmp_path: Path, by_hand: ModuleType) -> None:
    stamps = [(2**32 - 20_000 + k * 1000) % 2**32 for k in range(40)]
    made = by_hand.Comtrade(rates=(("0", 40),), promised_rates=0, stamps=stamps)
    with open_recording(made.write(tmp_path)) as recording:
        (segment,) = recording.segments
        assert (segment.sample_rate_hz, segment.start_s) == (1000.0, 0.0)


@pytest.mark.parametrize("stamp", [5000, 4500, 0xFFFF_FFFF, 5400])
def test_bad_stamps_are_named_where_stamps_decide(
    tmp_path: Path, by_hand: ModuleType, stamp: int
) -> None:
    stamps = [k * 1000 for k in range(40)]
    stamps[6] = stamp
    made = by_hand.Comtrade(rates=(("0", 40),), promised_rates=0, stamps=stamps)
    with pytest.raises(RecordingError, match=f"byte {6 * 14}"):
        open_recording(made.write(tmp_path))


def test_stamps_that_tell_another_rate_are_noted(tmp_path: Path, by_hand: ModuleType) -> None:
    made = by_hand.Comtrade(stamps=[k * 990 for k in range(40)])
    with open_recording(made.write(tmp_path)) as recording:
        assert recording.segments[0].sample_rate_hz == 1000.0
        assert any("stamps say 1010.1 S/s" in note for note in recording.notes)


def test_missing_stamps_do_not_matter_beside_a_stated_rate(
    tmp_path: Path, by_hand: ModuleType
) -> None:
    made = by_hand.Comtrade(rates=(("1000", 20), ("500", 40)), stamps=[0xFFFF_FFFF] * 40)
    with open_recording(made.write(tmp_path)) as recording:
        assert recording.segments[1].start_s == pytest.approx(0.02)
        assert any("stamps are missing" in note for note in recording.notes)


def test_skew_is_given_in_seconds(tmp_path: Path, by_hand: ModuleType) -> None:
    lines = (by_hand.Line(name="U", skew_us=-1.5), by_hand.Line(name="I", unit="A", skew_us=20.25))
    with open_recording(by_hand.Comtrade(lines=lines).write(tmp_path)) as recording:
        assert [c.skew_s for c in recording.channels] == pytest.approx([-1.5e-6, 20.25e-6])


@pytest.mark.parametrize(
    ("ps", "side", "factor"),
    [
        ("S", "recorded", 1.0),
        ("P", "recorded", 1.0),
        ("S", "secondary", 1.0),
        ("P", "primary", 1.0),
        ("S", "primary", 220.0),
        ("P", "secondary", 1 / 220.0),
    ],
)
def test_sides_are_converted_by_the_transformer(
    tmp_path: Path, by_hand: ModuleType, ps: str, side: str, factor: float
) -> None:
    lines = (
        by_hand.Line(name="U", primary=22_000.0, secondary=100.0, ps=ps),
        by_hand.Line(name="I", unit="A", primary=22_000.0, secondary=100.0, ps=ps),
    )
    made = by_hand.Comtrade(lines=lines)
    with open_recording(made.write(tmp_path), side=side) as recording:
        assert values(recording) == pytest.approx(expected(made) * factor)


@pytest.mark.parametrize(
    ("unit", "factor"), [("kV", 1e3), ("KV", 1e3), ("mV", 1e-3), ("V", 1.0), ("v", 1.0)]
)
def test_units_become_volts(tmp_path: Path, by_hand: ModuleType, unit: str, factor: float) -> None:
    lines = (by_hand.Line(name="U", unit=unit), by_hand.Line(name="I", unit="kA"))
    made = by_hand.Comtrade(lines=lines)
    with open_recording(made.write(tmp_path)) as recording:
        assert values(recording) == pytest.approx(expected(made) * [factor, 1e3])


def test_three_phases_are_found_by_their_labels(tmp_path: Path, by_hand: ModuleType) -> None:
    lines = [
        by_hand.Line(name=f"{unit}{label}", unit=unit, phase=label)
        for unit in ("A", "V")
        for label in ("c", "N", "B", "A")
    ]
    with open_recording(by_hand.Comtrade(lines=lines).write(tmp_path)) as recording:
        assert [c.name for c in recording.channels] == ["u1", "i1", "u2", "i2", "u3", "i3"]
        assert [c.source.key for c in recording.channels] == ["VA", "AA", "VB", "AB", "Vc", "Ac"]


def test_two_voltages_of_a_phase_are_never_guessed(tmp_path: Path, by_hand: ModuleType) -> None:
    lines = [*by_hand.PAIR, by_hand.Line(name="Ua2")]
    path = by_hand.Comtrade(lines=lines).write(tmp_path)
    with pytest.raises(RecordingChannelError, match=r"--map u1=NAME --map i1=NAME"):
        open_recording(path)
    with open_recording(path, channel_map=parse_channel_map(["u1=Ua2", "i1=2"])) as recording:
        assert recording.channels[0].source.number == 3


def test_channel_without_unit_needs_a_scale(tmp_path: Path, by_hand: ModuleType) -> None:
    lines = (by_hand.Line(name="U", unit=""), by_hand.Line(name="I", unit="A"))
    made = by_hand.Comtrade(lines=lines)
    path = made.write(tmp_path)
    with pytest.raises(RecordingChannelError, match="--scale u1=FACTOR"):
        open_recording(path, channel_map=parse_channel_map(["u1=U", "i1=I"]))
    stated = parse_channel_map(["u1=U", "i1=I"], ["u1=100"])
    with open_recording(path, channel_map=stated) as recording:
        assert values(recording) == pytest.approx(expected(made) * [100.0, 1.0])


def test_stated_rate_replaces_a_near_one_only(tmp_path: Path, by_hand: ModuleType) -> None:
    path = by_hand.Comtrade(rates=(("1000", 20), ("50", 40))).write(tmp_path)
    with open_recording(path, sample_rate_hz=1001.5) as recording:
        assert [s.sample_rate_hz for s in recording.segments] == [1001.5, 50.0]
    for rate in (1200.0, 0.0, -1.0, float("nan")):
        with pytest.raises(RecordingError, match="was stated"):
            open_recording(path, sample_rate_hz=rate)


def test_a_file_of_any_length_is_read_in_bounded_blocks(
    tmp_path: Path, by_hand: ModuleType
) -> None:
    made = by_hand.Comtrade(rates=(("1000", 70_000),), kind="ASCII", status=1)
    with open_recording(made.write(tmp_path)) as recording:
        blocks = list(recording.blocks(100))
        assert max(len(block.values) for block in blocks) <= 65_536
        assert np.array_equal(np.concatenate([b.values for b in blocks]), expected(made)[100:])
        (late,) = recording.blocks(69_990)
        assert np.array_equal(late.values, expected(made)[69_990:])
