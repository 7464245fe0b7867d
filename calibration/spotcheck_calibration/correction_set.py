"""The correction set of one instrument: what calibration found, each value with its uncertainty.

The file is canonical JSON; its SHA-256 is the set's identity (docs/formats/correction-set.md).
"""

import datetime
import enum
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import CorrectionSetError, InvalidInputError
from spotcheck.plain import from_plain, to_plain
from spotcheck.samples import StreamFormat

CORRECTION_SET_FORMAT = "spotcheck-correction-set-1"
MAINS_HZ = (45.0, 65.0)


class Distribution(enum.Enum):
    """Shape of what is known about a value."""

    NORMAL = "normal"
    RECTANGULAR = "rectangular"


@dataclass(frozen=True, slots=True, kw_only=True)
class UncertainValue:
    """A value with its standard uncertainty."""

    value: float
    """Best estimate."""
    standard_uncertainty: float
    """Standard uncertainty in the value's unit; a rectangle's half width is √3 times it."""
    distribution: Distribution = Distribution.NORMAL
    """Shape."""
    degrees_of_freedom: float = math.inf
    """inf where the uncertainty is taken as known."""

    def __post_init__(self) -> None:
        finite = math.isfinite(self.value) and math.isfinite(self.standard_uncertainty)
        if not finite or self.standard_uncertainty < 0 or not self.degrees_of_freedom >= 1:
            raise CorrectionSetError(
                f"{self.value} with standard uncertainty {self.standard_uncertainty} and "
                f"{self.degrees_of_freedom} degrees of freedom is no uncertain value"
            )

    @property
    def relative_uncertainty(self) -> float:
        """Standard uncertainty relative to the value."""
        return self.standard_uncertainty / abs(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageCorrection:
    """One voltage channel in one range."""

    phase: int
    """1, 2 or 3."""
    range_name: str
    """The range, as the stream names it."""
    gain_v_per_code: UncertainValue
    """Volts per code."""
    offset_codes: UncertainValue
    """Code at zero volts."""
    noise_codes_rms: float
    """Noise of one sample."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentCorrection:
    """One current channel, with its clamp, in one range."""

    phase: int
    """1, 2 or 3."""
    range_name: str
    """The range or clamp, as the stream names it."""
    gain_a_per_code: UncertainValue
    """Amperes per code."""
    offset_codes: UncertainValue
    """Code at zero amperes."""
    noise_codes_rms: float
    """Noise of one sample."""
    phase_lag_rad: UncertainValue
    """Lag that clamp and front end add to this current against its voltage, at the set's nominal
    frequency; taken as a delay, so that at another frequency it is in proportion."""
    skew_s: UncertainValue
    """Time by which this current appears late against its voltage."""


C = TypeVar("C", VoltageCorrection, CurrentCorrection)


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionSet:
    """Everything that calibration says about one instrument."""

    instrument: str
    """Serial number of the instrument."""
    certificate: str
    """Certificate that it comes from."""
    issued_on: str
    """ISO date."""
    valid_until: str
    """ISO date; official results are barred after it."""
    nominal_frequency_hz: float
    """Mains frequency at which the phase lags hold."""
    sample_rate_relative_error: UncertainValue
    """(true − nominal)/nominal of the sample clock."""
    reference_standard_relative_error: UncertainValue
    """Power error of the reference standard, common to all gains. Its value is 0: what is known
    of it is in the gains; its uncertainty is what is left."""
    voltages: tuple[VoltageCorrection, ...]
    """Voltage channels by phase and range."""
    currents: tuple[CurrentCorrection, ...]
    """Current channels by phase and range."""
    demonstration: bool
    """Made for the simulator; means nothing for a real instrument."""

    def __post_init__(self) -> None:
        for name in ("issued_on", "valid_until"):
            try:
                datetime.date.fromisoformat(getattr(self, name))
            except ValueError as error:
                raise CorrectionSetError(f"{name} is no ISO date: {error}") from error
        if not MAINS_HZ[0] <= self.nominal_frequency_hz <= MAINS_HZ[1]:
            raise CorrectionSetError(
                f"nominal_frequency_hz is {self.nominal_frequency_hz}; 45 to 65 is possible"
            )
        if self.reference_standard_relative_error.value != 0:
            raise CorrectionSetError(
                "reference_standard_relative_error has a value; apply it to the gains"
            )
        gains = [v.gain_v_per_code for v in self.voltages]
        gains += [c.gain_a_per_code for c in self.currents]
        if any(gain.value <= 0 for gain in gains):
            raise CorrectionSetError("a gain is not positive; every channel needs its gain")

    def voltage(self, phase: int, stream: StreamFormat) -> VoltageCorrection:
        """Correction of the voltage of a phase in the range of a stream.

        Raises:
            CorrectionSetError: that range was not calibrated.
        """
        return _entry(self, self.voltages, "voltage", phase, stream.voltage_range)

    def current(self, phase: int, stream: StreamFormat) -> CurrentCorrection:
        """Correction of the current of a phase in the range of a stream.

        Raises:
            CorrectionSetError: that range was not calibrated.
        """
        return _entry(self, self.currents, "current", phase, stream.current_range)

    def to_bytes(self) -> bytes:
        """The bytes of the file."""
        return canonical_bytes({"format": CORRECTION_SET_FORMAT, "correction_set": to_plain(self)})

    @property
    def sha256(self) -> str:
        """Identity of the set."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def expired_on(self, utc_ns: int) -> bool:
        """Whether it is past its date at a time."""
        day = datetime.datetime.fromtimestamp(utc_ns // 10**9, datetime.UTC).date()
        return day > datetime.date.fromisoformat(self.valid_until)


def _entry(
    found_in: CorrectionSet, entries: tuple[C, ...], kind: str, phase: int, range_name: str
) -> C:
    for entry in entries:
        if (entry.phase, entry.range_name) == (phase, range_name):
            return entry
    raise CorrectionSetError(
        f"{found_in.certificate} has no correction of {kind} {phase} in range {range_name!r}"
    )


def parse_correction_set(data: bytes, name: str = "correction set") -> CorrectionSet:
    """The set that `CorrectionSet.to_bytes` wrote.

    Raises:
        CorrectionSetError: names what is wrong.
    """
    try:
        plain: Any = parse_canonical(data)
        head = plain.get("format") if isinstance(plain, dict) else None
        found = (
            from_plain(CorrectionSet, plain.get("correction_set"))
            if head == CORRECTION_SET_FORMAT
            else None
        )
    except InvalidInputError as error:
        raise CorrectionSetError(f"{name}: {error}") from error
    if found is None:
        raise CorrectionSetError(f"{name}: the format is {head!r}, not {CORRECTION_SET_FORMAT}")
    if found.to_bytes() != data:
        raise CorrectionSetError(f"{name} spells a value otherwise than it is written: altered")
    return found


def load_correction_set(path: Path) -> CorrectionSet:
    """The correction set in a file.

    Raises:
        CorrectionSetError: names the file and what is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CorrectionSetError(f"{path}: {error.strerror}; give the instrument's set") from error
    return parse_correction_set(data, str(path))
