"""What a finished case leaves: report in both languages, plot, bundle; then the case is closed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spotcheck.reading import Reason
from spotcheck_calibration.correction_set import CorrectionSet, parse_correction_set
from spotcheck_host.bundle import export_bundle
from spotcheck_host.pdf_signing import sign_pdf
from spotcheck_host.procedure import Case, CaseResult
from spotcheck_host.records import RecordStore
from spotcheck_host.report import InstrumentIdentity, ReportData, render_report
from spotcheck_host.report_text import Language
from spotcheck_host.running_error import running_error
from spotcheck_host.running_error_plot import (
    FinalError,
    RunningPoint,
    render_running_error,
    render_running_error_png,
)
from spotcheck_trust.key_names import key_id

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a report says beyond the case itself."""

    issued_utc_ns: int
    """When it is issued."""
    emulated: bool
    """Whether it was measured on simulated hardware."""
    true_error_percent: float | None
    """True error, where a simulator knows it."""


def leave_papers(
    store: RecordStore, case: Case, result: CaseResult, circumstances: Circumstances, out: Path
) -> dict[str, str]:
    """Write report, plot and bundle, and close the case.

    Nothing is written of a case whose record is not whole.

    Args:
        store: The record.
        case: The case.
        result: What it came to.
        circumstances: What the report says beyond.
        out: Folder of the papers.

    Returns:
        Paths by `report_zh`, `report_en`, `plot` and `bundle`.

    Raises:
        OSError: a file cannot be written.
        SpotcheckError: the record cannot be read or kept, or there is no Chinese font.
    """
    if not result.stored or result.verdict.reason is Reason.RECORD_STORE_FULL:
        return {}
    connected = _connected(store, case.case_id)
    correction = parse_correction_set(store.blob(connected["correction_set_sha256"]))
    points = running_error(result.readings, result.evidence, correction)
    attachments = {"correction-set.json": correction.to_bytes()}
    files: dict[str, str] = {}
    for language in LANGUAGES:
        plot = _plots(result, points, circumstances, language, out)
        report = render_report(
            ReportData(
                case_id=case.case_id,
                meter=case.meter,
                rule=case.rule,
                verdict=result.verdict,
                combined=result.combined,
                readings=result.readings,
                cannot_judge=result.obstacle,
                instrument=_instrument(connected, correction),
                operator=case.operator,
                issued_utc_ns=circumstances.issued_utc_ns,
                record_head_hash=store.head(case.case_id),
                plot_svg=plot,
                demonstration=store.demonstration,
                emulated=circumstances.emulated,
            ),
            language,
        )
        attachments[f"report-{language}.pdf"] = report
        signed = out / f"report-{language}.pdf"
        signed.write_bytes(sign_pdf(report, case.operator, demonstration=store.demonstration))
        files[f"report_{language}"] = str(signed)
        if plot is not None:
            files["plot"] = str(_plot_path(out, language))
    return files | _close(store, result, attachments, out)


def _plots(
    result: CaseResult,
    points: tuple[RunningPoint, ...],
    circumstances: Circumstances,
    language: Language,
    out: Path,
) -> bytes | None:
    """The running error as PNG in the folder and as SVG for the report; None without readings."""
    error = result.combined
    if not points or error is None:
        return None
    final = FinalError(
        error_percent=error.error_percent,
        expanded_uncertainty_percent=error.expanded_uncertainty_percent,
    )
    truth = circumstances.true_error_percent
    drawing = (points, final, result.verdict.mpe_percent, truth, language)
    _plot_path(out, language).write_bytes(render_running_error_png(*drawing))
    return render_running_error(*drawing)


def _plot_path(out: Path, language: Language) -> Path:
    return out / f"running-error-{language}.png"


def _close(
    store: RecordStore, result: CaseResult, attachments: dict[str, bytes], out: Path
) -> dict[str, str]:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in attachments.items()}
    store.append(result.case_id, "report_issued", {"sha256": digests})
    store.append(result.case_id, "case_closed", {"verdict": result.verdict.judgement.value})
    bundle = out / f"{result.case_id}.zip"
    export_bundle(store, result.case_id, bundle, attachments)
    return {"bundle": str(bundle)}


def _connected(store: RecordStore, case_id: str) -> dict[str, Any]:
    """What the device said of itself when the case began."""
    return next(
        dict(event.body) for event in store.events(case_id) if event.kind == "device_connected"
    )


def _instrument(connected: dict[str, Any], correction: CorrectionSet) -> InstrumentIdentity:
    return InstrumentIdentity(
        device_id=connected["device_id"],
        certificate=correction.certificate,
        correction_set_sha256=correction.sha256,
        valid_until=correction.valid_until,
        software=connected["software"],
        key_id=key_id(bytes.fromhex(connected["device_key_hex"])),
    )
