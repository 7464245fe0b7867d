"""COMTRADE 2013 with BINARY32 data (IEC 60255-24:2013): the codes themselves."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.comtrade_data import MISSING_STAMP
from spotcheck_recording.writers import WriterFacts, checked_codes

LOWEST_CODE = -(2**31) + 1
"""-2^31 marks a missing sample."""


class ComtradeWriter:
    """Writes the .dat as samples come, and the .cfg with their count at the end."""

    def __init__(self, facts: WriterFacts) -> None:
        if facts.path.suffix.lower() != ".cfg":
            raise RecordingError(
                f"{facts.path}: a COMTRADE recording is named by its .cfg; give that suffix"
            )
        if any(mark in facts.station for mark in ",\r\n"):
            raise RecordingError(
                f"{facts.path}: the station {facts.station!r} has a comma or line end, which "
                f"COMTRADE cannot hold; leave it out"
            )
        self._facts = facts
        self._count = 0
        suffix = ".DAT" if facts.path.suffix.isupper() else ".dat"
        # A .cfg of an earlier recording must not describe these data.
        facts.path.unlink(missing_ok=True)
        self._file = facts.path.with_suffix(suffix).open("wb")
        self._dtype = np.dtype(
            [("number", "<u4"), ("stamp", "<u4"), ("codes", "<i4", (len(facts.scales),))]
        )

    def append(self, codes: NDArray[np.int32]) -> None:
        """Add samples; see `RecordingWriter.append`."""
        checked = checked_codes(self._facts, codes, LOWEST_CODE, 2**31 - 1)
        if self._count + len(checked) >= 2**32:
            raise RecordingError(
                f"{self._facts.path}: COMTRADE holds at most {2**32 - 1} samples; "
                f"begin a new recording"
            )
        index = np.arange(self._count, self._count + len(checked))
        stamps_us = np.rint(index * 1e6 / self._facts.sample_rate_hz)
        table = np.empty(len(checked), self._dtype)
        table["number"] = index + 1
        # After 71 minutes the 32 bits are used up; with a stated rate stamps may be missing.
        table["stamp"] = np.minimum(stamps_us, MISSING_STAMP)
        table["codes"] = checked
        self._file.write(table.tobytes())
        self._count += len(checked)

    def close(self) -> None:
        """Close the .dat and write the .cfg."""
        if self._file.closed:
            return
        self._file.close()
        self._facts.path.write_bytes("".join(f"{row}\r\n" for row in self._rows()).encode("utf-8"))

    def _rows(self) -> list[str]:
        facts = self._facts
        second, rest_ns = divmod(facts.start_utc_ns, 1_000_000_000)
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        start = f"{moment:%d/%m/%Y,%H:%M:%S}.{rest_ns // 1000:06d}"
        channels = len(facts.scales)
        return [
            f"{facts.station},Spotcheck,2013",
            f"{channels},{channels}A,0D",
            *(_channel_row(number, scale) for number, scale in enumerate(facts.scales, start=1)),
            "50",
            "1",
            f"{facts.sample_rate_hz},{self._count}",
            start,
            start,
            "BINARY32",
            "1",
            # Time and its quality: UTC; how good the clock is, is not known.
            "0,0",
            "F,3",
        ]


def _channel_row(number: int, scale: ChannelScale) -> str:
    phase = {"1": "A", "2": "B", "3": "C"}.get(scale.name[1:], "")
    # + 0.0 makes -0.0 a plain 0.
    offset = -scale.offset_codes * scale.gain_per_code + 0.0
    return (
        f"{number},{scale.name},{phase},,{scale.unit},{scale.gain_per_code!r},{offset!r},"
        f"{scale.skew_s * 1e6!r},{LOWEST_CODE},{2**31 - 1},1,1,P"
    )
