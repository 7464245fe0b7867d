"""What is recorded gives the codes back, in every format and at the extremes."""

from datetime import UTC, datetime
from pathlib import Path

import comtrade as oracle
import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile as sf
from hypothesis import given, settings
from hypothesis import strategies as st

from spotcheck.errors import RecordingError
from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.codes import read_codes
from spotcheck_recording.opening import open_recording
from spotcheck_recording.writers import WRITABLE, RecordingWriter, open_writer

SUFFIX = {"csv": ".csv", "parquet": ".parquet", "comtrade": ".cfg", "wav": ".wav", "flac": ".flac"}
START_UTC_NS = 1_684_000_000_123_456_000
every_format = pytest.mark.parametrize("kind", WRITABLE)


def scales(
    phases: int = 1, gain: float = 4.6e-5, offset: float = -17.25
) -> tuple[ChannelScale, ...]:
    return tuple(
        ChannelScale(
            name=f"{quantity}{phase}",
            unit="V" if quantity == "u" else "A",
            gain_per_code=gain * phase,
            offset_codes=offset,
            skew_s=phase * 1e-6,
        )
        for phase in range(1, phases + 1)
        for quantity in "ui"
    )


def writer(
    path: Path, kind: str, of: tuple[ChannelScale, ...], *, first: int = 0, station: str = "站"
) -> RecordingWriter:
    return open_writer(
        path,
        format=kind,
        sample_rate_hz=12_800,
        scales=of,
        first_sample=first,
        station=station,
        start_utc_ns=START_UTC_NS,
    )


def codes(path: Path, of: tuple[ChannelScale, ...]) -> np.ndarray:
    return np.concatenate(list(read_codes(path, of)))


@every_format
@pytest.mark.parametrize("phases", [1, 3])
def test_codes_come_back_whatever_the_portions(tmp_path: Path, kind: str, phases: int) -> None:
    rng = np.random.default_rng(7)
    of = scales(phases)
    made = rng.integers(-(2**23), 2**23, (70_000 if phases == 1 else 5000, 2 * phases), np.int32)
    made[:4] = [[2**23 - 1], [-(2**23)], [0], [-1]]
    path = tmp_path / f"r{SUFFIX[kind]}"
    recorder = writer(path, kind, of, first=123_457)
    reused = np.empty((1000, 2 * phases), np.int32)
    for start in range(0, len(made), 1000):
        reused[:] = made[start : start + 1000]
        recorder.append(reused)
        recorder.append(reused[:0])
    recorder.close()
    assert np.array_equal(codes(path, of), made)


@every_format
@settings(max_examples=15, deadline=None, database=None)
@given(
    values=st.lists(st.integers(-(2**23), 2**23 - 1), min_size=2, max_size=30),
    gain=st.floats(1e-9, 1e3),
    offset=st.floats(-1e6, 1e6),
)
def test_codes_come_back_for_any_scale(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    values: list[int],
    gain: float,
    offset: float,
) -> None:
    of = scales(1, gain, offset)
    made = np.array([values, values[::-1]], np.int32).T
    path = tmp_path_factory.getbasetemp() / f"any{SUFFIX[kind]}"
    recorder = writer(path, kind, of)
    recorder.append(np.ascontiguousarray(made))
    recorder.close()
    assert np.array_equal(codes(path, of), made)


@pytest.mark.parametrize("kind", ["csv", "parquet", "comtrade"])
def test_codes_of_32_bits_come_back(tmp_path: Path, kind: str) -> None:
    made = np.array([[2**31 - 1, -(2**31) + 1], [1, -1], [0, 5]], np.int32)
    path = tmp_path / f"r{SUFFIX[kind]}"
    recorder = writer(path, kind, scales())
    recorder.append(made)
    recorder.close()
    assert np.array_equal(codes(path, scales()), made)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("comtrade", -(2**31)), ("wav", 2**23), ("wav", -(2**23) - 1), ("flac", 2**23)],
)
def test_code_that_the_format_cannot_hold_is_refused(tmp_path: Path, kind: str, code: int) -> None:
    recorder = writer(tmp_path / f"r{SUFFIX[kind]}", kind, scales())
    with pytest.raises(RecordingError, match=f"code {code} of i1 is outside"):
        recorder.append(np.array([[0, code]], np.int32))
    recorder.close()


@pytest.mark.parametrize("kind", ["csv", "parquet", "comtrade"])
def test_rate_times_and_values_are_read_back(tmp_path: Path, kind: str) -> None:
    made = np.arange(40_000, dtype=np.int32).reshape(-1, 2)
    path = tmp_path / f"r{SUFFIX[kind]}"
    recorder = writer(path, kind, scales(), first=1_000_000_007)
    recorder.append(made)
    recorder.close()
    with open_recording(path) as recording:
        (segment,) = recording.segments
        assert segment.sample_rate_hz == 12_800
        assert segment.start_s == (0.0 if kind == "comtrade" else 1_000_000_007 / 12_800)
        values = np.concatenate([block.values for block in recording.blocks()])
        assert values == pytest.approx((made + 17.25) * 4.6e-5, rel=1e-14)
        if kind == "comtrade":
            assert [c.skew_s for c in recording.channels] == pytest.approx([1e-6, 1e-6])


