"""Opens a recording of any supported format; each format's libraries are loaded when needed."""

import enum
from pathlib import Path

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import ChannelMap
from spotcheck_recording.recording import Recording, SourceChannel
from spotcheck_recording.tables import Table, open_table, table_channels

SUPPORTED = "COMTRADE (.cfg, .dat, .cff), CSV (.csv), Parquet (.parquet), WAV (.wav), FLAC (.flac)"
"""For messages."""


class FileFormat(enum.Enum):
    """A format that can be opened."""

    COMTRADE = "comtrade"
    CSV = "csv"
    PARQUET = "parquet"
    AUDIO = "audio"


_BY_MAGIC = {
    b"PAR1": FileFormat.PARQUET,
    b"RIFF": FileFormat.AUDIO,
    b"RF64": FileFormat.AUDIO,
    b"fLaC": FileFormat.AUDIO,
}
_BY_SUFFIX = {
    ".cfg": FileFormat.COMTRADE,
    ".dat": FileFormat.COMTRADE,
    ".cff": FileFormat.COMTRADE,
    ".csv": FileFormat.CSV,
    ".tsv": FileFormat.CSV,
    ".txt": FileFormat.CSV,
    ".parquet": FileFormat.PARQUET,
    ".pq": FileFormat.PARQUET,
    ".wav": FileFormat.AUDIO,
    ".wave": FileFormat.AUDIO,
    ".rf64": FileFormat.AUDIO,
    ".flac": FileFormat.AUDIO,
}


def detect_format(path: Path) -> FileFormat:
    """Tell a file's format by its first bytes, else by its suffix.

    Raises:
        RecordingError: there is no such file, it is empty or of no supported format.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise RecordingError(f"{path}: cannot be read: {error}; check the path") from error
    if not magic:
        raise RecordingError(f"{path}: is empty; copy it again or record again")
    by_suffix = _BY_SUFFIX.get(path.suffix.lower())
    # A .dat may begin with any bytes.
    found = by_suffix if by_suffix is FileFormat.COMTRADE else _BY_MAGIC.get(magic, by_suffix)
    if found is None:
        raise RecordingError(
            f"{path}: its format is not known; supported are {SUPPORTED}; export it as one of these"
        )
    return found


def open_recording(
    path: Path,
    *,
    channel_map: ChannelMap | None = None,
    side: str = "recorded",
    sample_rate_hz: float | None = None,
    rate_from: str = "header",
) -> Recording:
    """Open a recording of any supported format.

    Args:
        path: The file; of a COMTRADE pair, either.
        channel_map: Which channel is which; None if the file says it without doubt.
        side: "recorded", or "primary" or "secondary" side of the transformers in COMTRADE.
        sample_rate_hz: Rate that a person states; needed only if the file has no times.
        rate_from: "header", or "stamps" for COMTRADE whose header's rate is not to be believed.

    Returns:
        The recording, in V and A; close it, or use it as a context manager.

    Raises:
        RecordingError: the file is malformed, cut or not supported; says where and what to do.
        RecordingChannelError: it is not certain which channel is which.
    """
    kind = detect_format(path)
    if kind is FileFormat.COMTRADE:
        from spotcheck_recording.comtrade import open_comtrade  # noqa: PLC0415

        return open_comtrade(
            path,
            channel_map=channel_map,
            side=side,
            sample_rate_hz=sample_rate_hz,
            rate_from=rate_from,
        )
    if rate_from != "header":
        raise RecordingError(
            f"{path}: only COMTRADE has rates in its header and time stamps beside them; leave "
            f"--rate-from out"
        )
    if side != "recorded":
        raise RecordingError(
            f"{path}: only COMTRADE knows sides of transformers; leave the side out and give the "
            f"ratio with --scale"
        )
    if kind is FileFormat.AUDIO:
        from spotcheck_recording.audio import open_audio  # noqa: PLC0415

        return open_audio(path, channel_map=channel_map, sample_rate_hz=sample_rate_hz)
    return open_table(_table(path, kind), channel_map=channel_map, sample_rate_hz=sample_rate_hz)


def list_channels(path: Path) -> tuple[SourceChannel, ...]:
    """Return the channels of a recording as its file describes them.

    Raises:
        RecordingError: the file is malformed, cut or not supported.
    """
    kind = detect_format(path)
    if kind is FileFormat.COMTRADE:
        from spotcheck_recording.comtrade import list_comtrade_channels  # noqa: PLC0415

        return list_comtrade_channels(path)
    if kind is FileFormat.AUDIO:
        from spotcheck_recording.audio import list_audio_channels  # noqa: PLC0415

        return list_audio_channels(path)
    return table_channels(_table(path, kind))


def _table(path: Path, kind: FileFormat) -> Table:
    if kind is FileFormat.CSV:
        from spotcheck_recording.csv_table import CsvTable  # noqa: PLC0415

        return CsvTable(path)
    from spotcheck_recording.parquet_table import ParquetTable  # noqa: PLC0415

    return ParquetTable(path)
