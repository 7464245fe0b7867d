"""Writes what the device records, so that every format gives the integer codes back exactly."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.code_scale import ChannelScale

WRITABLE = ("csv", "parquet", "comtrade", "wav", "flac")
"""Formats that can be written."""


class RecordingWriter(Protocol):
    """An open recording that grows."""

    def append(self, codes: NDArray[np.int32]) -> None:
        """Add samples, shape (samples, channels).

        Raises:
            RecordingError: the shape is wrong, or a code cannot be held by the format.
            OSError: the file cannot be written, for example because the disk is full.
        """

    def close(self) -> None:
        """Write what is missing and close; the recording is readable only after this.

        Raises:
            OSError: the file cannot be written.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterFacts:
    """What a writer knows of its recording."""

    path: Path
    """The file; of COMTRADE, the .cfg."""
    sample_rate_hz: int
    """Samples per second and channel."""
    scales: tuple[ChannelScale, ...]
    """The channels, in the order of the codes."""
    first_sample: int
    """Index of the first sample since the stream began; times are counted from that."""
    station: str
    """Name of the place."""
    start_utc_ns: int
    """UTC of the first sample, ns since 1970."""


def open_writer(
    path: Path,
    *,
    format: str,
    sample_rate_hz: int,
    scales: tuple[ChannelScale, ...],
    first_sample: int,
    station: str,
    start_utc_ns: int,
) -> RecordingWriter:
    """Begin a recording; an existing file is replaced.

    Args:
        path: The file; of COMTRADE, the .cfg beside which the .dat is written.
        format: One of `WRITABLE`.
        sample_rate_hz: Samples per second and channel.
        scales: The channels, in the order of the codes.
        first_sample: Index of the first sample since the stream began.
        station: Name of the place.
        start_utc_ns: UTC of the first sample, ns since 1970.

    Raises:
        RecordingError: the format is not known or cannot hold this.
        OSError: the file cannot be written.
    """
    facts = WriterFacts(
        path=path,
        sample_rate_hz=sample_rate_hz,
        scales=scales,
        first_sample=first_sample,
        station=station,
        start_utc_ns=start_utc_ns,
    )
    names = [scale.name for scale in scales]
    if sample_rate_hz <= 0 or first_sample < 0 or not names or len(set(names)) != len(names):
        raise RecordingError(
            f"{path}: cannot record channels {names} at {sample_rate_hz} S/s from sample "
            f"{first_sample}; give a positive rate and different channels"
        )
    return _writer_type(path, format)(facts)


def checked_codes(
    facts: WriterFacts, codes: NDArray[np.int32], lowest: int, highest: int
) -> NDArray[np.int32]:
    """Return codes of the right shape within the format's range.

    Raises:
        RecordingError: they are not; names the channel and the code.
    """
    if codes.ndim != 2 or codes.shape[1] != len(facts.scales) or codes.dtype != np.int32:
        raise RecordingError(
            f"{facts.path}: codes of shape {codes.shape} and type {codes.dtype}; "
            f"int32 of shape (samples, {len(facts.scales)}) is needed"
        )
    bad = (codes < lowest) | (codes > highest)
    if bad.any():
        row, column = (int(i) for i in np.argwhere(bad)[0])
        raise RecordingError(
            f"{facts.path}: code {codes[row, column]} of {facts.scales[column].name} is outside "
            f"{lowest} to {highest}, which the format holds; record as CSV or Parquet"
        )
    return codes


def _writer_type(path: Path, name: str) -> Callable[[WriterFacts], RecordingWriter]:
    if name == "csv":
        from spotcheck_recording.csv_writer import CsvWriter  # noqa: PLC0415

        return CsvWriter
    if name == "parquet":
        from spotcheck_recording.parquet_writer import ParquetWriter  # noqa: PLC0415

        return ParquetWriter
    if name == "comtrade":
        from spotcheck_recording.comtrade_writer import ComtradeWriter  # noqa: PLC0415

        return ComtradeWriter
    if name in ("wav", "flac"):
        from spotcheck_recording.audio_writer import AudioWriter  # noqa: PLC0415

        return lambda facts: AudioWriter(facts, name.upper())
    raise RecordingError(f"{path}: cannot write {name!r}; choose one of {', '.join(WRITABLE)}")
