"""`spotcheck measure`: what a recording holds, as a table, as JSON or as a plot."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from spotcheck.errors import MeterDataError, RecordingError
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.rule import load_rule
from spotcheck.samples import FULL_SCALE_CODE
from spotcheck.verdict import Verdict
from spotcheck_calibration.budget import instrument_parts
from spotcheck_calibration.correction_set import load_correction_set
from spotcheck_host.measurement_summary import measurement_summary, meter_summary
from spotcheck_host.recorded_instrument import CorrectedRecording
from spotcheck_host.recorded_measurement import RecordedMeasurement, choose_window, measure
from spotcheck_host.recorded_meter import (
    SCOPE_INSTRUMENT,
    NoRecordedError,
    RecordedError,
    Reference,
    conditions_of,
    judge_recorded,
    meter_error,
    stated_reference,
)
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording
from spotcheck_recording.pulses_file import read_pulse_times
from spotcheck_recording.recording import Recording

AUDIO = (".wav", ".flac")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureOptions:
    """What was asked for on the command line."""

    path: Path
    """The recording."""
    maps: tuple[str, ...] = ()
    """Channels, as in u1=NAME."""
    scales: tuple[str, ...] = ()
    """Factors, as in u1=325.27."""
    side: str = "recorded"
    """recorded, primary or secondary."""
    sample_rate_hz: float | None = None
    """Stated sampling rate."""
    start_s: float | None = None
    """Where the window begins."""
    duration_s: float | None = None
    """How long it is."""
    pulses: Path | None = None
    """Pulse times."""
    constant: str | None = None
    """Meter constant."""
    correction: Path | None = None
    """Correction set of the instrument that recorded."""
    voltage_range: str | None = None
    """Range of the voltages in that set."""
    current_range: str | None = None
    """Range or clamp of the currents in that set."""
    reference_uncertainty_percent: float | None = None
    """Stated expanded uncertainty (k = 2) of the reference."""
    meter_class: str | None = None
    """Accuracy class, for a verdict."""
    basic_current: str = "5"
    """Ib, for a verdict."""
    max_current: str = "60"
    """Imax, for a verdict."""
    nominal_voltage: str = "220"
    """Un, for a verdict."""
    rule_id: str = "jjg596-2012"
    """Rule, for a verdict."""
    plot: Path | None = None
    """Where a plot goes."""


def run_measure(options: MeasureOptions, console: Console) -> dict[str, Any]:
    """Open, measure, and work out the meter's error where pulses are given.

    Args:
        options: What was asked for.
        console: Where progress goes.

    Raises:
        SpotcheckError: an input is wrong.
    """
    _refuse_contradictions(options)
    with _opened(options) as recording:
        pulses = read_pulse_times(options.pulses) if options.pulses else None
        window = choose_window(recording, options.start_s, options.duration_s)
        with Progress(console=console, transient=True) as progress:
            task = progress.add_task(f"measuring {options.path.name}", total=1.0)
            measured = measure(
                recording,
                window,
                pulses_s=pulses,
                progress=lambda done: progress.update(task, completed=done),
            )
        conditions = conditions_of(measured.quantities)
        summary = {
            "file": str(options.path),
            "format": recording.format_name,
            "channels": {c.name: c.source.key for c in recording.channels},
            **measurement_summary(measured, conditions),
            "notes": list(recording.notes),
        }
        if options.pulses is not None:
            result, verdict = _meter(options, measured, recording)
            summary["meter"] = meter_summary(result, verdict)
        if options.plot is not None:
            from spotcheck_host.recording_plot import save_plot  # matplotlib only when needed

            save_plot(recording, window, summary, options.plot)
    return summary


def _opened(options: MeasureOptions) -> Recording:
    """The recording, with its instrument's corrections where a set is given."""
    maps, scales, holds_codes = options.maps, options.scales, False
    if options.correction is not None and not scales and options.path.suffix.lower() in AUDIO:
        # Samples of an audio file are fractions of full scale; the codes are what was recorded.
        count = len(list_channels(options.path))
        names = [f"{kind}{phase}" for phase in range(1, count // 2 + 1) for kind in "ui"]
        maps = maps or tuple(f"{name}={k}" for k, name in enumerate(names, 1))
        scales = tuple(f"{name}={FULL_SCALE_CODE}" for name in names)
        holds_codes = True
    channel_map = parse_channel_map(maps, scales)
    recording = open_recording(
        options.path,
        channel_map=channel_map if channel_map.keys or channel_map.scales else None,
        side=options.side,
        sample_rate_hz=options.sample_rate_hz,
    )
    if options.correction is None:
        return recording
    return CorrectedRecording(
        recording,
        load_correction_set(options.correction),
        options.voltage_range,
        options.current_range,
        holds_codes=holds_codes,
    )


def _refuse_contradictions(options: MeasureOptions) -> None:
    if options.pulses is not None and options.constant is None:
        raise MeterDataError("--pulses needs the meter constant; add --constant '1200 imp/kWh'")
    if options.constant is not None and options.pulses is None:
        raise MeterDataError("--constant is of no use without --pulses PULSES.csv")
    if options.correction is not None and options.reference_uncertainty_percent is not None:
        raise RecordingError(
            "--correction and --reference-uncertainty-percent both state the uncertainty of the "
            "reference; give one of them"
        )
    stated = options.reference_uncertainty_percent
    if stated is not None and not (np.isfinite(stated) and stated > 0):
        raise RecordingError(
            f"--reference-uncertainty-percent {stated} is no uncertainty; give a positive number"
        )
    known = options.correction is not None or stated is not None
    if options.meter_class is not None and not known:
        raise RecordingError(
            "a verdict needs the uncertainty of the reference; add --correction SET or "
            "--reference-uncertainty-percent U, or leave out --class"
        )


def _meter(
    options: MeasureOptions,
    measured: RecordedMeasurement,
    recording: Recording,
) -> tuple[RecordedError | NoRecordedError, Verdict | None]:
    conditions = conditions_of(measured.quantities)
    meter = Meter(
        serial="",
        accuracy_class=AccuracyClass.of(options.meter_class or "2"),
        constant=MeterConstant.parse(options.constant or ""),
        phases=len(conditions.phases),
        nominal_voltage_v=_decimal("--nominal-voltage", options.nominal_voltage),
        basic_current_a=_decimal("--basic-current", options.basic_current),
        max_current_a=_decimal("--max-current", options.max_current),
    )
    reference = stated_reference(options.reference_uncertainty_percent)
    if isinstance(recording, CorrectedRecording) and len(measured.pulses_s) > 1 and conditions.p_w:
        duration_s = float(measured.pulses_s[-1] - measured.pulses_s[0])
        parts = instrument_parts(conditions, recording.stream, recording.correction, duration_s)
        reference = Reference(scope=SCOPE_INSTRUMENT, parts=parts)
    result = meter_error(measured, meter, reference)
    if isinstance(result, NoRecordedError) or options.meter_class is None:
        return result, None
    rule = load_rule(options.rule_id)
    return result, judge_recorded(rule, meter, result, conditions)


def _decimal(option: str, text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise MeterDataError(f"{option} {text!r} is no number") from None


def print_table(console: Console, summary: dict[str, Any]) -> None:
    """The summary as tables."""
    end_s = summary["window_start_s"] + summary["window_s"]
    console.print(
        f"[bold]{summary['file']}[/]  {summary['format']}, {summary['sample_rate_hz']:g} S/s, "
        f"{summary['window_start_s']:.6g} s to {end_s:.6g} s, {summary['kernel']}, "
        f"f = {summary['frequency_hz']:.6f} Hz",
        highlight=False,
    )
    for note in summary["notes"]:
        console.print(f"  [yellow]{note}[/]", highlight=False)
    console.print(_quantities(summary))
    if summary["sequence"] is not None:
        console.print(_sequence(summary["sequence"]))
    console.print(_harmonics(summary["phases"]))
    if "meter" in summary:
        for line in _meter_lines(summary["meter"]):
            console.print(line, highlight=False, soft_wrap=True)


_ROWS = (
    ("U / V", "u_v", "{:.4f}"),
    ("I / A", "i_a", "{:.5f}"),
    ("P / W", "p_w", "{:.4f}"),
    ("Q1 / var", "q1_var", "{:.4f}"),
    ("S / VA", "s_va", "{:.4f}"),
    ("PF", "pf", "{:.5f}"),
    ("U1 / V", "u1_v", "{:.4f}"),
    ("∠U1 / °", "u_phase_deg", "{:.4f}"),
    ("I1 / A", "i1_a", "{:.5f}"),
    ("∠I1 / °", "i_phase_deg", "{:.4f}"),
    ("THD U / %", "thd_u_percent", "{:.3f}"),
    ("THD I / %", "thd_i_percent", "{:.3f}"),
    ("U DC / V", "u_dc_v", "{:.4f}"),
    ("I DC / A", "i_dc_a", "{:.5f}"),
)


def print_channels(console: Console, path: Path) -> None:
    """List the channels of a recording."""
    table = Table(box=None, pad_edge=False)
    for name in ("number", "name", "unit", "phase"):
        table.add_column(name)
    for channel in list_channels(path):
        table.add_row(str(channel.number), channel.key, channel.unit, channel.phase_label)
    console.print(table)


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value).replace("-", "−")


def _quantities(summary: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    phases, total = summary["phases"], summary["total"]
    for number in range(1, len(phases) + 1):
        table.add_column(f"L{number}", justify="right")
    if len(phases) > 1:
        table.add_column("total", justify="right")
    for name, key, form in _ROWS:
        cells = [_text(phase[key], form) for phase in phases]
        if len(phases) > 1:
            cells.append(_text(total[key], form) if key in total else "")
        table.add_row(name, *cells)
    return table


def _sequence(sequence: dict[str, float]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("symmetrical components", "positive", "negative", "zero"):
        table.add_column(name, justify="left" if " " in name else "right")
    for name, unit, form in (("u", "v", "{:.4f}"), ("i", "a", "{:.5f}")):
        cells = [
            form.format(sequence[f"{name}_{part}_{unit}"])
            for part in ("positive", "negative", "zero")
        ]
        table.add_row(f"{name.upper()} / {unit.upper()}", *cells)
    return table


def _harmonics(phases: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("order")
    for number in range(1, len(phases) + 1):
        table.add_column(f"U{number} / %", justify="right")
        table.add_column(f"I{number} / %", justify="right")
    for order in range(2, len(phases[0]["u_harmonics_v"]) + 1):
        levels = []
        for phase in phases:
            for name in ("u_harmonics_v", "i_harmonics_a"):
                first = phase[name][0]
                levels.append(100 * phase[name][order - 1] / first if first else None)
        # A table of fifty rows of zeros helps nobody.
        if order <= 7 or any(level is not None and level >= 0.05 for level in levels):
            table.add_row(str(order), *(_text(level, "{:.3f}") for level in levels))
    return table


def _meter_lines(meter: dict[str, Any]) -> list[str]:
    if "cannot_judge" in meter:
        return [f"[bold]meter:[/] {meter['cannot_judge']} ({meter['detail']}); {meter['cure']}"]
    error, u = meter["error_percent"], meter["expanded_uncertainty_percent"]
    lines = [
        f"[bold]meter:[/] error {error:+.5f} % ± {u:.2g} % (95 %, {meter['uncertainty_scope']}), "
        f"gate {meter['gate_error_percent']:+.5f} %, {meter['pulses_used']} pulses used, "
        f"{meter['pulses_rejected']} rejected, {meter['pulses_outside']} outside"
    ]
    if meter["verdict"]:
        verdict = meter["verdict"]
        lines.append(
            f"  {verdict['judgement']} by {verdict['rule']} {verdict['clause'] or ''}: "
            f"{verdict['explanation']}"
        )
    return lines
