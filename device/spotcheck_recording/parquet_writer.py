"""Parquet: time_s and DOUBLE columns of V and A, and the codes as INT32 beside them."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spotcheck_recording.code_scale import scaled
from spotcheck_recording.recording import MAX_BLOCK_SAMPLES
from spotcheck_recording.tables import TIME_COLUMN
from spotcheck_recording.writers import WriterFacts, checked_codes


class ParquetWriter:
    """Writes row groups of 65,536 samples; readable only after `close`."""

    def __init__(self, facts: WriterFacts) -> None:
        self._facts = facts
        self._next = facts.first_sample
        self._waiting: list[NDArray[np.int32]] = []
        self._waiting_rows = 0
        fields = [(TIME_COLUMN, pa.float64())]
        fields += [(scale.column, pa.float64()) for scale in facts.scales]
        fields += [(f"{scale.name}_code", pa.int32()) for scale in facts.scales]
        self._schema = pa.schema(
            fields,
            metadata={
                "station": facts.station,
                "first_sample": str(facts.first_sample),
                "sample_rate_hz": str(facts.sample_rate_hz),
                "start_utc_ns": str(facts.start_utc_ns),
            },
        )
        self._writer = pq.ParquetWriter(
            facts.path, self._schema, compression="zstd", write_page_checksum=True
        )

    def append(self, codes: NDArray[np.int32]) -> None:
        """Add samples; see `RecordingWriter.append`."""
        checked = checked_codes(self._facts, codes, -(2**31), 2**31 - 1)
        # The caller may reuse its memory.
        self._waiting.append(checked.copy())
        self._waiting_rows += len(checked)
        while self._waiting_rows >= MAX_BLOCK_SAMPLES:
            self._write(MAX_BLOCK_SAMPLES)

    def close(self) -> None:
        """Write the last row group and the footer."""
        if self._waiting_rows:
            self._write(self._waiting_rows)
        self._writer.close()

    def _write(self, rows: int) -> None:
        waiting = np.concatenate(self._waiting)
        codes = waiting[:rows]
        self._waiting, self._waiting_rows = [waiting[rows:]], len(waiting) - rows
        times_s = (self._next + np.arange(rows)) / self._facts.sample_rate_hz
        columns = [times_s, *scaled(codes, self._facts.scales).T, *codes.T]
        arrays = [pa.array(np.ascontiguousarray(column)) for column in columns]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))
        self._next += rows
