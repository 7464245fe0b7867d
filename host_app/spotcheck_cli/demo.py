"""The main job, rehearsed: simulated mains to signed report, through all processes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spotcheck.plain import to_plain
from spotcheck.reading import CURES
from spotcheck.rule import load_rule
from spotcheck.verdict import Judgement
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.rehearsal import StreamClock, connect, only_one_in, start_bench, start_device
from spotcheck_cli.scenario import Fault, Scenario
from spotcheck_device.recorder import folder_name
from spotcheck_host.case_papers import Circumstances, leave_papers
from spotcheck_host.detail_text import finding_in_chinese
from spotcheck_host.device_client import DeviceEvent
from spotcheck_host.keys import demonstration_key
from spotcheck_host.procedure import (
    Attendance,
    Case,
    CaseResult,
    PresentLoadProcedure,
    close_interrupted_cases,
)
from spotcheck_host.records import RecordStore
from spotcheck_host.report_text import Language, error_sentence, reason_and_cure, word

OPERATOR = "demonstration"
FULL_DISK_BYTES = 450_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOutput:
    """What the demonstration leaves."""

    sentence: str
    """One line that a person understands."""
    summary: dict[str, Any]
    """What `--json` prints."""


def run_demo(  # noqa: PLR0913 - the scenario, and a word for each way out
    scenario: Scenario,
    *,
    rule_id: str,
    out: Path,
    language: Language,
    real_time: bool,
    observe: Callable[[DeviceEvent], None],
    ask: Callable[[str], bool | None],
    tell: Callable[[str], None],
    record: str = "",
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
        record: Format in which the device records what it measures; empty for not at all.

    Raises:
        SpotcheckError: an input is wrong, or the record cannot be kept.
    """
    rule, meter = load_rule(rule_id), scenario.meter()
    correction = demonstration_correction_set()
    scenario.bench(correction)
    instrument = out / "instrument"
    instrument.mkdir(parents=True, exist_ok=True)
    recordings = out / "recordings"
    clock = StreamClock()
    quota = FULL_DISK_BYTES if scenario.fault is Fault.FULL_DISK else None
    key = demonstration_key(scenario.seed, OPERATOR)
    with (
        only_one_in(out),
        RecordStore(out / "records.sqlite", key, clock, True, max_bytes=quota) as store,
    ):
        for case_id in close_interrupted_cases(store):
            kept = sum(event.kind == "outcome" for event in store.events(case_id))
            tell(f"{case_id} was cut off earlier; its {kept} acknowledged outcomes are kept")
        case = Case(
            case_id=f"demo-{scenario.seed}-{len(store.cases()) + 1}",
            meter=meter,
            rule=rule,
            operator=OPERATOR,
        )
        with (
            start_bench(instrument, scenario, real_time=real_time) as bench,
            start_device(
                instrument,
                correction,
                bench.addresses,
                record=(recordings, record) if record else None,
            ) as device,
            connect(instrument, device.addresses["host"]) as client,
        ):
            if client.hello.note:
                tell(client.hello.note)

            result = PresentLoadProcedure(
                case,
                client=client,
                store=store,
                attendance=Attendance(
                    expect=lambda event: clock.follow(event, client.hello.sample_rate_hz),
                    observe=observe,
                    ask=ask,
                ),
            ).run()
        circumstances = Circumstances(
            issued_utc_ns=clock(),
            emulated=True,
            true_error_percent=scenario.meter_error_percent,
        )
        files = leave_papers(store, case, result, circumstances, out)
    return DemoOutput(
        sentence=closing_sentence(result, scenario, language),
        summary={
            **_summary(scenario, result, files),
            "recordings": _finished_recordings(recordings, case.case_id) if record else [],
        },
    )


def _finished_recordings(folder: Path, case_id: str) -> list[str]:
    """Recordings of a case: a request is named by its case and a number."""
    begun = folder.glob(f"{folder_name(case_id + '/')}*")
    found = [path for path in begun if path.suffix != ".partial"]
    return [str(path) for path in sorted(found, key=lambda path: (len(path.name), path.name))]


def closing_sentence(result: CaseResult, scenario: Scenario, language: Language) -> str:
    """The result in one line that a person understands."""
    verdict = result.verdict
    judgement = word(verdict.judgement, language)
    if result.combined is None or verdict.judgement is Judgement.CANNOT_JUDGE:
        name, cure = reason_and_cure(verdict.reason, language) if verdict.reason else ("", "")
        if language == "zh":
            return f"{judgement}：{name}（{finding_in_chinese(verdict.explanation)}）。{cure}"
        return f"{judgement}: {name} ({verdict.explanation}). {cure[:1].upper()}{cure[1:]}"
    line = {
        "en": "{sentence}: {judgement} by {rule} (±{mpe} %, accepted to ±{accepted} % as it is "
        "rounded); the simulated meter's true error is {truth} %",
        "zh": "{sentence}：{judgement}（{rule}，±{mpe} %，按修约判定界限为 ±{accepted} %）；"
        "仿真表真实误差 {truth} %",
    }[language]
    return line.format(
        sentence=error_sentence(result.combined, language),
        judgement=judgement,
        rule=verdict.rule_id,
        mpe=verdict.mpe_percent,
        accepted=verdict.acceptance_limit_percent,
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
        "acceptance_limit_percent": (
            str(verdict.acceptance_limit_percent)
            if verdict.acceptance_limit_percent is not None
            else None
        ),
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