def test_comtrade_is_read_by_an_independent_library(tmp_path: Path) -> None:
    made = np.arange(2000, dtype=np.int32).reshape(-1, 2) * 1000
    recorder = writer(tmp_path / "r.cfg", "comtrade", scales())
    recorder.append(made)
    recorder.close()
    read = oracle.load(str(tmp_path / "r.cfg"), str(tmp_path / "r.dat"), encoding="utf-8")
    assert (read.station_name, read.total_samples, read.rev_year) == ("站", 1000, "2013")
    assert read.start_timestamp.replace(tzinfo=UTC) == datetime.fromtimestamp(
        START_UTC_NS // 10**9, UTC
    ).replace(microsecond=123_456)
    assert np.allclose(read.analog[0], (made[:, 0] + 17.25) * 4.6e-5, rtol=1e-6)


def test_parquet_holds_codes_and_origin_too(tmp_path: Path) -> None:
    made = np.arange(20, dtype=np.int32).reshape(-1, 2)
    recorder = writer(tmp_path / "r.parquet", "parquet", scales(), first=9)
    recorder.append(made)
    recorder.close()
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.column_names == ["time_s", "u1_v", "i1_a", "u1_code", "i1_code"]
    assert table["i1_code"].to_pylist() == made[:, 1].tolist()
    assert table.schema.metadata[b"first_sample"] == b"9"
    assert table.schema.metadata[b"start_utc_ns"] == str(START_UTC_NS).encode()


def test_damage_within_parquet_data_is_found_by_its_checksums(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    recorder = writer(path, "parquet", scales())
    recorder.append(np.arange(20_000, dtype=np.int32).reshape(-1, 2))
    recorder.close()
    whole = path.read_bytes()
    for place in range(2000, len(whole) // 2, len(whole) // 16):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        with pytest.raises(RecordingError, match="copy it again"):
            codes(path, scales())


def test_wav_holds_24_bits(tmp_path: Path) -> None:
    writer(tmp_path / "r.wav", "wav", scales()).close()
    assert sf.info(tmp_path / "r.wav").subtype == "PCM_24"


@pytest.mark.parametrize("kind", ["csv", "parquet", "comtrade"])
def test_values_of_another_correction_set_are_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"r{SUFFIX[kind]}"
    recorder = writer(path, kind, scales())
    recorder.append(np.arange(2000, dtype=np.int32).reshape(-1, 2))
    recorder.close()
    for other in (scales(gain=4.601e-5), scales(offset=-17.0)):
        with pytest.raises(RecordingError, match="not codes scaled by this correction set"):
            codes(path, other)


def test_channels_of_another_correction_set_are_refused(tmp_path: Path) -> None:
    recorder = writer(tmp_path / "r.wav", "wav", scales())
    recorder.append(np.zeros((5, 2), np.int32))
    recorder.close()
    with pytest.raises(RecordingError, match="has 2 channels, the correction set 6"):
        codes(tmp_path / "r.wav", scales(3))


@every_format
def test_codes_of_wrong_shape_or_type_are_refused(tmp_path: Path, kind: str) -> None:
    recorder = writer(tmp_path / f"r{SUFFIX[kind]}", kind, scales())
    for wrong in (np.zeros((5, 3), np.int32), np.zeros(4, np.int32), np.zeros((5, 2), np.int64)):
        with pytest.raises(RecordingError, match="int32 of shape"):
            recorder.append(wrong)
    recorder.close()


def test_what_cannot_be_recorded_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot write 'xls'; choose one of csv"):
        writer(tmp_path / "r.xls", "xls", scales())
    with pytest.raises(RecordingError, match=r"named by its \.cfg"):
        writer(tmp_path / "r.dat", "comtrade", scales())
    with pytest.raises(RecordingError, match="comma or line end"):
        writer(tmp_path / "r.cfg", "comtrade", scales(), station="a,b")
    with pytest.raises(RecordingError, match="different channels"):
        writer(tmp_path / "r.csv", "csv", scales() + scales())
    for gain, offset in ((0.0, 0.0), (float("nan"), 0.0), (1.0, float("inf"))):
        with pytest.raises(RecordingError, match="channel u1"):
            scales(1, gain, offset)


@every_format
def test_disk_that_cannot_be_written_is_an_os_error(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OSError, match=r"none"):
        writer(tmp_path / "none" / f"r{SUFFIX[kind]}", kind, scales())


def test_stamps_of_long_comtrade_recordings_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = open_writer(
        tmp_path / "r.cfg",
        format="comtrade",
        sample_rate_hz=1,
        scales=scales(),
        first_sample=0,
        station="",
        start_utc_ns=0,
    )
    made = np.arange(10_000, dtype=np.int32).reshape(-1, 2)
    recorder.append(made)
    recorder.close()
    assert np.array_equal(codes(tmp_path / "r.cfg", scales()), made)


@every_format
def test_folders_with_chinese_names_work(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "录波 一"
    folder.mkdir()
    recorder = writer(folder / f"母线{SUFFIX[kind]}", kind, scales())
    recorder.append(np.arange(20, dtype=np.int32).reshape(-1, 2))
    recorder.close()
    assert codes(folder / f"母线{SUFFIX[kind]}", scales()).shape == (10, 2)
