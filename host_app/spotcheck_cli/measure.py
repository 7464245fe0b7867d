"""`spotcheck measure`: what a recording holds, as a table, as JSON or as a plot."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.markup import escape
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
from spotcheck_host.recorded_measurement import RecordedMeasurement, measure
from spotcheck_host.recorded_meter import (
    SCOPE_ALGORITHM,
    SCOPE_INSTRUMENT,
    NoRecordedError,
    RecordedError,
    Reference,
    conditions_of,
    judge_recorded,
    meter_error,
    stated_reference,
)
from spotcheck_host.recorded_window import Window, choose_window
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording
from spotcheck_recording.pulses_file import read_pulse_times
from spotcheck_recording.recording import Recording

AUDIO = (".wav", ".flac")
LEAST_SHOWN_PERCENT = 0.2
"""Smaller harmonics above the 7th are in the JSON only."""


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
    rate_from: str = "header"
    """Whether COMTRADE's header or its time stamps say the rate."""
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
    export: bool = False
    """Whether the meter's pulses count exported energy."""
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
    if options.plot is not None:
        from spotcheck_host.recording_plot import check_plot_path  # matplotlib only when needed

        check_plot_path(options.plot)
    with _opened(options) as recording:
        pulses = read_pulse_times(options.pulses) if options.pulses else None
        times_s = pulses.times_s if pulses else None
        if times_s is not None and isinstance(recording, CorrectedRecording):
            times_s = recording.true_times_s(times_s)
        window = choose_window(recording, options.start_s, options.duration_s)
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task(f"measuring {options.path.name}", total=1.0)
            measured = measure(
                recording,
                window,
                pulses_s=times_s,
                progress=lambda done: bar.update(task, completed=done),
            )
        conditions = conditions_of(measured.quantities)
        summary = {
            "file": str(options.path),
            "format": recording.format_name,
            "channels": {c.name: c.source.key for c in recording.channels},
            **measurement_summary(measured, conditions),
            "notes": _notes(recording, measured, window),
        }
        if pulses is not None:
            result, verdict = _meter(options, measured, recording, pulses.resolution_s)
            summary["meter"] = meter_summary(result, verdict)
        if options.plot is not None:
            from spotcheck_host.recording_plot import save_plot  # matplotlib only when needed

            save_plot(recording, measured.window, summary, options.plot)
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
        side=options.side.lower(),
        sample_rate_hz=options.sample_rate_hz,
        rate_from=options.rate_from,
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


def _notes(recording: Recording, measured: RecordedMeasurement, asked: Window) -> list[str]:
    """What a person should know of this file and this window."""
    index = measured.window.segment.index
    # Of other segments than the measured one there is nothing to know.
    notes = [
        note
        for note in recording.notes
        if not note.startswith("segment ") or note.startswith(f"segment {index + 1}:")
    ]
    if len(recording.segments) > 1:
        notes.append(
            f"segment {index + 1} of {len(recording.segments)} was measured; "
            f"choose another with --start and --duration"
        )
    left_out = (
        measured.window.first_sample - asked.first_sample,
        asked.end_sample - measured.window.end_sample,
    )
    # A skew below a sample costs one sample at most: the window's printed times say that.
    if max(left_out) > 1:
        notes.append(
            f"samples left out of the window because of the channels' skews: {left_out[0]} at its "
            f"begin, {left_out[1]} at its end; not every channel was sampled there"
        )
    for found in measured.unsteady:
        notes.append(
            f"{found.channel} is not steady: over single cycles it lies between "
            f"{found.smallest:.4g} and {found.largest:.4g}; what is printed is its mean"
        )
    if measured.window.duration_s * measured.quantities.frequency_hz < 9.5:
        notes.append("less than 10 cycles: what is not steady moves frequency and angles")
    return notes


