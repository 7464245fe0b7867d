"""A recording that was cut anywhere is refused, or is exactly the beginning of the whole one."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.opening import open_recording
from spotcheck_recording.writers import open_writer

PARTS = 20
SUFFIX = {"csv": ".csv", "parquet": ".parquet", "comtrade": ".cfg", "wav": ".wav", "flac": ".flac"}
SCALES = tuple(
    ChannelScale(name=name, unit=unit, gain_per_code=3.1e-5, offset_codes=0.0, skew_s=0.0)
    for name, unit in (("u1", "V"), ("i1", "A"))
)
STATED = parse_channel_map(["u1=1", "i1=2"], ["u1=300", "i1=20"])


def values(path: Path) -> np.ndarray:
    stated = STATED if path.suffix in (".wav", ".flac") else None
    with open_recording(path, channel_map=stated) as recording:
        return np.concatenate([block.values for block in recording.blocks()])


def recorded(folder: Path, kind: str) -> Path:
    path = folder / f"whole{SUFFIX[kind]}"
    writer = open_writer(
        path,
        format=kind,
        sample_rate_hz=6400,
        scales=SCALES,
        first_sample=0,
        station="x",
        start_utc_ns=0,
    )
    rng = np.random.default_rng(3)
    writer.append(rng.integers(-(2**23), 2**23, (3001, 2), np.int32))
    writer.close()
    return path


def cuts(data: bytes) -> Iterator[bytes]:
    for part in range(PARTS):
        yield data[: len(data) * part // PARTS]
    for tail in range(1, 20):
        yield data[:-tail]


@pytest.mark.parametrize("kind", ["csv", "parquet", "wav", "flac", "dat", "cfg"])
def test_cut_recording_is_refused_or_is_a_beginning(tmp_path: Path, kind: str) -> None:
    path = recorded(tmp_path, "comtrade" if kind in ("dat", "cfg") else kind)
    whole = values(path)
    cut = path.with_suffix(".dat") if kind == "dat" else path
    data = cut.read_bytes()
    refused = 0
    for beginning in cuts(data):
        cut.write_bytes(beginning)
        try:
            found = values(path)
        except RecordingError:
            refused += 1
        else:
            assert np.array_equal(found, whole[: len(found)])
            # Only lines of a CSV file, and the unused last lines of a .cfg, may be missing.
            assert (kind == "csv" and beginning.endswith(b"\n")) or len(found) == len(whole)
    assert refused >= PARTS - (1 if kind != "csv" else 2)


def test_csv_cut_at_a_line_end_is_its_beginning(tmp_path: Path) -> None:
    path = recorded(tmp_path, "csv")
    whole, data = values(path), path.read_bytes()
    for rows in (2, 100, 2999):
        path.write_bytes(b"".join(data.splitlines(keepends=True)[: rows + 1]))
        assert np.array_equal(values(path), whole[:rows])


@pytest.mark.parametrize("kind", ["ASCII", "BINARY"])
def test_cut_single_file_is_refused_unless_only_its_last_line_end_is_gone(
    tmp_path: Path, by_hand: ModuleType, kind: str
) -> None:
    path = by_hand.Comtrade(revision="2013", kind=kind).cff(tmp_path)
    whole, data = values(path), path.read_bytes()
    for beginning in cuts(data):
        path.write_bytes(beginning)
        if kind == "ASCII" and len(beginning) >= len(data) - len(b"\r\n"):
            assert np.array_equal(values(path), whole)
        else:
            with pytest.raises(RecordingError):
                values(path)
