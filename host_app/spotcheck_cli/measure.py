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
from spotcheck_host.recorded_measurement import RecordedMeasurement, measure
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
from spotcheck_host.recorded_window import Window, choose_window
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


def print_channels(console: Console, path: Path) -> None:
    """List the channels of a recording."""
    table = Table(box=None, pad_edge=False)
    for name in ("number", "name", "unit", "phase"):
        table.add_column(name)
    for channel in list_channels(path):
        table.add_row(str(channel.number), channel.key, channel.unit, channel.phase_label)
    console.print(table)
