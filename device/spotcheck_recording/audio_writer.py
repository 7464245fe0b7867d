"""WAV and FLAC with PCM of 24 bits: the codes themselves, without V or A."""

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.writers import WriterFacts, checked_codes

LARGEST_WAV_BYTES = 2**32 - 4096
"""The sizes in a WAV header have 32 bits."""


class AudioWriter:
    """Writes codes of 24 bits."""

    def __init__(self, facts: WriterFacts, container: str) -> None:
        self._facts = facts
        self._container = container
        self._bytes = 0
        try:
            self._file = sf.SoundFile(
                facts.path,
                "w",
                samplerate=facts.sample_rate_hz,
                channels=len(facts.scales),
                subtype="PCM_24",
                format=container,
            )
        except sf.SoundFileError as error:
            raise OSError(f"{facts.path}: cannot be written: {error}") from error

    def append(self, codes: NDArray[np.int32]) -> None:
        """Add samples; see `RecordingWriter.append`."""
        checked = checked_codes(self._facts, codes, -(2**23), 2**23 - 1)
        self._bytes += 3 * checked.size
        if self._container == "WAV" and self._bytes > LARGEST_WAV_BYTES:
            raise RecordingError(
                f"{self._facts.path}: WAV holds at most 4 GiB; begin a new recording, or record "
                f"as FLAC or Parquet"
            )
        try:
            # libsndfile takes 24 bits from the upper end of 32.
            self._file.write(checked << 8)
        except sf.SoundFileError as error:
            raise OSError(f"{self._facts.path}: cannot be written: {error}") from error

    def close(self) -> None:
        """Write the length and close."""
        self._file.close()
