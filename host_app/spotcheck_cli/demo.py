"""The main job, rehearsed: simulated mains to signed report, through all processes."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spotcheck.canonical_json import canonical_bytes
from spotcheck.meter import Meter
from spotcheck.plain import to_plain
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CURES
from spotcheck.rule import Rule, load_rule
from spotcheck.verdict import Judgement
from spotcheck_calibration.correction_set import CorrectionSet, parse_correction_set
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.processes import ChildProcess
from spotcheck_cli.scenario import EPOCH_UTC_NS, Fault, Scenario
from spotcheck_host.bundle import export_bundle
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient, DeviceEvent, TcpTransport
from spotcheck_host.keys import demonstration_key
from spotcheck_host.pdf_signing import sign_pdf
from spotcheck_host.procedure import Case, CaseResult, PresentLoadProcedure, close_interrupted_cases
from spotcheck_host.records import RecordStore
from spotcheck_host.report import InstrumentIdentity, ReportData, render_report
from spotcheck_host.report_text import Language, error_sentence, reason_and_cure, word
from spotcheck_host.running_error import running_error
from spotcheck_host.running_error_plot import (
    FinalError,
    render_running_error,
    render_running_error_png,
)

OPERATOR = "demonstration"
LANGUAGES: tuple[Language, ...] = ("zh", "en")
FULL_DISK_BYTES = 450_000


class StreamClock:
    """The record's clock in a rehearsal: stream time, so that a seed gives the same events."""

    def __init__(self) -> None:
        """Stand at the stream's beginning."""
        self._now_ns = EPOCH_UTC_NS

    def __call__(self) -> int:
        """UTC in nanoseconds."""
        return self._now_ns

    def follow(self, event: DeviceEvent, sample_rate_hz: int) -> None:
        """Move on to the end of an outcome."""
        if isinstance(event, ArrivedOutcome):
            body: dict[str, Any] = event.message.body
            sample = body.get("at_sample") or body.get("last_stamp", 0) // STAMP_SUBDIVISION
            now_ns = EPOCH_UTC_NS + sample * 1_000_000_000 // sample_rate_hz
            self._now_ns = max(self._now_ns, now_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutput:
    """What the demonstration leaves."""

    sentence: str
    """One line that a person understands."""
    summary: dict[str, Any]
    """What `--json` prints."""


def run_demo(
    scenario: Scenario,
    *,
    rule_id: str,
    out: Path,
    language: Language,
    real_time: bool,
    observe: Callable[[DeviceEvent], None],
    ask: Callable[[str], bool | None],
    tell: Callable[[str], None],
) -> DemoOutput:
    """Rehearse one verification and leave report, bundle and plot.

    Args:
        scenario: What the simulated bench shows.
        rule_id: The rule to judge by.
        out: Folder of all that is left.
        language: Of the closing sentence.
        real_time: Whether stream time keeps to the wall clock.
        observe: Sees each of the device's events.
        ask: Puts a yes-or-no question to the person.
        tell: Takes what a person should know on the way.

    Raises:
        SpotcheckError: an input is wrong, or the record cannot be kept.
    """
    rule, meter = load_rule(rule_id), scenario.meter()
    correction = demonstration_correction_set()
    scenario.bench(correction)
    instrument = out / "instrument"
    instrument.mkdir(parents=True, exist_ok=True)
    clock = StreamClock()
    quota = FULL_DISK_BYTES if scenario.fault is Fault.FULL_DISK else None
    key = demonstration_key(scenario.seed, OPERATOR)
    with RecordStore(out / "records.sqlite", key, clock, True, max_bytes=quota) as store:
        for case_id in close_interrupted_cases(store):
            kept = sum(event.kind == "outcome" for event in store.events(case_id))
            tell(f"{case_id} was cut off earlier; its {kept} acknowledged outcomes are kept")
        case_id = f"demo-{scenario.seed}-{len(store.cases()) + 1}"
        with (
            start_bench(instrument, scenario, real_time=real_time) as bench,
            start_device(instrument, correction, bench.addresses) as device,
            connect(device.addresses["host"]) as client,
        ):
            if client.hello.note:
                tell(client.hello.note)

            result = PresentLoadProcedure(
                Case(case_id=case_id, meter=meter, rule=rule, operator=OPERATOR),
                client=client,
                store=store,
                expect=lambda event: clock.follow(event, client.hello.sample_rate_hz),
                observe=observe,
                ask=ask,
            ).run()
        files = _leave_papers(scenario, rule, meter, store, result, out, clock)
    return DemoOutput(
        sentence=closing_sentence(result, scenario, language),
        summary=_summary(scenario, result, files),
    )


def start_bench(folder: Path, scenario: Scenario, *, real_time: bool) -> ChildProcess:
    """The simulated bench as a process of its own.

    Args:
        folder: Where its files go.
        scenario: What it shows.
        real_time: Whether stream time keeps to the wall clock.
    """
    path = folder / "scenario.json"
    path.write_bytes(canonical_bytes(to_plain(scenario)))
    arguments = ["bench", str(path), *(["--real-time"] if real_time else [])]
    return ChildProcess("simulated bench", arguments, folder / "bench.log")


def start_device(
    folder: Path, correction: CorrectionSet, sources: dict[str, str], *, host_serial: str = ""
) -> ChildProcess:
    """The device daemon as a process of its own.

    Args:
        folder: Where its state and files go.
        correction: The instrument's correction set.
        sources: Addresses of samples and pulses.
        host_serial: Serial port of a host; empty for none.
    """
    corrections = folder / "correction-set.json"
    corrections.write_bytes(correction.to_bytes())
    values = {
        "device_id": correction.instrument,
        "state_folder": str(folder / "state"),
        "correction_set": str(corrections),
        "samples": sources["samples"],
        "pulses": sources["pulses"],
        "host_serial": host_serial,
    }
    config = folder / "device.toml"
    # A JSON string is a TOML string.
    config.write_text("".join(f"{k} = {json.dumps(v)}\n" for k, v in values.items()), "utf-8")
    arguments = ["device", str(config), "--until-input-closes"]
    return ChildProcess("device", arguments, folder / "device.log")


def connect(address: str) -> DeviceClient:
    """The device at `host:port`."""
    host, _, port = address.rpartition(":")
    return DeviceClient(TcpTransport(host, int(port)))


def _leave_papers(
    scenario: Scenario, rule: Rule, meter: Meter, store: RecordStore, result: CaseResult,
    out: Path, clock: StreamClock,
) -> dict[str, str]:  # fmt: skip
    """Report, bundle and plot; nothing of it where the record could not be kept."""
    if not result.stored or scenario.fault is Fault.FULL_DISK:
        return {}
    correction = _correction_of(store, result.case_id)
    attachments = {"correction-set.json": correction.to_bytes()}
    files: dict[str, str] = {}
    points = running_error(result.readings, result.evidence, correction)
    error = result.combined
    final = None
    if error is not None:
        final = FinalError(
            error_percent=error.error_percent,
            expanded_uncertainty_percent=error.expanded_uncertainty_percent,
        )
    head = store.head(result.case_id)
    for language in LANGUAGES:
        plot = None
        if points:
            drawing = (
                points, final, result.verdict.mpe_percent, scenario.meter_error_percent, language,
            )  # fmt: skip
            plot = render_running_error(*drawing)
            (out / f"running-error-{language}.svg").write_bytes(plot)
            (out / f"running-error-{language}.png").write_bytes(render_running_error_png(*drawing))
            files["plot"] = str(out / f"running-error-{language}.png")
        report = render_report(
            ReportData(
                case_id=result.case_id,
                meter=meter,
                rule=rule,
                verdict=result.verdict,
                combined=result.combined,
                readings=result.readings,
                cannot_judge=result.obstacle,
                instrument=_instrument(store, result.case_id, correction),
                operator=OPERATOR,
                issued_utc_ns=clock(),
                record_head_hash=head,
                plot_svg=plot,
                demonstration=True,
                emulated=True,
            ),
            language,
        )
        attachments[f"report-{language}.pdf"] = report
        signed = out / f"report-{language}.pdf"
        signed.write_bytes(sign_pdf(report, OPERATOR, demonstration=True))
        files[f"report_{language}"] = str(signed)
    return files | _close_case(store, result, out, attachments)


def _close_case(
    store: RecordStore, result: CaseResult, out: Path, attachments: dict[str, bytes]
) -> dict[str, str]:
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in attachments.items()}
    store.append(result.case_id, "report_issued", {"sha256": digests})
    store.append(result.case_id, "case_closed", {"verdict": result.verdict.judgement.value})
    bundle = out / f"{result.case_id}.zip"
    export_bundle(store, result.case_id, bundle, attachments)
    return {"bundle": str(bundle)}


