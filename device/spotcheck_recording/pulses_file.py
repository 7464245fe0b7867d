"""Pulse times in a CSV file with a column time_s."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.csv_table import CsvTable
from spotcheck_recording.tables import TIME_COLUMN


def read_pulse_times(path: Path) -> NDArray[np.float64]:
    """Read the times of pulses, s; other columns are ignored.

    Returns:
        Times in the file's order, strictly rising; shape (pulses,).

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
    return times_s
