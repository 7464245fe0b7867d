"""Pulse times in a CSV file with a column time_s."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.csv_table import CsvTable
from spotcheck_recording.tables import TIME_COLUMN


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseTimes:
    """Times of a meter's pulses, and how finely they were written."""

    times_s: NDArray[np.float64]
    """(n,) strictly rising."""
    resolution_s: float
    """One unit of the last decimal that any of them has."""


def read_pulse_times(path: Path) -> PulseTimes:
    """Read the times of pulses; other columns are ignored.

    Raises:
        RecordingError: no column time_s, no pulses, or times that are no finite, rising numbers;
            names the line.
    """
    table = CsvTable(path)
    if table.columns.count(TIME_COLUMN) != 1:
        raise RecordingError(
            f"{path}: has {table.columns.count(TIME_COLUMN)} columns {TIME_COLUMN} among "
            f"{', '.join(table.columns[:20])}; name exactly one column so"
        )
    column = table.columns.index(TIME_COLUMN)
    resolution_s = 1.0
    # The second pass over these few lines refuses what is no finite number.
    for chunk in table.time_chunks(column):
        resolution_s = min(resolution_s, chunk.resolution_s)
    parts = [values[:, 0] for values in table.batches([column])]
    if not parts:
        raise RecordingError(f"{path}: holds no pulses; record again")
    times_s = np.concatenate(parts)
    steps = np.diff(times_s)
    if (steps <= 0).any():
        row = int((steps <= 0).argmax()) + 1
        raise RecordingError(
            f"{path}, {table.where(row)}: the time {times_s[row]!s} s does not come after "
            f"{times_s[row - 1]!s} s; sort the pulses and remove repetitions"
        )
    return PulseTimes(times_s=times_s, resolution_s=resolution_s)
