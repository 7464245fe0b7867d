"""Which format a file is of, and what starts when a command only needs one of them."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import soundfile as sf

from spotcheck.errors import RecordingError
from spotcheck_recording.opening import FileFormat, detect_format, list_channels, open_recording


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", b"", "is empty"),
        ("a.xyz", b"abcdef", r"its format is not known; supported are COMTRADE \(\.cfg"),
        ("a", b"abcdef", "its format is not known"),
        ("a.parquet", b"PAR1" + bytes(50), "is no whole Parquet file"),
        ("a.cfg", b"\n", "line 1: the station's name is missing"),
        ("a.cff", b"x\n", "line 1: no section line"),
    ],
)
def test_what_cannot_be_opened_is_named(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    for use in (list_channels, open_recording):
        with pytest.raises(RecordingError, match=message):
            use(tmp_path / name)


def test_folder_or_nothing_is_named(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.wav"):
        with pytest.raises(RecordingError, match="cannot be read"):
            open_recording(path)


def test_content_counts_before_the_suffix(tmp_path: Path) -> None:
    sf.write(tmp_path / "a.flac", [[0.0, 0.0]] * 10, 8000, format="WAV")
    (tmp_path / "a.flac").rename(tmp_path / "a.csv")
    assert detect_format(tmp_path / "a.csv") is FileFormat.AUDIO


def test_comtrade_loads_neither_pyarrow_nor_soundfile(tmp_path: Path, by_hand: ModuleType) -> None:
    path = by_hand.Comtrade(kind="ASCII").write(tmp_path)
    script = (
        "import sys; from pathlib import Path\n"
        "from spotcheck_recording.opening import open_recording\n"
        f"with open_recording(Path({str(path)!r})) as r: list(r.blocks())\n"
        "assert not {'pyarrow', 'soundfile'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
