"""What a measuring session is asked, and what it tells."""

import enum
from dataclasses import dataclass, field

from spotcheck.errors import EvidenceError
from spotcheck.evidence import Evidence
from spotcheck.meter import Meter
from spotcheck.plain import LATER
from spotcheck.reading import CannotJudge, ErrorReading
from spotcheck.samples import StreamFormat
from spotcheck_calibration.pulse_energy import FEWEST_PULSES


class State(enum.Enum):
    """What the session is doing."""

    IDLE = "idle"
    SETTLING = "settling"
    WAITING_FOR_PULSE = "waiting for a pulse"
    MEASURING = "measuring"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementRequest:
    """What is to be measured, and when a reading is complete."""

    request_id: str
    """Made by the host."""
    start_sample: int
    """Sample at which it takes effect; a past one means from what is still kept."""
    meter: Meter
    """Nameplate of the meter under test."""
    minimum_pulses: int
    """Pulses of a reading at least."""
    minimum_duration_s: float
    """Time between first and last pulse at least."""
    maximum_duration_s: float
    """Stream time from the start of a reading after which it ends with what there is."""
    readings: int
    """Readings one after another; the last pulse of one is the first of the next."""
    pulse_input: int = field(default=0, metadata={LATER: True})
    """Pulse input that the meter's pulses come in on; 0 is the first optical head."""

    def __post_init__(self) -> None:
        if self.minimum_pulses < FEWEST_PULSES:
            raise EvidenceError(
                f"minimum_pulses is {self.minimum_pulses}; a reading needs {FEWEST_PULSES}"
            )
        if self.pulse_input < 0:
            raise EvidenceError(f"pulse_input is {self.pulse_input}; inputs are numbered from 0")
        if self.readings < 1 or not 0 <= self.minimum_duration_s <= self.maximum_duration_s:
            raise EvidenceError(
                f"{self.readings} readings of {self.minimum_duration_s} to "
                f"{self.maximum_duration_s} s cannot be measured"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionProgress:
    """How a measurement stands; for display, never for the record."""

    request_id: str
    sample: int
    state: State
    pulses: int
    power_w: float
    expected_wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOutcome:
    """A reading with its evidence, or why there is none."""

    request_id: str
    outcome: ErrorReading | CannotJudge
    evidence: Evidence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFinished:
    """The request is done."""

    request_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RangesChanged:
    """A request goes on in other ranges; the reading that was running begins anew."""

    request_id: str
    stream: StreamFormat


SessionEvent = SessionProgress | SessionOutcome | SessionFinished | RangesChanged
