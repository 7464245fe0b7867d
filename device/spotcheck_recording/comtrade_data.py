"""COMTRADE data: records of number, stamp, analogue values and status words, streamed.

IEC 60255-24:2013, data file. Memory stays bounded: at most `CHUNK_BYTES` are read at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.comtrade_cfg import DataType
from spotcheck_recording.comtrade_files import ComtradeFiles

CHUNK_BYTES = 2 << 20
"""At most so many bytes are read at a time."""
MISSING_STAMP = 0xFFFF_FFFF
"""A time stamp that the recorder did not know."""
MISSING_1991 = 999999.0
"""ASCII files of 1991 mark missing values so."""

_VALUE_TYPES = {DataType.BINARY: "<i2", DataType.BINARY32: "<i4", DataType.FLOAT32: "<f4"}
_MISSING = {
    DataType.BINARY: float(-(2**15)),
    DataType.BINARY32: float(-(2**31)),
    DataType.FLOAT32: float(np.finfo(np.float32).min),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """Consecutive records."""

    first_sample: int
    """Number of the first, from 0."""
    numbers: NDArray[np.int64]
    """Record numbers as written, shape (records,)."""
    stamps: NDArray[np.int64]
    """Time stamps in units of the configuration; `MISSING_STAMP` if unknown."""
    counts: NDArray[np.float64]
    """Counts of the wanted channels before a·x + b, shape (records, channels)."""


class RecordReader(Protocol):
    """Streams records from data of one kind."""

    def records(self, first_sample: int, end_sample: int, channels: list[int]) -> Iterator[Records]:
        """Yield records with the counts of these 0-based analogue channels."""

    def where(self, sample: int) -> str:
        """Name a 0-based sample for people: its line, or its byte offset."""

    def close(self) -> None:
        """Close the file."""


class BinaryRecords:
    """Records of BINARY, BINARY32 and FLOAT32 data."""

    def __init__(self, files: ComtradeFiles, file: BinaryIO) -> None:
        self._files, self._file = files, file
        configuration = files.configuration
        self._kind = configuration.data_type
        value = np.dtype(_VALUE_TYPES[self._kind])
        analog_bytes = value.itemsize * len(configuration.analog)
        # Sixteen status channels share a word.
        self._record_bytes = 8 + analog_bytes + 2 * -(-configuration.status_count // 16)
        promised = configuration.sample_count * self._record_bytes
        if promised != files.data_bytes:
            raise RecordingError(
                f"{files.data_path}: holds {files.data_bytes} bytes of data, but the configuration "
                f"promises {configuration.sample_count} samples of {self._record_bytes} bytes, "
                f"{promised} bytes; copy both files again"
            )
        self._dtype = np.dtype(
            {
                "names": ["number", "stamp", "values"],
                "formats": ["<u4", "<u4", (value, (len(configuration.analog),))],
                "offsets": [0, 4, 8],
                "itemsize": self._record_bytes,
            }
        )

    def records(self, first_sample: int, end_sample: int, channels: list[int]) -> Iterator[Records]:
        """Yield records with the counts of these channels; a missing value is an error."""
        step = min(max(CHUNK_BYTES // self._record_bytes, 1), 65_536)
        for start in range(first_sample, end_sample, step):
            count = min(step, end_sample - start)
            self._file.seek(self._files.data_offset + start * self._record_bytes)
            data = self._file.read(count * self._record_bytes)
            if len(data) != count * self._record_bytes:
                raise RecordingError(
                    f"{self._files.data_path}: became shorter while it was read; copy it again"
                )
            table = np.frombuffer(data, self._dtype)
            counts = table["values"][:, channels].astype(np.float64)
            self._check(start, counts, channels)
            yield Records(
                first_sample=start,
                numbers=table["number"].astype(np.int64),
                stamps=table["stamp"].astype(np.int64),
                counts=counts,
            )

    def where(self, sample: int) -> str:
        """Name the byte of the data file at which a sample begins."""
        return f"byte {self._files.data_offset + sample * self._record_bytes}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, start: int, counts: NDArray[np.float64], channels: list[int]) -> None:
        bad = (counts == _MISSING[self._kind]) | ~np.isfinite(counts)
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            refuse_missing(self._files, self.where(start + row), start + row, channels[column])


def refuse_missing(files: ComtradeFiles, where: str, sample: int, channel: int) -> None:
    """Say that a channel has no value at a sample.

    Raises:
        RecordingError: always.
    """
    source = files.configuration.analog[channel].source
    raise RecordingError(
        f"{files.data_path}, {where}: sample {sample + 1} of channel {source.number} "
        f"({source.key}) is missing; choose a range without it or record again"
    )
