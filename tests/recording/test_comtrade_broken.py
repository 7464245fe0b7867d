"""Damaged COMTRADE files: every one is refused by name, with the place and what to do."""

import struct
import tracemalloc
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import ChannelMap, parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording


def read(path: Path, *, side: str = "recorded") -> int:
    with open_recording(path, side=side) as recording:
        return sum(len(block.values) for block in recording.blocks())


def outcome(path: Path, stated: ChannelMap | None = None) -> int | str:
    """Samples that were read, or whether the file was refused by its name."""
    try:
        with open_recording(path, channel_map=stated) as recording:
            return sum(len(block.values) for block in recording.blocks())
    except RecordingError as error:
        return "refused" if str(path.with_suffix("")) in str(error) else str(error)


@pytest.mark.parametrize(
    ("kind", "revision", "missing", "width"),
    [
        ("BINARY", "1999", struct.pack("<h", -32768), 2),
        ("BINARY32", "2013", struct.pack("<i", -(2**31)), 4),
        ("FLOAT32", "2013", struct.pack("<I", 0xFF7FFFFF), 4),
        ("FLOAT32", "2013", struct.pack("<f", float("nan")), 4),
        ("FLOAT32", "2013", struct.pack("<f", float("inf")), 4),
    ],
)
def test_missing_sample_is_named_and_only_where_it_is_mapped(
    tmp_path: Path, by_hand: ModuleType, kind: str, revision: str, missing: bytes, width: int
) -> None:
    made = by_hand.Comtrade(
        lines=[*by_hand.PAIR, by_hand.Line(name="spare", phase="N")], kind=kind, revision=revision
    )
    path = made.write(tmp_path)
    size = len(made.record(0))
    for channel in (2, 1):
        data = bytearray(made.dat())
        start = 7 * size + 8 + channel * width
        data[start : start + width] = missing
        path.with_suffix(".dat").write_bytes(data)
        if channel == 2:
            assert read(path) == 40
        else:
            with pytest.raises(RecordingError, match=rf"byte {7 * size}: sample 8 of channel 2"):
                read(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"8,7000,,2,1,1,1", "line 8: sample 8 of channel 1 .* is missing"),
        (b"8,7000,nan,2,1,1,1", "line 8: sample 8 of channel 1 .* is missing"),
        (b"8,7000,12x,2,1,1,1", "line 8: field 3 is b'12x'"),
        (b"9,7000,1,2,1,1,1", "line 8: sample 8 is numbered 9 after 7"),
        (b"8,7000,1,2,1,1,1,1", "line 8: has 8 fields; 7 are promised"),
        (b"x,7000,1,2,1,1,1", "line 8: field 1 is b'x'"),
        (b"", "line 8: the data end after 7 samples"),
    ],
)
def test_damaged_line_of_ascii_data_is_named(
    tmp_path: Path, by_hand: ModuleType, line: bytes, message: str
) -> None:
    made = by_hand.Comtrade(kind="ASCII")
    path = made.write(tmp_path)
    lines = made.dat().split(b"\r\n")
    lines[7] = line
    path.with_suffix(".dat").write_bytes(b"\r\n".join(lines))
    with pytest.raises(RecordingError, match=message):
        read(path)


def test_missing_value_of_1991_is_named(tmp_path: Path, by_hand: ModuleType) -> None:
    made = by_hand.Comtrade(kind="ASCII", revision="1991")
    path = made.write(tmp_path)
    first = str(made.counts(0)[0]).encode()
    data = made.dat().replace(b"1,0," + first, b"1,0,999999", 1)
    path.with_suffix(".dat").write_bytes(data)
    with pytest.raises(RecordingError, match="line 1: sample 1 of channel 1"):
        read(path)


def test_lost_record_is_named_by_its_byte(tmp_path: Path, by_hand: ModuleType) -> None:
    made = by_hand.Comtrade()
    path = made.write(tmp_path)
    size = len(made.record(0))
    data = made.dat()
    data = data[: 5 * size] + data[6 * size :] + made.record(39)
    path.with_suffix(".dat").write_bytes(data)
    with pytest.raises(RecordingError, match=f"byte {5 * size}: sample 6 is numbered 7 after 5"):
        read(path)


@pytest.mark.parametrize("kind", ["ASCII", "BINARY"])
@pytest.mark.parametrize("extra", [-1, 1])
def test_data_of_another_length_than_promised_are_refused(
    tmp_path: Path, by_hand: ModuleType, kind: str, extra: int
) -> None:
    made = by_hand.Comtrade(kind=kind)
    path = made.write(tmp_path)
    data = made.dat() + made.record(39) if extra == 1 else made.dat()[: -len(made.record(39))]
    path.with_suffix(".dat").write_bytes(data)
    with pytest.raises(RecordingError, match="promise"):
        read(path)


