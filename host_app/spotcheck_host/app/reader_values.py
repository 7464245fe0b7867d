"""What the reader thread tells the window: immutable values."""

from dataclasses import dataclass

from spotcheck.reading import ErrorReading
from spotcheck.verdict import CombinedError, Verdict
from spotcheck_host.app.live_picture import LivePicture
from spotcheck_host.app.live_values import ErrorPoint
from spotcheck_wire.host_messages import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The instrument answers."""

    device_id: str
    """Its serial number."""
    certificate: str
    """Certificate of its correction set."""
    phases: int
    """Phases that it is connected to."""
    sample_rate_hz: int
    """Samples per second."""
    demonstration: bool
    """Whether what it measures proves nothing."""
    emulated: bool
    """Whether its hardware is simulated."""
    note: str
    """What the instrument wants a person to know; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTaken:
    """A reading is in the record."""

    readings: tuple[ErrorReading, ...]
    """Those that are averaged so far."""
    combined: CombinedError
    """Their mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The procedure asks whether the clamp was turned, and waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingPapers:
    """The verdict is in the record; report and bundle are being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """A case is closed."""

    case_id: str
    """Its name in the record."""
    verdict: Verdict
    """The judgement."""
    combined: CombinedError | None
    """Mean error; None without readings."""
    files: dict[str, str]
    """Paths by `report_zh`, `report_en`, `plot` and `bundle`."""
    points: tuple[ErrorPoint, ...]
    """The error as it went, worked out again from the evidence pulse by pulse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAborted:
    """A case ended without a verdict because it could not be recorded."""

    what: str
    """What went wrong and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Something that a person should know; the work goes on."""

    what: str
    """In the words of whoever noticed it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentLost:
    """The instrument does not answer; it is tried again."""

    what: str
    """Why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CannotWork:
    """Record, key or folder cannot be used; it is tried again."""

    what: str
    """What went wrong and what to do."""


ReaderValue = (
    Connected
    | LivePicture
    | Progress
    | ReadingTaken
    | Asked
    | WritingPapers
    | CaseFinished
    | CaseAborted
    | Noticed
    | InstrumentLost
    | CannotWork
)
