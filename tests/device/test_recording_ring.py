"""The oldest recordings make room; what is no recording, and the newest one, stay."""

import os
from pathlib import Path

from spotcheck_device.recording_ring import forget_oldest


def recording(folder: Path, name: str, size: int, age: int) -> None:
    (folder / name).mkdir()
    (folder / name / "waveforms.flac").write_bytes(bytes(size))
    head = folder / name / "recording.json"
    head.write_bytes(b"{}")
    os.utime(head, (1_000_000 - age, 1_000_000 - age))


def test_oldest_go_until_the_others_fit(tmp_path: Path) -> None:
    for name, age in (("b", 30), ("a", 20), ("d", 10), ("c", 40)):
        recording(tmp_path, name, 998, age)
    assert forget_oldest(tmp_path, 2100) == ["c", "b"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "d"]


def test_newest_stays_however_large(tmp_path: Path) -> None:
    recording(tmp_path, "old", 10, 5)
    recording(tmp_path, "new", 9000, 1)
    assert forget_oldest(tmp_path, 100) == ["old"]
    assert forget_oldest(tmp_path, 100) == []


def test_what_is_no_whole_recording_is_not_touched(tmp_path: Path) -> None:
    recording(tmp_path, "cut.partial", 5000, 50)
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_bytes(bytes(5000))
    recording(tmp_path, "one", 50, 5)
    assert forget_oldest(tmp_path, 100) == []
    assert len(list(tmp_path.iterdir())) == 4