def _refuse_contradictions(options: MeasureOptions) -> None:
    ranges = (options.voltage_range, options.current_range)
    if options.correction is None and ranges != (None, None):
        raise RecordingError("--voltage-range and --current-range belong to --correction SET")
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
    resolution_s: float,
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
    result = meter_error(
        measured, meter, reference, resolution_s=resolution_s, export=options.export
    )
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

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"[bold]{escape(summary['file'])}[/]  {summary['format']}")
    say(
        f"  {summary['window_start_s']:.6g} s to {end_s:.6g} s, {summary['sample_rate_hz']:.9g} "
        f"S/s, {summary['kernel']}, f = {summary['frequency_hz']:.6f} Hz"
    )
    channels = ", ".join(f"{name} = {key}" for name, key in summary["channels"].items())
    say(f"  {escape(channels)}")
    for note in summary["notes"]:
        say(f"  [yellow]{escape(note)}[/]")
    console.print(_quantities(summary))
    if summary["sequence"] is not None:
        console.print(_sequence(summary["sequence"]))
    console.print(_harmonics(summary["phases"]))
    if "meter" in summary:
        for line in _meter_lines(summary["meter"]):
            say(line)


_ROWS = (
    ("U", "u_v", "V"),
    ("I", "i_a", "A"),
    ("P", "p_w", "W"),
    ("Q1", "q1_var", "var"),
    ("S (arithmetic)", "s_va", "VA"),
    ("PF", "pf", ""),
    ("U1", "u1_v", "V"),
    ("∠U1 / °", "u_phase_deg", "°"),
    ("I1", "i1_a", "A"),
    ("∠I1 / °", "i_phase_deg", "°"),
    ("THD U / %", "thd_u_percent", "%"),
    ("THD I / %", "thd_i_percent", "%"),
    ("U DC", "u_dc_v", "V"),
    ("I DC", "i_dc_a", "A"),
)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))
_PLACES = {"": 5, "°": 4, "%": 3}


def print_channels(console: Console, path: Path) -> None:
    """List the channels of a recording."""
    table = Table(box=None, pad_edge=False)
    for name in ("number", "name", "unit", "phase"):
        table.add_column(name)
    for channel in list_channels(path):
        table.add_row(str(channel.number), channel.key, channel.unit, channel.phase_label)
    console.print(table)


def _text(value: float | None, places: int) -> str:
    if value is None:
        return "–"
    text = f"{value:.{places}f}"
    # A zero has no sign.
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def _prefixed(values: list[float | None], unit: str) -> tuple[str, list[str]]:
    """The unit with the prefix that suits the largest value, and seven digits of each."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    factor, prefix = 1.0, ""
    if largest >= 1e4 or 1e-6 < largest < 0.1:
        factor, prefix = next((p for p in _PREFIXES if largest >= p[0]), _PREFIXES[-1])
    places = max(0, 7 - len(str(int(largest / factor))))
    texts = [_text(None if v is None else v / factor, places) for v in values]
    return f"{prefix}{unit}", texts


def _quantities(summary: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    phases, total = summary["phases"], summary["total"]
    for number in range(1, len(phases) + 1):
        table.add_column(f"L{number}", justify="right")
    if len(phases) > 1:
        table.add_column("total", justify="right")
    for name, key, unit in _ROWS:
        values = [phase[key] for phase in phases]
        if len(phases) > 1 and key in total:
            values.append(total[key])
        if unit in _PLACES:
            title, cells = name, [_text(value, _PLACES[unit]) for value in values]
        else:
            shown, cells = _prefixed(values, unit)
            title = f"{name} / {shown}"
        table.add_row(title, *cells)
    return table


def _sequence(sequence: dict[str, float]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("symmetrical components", "positive", "negative", "zero"):
        table.add_column(name, justify="left" if " " in name else "right")
    for name, unit in (("u", "v"), ("i", "a")):
        shown, cells = _prefixed(
            [sequence[f"{name}_{part}_{unit}"] for part in ("positive", "negative", "zero")],
            unit.upper(),
        )
        table.add_row(f"{name.upper()} / {shown}", *cells)
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
        largest = max((level for level in levels if level is not None), default=0.0)
        if order <= 7 or largest >= LEAST_SHOWN_PERCENT:
            table.add_row(str(order), *(_text(level, 3) for level in levels))
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
    if meter["hint"]:
        lines.append(f"  {meter['hint']}")
    if meter["uncertainty_scope"] == SCOPE_ALGORITHM:
        lines.append(
            "  the instrument's own uncertainty is not known and not in this figure; add "
            "--reference-uncertainty-percent or --correction"
        )
    if meter["verdict"]:
        verdict = meter["verdict"]
        lines.append(
            f"  {verdict['judgement']} by {verdict['clause'] or verdict['rule']}: "
            f"{verdict['explanation']}"
        )
    return lines
