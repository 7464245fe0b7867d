"""The report of a case: one A4 page in Chinese or English, the same bytes for the same case.

Everything to be printed is first gathered into plain text (`_view`), which typst sets by
`templates/report.typ`. Text reaches typst as data, never as markup.
"""

import datetime
import io
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any

import segno
import typst

from spotcheck.errors import ConfigurationError
from spotcheck.load import Conditions, Lead, PhaseQuantities
from spotcheck.meter import Meter
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.rule import Rule
from spotcheck.verdict import CombinedError, Judgement, Verdict
from spotcheck_host.detail_text import finding_in_chinese
from spotcheck_host.report_fonts import NO_CHINESE_FONT, ReportFonts, report_fonts, settable
from spotcheck_host.report_text import (
    Language,
    degrees,
    error_sentence,
    fixed,
    label,
    local_time,
    phrase,
    reason_and_cure,
    signed,
    with_uncertainty,
    word,
)

BUDGET_LINES = 6
"""Lines of the budget that are printed; the others are summed up."""
COLOURS = {
    Judgement.PASS: "#1b6e3c",
    Judgement.FAIL: "#b3261e",
    Judgement.UNDECIDED: "#935f00",
    Judgement.CANNOT_JUDGE: "#4a5560",
}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

Rows = list[list[str]]
SMALLEST_SHOWN_PERCENT = 0.0001
"""Smaller lines of the budget are not worth their digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentIdentity:
    """The instrument that measured, and what its results rest on."""

    device_id: str
    """Name and number of the instrument."""
    certificate: str
    """The calibration certificate behind its correction set."""
    correction_set_sha256: str
    """Identity of the correction set."""
    valid_until: str
    """Date until which the calibration holds, ISO 8601."""
    software: str
    """Name and version of the software that measured and judged."""
    key_id: str
    """Short name of the device's key that signs its results."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportData:
    """All that a report says."""

    case_id: str
    """The case."""
    meter: Meter
    """Meter under test."""
    rule: Rule
    """Rule it was judged by."""
    verdict: Verdict
    """The judgement."""
    combined: CombinedError | None
    """Mean error; None when there is none."""
    readings: tuple[ErrorReading, ...]
    """The readings, also those that led to no verdict."""
    cannot_judge: CannotJudge | None
    """Why the device could not measure; None when it could."""
    instrument: InstrumentIdentity
    """The instrument."""
    operator: str
    """Who tested."""
    issued_utc_ns: int
    """When it is issued, nanoseconds since 1970 UTC."""
    record_head_hash: str
    """Leaf hash of the case's last event."""
    plot_svg: bytes | None
    """The running error (`spotcheck_host.running_error_plot`), in the report's language."""
    demonstration: bool
    """Whether a demonstration key signs."""
    emulated: bool
    """Whether it was measured on simulated hardware."""


def render_report(data: ReportData, language: Language) -> bytes:
    """The report as PDF; identical bytes for identical data, fonts and typst version.

    Raises:
        ConfigurationError: there is no Chinese font, but Chinese to be set.
    """
    fonts = report_fonts()
    if language == "zh" and fonts.chinese_family is None:
        raise ConfigurationError(NO_CHINESE_FONT)
    view = _clean(_view(data, language, fonts), fonts)
    view["qr_svg"] = _qr_svg(data)
    view["plot_svg"] = data.plot_svg.decode() if data.plot_svg else None
    folder = resources.files("spotcheck_host") / "templates"
    with resources.as_file(folder) as root:
        pdf = typst.compile(
            str(root / "report.typ"),
            root=str(root),
            font_paths=[str(path) for path in fonts.folders],
            ignore_system_fonts=True,
            sys_inputs={"view": json.dumps(view)},
            timestamp=data.issued_utc_ns // 1_000_000_000,
        )
    if not isinstance(pdf, bytes):
        raise ConfigurationError("typst gave no single document")
    return pdf