def _connected(store: RecordStore, case_id: str) -> dict[str, Any]:
    """What the device said of itself when the case began; empty when none was connected."""
    for event in store.events(case_id):
        if event.kind == "device_connected":
            return dict(event.body)
    return {}


def _correction_of(store: RecordStore, case_id: str) -> CorrectionSet:
    return parse_correction_set(store.blob(_connected(store, case_id)["correction_set_sha256"]))


def _instrument(store: RecordStore, case_id: str, correction: CorrectionSet) -> InstrumentIdentity:
    return InstrumentIdentity(
        device_id=_connected(store, case_id)["device_id"],
        certificate=correction.certificate,
        correction_set_sha256=correction.sha256,
        valid_until=correction.valid_until,
        software=_connected(store, case_id)["software"],
    )


def closing_sentence(result: CaseResult, scenario: Scenario, language: Language) -> str:
    """The result in one line that a person understands."""
    verdict = result.verdict
    judgement = word(verdict.judgement, language)
    if result.combined is None or verdict.judgement is Judgement.CANNOT_JUDGE:
        name, cure = reason_and_cure(verdict.reason, language) if verdict.reason else ("", "")
        return f"{judgement}: {name} ({verdict.explanation}). {cure}"
    line = {
        "en": "{sentence}: {judgement} by {rule} (±{mpe} %); the simulated meter's true error is "
        "{truth} %",
        "zh": "{sentence}：{judgement}（{rule}，±{mpe} %）；仿真表真实误差 {truth} %",
    }[language]
    return line.format(
        sentence=error_sentence(result.combined, language),
        judgement=judgement,
        rule=verdict.rule_id,
        mpe=verdict.mpe_percent,
        truth=f"{scenario.meter_error_percent:+g}".replace("-", "−"),
    )


