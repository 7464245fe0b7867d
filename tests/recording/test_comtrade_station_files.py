"""Two real recordings of fault recorders, against an independent library and NumPy."""

from pathlib import Path

import comtrade as oracle
import numpy as np
import pytest

from spotcheck.errors import RecordingChannelError
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "comtrade"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"{FOLDER} is not there")
STATIONS = [("xtz", 48, 6), ("ygz", 96, 8)]


@pytest.mark.parametrize(("name", "analog", "words"), STATIONS)
def test_every_channel_is_exact(name: str, analog: int, words: int) -> None:
    path = FOLDER / f"{name}.cfg"
    library = oracle.load(str(path), str(path.with_suffix(".dat")), encoding="gbk")
    rows = path.read_bytes().decode("gbk").splitlines()[2 : 2 + analog]
    record = np.dtype([("n", "<u4"), ("t", "<u4"), ("x", "<i2", analog), ("d", "<u2", words)])
    counts = np.fromfile(path.with_suffix(".dat"), record)["x"]
    sources = list_channels(path)
    volts = [s for s in sources if s.unit == "V"]
    amperes = [s for s in sources if s.unit == "A"]
    assert len(volts) + len(amperes) == analog
    for k in range(max(len(volts), len(amperes))):
        pair = volts[min(k, len(volts) - 1)], amperes[min(k, len(amperes) - 1)]
        stated = parse_channel_map([f"u1=#{pair[0].number}", f"i1=#{pair[1].number}"])
        with open_recording(path, channel_map=stated) as recording:
            values = np.concatenate([block.values for block in recording.blocks()])
            for column, source in enumerate(pair):
                fields = rows[source.number - 1].split(",")
                assert source.key == fields[1] == library.analog_channel_ids[source.number - 1]
                exact = counts[:, source.number - 1] * float(fields[5]) + float(fields[6])
                assert np.array_equal(values[:, column], exact)
                rounded = np.asarray(library.analog[source.number - 1], dtype=np.float64)
                assert np.allclose(values[:, column], rounded, rtol=2.5e-7, atol=1e-9)
                assert recording.channels[column].skew_s == float(fields[7]) * 1e-6


@pytest.mark.parametrize(("name", "counts"), [("xtz", [1280, 36, 1472, 289]), ("ygz", None)])
def test_segments_and_their_stamps_are_noted(name: str, counts: list[int] | None) -> None:
    current = next(s.number for s in list_channels(FOLDER / f"{name}.dat") if s.unit == "A")
    stated = parse_channel_map(["u1=1", f"i1=#{current}"])
    with open_recording(FOLDER / f"{name}.dat", channel_map=stated) as recording:
        assert [s.sample_rate_hz for s in recording.segments] == [3200.0, 50.0, 3200.0, 50.0]
        assert counts is None or [s.sample_count for s in recording.segments] == counts
        assert any("segment 1: the time stamps say 3201" in note for note in recording.notes)


@pytest.mark.parametrize(("name", "analog", "words"), STATIONS)
def test_a_station_with_many_bays_must_be_mapped(name: str, analog: int, words: int) -> None:
    with pytest.raises(RecordingChannelError, match=f"and {analog - 40} more") as caught:
        open_recording(FOLDER / f"{name}.cfg")
    assert list_channels(FOLDER / f"{name}.cfg")[0].key in str(caught.value)
