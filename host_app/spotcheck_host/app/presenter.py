"""What the window shows and what gestures do, without any widget.

connecting ─► ready ─► running ⇄ asking ─► writing ─► finished ─► (start) running
▲          │ any of them
└── lost ◄─┘
"""

import enum
from collections.abc import Callable
from typing import Protocol

from spotcheck.load import Conditions
from spotcheck.meter import Meter
from spotcheck.rule import ReadingPlan, Rule, load_rule, rule_ids
from spotcheck_host.app import reader_values as values
from spotcheck_host.app.app_text import duration_text, text
from spotcheck_host.app.case_progress import CaseProgress
from spotcheck_host.app.live_picture import LivePicture, quantity_headers, quantity_rows
from spotcheck_host.app.live_values import QuantityRow, RunningError
from spotcheck_host.app.meter_entry import MeterEntry, ParsedEntry, parse_entry
from spotcheck_host.app.screen import Screen, Severity, ThemeName, Tone
from spotcheck_host.app.verdict_words import TONES, said, verdict_panel
from spotcheck_host.report_text import Language, with_uncertainty
from spotcheck_wire import host_messages as wire

STALE_S = 1.5
"""Pictures come ten times a second; without one for so long, what is seen is old."""
LONG_WAIT_S = 30.0
MOST_NOTICES = 3
MEASURING_STATES = ("settling", "waiting for a pulse", "measuring")
WAITING_FOR_SAMPLES = "waiting for samples"
"""What the device says before its front end has sent enough."""
NO_LOAD_W = 0.5


class Stage(enum.Enum):
    """What the work is at."""

    CONNECTING = "connecting"
    READY = "ready"
    RUNNING = "running"
    ASKING = "asking"
    WRITING = "writing"
    FINISHED = "finished"
    LOST = "lost"


BUSY = (Stage.RUNNING, Stage.ASKING, Stage.WRITING)


class Commands(Protocol):
    """What the presenter asks of the reader thread."""

    def start_case(self, meter: Meter, rule_id: str) -> None:
        """Verify a meter."""

    def stop_case(self) -> None:
        """Give the case up."""

    def answer(self, yes: bool) -> None:
        """Answer what was asked."""