def _summary(scenario: Scenario, result: CaseResult, files: dict[str, str]) -> dict[str, Any]:
    verdict, combined = result.verdict, result.combined
    return {
        "true_error_percent": scenario.meter_error_percent,
        "error_percent": combined.error_percent if combined else None,
        "expanded_uncertainty_percent": combined and combined.expanded_uncertainty_percent,
        "coverage_factor": combined.coverage_factor if combined else None,
        "pulses": sum(reading.pulses_used for reading in result.readings),
        "duration_s": sum(reading.duration_s for reading in result.readings),
        "readings": [to_plain(reading.reading_id) for reading in result.readings],
        "verdict": verdict.judgement.value,
        "reason": verdict.reason.value if verdict.reason else None,
        "explanation": verdict.explanation,
        "cure": CURES[verdict.reason] if verdict.reason else None,
        "rule": verdict.rule_id,
        "clause": verdict.clause,
        "mpe_percent": str(verdict.mpe_percent) if verdict.mpe_percent is not None else None,
        "rounded_error_percent": (
            str(verdict.rounded_error_percent)
            if verdict.rounded_error_percent is not None
            else None
        ),
        "indicative": verdict.indicative,
        "case": result.case_id,
        "report": files.get("report_en"),
        "report_zh": files.get("report_zh"),
        "bundle": files.get("bundle"),
        "plot": files.get("plot"),
    }
