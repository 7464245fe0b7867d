"""CSV: time_s and a column of V or A for each channel, printed so that nothing is lost."""

import numpy as np
from numpy.typing import NDArray

from spotcheck_recording.code_scale import scaled
from spotcheck_recording.tables import TIME_COLUMN
from spotcheck_recording.writers import WriterFacts, checked_codes


class CsvWriter:
    """Writes rows as they come; what is whole on the disk can be read after a power cut."""

    def __init__(self, facts: WriterFacts) -> None:
        self._facts = facts
        self._next = facts.first_sample
        self._file = facts.path.open("w", encoding="utf-8", newline="\n")
        header = [TIME_COLUMN, *(scale.column for scale in facts.scales)]
        self._file.write(",".join(header) + "\n")

    def append(self, codes: NDArray[np.int32]) -> None:
        """Add samples; see `RecordingWriter.append`."""
        checked = checked_codes(self._facts, codes, -(2**31), 2**31 - 1)
        if not len(checked):
            return
        times_s = (self._next + np.arange(len(checked))) / self._facts.sample_rate_hz
        values = scaled(checked, self._facts.scales)
        # repr of a float is the shortest text that reads back as the same float.
        columns = [map(repr, column) for column in (times_s.tolist(), *values.T.tolist())]
        self._file.write("\n".join(map(",".join, zip(*columns, strict=True))) + "\n")
        self._next += len(checked)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
