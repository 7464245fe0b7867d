"""What the window shows: one immutable value, made by the presenter, drawn by the views."""

from dataclasses import dataclass
from typing import Literal

from spotcheck_host.app.live_picture import LivePicture
from spotcheck_host.app.live_values import QuantityRow, RunningError
from spotcheck_host.app.meter_entry import MeterEntry
from spotcheck_host.report_text import Language

ThemeName = Literal["dark", "light", "sunlight"]
Tone = Literal["neutral", "pass", "fail", "warning"]
Severity = Literal["info", "warning", "alarm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictPanel:
    """The verdict in words."""

    title: str
    """Verdict, or indicative verdict."""
    judgement: str
    """PASS, FAIL, UNDECIDED, CANNOT JUDGE, or that there is none yet."""
    lines: tuple[str, ...]
    """Limit, clause, explanation, cure, case."""
    tone: Tone
    """Its colour."""
    report: str | None
    """Path of the report that can be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything that the window shows."""

    language: Language
    """Language of all texts."""
    theme: ThemeName
    """Colours."""
    instrument: str
    """Who measures."""
    status: str
    """What is being done, with what is expected next."""
    banners: tuple[tuple[Severity, str], ...]
    """What a person must know, worst first."""
    question: str | None
    """A question that waits for yes or no."""
    error: str
    """The error, or a dash."""
    uncertainty: str
    """Its U, or nothing."""
    caption: str
    """What the two are."""
    tone: Tone
    """Colour of the error."""
    running: RunningError
    """The error as it went."""
    hint: str
    """What stands where the running error will be."""
    picture: LivePicture | None
    """Waveforms, phasors, harmonics."""
    quantity_headers: tuple[str, ...]
    """Columns of the table."""
    quantity_rows: tuple[QuantityRow, ...]
    """Lines of the table."""
    entry: MeterEntry
    """What stands in the form."""
    faults: dict[str, str]
    """What is wrong with it, by field."""
    rules: tuple[tuple[str, str], ...]
    """Rules to choose from: id and title."""
    can_edit: bool
    """Whether the form is open."""
    can_start: bool
    """Whether a verification may begin."""
    can_stop: bool
    """Whether one runs that can be stopped."""
    verdict: VerdictPanel
    """The verdict."""
    stale: bool
    """Whether the picture is old."""
