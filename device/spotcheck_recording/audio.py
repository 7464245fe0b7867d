"""WAV and FLAC recordings: channels "1", "2", …, full scale ±1.0 times a stated scale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import ChannelMap, MappedChannel, resolve
from spotcheck_recording.recording import (
    Channel,
    Recording,
    RecordingFacts,
    Rows,
    Segment,
    SourceChannel,
    StreamedRecording,
    with_stated_rate,
)
from spotcheck_recording.riff import check_riff

READ_SAMPLES = 16_384
"""Samples per channel that are read at a time."""

_CODE_BITS = {"PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


def list_audio_channels(path: Path) -> tuple[SourceChannel, ...]:
    """Return the channels of a WAV or FLAC file, whose keys are their numbers.

    Raises:
        RecordingError: the file cannot be read.
    """
    with _opened(path) as file:
        return _sources(file)


def open_audio(
    path: Path, *, channel_map: ChannelMap | None = None, sample_rate_hz: float | None = None
) -> Recording:
    """Open a WAV or FLAC recording.

    Args:
        path: The file.
        channel_map: Which channel is which, each with its scale: V or A at ±1.0.
        sample_rate_hz: Rate that a person states, within 1 % of the file's.

    Raises:
        RecordingError: the file is cut, malformed or without samples.
        RecordingChannelError: channels or scales are not stated.
    """
    file = _opened(path)
    try:
        mapped = resolve(path, _sources(file), channel_map, scale_without_unit=True)
        segment = Segment(
            index=0,
            first_sample=0,
            sample_count=file.frames,
            sample_rate_hz=float(file.samplerate),
            start_s=0.0,
        )
        segments = with_stated_rate(path, (segment,), sample_rate_hz)
    except RecordingError:
        file.close()
        raise
    channels = tuple(
        Channel(source=m.source, quantity=m.quantity, phase=m.phase, skew_s=0.0) for m in mapped
    )
    facts = RecordingFacts(
        path=path,
        format_name=f"{file.format} {file.subtype}",
        channels=channels,
        segments=segments,
        notes=(),
    )
    return StreamedRecording(facts, _AudioRows(path, file, mapped))


def read_audio_codes(path: Path) -> Iterator[NDArray[np.int32]]:
    """Yield the integer codes of all channels, right-aligned: 24-bit codes are within ±2²³.

    Yields:
        Arrays of shape (samples, channels).

    Raises:
        RecordingError: the file is cut or malformed, or does not hold integers.
    """
    with _opened(path) as file:
        bits = _CODE_BITS.get(file.subtype)
        if bits is None:
            raise RecordingError(
                f"{path}: holds {file.subtype}, no integer codes; "
                f"PCM of 16, 24 and 32 bits has codes"
            )
        done = 0
        while done < file.frames:
            data: NDArray[np.int32] = _read(path, file, done, file.frames, "int32")
            done += len(data)
            yield data >> (32 - bits)


class _AudioRows:
    """Rows of the mapped channels in V and A."""

    def __init__(self, path: Path, file: sf.SoundFile, mapped: tuple[MappedChannel, ...]) -> None:
        self._path, self._file = path, file
        self._indices = [channel.source.number - 1 for channel in mapped]
        self._factor = np.array([channel.factor for channel in mapped])

    def rows(self, first_sample: int, end_sample: int) -> Iterator[Rows]:
        done = first_sample
        while done < end_sample:
            data: NDArray[np.float64] = _read(self._path, self._file, done, end_sample, "float64")
            values = data[:, self._indices] * self._factor
            bad = ~np.isfinite(values)
            if bad.any():
                row, column = (int(i) for i in np.argwhere(bad)[0])
                raise RecordingError(
                    f"{self._path}: sample {done + row + 1} of channel "
                    f"{self._indices[column] + 1} is no finite number; record again"
                )
            yield done, values
            done += len(data)

    def close(self) -> None:
        self._file.close()


def _opened(path: Path) -> sf.SoundFile:
    try:
        with path.open("rb") as header:
            if header.read(4) in (b"RIFF", b"RF64"):
                check_riff(path, header)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}; check the file") from error
    try:
        file = sf.SoundFile(path)
    except sf.SoundFileError as error:
        raise RecordingError(
            f"{path}: is no WAV or FLAC file that can be read: {error}; copy or record it again"
        ) from error
    # libsndfile says 2^63 - 1 if a FLAC stream does not say its length.
    if not 0 < file.frames < 1 << 62:
        file.close()
        raise RecordingError(
            f"{path}: does not say how many samples it holds, or holds none; record again"
        )
    return file


def _sources(file: sf.SoundFile) -> tuple[SourceChannel, ...]:
    return tuple(
        SourceChannel(key=str(number), number=number, unit="", phase_label="", quantity=None)
        for number in range(1, file.channels + 1)
    )


def _read(path: Path, file: sf.SoundFile, first: int, end: int, dtype: str) -> Any:
    """Read the next samples from `first`, at most to `end`; the type is soundfile's `dtype`."""
    count = min(READ_SAMPLES, end - first)
    try:
        file.seek(first)
        data = file.read(count, dtype=dtype, always_2d=True)
    except sf.SoundFileError as error:
        raise RecordingError(
            f"{path}: cannot be read after sample {first}: {error}; the file is cut or damaged, "
            f"copy it again"
        ) from error
    if len(data) != count:
        raise RecordingError(
            f"{path}: promises {file.frames} samples, but ends after {first + len(data)}; "
            f"the file is cut or damaged, copy it again"
        )
    return data
