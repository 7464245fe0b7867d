"""Parquet tables, streamed by row groups with only the columns that are wanted."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.time_axis import TimeChunk

BATCH_ROWS = 16_384
"""Rows that are decoded at a time."""
TIME_TOLERANCE_S = 1e-12
"""Times may be rounded by so much, or by 4 units in the last place."""

# Damaged names in the footer are decoded by PyArrow itself.
_UNREADABLE = (pa.ArrowException, OSError, UnicodeDecodeError)


class ParquetTable:
    """A Parquet file of numbers."""

    format_name = "Parquet"

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as file:
            self._columns = tuple(str(name) for name in file.schema_arrow.names)
            self._row_count = int(file.metadata.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self._columns

    def batches(self, columns: Sequence[int]) -> Iterator[NDArray[np.float64]]:
        """Yield finite numbers of these columns; names row and column of what is none."""
        names = [self._columns[index] for index in columns]
        for name in names:
            if self._columns.count(name) > 1:
                raise RecordingError(
                    f"{self.path}: has several columns {name}; rename them before reading"
                )
        row = 0
        for batch in self._stream(names):
            values = np.column_stack(
                [self._numbers(batch.column(name), name, row) for name in names]
            )
            row += len(values)
            yield values

    def time_chunks(self, column: int) -> Iterator[TimeChunk]:
        """Yield times; only floats limit them."""
        for values in self.batches([column]):
            yield TimeChunk(times_s=values[:, 0], resolution_s=2 * TIME_TOLERANCE_S)

    def where(self, row: int) -> str:
        """Name a row, from 1."""
        return f"row {row + 1}"

    def _opened(self) -> pq.ParquetFile:
        try:
            return pq.ParquetFile(
                self.path,
                buffer_size=1 << 20,
                pre_buffer=False,
                page_checksum_verification=True,
            )
        except _UNREADABLE as error:
            raise RecordingError(
                f"{self.path}: is no whole Parquet file: {error}; the recording was cut before its "
                f"end was written, copy it again or record again"
            ) from error

    def _stream(self, names: list[str]) -> Iterator[pa.RecordBatch]:
        rows = 0
        try:
            with self._opened() as file:
                batches = file.iter_batches(batch_size=BATCH_ROWS, columns=names, use_threads=False)
                for batch in batches:
                    rows += batch.num_rows
                    if batch.num_rows:
                        yield batch
        except _UNREADABLE as error:
            raise RecordingError(
                f"{self.path}: cannot be read after row {rows}: {error}; "
                f"the file is damaged, copy it again"
            ) from error
        if rows != self._row_count:
            raise RecordingError(
                f"{self.path}: promises {self._row_count} rows, but holds {rows}; copy it again"
            )

    def _numbers(self, column: pa.Array, name: str, row: int) -> NDArray[np.float64]:
        kind = column.type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise RecordingError(
                f"{self.path}, column {name}: holds {kind}, no numbers; save it as DOUBLE"
            )
        try:
            values: NDArray[np.float64] = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException as error:
            raise RecordingError(
                f"{self.path}, column {name}: {error}; save it as DOUBLE"
            ) from error
        bad = ~np.isfinite(values)
        if bad.any():
            raise RecordingError(
                f"{self.path}, row {row + int(bad.argmax()) + 1}, column {name}: the value is "
                f"missing or no finite number; correct it or record again"
            )
        return values
