"""Whether a WAV file is as long as its header says; libsndfile shortens cut files silently.

Chunks after the Microsoft/IBM RIFF specification of 1991; RF64 after EBU Tech 3306.
"""

from pathlib import Path
from typing import BinaryIO

from spotcheck.errors import RecordingError

_UNKNOWN = 0xFFFF_FFFF


def check_riff(path: Path, file: BinaryIO) -> None:
    """Compare the chunk sizes of a WAV file with the file's size.

    Args:
        path: The file, for messages.
        file: The same, open; its position is changed.

    Raises:
        RecordingError: the file is cut, or does not say its length.
    """
    size = file.seek(0, 2)
    file.seek(0)
    header = file.read(12)
    if len(header) < 12 or header[8:] != b"WAVE":
        raise RecordingError(f"{path}: its RIFF header is no WAV header; copy it again")
    _check_whole(path, header, size)
    wide_data_bytes, frame_bytes = None, 0
    position = 12
    while True:
        file.seek(position)
        chunk = file.read(8)
        if len(chunk) < 8:
            raise RecordingError(
                f"{path}, byte {position}: ends before its data; the file is cut, copy it again"
            )
        length = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            break
        if chunk[:4] == b"ds64":
            wide_data_bytes = int.from_bytes(file.read(16)[8:], "little")
        elif chunk[:4] == b"fmt ":
            frame_bytes = int.from_bytes(file.read(14)[12:], "little")
        position += 8 + length + length % 2
    if header[:4] == b"RF64" and wide_data_bytes is not None and length == _UNKNOWN:
        length = wide_data_bytes
    _check_data(path, position, length, size - position - 8, frame_bytes)


def _check_whole(path: Path, header: bytes, size: int) -> None:
    promised = int.from_bytes(header[4:8], "little")
    if header[:4] == b"RIFF" and promised == _UNKNOWN:
        raise RecordingError(
            f"{path}: does not say its length, as a recorder does that writes to a pipe; "
            f"save it once more as a file with a length"
        )
    if header[:4] == b"RIFF" and promised + 8 > size:
        raise RecordingError(
            f"{path}: promises {promised + 8} bytes, but has {size}; the file is cut, copy it again"
        )


def _check_data(path: Path, position: int, length: int, remaining: int, frame_bytes: int) -> None:
    if length == _UNKNOWN:
        raise RecordingError(
            f"{path}, byte {position}: the data do not say their length; "
            f"save it once more as a file with a length"
        )
    if length > remaining:
        raise RecordingError(
            f"{path}, byte {position}: promises {length} bytes of data, but {remaining} follow; "
            f"the file is cut, copy it again"
        )
    if length == 0:
        raise RecordingError(
            f"{path}, byte {position}: holds no samples; the recorder may not have closed it, "
            f"record again"
        )
    if frame_bytes and length % frame_bytes:
        raise RecordingError(
            f"{path}, byte {position}: {length} bytes of data are no whole number of samples of "
            f"{frame_bytes} bytes; the file is damaged, copy it again"
        )
