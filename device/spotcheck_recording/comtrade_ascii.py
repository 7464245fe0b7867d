"""ASCII data of COMTRADE: one line per sample (IEC 60255-24:2013, data file)."""

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from spotcheck.errors import RecordingError
from spotcheck_recording.comtrade_data import (
    CHUNK_BYTES,
    MISSING_1991,
    MISSING_STAMP,
    Records,
    refuse_missing,
)
from spotcheck_recording.comtrade_files import ComtradeFiles

INDEX_STEP = 4096
"""The place of every 4096th line is remembered, so that a range is reached quickly."""
LONGEST_LINE_BYTES = 1 << 20
"""A longer line is no record."""


class AsciiRecords:
    """Records of ASCII data."""

    def __init__(self, files: ComtradeFiles, file: BinaryIO) -> None:
        self._files, self._file = files, file
        configuration = files.configuration
        self._fields = 2 + len(configuration.analog) + configuration.status_count
        self._index = {0: files.data_offset}
        # The shortest line has one digit in the number and in every status field.
        shortest = self._fields + configuration.status_count
        if configuration.sample_count * shortest > files.data_bytes:
            raise RecordingError(
                f"{files.data_path}: {files.data_bytes} bytes cannot hold the "
                f"{configuration.sample_count} samples that the configuration promises; "
                f"copy both files again"
            )

    def where(self, sample: int) -> str:
        """Name the line of a sample."""
        return f"line {self._files.first_line + sample}"

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def records(self, first_sample: int, end_sample: int, channels: list[int]) -> Iterator[Records]:
        """Yield records with the counts of these channels; a missing value is an error."""
        sample = first_sample - first_sample % INDEX_STEP
        while sample and sample not in self._index:
            sample -= INDEX_STEP
        self._file.seek(self._index[sample])
        lines: list[bytes] = []
        size, begin = 0, first_sample
        while sample < end_sample:
            if sample % INDEX_STEP == 0:
                self._index[sample] = self._file.tell()
            line = self._line(sample)
            if sample >= first_sample:
                lines.append(line)
                size += len(line)
            sample += 1
            # Lines as Python objects take several times their bytes.
            if size >= CHUNK_BYTES // 4 or (lines and sample == end_sample):
                yield self._parsed(begin, lines, channels)
                lines, size, begin = [], 0, sample
        if end_sample == self._files.configuration.sample_count:
            self._check_end(end_sample)

    def _refuse(self, sample: int, what: str) -> RecordingError:
        return RecordingError(
            f"{self._files.data_path}, {self.where(sample)}: {what}; "
            f"copy the file again or correct the line"
        )

    def _line(self, sample: int) -> bytes:
        line = self._file.readline(LONGEST_LINE_BYTES)
        if not line.strip(b"\r\n\x1a "):
            raise self._refuse(
                sample,
                f"the data end after {sample} samples, but the configuration promises "
                f"{self._files.configuration.sample_count}",
            )
        fields = line.count(b",") + 1
        if fields != self._fields:
            raise self._refuse(sample, f"has {fields} fields; {self._fields} are promised")
        # Only a status, which has one digit, can be known to be whole without a line end.
        status = self._files.configuration.status_count > 0 and not line.endswith(b",")
        if not line.endswith(b"\n") and not status:
            raise self._refuse(sample, "has no line end, so that its last number may be cut")
        return line

    def _check_end(self, sample: int) -> None:
        while line := self._file.readline(LONGEST_LINE_BYTES):
            if line.strip(b"\r\n\x1a \0"):
                raise self._refuse(
                    sample,
                    f"data go on after the {sample} samples that the configuration promises",
                )

    def _parsed(self, begin: int, lines: list[bytes], channels: list[int]) -> Records:
        columns = [0, 1, *(2 + channel for channel in channels)]
        try:
            table = np.loadtxt(
                lines, delimiter=",", usecols=columns, ndmin=2, comments=None, encoding="ascii"
            )
        except ValueError:
            rows = [self._slow(begin + k, line, columns) for k, line in enumerate(lines)]
            table = np.array(rows, dtype=np.float64)
        bad = ~np.isfinite(table)
        if self._files.configuration.revision == 1991:
            bad[:, 2:] |= table[:, 2:] == MISSING_1991
        if bad.any():
            row, column = (int(i) for i in np.argwhere(bad)[0])
            if column < 2:
                raise self._refuse(begin + row, "number or stamp is no finite number")
            refuse_missing(self._files, self.where(begin + row), begin + row, channels[column - 2])
        return Records(
            first_sample=begin,
            numbers=np.clip(table[:, 0], -1, 2**53).astype(np.int64),
            stamps=np.clip(table[:, 1], -1, 2**53).astype(np.int64),
            counts=table[:, 2:],
        )

    def _slow(self, sample: int, line: bytes, columns: list[int]) -> list[float]:
        """Read a line field by field, to name what is wrong or to allow an empty stamp."""
        fields = [field.strip() for field in line.split(b",")]
        values = []
        for column in columns:
            text = fields[column]
            if not text and column == 1:
                values.append(float(MISSING_STAMP))
                continue
            if not text and column >= 2:
                refuse_missing(self._files, self.where(sample), sample, column - 2)
            try:
                values.append(float(text))
            except ValueError:
                raise self._refuse(
                    sample, f"field {column + 1} is {text[:40]!r}, no number"
                ) from None
        return values