@pytest.mark.parametrize("kind", ["ASCII", "BINARY"])
def test_claim_of_billions_of_samples_is_refused_at_once(
    tmp_path: Path, by_hand: ModuleType, kind: str
) -> None:
    made = by_hand.Comtrade(kind=kind)
    path = made.write(tmp_path)
    path.write_text(made.cfg().replace("1000,40", "1000,2000000000"), encoding="utf-8")
    tracemalloc.start()
    with pytest.raises(RecordingError, match="2000000000 samples"):
        open_recording(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("站,dev,1999", "站,dev,1998", "line 1: the revision"),
        ("5,2A,3D", "6,2A,3D", "line 2: 6 channels are not"),
        ("5,2A,3D", "5,2A", "line 2"),
        ("5,2A,3D", "999999999,999999996A,3D", "line 2: 999999999 channels are promised"),
        ("2,Ia", "3,Ia", "line 4: analogue channel 2 is numbered 3"),
        (",A,0.125,", ",A,abc,", "line 4: a of analogue channel 2 is 'abc'"),
        (",A,0.125,", ",A,nan,", "line 4: a of analogue channel 2"),
        (",A,0.125,", ",A,0,", "a of channel 2 .* is 0"),
        (",1.0,1.0,S", ",1.0,1.0,X", "line 3: the flag PS"),
        (",1.0,1.0,S", ",1.0,1.0", "line 3: analogue channel 1 has 12 fields"),
        ("1000,40", "-5,40", "line 10: -5 S/s"),
        ("1000,40", "1000,0", "line 10: the number of the last sample, 0"),
        ("50\r\n1\r\n", "50\r\n9999\r\n", "line 9: 9999 sampling rates"),
        ("BINARY\r\n", "BINAR\r\n", "line 13: the file type"),
        ("BINARY\r\n", "FLOAT32\r\n", "line 13: the file type FLOAT32 does not exist in 1999"),
        ("BINARY\r\n1\r\n", "BINARY\r\n0\r\n", "line 14: the time multiplier"),
        ("BINARY\r\n1\r\n", "BINARY\r\n", "line 14: the time multiplier is missing"),
    ],
)
def test_damaged_configuration_is_named_by_its_line(
    tmp_path: Path, by_hand: ModuleType, old: str, new: str, message: str
) -> None:
    made = by_hand.Comtrade()
    path = made.write(tmp_path)
    assert old in made.cfg()
    path.write_bytes(made.cfg().replace(old, new, 1).encode())
    with pytest.raises(RecordingError, match=message):
        read(path)


def test_text_of_no_known_encoding_is_named_by_its_byte(
    tmp_path: Path, by_hand: ModuleType
) -> None:
    made = by_hand.Comtrade()
    path = made.write(tmp_path)
    path.write_bytes(b"abc\xff\xff" + made.cfg().encode())
    with pytest.raises(RecordingError, match="byte 3: neither UTF-8 nor GB18030"):
        list_channels(path)


def test_sides_without_factors_are_refused(tmp_path: Path, by_hand: ModuleType) -> None:
    old = by_hand.Comtrade(revision="1991").write(tmp_path, "old")
    with pytest.raises(RecordingError, match="has no transformer factors"):
        read(old, side="primary")
    zero = replace(by_hand.PAIR[0], primary=0.0)
    path = by_hand.Comtrade(lines=(zero, by_hand.PAIR[1])).write(tmp_path)
    with pytest.raises(RecordingError, match="transformer factors 0 and 1"):
        read(path, side="primary")
    with pytest.raises(RecordingError, match="say recorded, primary or secondary"):
        read(path, side="both")


def test_missing_sibling_is_named(tmp_path: Path, by_hand: ModuleType) -> None:
    path = by_hand.Comtrade().write(tmp_path)
    path.with_suffix(".dat").unlink()
    with pytest.raises(RecordingError, match=r"no file rec\.dat beside it"):
        read(path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"--- file type: CFG", b"--- type: CFG", "no section line"),
        (b"DAT BINARY: 560", b"DAT BINARY: 561", "promises 561 bytes of data, but 560"),
        (b"DAT BINARY: 560", b"DAT BINARY: 20000000000", "20000000000 bytes of data, but 560"),
        (b"DAT BINARY: 560", b"DAT ASCII", "the data section is ASCII"),
        (b"--- file type: DAT BINARY: 560 ---", b"", "without a section DAT"),
        (b"file type: CFG", b"file type: INF", "without a section CFG|without a section"),
    ],
)
def test_damaged_single_file_is_refused(
    tmp_path: Path, by_hand: ModuleType, old: bytes, new: bytes, message: str
) -> None:
    path = by_hand.Comtrade(revision="2013").cff(tmp_path)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    with pytest.raises(RecordingError, match=message):
        read(path)


@settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_any_damage_of_a_configuration_is_a_recording_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, by_hand: ModuleType, data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(["ASCII", "BINARY"]))
    made = by_hand.Comtrade(kind=kind)
    folder = tmp_path_factory.getbasetemp()
    path = made.write(folder, "fuzz")
    text = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(text)
    stated = parse_channel_map(["u1=#1", "i1=#2"])
    assert outcome(path, stated) in (40, "refused")


@settings(max_examples=100, deadline=None, database=None)
@given(data=st.data())
def test_any_damage_of_ascii_data_is_a_recording_error_or_none(
    tmp_path_factory: pytest.TempPathFactory, by_hand: ModuleType, data: st.DataObject
) -> None:
    made = by_hand.Comtrade(kind="ASCII", rates=(("0", 40),), promised_rates=0)
    path = made.write(tmp_path_factory.getbasetemp(), "fuzz-data")
    text = bytearray(made.dat())
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    path.with_suffix(".dat").write_bytes(text)
    assert outcome(path) in (40, "refused")
