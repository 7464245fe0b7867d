"""Pulse times: finite, strictly rising, and named where they are not."""

from pathlib import Path

import pytest

from spotcheck.errors import RecordingError
from spotcheck_recording.pulses_file import read_pulse_times


def test_times_are_read_and_other_columns_ignored(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("n;time_s;note\n1;0.5;x\n2;1.25;\n3;1e3;y\n", encoding="utf-8")
    found = read_pulse_times(path)
    assert found.times_s.tolist() == [0.5, 1.25, 1000.0]
    assert found.resolution_s == 0.01


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time_s\n1\n2\n2\n", "line 4: the time 2.0 s does not come after 2.0 s"),
        ("time_s\n1\n2\n1.5\n", "line 4: the time 1.5 s"),
        ("time_s\n1\nnan\n", "line 3, column time_s"),
        ("time_s\n1\nabc\n", "line 3, column time_s: 'abc'"),
        ("time_s\n", "holds no pulses"),
        ("time\n1\n", "has 0 columns time_s among time"),
        ("time_s\n1.25\n2.5", "line 3: the last line has no line end"),
    ],
)
def test_bad_pulse_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError, match=message):
        read_pulse_times(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be read"):
        read_pulse_times(tmp_path / "none.csv")


@pytest.mark.parametrize(
    "content", ["time_s\n1\n2", "time_s\n0.125\n0.250", "k,time_s\n1,0.5\n2,1.25"]
)
def test_a_last_line_without_line_end_is_taken_when_it_looks_whole(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "pulses.csv"
    path.write_text(content)
    assert len(read_pulse_times(path).times_s) == 2
