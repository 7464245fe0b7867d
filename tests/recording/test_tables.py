"""CSV and Parquet tables: segments, rates and values, and every damage named."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spotcheck.errors import RecordingChannelError, RecordingError
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording
from spotcheck_recording.recording import Recording, Segment

Write = Callable[[Path, dict[str, np.ndarray]], Path]


def write_csv(folder: Path, columns: dict[str, np.ndarray]) -> Path:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows)
    path = folder / "table.csv"
    path.write_text(",".join(columns) + "\n" + text, encoding="utf-8")
    return path


def write_parquet(folder: Path, columns: dict[str, np.ndarray]) -> Path:
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=1000)
    return path


both = pytest.mark.parametrize("write", [write_csv, write_parquet])


def waves(times_s: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "time_s": times_s,
        "u1_v": 325 * np.cos(314 * times_s),
        "i1_a": 7 * np.sin(314 * times_s),
    }


def values(recording: Recording) -> np.ndarray:
    return np.concatenate([block.values for block in recording.blocks()])


def segments(path: Path) -> tuple[Segment, ...]:
    with open_recording(path) as recording:
        return recording.segments


def damaged(path: Path) -> str:
    with pytest.raises(RecordingError) as caught, open_recording(path) as recording:
        values(recording)
    return str(caught.value)


def csv_of(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "made.csv"
    path.write_bytes(text.encode(encoding))
    return path


@both
@pytest.mark.parametrize("rate", [4000, 6400, 12_800, 44_100, 50_000, 12_345.678])
def test_values_are_exact_and_the_rate_is_found(tmp_path: Path, write: Write, rate: float) -> None:
    columns = waves((np.arange(5000) + 123_456) / rate)
    with open_recording(write(tmp_path, columns)) as recording:
        (segment,) = recording.segments
        assert (segment.sample_rate_hz, segment.sample_count) == (rate, 5000)
        assert segment.start_s == columns["time_s"][0]
        assert recording.notes == ()
        assert np.array_equal(values(recording).T, [columns["u1_v"], columns["i1_a"]])
        part = np.concatenate([block.values for block in recording.blocks(999, 3001)])
        assert np.array_equal(part, values(recording)[999:3001])
        assert list(recording.blocks(5, 5)) == []


@pytest.mark.parametrize("places", [6, 7, 9])
@pytest.mark.parametrize("rate", [12_800, 6400, 3200, 49_999, 12_800.5])
def test_rounded_times_give_the_roundest_rate_that_explains_them(
    tmp_path: Path, places: int, rate: float
) -> None:
    rows = "".join(f"{k / rate:.{places}f},1,2\n" for k in range(20_000))
    (segment,) = segments(csv_of(tmp_path, "time_s,u1_v,i1_a\n" + rows))
    assert segment.sample_rate_hz == rate


def test_rate_that_no_round_number_explains_is_fitted_and_noted(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    times_s = np.arange(4000) / 10_000 + rng.uniform(-2e-6, 2e-6, 4000)
    with open_recording(write_csv(tmp_path, waves(times_s))) as recording:
        assert recording.segments[0].sample_rate_hz == pytest.approx(10_000, rel=1e-6)
        assert "by least squares" in recording.notes[0]


@both
def test_gap_begins_a_segment(tmp_path: Path, write: Write) -> None:
    times_s = np.concatenate(
        [np.arange(30_000), 30_002 + np.arange(5), 40_000 + 5 * np.arange(400)]
    )
    with open_recording(write(tmp_path, waves(times_s / 10_000))) as recording:
        found = [(s.first_sample, s.sample_count, s.sample_rate_hz) for s in recording.segments]
        assert found == [(0, 30_000, 10_000), (30_000, 5, 10_000), (30_005, 400, 2000)]
        assert recording.segments[2].start_s == 4.0
        blocks = list(recording.blocks())
        assert sum(len(block.values) for block in blocks) == 30_405
        for block in blocks:
            assert block.first_sample >= block.segment.first_sample
            assert block.first_sample + len(block.values) <= block.segment.end_sample


@both
def test_lone_sample_has_the_rate_of_its_neighbour(tmp_path: Path, write: Write) -> None:
    times_s = np.concatenate([np.arange(100), [110], 120 + np.arange(100)]) / 1000
    found = segments(write(tmp_path, waves(times_s)))
    assert [(s.sample_count, s.sample_rate_hz) for s in found] == [
        (100, 1000),
        (1, 1000),
        (100, 1000),
    ]


@both
@pytest.mark.parametrize(
    ("row", "time_s", "message"),
    [
        (700, 0.0699, "stands still"),
        (700, 0.01, "goes back"),
        (700, 0.070015, "differs by more than 10 %"),
        (700, float("nan"), "no finite number"),
        (700, float("inf"), "no finite number"),
    ],
)
def test_bad_time_is_named(
    tmp_path: Path, write: Write, row: int, time_s: float, message: str
) -> None:
    times_s = np.arange(2000) / 10_000
    columns = waves(times_s.copy())
    columns["time_s"][row] = time_s
    text = damaged(write(tmp_path, columns))
    assert message in text
    assert ("line 702" if write is write_csv else "row 701") in text


@both
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_bad_value_is_named_only_where_it_is_mapped(
    tmp_path: Path, write: Write, bad: float
) -> None:
    columns = waves(np.arange(2000) / 10_000)
    columns["spare"] = np.full(2000, bad)
    path = write(tmp_path, columns)
    with open_recording(path) as recording:
        assert len(values(recording)) == 2000
    columns["i1_a"][1500] = bad
    text = damaged(write(tmp_path, columns))
    assert ("line 1502, column i1_a" if write is write_csv else "row 1501, column i1_a") in text


@both
def test_columns_of_any_name_are_mapped_and_scaled(tmp_path: Path, write: Write) -> None:
    columns = waves(np.arange(200) / 10_000)
    renamed = {"i": columns["i1_a"], "time_s": columns["time_s"], "电压": columns["u1_v"]}
    path = write(tmp_path, renamed)
    assert [(c.key, c.number) for c in list_channels(path)] == [("i", 1), ("电压", 3)]
    with pytest.raises(RecordingChannelError, match="3: 电压"):
        open_recording(path)
    stated = parse_channel_map(["u1=电压", "i1=1"], ["u1=100"])
    with open_recording(path, channel_map=stated) as recording:
        assert np.array_equal(values(recording).T, [columns["u1_v"] * 100, columns["i1_a"]])


@both
def test_three_phases_need_no_map(tmp_path: Path, write: Write) -> None:
    names = ["i3_a", "u2_v", "u1_v", "i1_a", "i2_a", "u3_v"]
    columns = {name: np.full(50, float(k)) for k, name in enumerate(names)}
    path = write(tmp_path, {**columns, "time_s": np.arange(50) / 1000})
    with open_recording(path) as recording:
        assert [c.name for c in recording.channels] == ["u1", "i1", "u2", "i2", "u3", "i3"]
        assert values(recording)[0].tolist() == [2, 3, 1, 4, 5, 0]


@both
def test_table_without_times_needs_a_stated_rate(tmp_path: Path, write: Write) -> None:
    columns = waves(np.arange(200) / 10_000)
    del columns["time_s"]
    path = write(tmp_path, columns)
    assert "has no column time_s" in damaged(path)
    with open_recording(path, sample_rate_hz=9999.5) as recording:
        (segment,) = recording.segments
        assert (segment.sample_rate_hz, segment.sample_count) == (9999.5, 200)
        assert "were stated" in recording.notes[0]


@both
def test_table_without_rows_or_with_one_is_refused(tmp_path: Path, write: Write) -> None:
    assert "holds no samples" in damaged(write(tmp_path, waves(np.empty(0))))
    assert "no two samples" in damaged(write(tmp_path, waves(np.zeros(1))))


@both
def test_range_outside_is_refused(tmp_path: Path, write: Write) -> None:
    with open_recording(write(tmp_path, waves(np.arange(200) / 10_000))) as recording:
        for bounds in ((-1, 5), (5, 201), (7, 6)):
            with pytest.raises(RecordingError, match="outside the recording, which has 200"):
                recording.blocks(*bounds)


def test_sides_are_refused_outside_comtrade(tmp_path: Path) -> None:
    path = write_csv(tmp_path, waves(np.arange(200) / 10_000))
    with pytest.raises(RecordingError, match="only COMTRADE knows sides"):
        open_recording(path, side="primary")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_csv_dialects(tmp_path: Path, delimiter: str, encoding: str, end: str) -> None:
    rows = ["# 备注, with; marks", "", delimiter.join(["time_s", "u1_v", '"备注"', "i1_a"])]
    rows += [delimiter.join([f"{k / 1000:.3f}", f" {k}.5", "无", "-1e-3"]) for k in range(50)]
    path = csv_of(tmp_path, "".join(row + end for row in rows), encoding)
    with open_recording(path) as recording:
        assert recording.segments[0].sample_rate_hz == 1000
        assert np.array_equal(values(recording), [[k + 0.5, -1e-3] for k in range(50)])
    assert "备注" in [channel.key for channel in list_channels(path)]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0.007,abc,1", "line 9, column u1_v: 'abc' is no finite number"),
        ("0.007,,1", "line 9, column u1_v: '' is no finite number"),
        ("0.007,1", "line 9: has 2 fields, the header 3"),
        ("0.007,1,2,3", "line 9: has 4 fields, the header 3"),
        ("abc,1,2", "line 9, column time_s: 'abc'"),
        (",1,2", "line 9, column time_s: ''"),
        ("0.007,NA,1", "line 9, column u1_v: 'NA'"),
        ('0.007,"1,5",1', "line 9, column u1_v: '1,5'"),
    ],
)
def test_damaged_csv_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    rows = ["time_s,u1_v,i1_a", *(f"{k / 1000:.3f},{k},1" for k in range(30))]
    rows[8] = line
    assert message in damaged(csv_of(tmp_path, "".join(row + "\n" for row in rows)))


def test_blank_lines_do_not_shift_line_numbers(tmp_path: Path) -> None:
    rows = ["time_s,u1_v,i1_a", "0,1,1", "", "0.001,1,1", "", "0.002,nan,1", "0.003,1,1", ""]
    assert "line 6, column u1_v" in damaged(csv_of(tmp_path, "\n".join(rows) + "\n"))


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("time_s,u1_v,i1_a\n0,1,1.5\n0.1,1,1.", "utf-8", "line 3: the last line has no line end"),
        ("time_s,u1_v,i1", "utf-8", "no whole header line"),
        ("time_s,u1_v,i1_a\n0,1,1\n", "utf-16", "no CSV in UTF-8"),
        ("time_s,time_s,u1_v,i1_a\n0,0,1,1\n", "utf-8", "has 2 columns time_s"),
        ("# only\n", "utf-8", "no whole header line"),
    ],
)
def test_what_is_no_whole_csv_is_refused(
    tmp_path: Path, text: str, encoding: str, message: str
) -> None:
    assert message in damaged(csv_of(tmp_path, text, encoding))


def test_parquet_with_text_or_holes_is_refused(tmp_path: Path) -> None:
    columns = {key: value.tolist() for key, value in waves(np.arange(50) / 1000).items()}
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({**columns, "u1_v": ["x"] * 50}), path)
    assert "column u1_v: holds string" in damaged(path)
    columns["u1_v"][17] = None
    pq.write_table(pa.table(columns), path)
    assert "row 18, column u1_v: the value is missing" in damaged(path)


def test_parquet_of_other_number_types_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(
        pa.table(
            {
                "time_s": np.arange(50) / 1000,
                "u1_v": np.arange(50, dtype=np.int16),
                "i1_a": np.arange(50, dtype=np.float32),
            }
        ),
        path,
    )
    with open_recording(path) as recording:
        assert np.array_equal(values(recording), np.arange(50.0)[:, None] * [1, 1])


def test_parquet_with_repeated_columns_is_refused(tmp_path: Path) -> None:
    numbers = pa.array(np.arange(50.0))
    table = pa.Table.from_arrays([numbers] * 4, names=["time_s", "u", "u", "i"])
    pq.write_table(table, tmp_path / "t.parquet")
    stated = parse_channel_map(["u1=2", "i1=i"])
    with (
        pytest.raises(RecordingError, match="several columns u"),
        open_recording(tmp_path / "t.parquet", channel_map=stated) as recording,
    ):
        values(recording)