class VerificationPresenter:
    """Takes the reader's values and the person's gestures, gives `Screen`s."""

    def __init__(
        self,
        commands: Commands,
        clock_s: Callable[[], float],
        *,
        entry: MeterEntry,
        language: Language,
        theme: ThemeName,
    ) -> None:
        """Show that the instrument is being connected.

        Args:
            commands: The reader.
            clock_s: A clock that never goes back, for staleness.
            entry: What stands in the form at first.
            language: First language.
            theme: First theme.
        """
        self._commands = commands
        self._clock_s = clock_s
        self._language: Language = language
        self._theme: ThemeName = theme
        self._entry = entry
        self._stage = Stage.CONNECTING
        self._connected: values.Connected | None = None
        self._lost = ("", "")
        self._notices: tuple[str, ...] = ()
        self._picture: LivePicture | None = None
        self._picture_at_s = clock_s()
        self._rules = {rule_id: load_rule(rule_id) for rule_id in rule_ids()}
        self._case = CaseProgress()

    # What the reader says

    def take(self, value: values.ReaderValue) -> None:
        """Take a value from the reader."""
        match value:
            case LivePicture():
                self._picture, self._picture_at_s = value, self._clock_s()
            case wire.Progress():
                if self._connected is not None:
                    self._case.take_progress(value, self._connected.sample_rate_hz)
            case values.ReadingTaken():
                self._case.take_reading(value)
            case values.Connected():
                self._connected, self._notices = value, (value.note,) if value.note else ()
                self._stage, self._picture_at_s = Stage.READY, self._clock_s()
                self._picture = None
            case values.InstrumentLost():
                self._lost, self._stage = ("banner_lost", value.what), Stage.LOST
            case values.CannotWork():
                self._lost, self._stage = ("banner_cannot_work", value.what), Stage.LOST
            case _:
                self._take_case_value(value)

    def _take_case_value(self, value: values.ReaderValue) -> None:
        match value:
            case values.Asked():
                self._stage = Stage.ASKING
            case values.WritingPapers():
                self._stage = Stage.WRITING
            case values.CaseFinished():
                self._case.take_end(value)
                self._stage = Stage.FINISHED
            case values.CaseAborted():
                self._notices = (*self._notices, value.what)
                self._stage = Stage.READY
            case values.Noticed():
                # The newest few: a person reads no more.
                self._notices = (*self._notices, value.what)[-MOST_NOTICES:]

    # What the person does

    def start(self) -> None:
        """Begin a verification."""
        parsed = self._parsed()
        if parsed.meter is None or not self._may_start():
            return
        self._case = CaseProgress(parsed.meter)
        self._notices = ()
        self._stage = Stage.RUNNING
        self._commands.start_case(parsed.meter, self._entry.rule_id)

    def stop(self) -> None:
        """Give the verification up."""
        if self._may_stop():
            self._commands.stop_case()

    def answer(self, yes: bool) -> None:
        """Answer the question that is shown."""
        if self._stage is Stage.ASKING:
            self._stage = Stage.RUNNING
            self._commands.answer(yes)

    def edit(self, entry: MeterEntry) -> None:
        """Take what was typed; nothing changes while a verification runs."""
        if self._stage not in BUSY:
            self._entry = entry

    def set_language(self, language: Language) -> None:
        """Speak another language at once."""
        self._language = language

    def set_theme(self, theme: ThemeName) -> None:
        """Show other colours at once."""
        self._theme = theme

    # What is seen

    def screen(self) -> Screen:
        """What the window shows now."""
        parsed = self._parsed()
        language = self._language
        conditions = self._conditions
        phases = len(conditions.phases) if conditions else 1
        rows: tuple[QuantityRow, ...] = quantity_rows(conditions, language) if conditions else ()
        error, uncertainty, caption = self._error_texts()
        return Screen(
            language=language,
            theme=self._theme,
            instrument=self._instrument(),
            status=self._status(),
            banners=self._banners(),
            question=text("banner_question", language) if self._stage is Stage.ASKING else None,
            error=error,
            uncertainty=uncertainty,
            caption=caption,
            tone=self._tone(),
            running=RunningError(
                points=self._case.points,
                mpe_percent=self._mpe_percent(parsed),
                time_left_s=self._time_left_s(),
            ),
            hint=self._hint(parsed),
            picture=self._picture,
            quantity_headers=quantity_headers(phases, language),
            quantity_rows=rows,
            entry=self._entry,
            faults={field: text(key, language) for field, key in parsed.faults.items()},
            rules=tuple((rule_id, self._title(rule)) for rule_id, rule in self._rules.items()),
            can_edit=self._stage not in BUSY,
            can_start=parsed.meter is not None and self._may_start(),
            can_stop=self._may_stop(),
            verdict=verdict_panel(self._case.finished, self._case.meter, language),
            stale=self._age_s() > STALE_S or self._stage is Stage.LOST,
        )

    @property
    def _conditions(self) -> Conditions | None:
        """The load that is seen now."""
        return self._picture.conditions if self._picture else None

    def _parsed(self) -> ParsedEntry:
        return parse_entry(self._entry, self._connected.phases if self._connected else 1)

    def _may_start(self) -> bool:
        """Once the person has seen what is there."""
        return self._picture is not None and self._stage in (Stage.READY, Stage.FINISHED)

    def _may_stop(self) -> bool:
        return self._stage in (Stage.RUNNING, Stage.ASKING) or self._is_left_over()

    def _is_left_over(self) -> bool:
        """Whether the instrument measures for a program that is gone."""
        idle = self._stage in (Stage.READY, Stage.FINISHED)
        return idle and self._picture is not None and self._picture.state in MEASURING_STATES

    def _age_s(self) -> float:
        return self._clock_s() - self._picture_at_s

    def _title(self, rule: Rule) -> str:
        return rule.title_zh if self._language == "zh" else rule.title_en

    def _instrument(self) -> str:
        if self._connected is None:
            return ""
        return text(
            "connected",
            self._language,
            device=self._connected.device_id,
            certificate=self._connected.certificate,
        )

    def _status(self) -> str:
        language, progress = self._language, self._case.latest
        if self._is_left_over():
            return text("left_over", language)
        if self._stage is not Stage.RUNNING:
            return text(self._stage.value, language)
        if progress is None or progress.state == "idle":
            return text("settling", language)
        number, readings = self._case.reading_number(self._plan)
        parts = [
            text(progress.state, language),
            text("reading_of", language, number=number, readings=readings),
            text("pulses", language, count=progress.pulses),
        ]
        if left_s := self._time_left_s():
            parts.append(text("expect_verdict", language, time=duration_text(left_s, language)))
        return " · ".join(parts)

    @property
    def _plan(self) -> ReadingPlan:
        return self._rules[self._entry.rule_id].readings

    def _pulse_interval_s(self, meter: Meter | None) -> float | None:
        """Expected time between two pulses at the present load; None where it cannot be told."""
        conditions = self._conditions
        if meter is None or conditions is None or conditions.p_w < NO_LOAD_W:
            return None
        try:
            return float(meter.constant.energy_per_pulse_j) / conditions.p_w
        except ValueError:
            return None

    def _time_left_s(self) -> float | None:
        if self._stage is not Stage.RUNNING:
            return None
        interval_s = self._pulse_interval_s(self._parsed().meter)
        return self._case.time_left_s(self._plan, interval_s)

    def _hint(self, parsed: ParsedEntry) -> str:
        """What is expected before there is an error, with its cure."""
        language = self._language
        conditions = self._conditions
        lines = []
        if self._stage in (Stage.READY, Stage.FINISHED):
            lines.append(text("hint_not_started", language))
        elif self._stage is Stage.RUNNING:
            latest = self._case.latest
            key = "hint_more_pulses" if latest and latest.pulses else "hint_first_pulse"
            lines.append(text(key, language))
        interval_s = self._pulse_interval_s(parsed.meter)
        if interval_s is not None:
            key = "expect_long" if interval_s > LONG_WAIT_S else "expect_pulse"
            lines.append(text(key, language, time=duration_text(interval_s, language)))
        elif conditions is not None and abs(conditions.p_w) < NO_LOAD_W:
            lines.append(text("expect_no_load", language))
        return "\n".join(lines)

    def _mpe_percent(self, parsed: ParsedEntry) -> float | None:
        """The limit at the present load, or the verdict's own."""
        if self._case.finished is not None:
            mpe = self._case.finished.verdict.mpe_percent
            return None if mpe is None else float(mpe)
        if self._case.readings:
            return self._limit_percent(parsed.meter, self._case.readings[-1].conditions)
        return self._limit_percent(parsed.meter, self._conditions)

    def _limit_percent(self, meter: Meter | None, conditions: Conditions | None) -> float | None:
        """The rule's limit for a meter at a load; None where there is none, or no load is seen."""
        if meter is None or conditions is None:
            return None
        limit = self._rules[self._entry.rule_id].limit_at(conditions.load_point, meter)
        return float(limit.mpe_percent[meter.accuracy_class]) if limit else None

    def _banners(self) -> tuple[tuple[Severity, str], ...]:
        language, picture = self._language, self._picture
        found: list[tuple[Severity, str]] = []
        if self._stage is Stage.LOST:
            key, what = self._lost
            found.append(("alarm", text(key, language, what=said(what, language))))
        elif self._is_stale():
            seconds = f"{self._age_s():.0f}"
            found.append(("alarm", text("banner_stale", language, seconds=seconds)))
        elif picture is not None:
            found += self._findings(picture)
        found += [("warning", said(what, language)) for what in self._notices]
        if self._has_no_limit():
            found.append(("warning", text("banner_no_limit", language)))
        if self._connected is not None and self._connected.emulated:
            found.append(("info", text("banner_emulated", language)))
        elif self._connected is not None and self._connected.demonstration:
            found.append(("info", text("banner_demonstration", language)))
        return tuple(found)

    def _has_no_limit(self) -> bool:
        """Whether a verification started now would find no limit."""
        meter = self._parsed().meter
        if self._stage is not Stage.READY or self._pulse_interval_s(meter) is None:
            return False
        return self._limit_percent(meter, self._conditions) is None

    def _is_stale(self) -> bool:
        """While papers are written no pictures are read: that is no alarm."""
        waiting = self._connected is not None and self._stage is not Stage.WRITING
        return waiting and self._age_s() > STALE_S

    def _findings(self, picture: LivePicture) -> list[tuple[Severity, str]]:
        language = self._language
        found: list[tuple[Severity, str]] = []
        if picture.overload:
            found.append(("alarm", text("banner_overload", language)))
        if picture.negative_phases and self._stage is not Stage.ASKING:
            phases = ", ".join(f"L{number}" for number in picture.negative_phases)
            found.append(("warning", text("banner_negative", language, phases=phases)))
        if picture.obstacle:
            if picture.obstacle == WAITING_FOR_SAMPLES:
                found.append(("info", text("banner_no_samples", language)))
            else:
                what = said(picture.obstacle, language)
                found.append(("warning", text("banner_obstacle", language, what=what)))
        return found

    def _error_texts(self) -> tuple[str, str, str]:
        """The error, its U, and what they are."""
        finished = self._case.finished
        if finished is not None and finished.combined is not None:
            final = finished.combined
            caption = text("caption_final", self._language, k=f"{final.coverage_factor:.2f}")
            error, u = with_uncertainty(final.error_percent, final.expanded_uncertainty_percent)
            return f"{error} %", f"± {u} %", caption
        caption = text("caption_error", self._language)
        if not self._case.points:
            return "—", "", caption
        last = self._case.points[-1]
        error, u = with_uncertainty(last.error_percent, last.expanded_uncertainty_percent)
        return f"{error} %", f"± {u} %", caption

    def _tone(self) -> Tone:
        if self._case.finished is None:
            return "neutral"
        return TONES[self._case.finished.verdict.judgement]
