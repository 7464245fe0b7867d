"""The verdict in the window's words: limit, clause, reason, cure, meter and case."""

from spotcheck.meter import Meter
from spotcheck.reading import Reason
from spotcheck.verdict import Judgement
from spotcheck_host.app.app_text import text
from spotcheck_host.app.reader_values import CaseFinished
from spotcheck_host.app.screen import Tone, VerdictPanel
from spotcheck_host.detail_text import finding_in_chinese
from spotcheck_host.report_text import Language, phrase, reason_and_cure, word

TONES: dict[Judgement, Tone] = {
    Judgement.PASS: "pass",
    Judgement.FAIL: "fail",
    Judgement.UNDECIDED: "warning",
    Judgement.CANNOT_JUDGE: "warning",
}


def said(english: str, language: Language) -> str:
    """A finding, an error or a notice in the language."""
    return finding_in_chinese(english) if language == "zh" else english


def verdict_panel(
    finished: CaseFinished | None, meter: Meter | None, language: Language
) -> VerdictPanel:
    """The panel of a case.

    Args:
        finished: How it ended; None before.
        meter: The meter that it was about.
        language: Of all texts.
    """
    if finished is None:
        title, none = text("verdict", language), text("no_verdict", language)
        return VerdictPanel(title=title, judgement=none, lines=(), tone="neutral", report=None)
    verdict = finished.verdict
    lines = []
    if verdict.mpe_percent is not None:
        lines.append(text("limit", language, mpe=verdict.mpe_percent))
    if verdict.clause:
        clause = phrase(verdict.clause, language)
        lines.append(text("clause", language, rule=verdict.rule_id, clause=clause))
    if verdict.reason is not None:
        lines += _reason_lines(verdict.reason, verdict.explanation, language)
    if meter is not None:
        named = {"serial": meter.serial or "–", "accuracy_class": meter.accuracy_class.value}
        lines.append(text("of_meter", language, **named))
    lines.append(text("stored", language, case=finished.case_id))
    return VerdictPanel(
        title=text("verdict_indicative" if verdict.indicative else "verdict", language),
        judgement=word(verdict.judgement, language),
        lines=tuple(lines),
        tone=TONES[verdict.judgement],
        report=finished.files.get(f"report_{language}"),
    )


def _reason_lines(reason: Reason, explanation: str, language: Language) -> list[str]:
    name, cure = reason_and_cure(reason, language)
    colon = "：" if language == "zh" else ": "
    found = f"{name}{colon}{said(explanation, language)}"
    return [found, text("cure", language, cure=cure)]
