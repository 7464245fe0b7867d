"""WAV and FLAC by libsndfile, and headers that promise more than there is."""

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from spotcheck.errors import RecordingChannelError, RecordingError
from spotcheck_recording.audio import read_audio_codes
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording

STATED = parse_channel_map(["u1=2", "i1=1"], ["u1=325.27", "i1=10"])


def wav(path: Path, subtype: str = "PCM_16", frames: int = 40_000) -> np.ndarray:
    codes = (np.arange(2 * frames).reshape(-1, 2) * 7919 % 60_000 - 30_000).astype(np.int16)
    sf.write(path, codes.astype(np.float64) / 2**15, 12_800, subtype=subtype)
    return codes


def damaged(path: Path) -> str:
    with (
        pytest.raises(RecordingError) as caught,
        open_recording(path, channel_map=STATED) as recording,
    ):
        list(recording.blocks())
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "subtype"),
    [
        ("a.wav", "PCM_16"),
        ("a.wav", "PCM_24"),
        ("a.wav", "PCM_32"),
        ("a.wav", "FLOAT"),
        ("a.wav", "DOUBLE"),
        ("a.flac", "PCM_16"),
        ("a.flac", "PCM_24"),
        ("a.rf64", "PCM_24"),
    ],
)
def test_full_scale_times_scale(tmp_path: Path, name: str, subtype: str) -> None:
    codes = wav(tmp_path / name, subtype)
    assert [channel.key for channel in list_channels(tmp_path / name)] == ["1", "2"]
    with open_recording(tmp_path / name, channel_map=STATED) as recording:
        assert [c.name for c in recording.channels] == ["u1", "i1"]
        (segment,) = recording.segments
        assert (segment.sample_rate_hz, segment.sample_count) == (12_800, 40_000)
        read = np.concatenate([block.values for block in recording.blocks()])
        expected = codes[:, ::-1] / 2**15 * [325.27, 10]
        assert np.allclose(read, expected, rtol=1e-15, atol=0)
        part = np.concatenate([block.values for block in recording.blocks(100, 30_000)])
        assert np.array_equal(part, read[100:30_000])


@pytest.mark.parametrize(("subtype", "shift"), [("PCM_16", 0), ("PCM_24", 8), ("PCM_32", 16)])
def test_codes_are_right_aligned(tmp_path: Path, subtype: str, shift: int) -> None:
    codes = wav(tmp_path / "a.wav", subtype)
    read = np.concatenate(list(read_audio_codes(tmp_path / "a.wav")))
    assert np.array_equal(read, codes.astype(np.int32) << shift)


def test_floats_are_no_codes(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", "FLOAT")
    with pytest.raises(RecordingError, match="holds FLOAT, no integer codes"):
        next(read_audio_codes(tmp_path / "a.wav"))


def test_scale_and_map_are_required(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    wav(path)
    with pytest.raises(RecordingChannelError, match="which channel is which is not known"):
        open_recording(path)
    with pytest.raises(RecordingChannelError, match="--scale i1=FACTOR"):
        open_recording(path, channel_map=parse_channel_map(["u1=1", "i1=2"], ["u1=1"]))


def test_value_that_is_no_number_is_named(tmp_path: Path) -> None:
    data = np.zeros((100, 2))
    data[42, 1] = np.nan
    sf.write(tmp_path / "a.wav", data, 8000, subtype="DOUBLE")
    assert "sample 43 of channel 2" in damaged(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("data_bytes", "message"),
    [
        (0xFFFF_FFF0, "promises 4294967280 bytes of data, but 160000 follow"),
        (160_004, "promises 160004 bytes of data, but 160000 follow"),
        (0xFFFF_FFFF, "do not say their length"),
        (0, "holds no samples"),
        (159_997, "no whole number of samples of 4 bytes"),
    ],
)
def test_length_of_the_data_is_checked_at_once(
    tmp_path: Path, data_bytes: int, message: str
) -> None:
    path = tmp_path / "a.wav"
    wav(path)
    data = bytearray(path.read_bytes())
    at = data.index(b"data")
    data[at + 4 : at + 8] = struct.pack("<I", data_bytes)
    path.write_bytes(data)
    tracemalloc.start()
    assert message in damaged(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize(
    ("total", "message"), [(0xFFFF_FFFF, "does not say its length"), (2**31, "promises 2147483656")]
)
def test_length_of_the_file_is_checked(tmp_path: Path, total: int, message: str) -> None:
    path = tmp_path / "a.wav"
    wav(path)
    data = bytearray(path.read_bytes())
    data[4:8] = struct.pack("<I", total)
    path.write_bytes(data)
    assert message in damaged(path)


def test_flac_that_promises_more_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    wav(path)
    data = bytearray(path.read_bytes())
    # The lower 32 of the 36 bits of the sample count in STREAMINFO.
    data[22:26] = struct.pack(">I", 2_000_000_000)
    path.write_bytes(data)
    assert "cut or damaged" in damaged(path)


def test_noise_is_refused(tmp_path: Path) -> None:
    for name in ("a.wav", "a.flac"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
        assert "is no WAV or FLAC file" in damaged(tmp_path / name)