def _view(data: ReportData, language: Language, fonts: ReportFonts) -> dict[str, Any]:
    text = partial(label, language=language)
    conditions = _conditions(data)
    moment = _EPOCH + datetime.timedelta(microseconds=data.issued_utc_ns // 1000)
    chinese = [fonts.chinese_family] if fonts.chinese_family else []
    latin = ["Libertinus Serif"] if language == "en" else []
    return {
        "language": language,
        "fonts": [*latin, *chinese, "DejaVu Sans"],
        "date": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "title": text("title"),
        "rule_title": _rule_title(data.rule, language),
        "head": [
            [text("case"), data.case_id],
            [text("issued"), local_time(moment, language)],
            [text("operator"), data.operator],
        ],
        "scan": text("scan"),
        "notices": _notices(data, language),
        "verdict": _verdict_view(data, language, fonts),
        "meter": {"title": text("meter"), "rows": _meter_rows(data, language)},
        "plot_title": text("plot"),
        "readings": _readings_view(data, language),
        "conditions": {
            "title": text("conditions"),
            "header": [text(key) for key in ("phase", "u", "i", "p", "pf", "thd_u", "thd_i")],
            "rows": _condition_rows(conditions, language),
            "notes": _condition_notes(conditions, language),
        },
        "budget": _budget_view(data.readings, language),
        "basis": {"title": text("basis"), "rows": _basis_rows(data, language)},
        "signatures": [text("tester"), text("checker"), text("date")],
        "footer": f"{text('case')} {data.case_id} · {text('record')} {data.record_head_hash}",
        "page": text("page"),
    }


def _rule_title(rule: Rule, language: Language) -> str:
    return rule.title_zh if language == "zh" else rule.title_en


def _notices(data: ReportData, language: Language) -> list[str]:
    notices = []
    if data.emulated and data.demonstration:
        notices.append(label("notice_emulated", language))
    elif data.emulated or data.demonstration:
        key = "notice_emulated_only" if data.emulated else "notice_demonstration"
        notices.append(label(key, language))
    if data.verdict.indicative:
        notices.append(label("notice_indicative", language))
    if not data.verdict.rule_verified:
        source = phrase(data.rule.source, language)
        notices.append(label("notice_unverified", language).format(source=source))
    return notices


def _verdict_view(data: ReportData, language: Language, fonts: ReportFonts) -> dict[str, Any]:
    verdict = data.verdict
    judged = verdict.judgement is not Judgement.CANNOT_JUDGE
    sentence = label("sentence_none", language)
    if judged and data.combined is not None:
        sentence = error_sentence(data.combined, language)
    return {
        "label": label("verdict_indicative" if verdict.indicative else "verdict", language),
        "word": word(verdict.judgement, language),
        "colour": COLOURS[verdict.judgement],
        "sentence": sentence,
        "rows": (_judged_rows if judged else partial(_unjudged_rows, fonts=fonts))(data, language),
        "note": label(_risk_key(data), language),
    }


def _risk_key(data: ReportData) -> str:
    if data.verdict.judgement is Judgement.CANNOT_JUDGE:
        return "risk_none"
    if data.verdict.judgement is Judgement.UNDECIDED:
        return "risk_undecided"
    return "risk_simple" if data.rule.decision.rule == "simple" else "risk_guarded"


def _judged_rows(data: ReportData, language: Language) -> Rows:
    verdict = data.verdict
    rows: Rows = []
    if verdict.mpe_percent is not None and verdict.rounding_step_percent is not None:
        step = label("step", language).format(step=verdict.rounding_step_percent)
        rounded = f"{verdict.rounded_error_percent:+} %".replace("-", "−")
        rows = [
            [label("mpe", language), f"±{verdict.mpe_percent} %"],
            [label("rounded", language), rounded + step],
            [label("acceptance", language), f"±{verdict.acceptance_limit_percent} %"],
        ]
    return [*rows, [label("clause", language), phrase(verdict.clause, language)]]


def _unjudged_rows(data: ReportData, language: Language, fonts: ReportFonts) -> Rows:
    found = data.cannot_judge
    reason = found.reason if found else data.verdict.reason or Reason.STOPPED
    detail = found.detail if found else data.verdict.explanation
    name, cure = reason_and_cure(reason, language)
    if fonts.chinese_family is not None:
        other_name, other_cure = reason_and_cure(reason, "en" if language == "zh" else "zh")
        name, cure = f"{name} · {other_name}", f"{cure} · {other_cure}"
    return [
        [label("reason", language), name],
        [label("cure", language), cure],
        [label("found", language), finding_in_chinese(detail) if language == "zh" else detail],
    ]


def _meter_rows(data: ReportData, language: Language) -> Rows:
    meter = data.meter
    volts, amperes = f"{meter.nominal_voltage_v} V", f"{meter.basic_current_a}"
    many = "3 × " if meter.phases == 3 else ""
    outputs = {reading.pulse_output for reading in data.readings} or {meter.pulse_output}
    quantities = {(reading.quantity, reading.direction) for reading in data.readings}
    quantity = word(meter.constant.quantity, language)
    if len(quantities) == 1:
        quantity += ", " + word(next(iter(quantities))[1], language)
    wiring = f"{label(f'phases_{meter.phases}', language)}, {word(meter.connection, language)}"
    return [
        [label("serial", language), meter.serial],
        [label("class", language), meter.accuracy_class.value],
        [label("constant", language), str(meter.constant)],
        [label("wiring", language), wiring],
        [
            label("rating", language),
            f"{many}{volts}, {many}{amperes}({meter.max_current_a}) A",
        ],
        [label("quantity", language), quantity],
        [
            label("pulse_output", language),
            ", ".join(sorted(word(output, language) for output in outputs)),
        ],
    ]


def _readings_view(data: ReportData, language: Language) -> dict[str, Any]:
    keys = ("number", "error", "u_expanded", "k", "dof", "gate_error", "pulses", "duration")
    combined = data.combined
    mean = None
    if combined is not None and data.verdict.judgement is not Judgement.CANNOT_JUDGE:
        error, u = with_uncertainty(combined.error_percent, combined.expanded_uncertainty_percent)
        k, dof = fixed(combined.coverage_factor, 2), degrees(combined.degrees_of_freedom)
        mean = [label("mean", language), error, u, k, dof, "", "", "", ""]
    return {
        "title": label("readings", language),
        "header": [label(key, language) for key in (*keys, "residual")],
        "rows": [_reading_row(n, reading) for n, reading in enumerate(data.readings, 1)],
        "mean": mean,
        "empty": label("no_readings", language),
    }


def _reading_row(number: int, reading: ErrorReading) -> list[str]:
    error, u = with_uncertainty(reading.error_percent, reading.expanded_uncertainty_percent)
    places = len(u.partition(".")[2])
    return [
        str(number),
        error,
        u,
        fixed(reading.coverage_factor, 2),
        degrees(reading.degrees_of_freedom),
        signed(reading.gate_error_percent, places),
        f"{reading.pulses_used} ({reading.pulses_rejected}/{reading.pulses_missing})",
        fixed(reading.duration_s, 1),
        f"{1000 * reading.residual_s:.3g}",
    ]


def _conditions(data: ReportData) -> Conditions | None:
    if data.readings:
        return data.readings[-1].conditions
    return data.cannot_judge.conditions if data.cannot_judge else None


def _condition_rows(conditions: Conditions | None, language: Language) -> Rows:
    if conditions is None:
        return []
    names = ("A", "B", "C") if language == "zh" else ("L1", "L2", "L3")
    rows = [_phase_row(n, p) for n, p in zip(names, conditions.phases, strict=False)]
    if len(rows) > 1:
        total = [label("total", language), "", "", fixed(conditions.p_w, 1)]
        load = conditions.load_point
        rows.append([*total, _power_factor(load.power_factor, load.lead), "", ""])
    return rows


def _phase_row(name: str, phase: PhaseQuantities) -> list[str]:
    lead = Lead.LAGGING if phase.q1_var * phase.p_w >= 0 else Lead.LEADING
    pf = min(1.0, abs(phase.p_w) / phase.s_va) if phase.s_va > 0 else 0.0
    return [
        name,
        fixed(phase.u_v, 2),
        fixed(phase.i_a, 3),
        fixed(phase.p_w, 1),
        _power_factor(pf, lead),
        fixed(phase.thd_u_percent, 1),
        fixed(phase.thd_i_percent, 1),
    ]


def _power_factor(value: float, lead: Lead) -> str:
    return f"{value:.3f}" + ("" if value > 0.995 else f" {lead.value}")


def _condition_notes(conditions: Conditions | None, language: Language) -> str:
    if conditions is None:
        return label("no_conditions", language)
    frequency = f"{label('frequency', language)} {fixed(conditions.frequency_hz, 3)} Hz"
    instability = conditions.power_instability_percent
    spread = "—" if instability is None else f"{instability:.2g} %"
    return f"{frequency} · {label('instability', language)} {spread}"


def _budget_view(readings: Sequence[ErrorReading], language: Language) -> dict[str, Any] | None:
    if not readings or not readings[-1].budget:
        return None
    lines = readings[-1].budget
    total = sum(line.standard_uncertainty_percent**2 for line in lines)
    if not (math.isfinite(total) and total > 0):
        return None

    def row(name: str, variance: float, dof: str) -> list[str]:
        u = math.sqrt(variance)
        size = f"{u:.2g}" if u >= SMALLEST_SHOWN_PERCENT else f"< {SMALLEST_SHOWN_PERCENT}"
        return [name, size, dof, fixed(100 * variance / total, 0)]

    rows = [
        row(
            phrase(line.name, language),
            line.standard_uncertainty_percent**2,
            degrees(line.degrees_of_freedom),
        )
        for line in lines[:BUDGET_LINES]
    ]
    if others := lines[BUDGET_LINES:]:
        rest = sum(line.standard_uncertainty_percent**2 for line in others)
        rows.append(row(label("other", language).format(count=len(others)), rest, ""))
    rows.append(row(label("combined_u", language), total, degrees(readings[-1].degrees_of_freedom)))
    header = [label(key, language) for key in ("component", "u_standard", "nu", "share")]
    return {"title": label("budget", language), "header": header, "rows": rows}


def _basis_rows(data: ReportData, language: Language) -> Rows:
    text = partial(label, language=language)
    instrument = data.instrument
    edition = text("edition").format(edition=data.rule.edition)
    rows = [[text("rule"), _rule_title(data.rule, language) + edition]]
    if data.readings:
        last = data.readings[-1]
        method = f"{word(last.method, language)}; {text('time_base')}: "
        rows.append([text("method"), method + word(last.time_base, language)])
    certificate = f"{instrument.certificate} ({text('valid_until')} {instrument.valid_until})"
    return [
        *rows,
        [text("instrument"), f"{instrument.device_id}; {text('correction')}: {certificate}"],
        [text("device_key"), instrument.key_id],
        [text("software"), instrument.software],
        [text("correction_set"), instrument.correction_set_sha256],
        *([[text("evidence"), data.readings[-1].evidence_sha256]] if data.readings else []),
    ]


def _clean(value: Any, fonts: ReportFonts) -> Any:
    """`value` with only such characters as the fonts can set."""
    if isinstance(value, str):
        return settable(value, fonts).replace(" %", "\N{NO-BREAK SPACE}%")
    if isinstance(value, dict):
        return {key: _clean(item, fonts) for key, item in value.items()}
    return [_clean(item, fonts) for item in value] if isinstance(value, list) else value


def _qr_svg(data: ReportData) -> str:
    code = segno.make(f"spotcheck:1;case={data.case_id};head={data.record_head_hash}", error="m")
    file = io.BytesIO()
    code.save(file, kind="svg", border=2, xmldecl=False)
    return file.getvalue().decode()
