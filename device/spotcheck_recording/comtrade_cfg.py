"""COMTRADE configuration files (IEC 60255-24:2013 / IEEE C37.111; also of 1991 and 1999)."""

import enum
import math
import re
from dataclasses import dataclass
from pathlib import Path

from spotcheck.errors import RecordingError
from spotcheck_recording.channel_map import unit_quantity
from spotcheck_recording.recording import SourceChannel


class DataType(enum.Enum):
    """How samples are written; the value is the file type of the configuration."""

    ASCII = "ASCII"
    BINARY = "BINARY"
    BINARY32 = "BINARY32"
    FLOAT32 = "FLOAT32"


class Side(enum.Enum):
    """Side of the instrument transformers on which values are wanted."""

    RECORDED = "recorded"
    PRIMARY = "primary"
    SECONDARY = "secondary"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalogChannel:
    """An analogue channel of the configuration."""

    source: SourceChannel
    """Name, number, unit and phase."""
    gain: float
    """a: unit per count."""
    offset: float
    """b, in the channel's unit."""
    skew_s: float
    """Time from the sample's stamp to the moment the channel was sampled."""
    primary: float | None
    """Primary factor of the transformer; None in files of 1991."""
    secondary: float | None
    """Secondary factor; None in files of 1991."""
    recorded_side: Side | None
    """PRIMARY or SECONDARY by the flag PS; None in files of 1991."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """What the configuration says of the data."""

    revision: int
    """1991, 1999 or 2013."""
    analog: tuple[AnalogChannel, ...]
    """Analogue channels in the file's order."""
    status_count: int
    """Status (digital) channels."""
    rates: tuple[tuple[float, int], ...]
    """(samples per second, number of the last sample at it); the rate is 0 if stamps decide."""
    data_type: DataType
    """How samples are written."""
    stamp_unit_s: float
    """One count of the time stamps: 1 µs times timemult."""

    @property
    def sample_count(self) -> int:
        """Samples per channel that the configuration promises."""
        return self.rates[-1][1]

    @property
    def fixed_rates(self) -> bool:
        """Whether stated rates, not stamps, say when samples were taken."""
        return self.rates[0][0] > 0


