"""CSV tables: separated by comma, semicolon or tab, in UTF-8 or GB18030, streamed by PyArrow."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.comtrade_cfg import decode_text
from spotcheck_recording.time_axis import TimeChunk

BLOCK_BYTES = 1 << 20
"""So much text is parsed at a time."""
TAIL_BYTES = 1 << 16
"""By so much of the end it is judged whether the last line is whole."""
LONGEST_LINE_BYTES = 1 << 20
"""A longer line is no line of a table."""

_NUMBER = re.compile(r"\s*-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the table stands in the file."""

    delimiter: str
    """Comma, semicolon or tab."""
    columns: tuple[str, ...]
    """Names in the header."""
    offset: int
    """Byte at which the first row begins."""
    first_line: int
    """Line of the first row, from 1."""


class CsvTable:
    """A CSV file with a header line; lines that begin with # may stand before it."""

    format_name = "CSV"

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._layout = _read_layout(path)
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error}; check the file") from error

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._layout.columns

    def batches(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Yield finite numbers of these columns; names line and column of what is none."""
        row = 0
        for batch in self._stream(columns, pa.float64()):
            values = np.column_stack([column.to_numpy() for column in batch.columns])
            bad = ~np.isfinite(values)
            if bad.any():
                bad_row, k = (int(i) for i in np.argwhere(bad)[0])
                raise RecordingError(
                    f"{self.path}, {self.where(row + bad_row)}, column "
                    f"{self.columns[columns[k]]}: the value is no finite number; "
                    f"correct it or record again"
                )
            row += len(values)
            yield values

    def time_chunks(self, column: int) -> Iterator[TimeChunk]:
        """Yield times; one unit of their last printed digit is the resolution."""
        places = 0
        for batch in self._stream([column], pa.string()):
            text = pc.utf8_trim_whitespace(batch.column(0))
            try:
                times_s = pc.cast(text, pa.float64()).to_numpy(zero_copy_only=False)
            except pa.ArrowException as error:
                raise self._diagnose([column], error) from error
            places = max(places, _decimals(text))
            yield TimeChunk(times_s=times_s, resolution_s=float(f"1e-{places}"))

    def where(self, row: int) -> str:
        """Name the line of a row; blank lines are no rows."""
        for at, (line_number, _) in enumerate(self._lines()):
            if at == row:
                return f"line {line_number}"
        return f"row {row + 1}"

    def _stream(self, columns: Sequence[int], kind: pa.DataType) -> Iterator[pa.RecordBatch]:
        names = [f"c{index}" for index in range(len(self.columns))]
        wanted = [names[index] for index in columns]
        try:
            # A Python file would be read ahead by a thread that needs the interpreter, which
            # aborts the process if it ends meanwhile.
            with pa.OSFile(str(self.path), "rb") as file:
                if file.size() == self._layout.offset:
                    return
                file.seek(self._layout.offset)
                with pa_csv.open_csv(
                    file,
                    read_options=pa_csv.ReadOptions(
                        use_threads=False, block_size=BLOCK_BYTES, column_names=names
                    ),
                    parse_options=pa_csv.ParseOptions(delimiter=self._layout.delimiter),
                    convert_options=pa_csv.ConvertOptions(
                        include_columns=wanted,
                        column_types=dict.fromkeys(wanted, kind),
                        null_values=[],
                        strings_can_be_null=False,
                    ),
                ) as reader:
                    for batch in reader:
                        if batch.num_rows:
                            yield batch
        except (pa.ArrowException, OSError) as error:
            raise self._diagnose(columns, error) from error

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield line number and bytes of each row that is not blank."""
        with self.path.open("rb") as file:
            file.seek(self._layout.offset)
            number = self._layout.first_line
            while line := file.readline(LONGEST_LINE_BYTES):
                if line.strip(b"\r\n"):
                    yield number, line
                number += 1

    def _diagnose(self, columns: Sequence[int], error: Exception) -> RecordingError:
        """Read the file once more, slowly, to say where it cannot be read."""
        for number, line in self._lines():
            where = f"{self.path}, line {number}"
            text = line.decode("utf-8", errors="replace").rstrip("\r\n")
            fields = _split(text, self._layout.delimiter)
            if len(fields) != len(self.columns):
                return RecordingError(
                    f"{where}: has {len(fields)} fields, the header {len(self.columns)}; "
                    f"the file may be cut here, copy it again or correct the line"
                )
            for column in columns:
                if not _NUMBER.fullmatch(fields[column]):
                    return RecordingError(
                        f"{where}, column {self.columns[column]}: {fields[column][:40]!r} is no "
                        f"finite number as in -12.5; correct it or record again"
                    )
        return RecordingError(f"{self.path}: cannot be read as CSV: {error}; save it again")


def _split(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [""])
    except csv.Error:
        return [""]


def _decimals(text: Any) -> int:
    """Return the most decimals that a number of a string array has."""
    if pc.any(pc.match_substring_regex(text, "[eE]")).as_py():
        exponents = (Decimal(number).as_tuple().exponent for number in text.to_pylist())
        return max(0, *(-e for e in exponents if isinstance(e, int)))
    dots = pc.find_substring(text, ".").to_numpy(zero_copy_only=False)
    lengths = pc.utf8_length(text).to_numpy(zero_copy_only=False)
    return int(np.where(dots < 0, 0, lengths - dots - 1).max())


def _read_layout(path: Path) -> _Layout:
    with path.open("rb") as file:
        first_line = 1
        line = file.readline(LONGEST_LINE_BYTES).removeprefix(b"\xef\xbb\xbf")
        while line and (line.startswith(b"#") or not line.strip()):
            first_line += 1
            line = file.readline(LONGEST_LINE_BYTES)
        offset = file.tell()
        if b"\0" in line or line[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise RecordingError(
                f"{path}, line {first_line}: no CSV in UTF-8 or GB18030 (perhaps UTF-16); "
                f"save it as CSV in UTF-8"
            )
        header = decode_text(path, line).strip("\r\n")
        if not header.strip() or not line.endswith(b"\n"):
            raise RecordingError(
                f"{path}, line {first_line}: no whole header line; the file is empty or cut, "
                f"copy it again"
            )
    delimiter = max(",;\t", key=header.count)
    _check_last_line(path, offset, delimiter)
    columns = tuple(name.strip() for name in _split(header, delimiter))
    return _Layout(delimiter=delimiter, columns=columns, offset=offset, first_line=first_line + 1)


def _looks_whole(number: str, others: Sequence[str]) -> bool:
    """Whether a number was printed like others: a cut one has fewer digits behind its point.

    It must have as many as any other. In the shortest spelling of doubles two fewer than usual
    are chance, and a cut of two would change the value by less than 1e-10.
    """
    if not others:
        return False
    places = [len(other.partition(".")[2]) for other in others]
    found = len(number.partition(".")[2])
    if max(places) == 0:
        return found == 0 and len(number) >= max(len(other) for other in others)
    usual = sorted(places)[len(places) // 2]
    return found >= (usual - 2 if usual >= 12 else max(places))


def _check_last_line(path: Path, offset: int, delimiter: str) -> None:
    """Refuse a last line without a line end, unless its last number looks whole."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(offset, size - TAIL_BYTES))
        tail = file.read().decode("utf-8", errors="replace")
    if not tail or tail.endswith("\n"):
        return
    numbers = [line.rpartition(delimiter)[2].strip() for line in tail.splitlines()]
    others = numbers[1:-1] if size - offset > TAIL_BYTES else numbers[:-1]
    if not _looks_whole(numbers[-1], others):
        with path.open("rb") as file:
            lines = sum(1 for _ in iter(lambda: file.readline(LONGEST_LINE_BYTES), b""))
        raise RecordingError(
            f"{path}, line {lines}: the last line has no line end and a shorter last number than "
            f"the lines before it: it may be cut. Copy the file again, or add a line end if it is "
            f"whole"
        )