def decode_text(path: Path, data: bytes) -> str:
    """Decode a configuration: UTF-8, else GB18030 (which holds GBK).

    Raises:
        RecordingError: it is neither; names the byte.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as error:
        raise RecordingError(
            f"{path}, byte {error.start}: neither UTF-8 nor GB18030 text; "
            f"copy the file again or save it as UTF-8"
        ) from None


def parse_configuration(path: Path, data: bytes, *, first_line: int = 1) -> Configuration:
    """Read a configuration.

    Args:
        path: The file, for messages.
        data: Its bytes.
        first_line: Line number of the first of them, if they are a section of a .cff file.

    Raises:
        RecordingError: names the line, what is wrong and what to do.
    """
    return _Reader(path, decode_text(path, data), first_line).configuration()


class _Reader:
    """Reads a configuration line by line."""

    def __init__(self, path: Path, text: str, first_line: int) -> None:
        self._path = path
        self._lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._line = first_line - 1
        self._first_line = first_line

    def configuration(self) -> Configuration:
        revision = self._revision()
        analog_count, status_count = self._counts()
        analog = tuple(self._analog(number, revision) for number in range(1, analog_count + 1))
        for number in range(1, status_count + 1):
            self._status(number)
        self._next("the line frequency")
        rates = self._rates()
        self._next("the time of the first sample")
        self._next("the time of the trigger")
        data_type = self._data_type(revision)
        return Configuration(
            revision=revision,
            analog=analog,
            status_count=status_count,
            rates=rates,
            data_type=data_type,
            stamp_unit_s=1e-6 * self._time_multiplier(revision),
        )

    def _refuse(self, what: str) -> RecordingError:
        return RecordingError(
            f"{self._path}, line {self._line}: {what}; copy the file again or correct the line"
        )

    def _next(self, what: str) -> list[str]:
        self._line += 1
        index = self._line - self._first_line
        if index >= len(self._lines) or not self._lines[index].strip(" \t\x1a\0"):
            raise self._refuse(f"{what} is missing")
        return [field.strip() for field in self._lines[index].split(",")]

    def _whole(self, text: str, what: str) -> int:
        if not re.fullmatch(r"[0-9]{1,18}", text):
            raise self._refuse(f"{what} is {text[:40]!r}, no whole number")
        return int(text)

    def _number(self, text: str, what: str) -> float:
        try:
            value = float(text) if "_" not in text else math.nan
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise self._refuse(f"{what} is {text[:40]!r}, no finite number")
        return value

    def _revision(self) -> int:
        fields = self._next("the station's name")
        text = fields[2] if len(fields) > 2 else ""
        if text not in ("", "1991", "1999", "2001", "2013"):
            raise self._refuse(f"the revision is {text[:40]!r}; 1991, 1999 and 2013 are supported")
        # IEC 60255-24:2001 is the text of IEEE C37.111-1999.
        return {"": 1991, "2001": 1999}.get(text) or int(text)

    def _counts(self) -> tuple[int, int]:
        fields = self._next("the number of channels")
        if len(fields) != 3 or fields[1][-1:].upper() != "A" or fields[2][-1:].upper() != "D":
            raise self._refuse("the number of channels is not given as in 8,6A,2D")
        total = self._whole(fields[0], "the number of channels")
        analog = self._whole(fields[1][:-1], "the number of analogue channels")
        status = self._whole(fields[2][:-1], "the number of status channels")
        if total != analog + status:
            raise self._refuse(f"{total} channels are not {analog} analogue and {status} status")
        if total > len(self._lines):
            raise self._refuse(f"{total} channels are promised in {len(self._lines)} lines")
        return analog, status

    def _check_number(self, text: str, number: int, kind: str) -> None:
        stated = self._whole(text, f"the number of {kind} channel {number}")
        if stated != number:
            raise self._refuse(f"{kind} channel {number} is numbered {stated}")

    def _analog(self, number: int, revision: int) -> AnalogChannel:
        fields = self._next(f"analogue channel {number}")
        wanted = 10 if revision == 1991 else 13
        if len(fields) < wanted or (revision != 1991 and len(fields) > wanted):
            raise self._refuse(
                f"analogue channel {number} has {len(fields)} fields; {revision} has {wanted}"
            )
        self._check_number(fields[0], number, "analogue")
        what = f"of analogue channel {number}"
        known = unit_quantity(fields[4])
        primary, secondary, side = self._transformer(fields[10:13], what)
        return AnalogChannel(
            source=SourceChannel(
                key=fields[1],
                number=number,
                unit=fields[4],
                phase_label=fields[2],
                quantity=known[0] if known else None,
            ),
            gain=self._number(fields[5], f"a {what}"),
            offset=self._number(fields[6], f"b {what}"),
            skew_s=1e-6 * self._number(fields[7] or "0", f"the skew {what}"),
            primary=primary,
            secondary=secondary,
            recorded_side=side,
        )

    def _transformer(
        self, fields: list[str], what: str
    ) -> tuple[float | None, float | None, Side | None]:
        if len(fields) < 3:
            return None, None, None
        flag = fields[2].upper()
        if flag not in ("P", "S"):
            raise self._refuse(f"the flag PS {what} is {fields[2][:40]!r}, neither P nor S")
        return (
            self._number(fields[0], f"the primary factor {what}"),
            self._number(fields[1], f"the secondary factor {what}"),
            Side.PRIMARY if flag == "P" else Side.SECONDARY,
        )

    def _status(self, number: int) -> None:
        self._check_number(self._next(f"status channel {number}")[0], number, "status")

    def _rates(self) -> tuple[tuple[float, int], ...]:
        count = self._whole(self._next("the number of rates")[0], "the number of rates")
        if count > len(self._lines):
            raise self._refuse(f"{count} sampling rates are promised in {len(self._lines)} lines")
        rates: list[tuple[float, int]] = []
        for index in range(max(count, 1)):
            fields = self._next(f"sampling rate {index + 1}")
            if len(fields) != 2:
                raise self._refuse("a sampling rate is not given as in 3200,1280")
            rate_hz = self._number(fields[0], "the sampling rate")
            last = self._whole(fields[1], "the number of the last sample at this rate")
            if last <= (rates[-1][1] if rates else 0):
                raise self._refuse(f"the number of the last sample, {last}, does not rise")
            if rate_hz < 0 or (rate_hz == 0 and count > 1) or rate_hz > 1e12:
                raise self._refuse(f"{fields[0]} S/s is no sampling rate")
            if count == 0 and rate_hz:
                raise self._refuse("no sampling rates are promised, but one is given")
            rates.append((rate_hz, last))
        return tuple(rates)

    def _data_type(self, revision: int) -> DataType:
        text = self._next("the file type")[0].upper()
        if text not in {kind.value for kind in DataType}:
            raise self._refuse(
                f"the file type is {text[:40]!r}; ASCII, BINARY, BINARY32 and FLOAT32 are supported"
            )
        kind = DataType(text)
        if kind in (DataType.BINARY32, DataType.FLOAT32) and revision != 2013:
            raise self._refuse(f"the file type {text} does not exist in {revision}")
        return kind

    def _time_multiplier(self, revision: int) -> float:
        index = self._line + 1 - self._first_line
        if revision == 1991 and (
            index >= len(self._lines) or not self._lines[index].strip(" \x1a")
        ):
            return 1.0
        factor = self._number(self._next("the time multiplier")[0], "the time multiplier")
        if not 0 < factor < 1e12:
            raise self._refuse(f"the time multiplier is {factor:g}")
        return factor
