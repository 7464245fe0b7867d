"""Draws the two station recordings of docs/recordings.md and prints the figures of its tables.

    .venv/bin/python tools/station_plots.py ../shared/data/comtrade docs/images

The station files stay where they are; pictures and figures are all that is taken from them.
"""

import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from spotcheck_dsp.channel_alignment import aligned
from spotcheck_host.measurement_summary import measurement_summary
from spotcheck_host.recorded_measurement import measure
from spotcheck_host.recorded_meter import conditions_of
from spotcheck_host.recorded_window import choose_window
from spotcheck_host.report_fonts import report_fonts
from spotcheck_recording.channel_map import parse_channel_map
from spotcheck_recording.opening import list_channels, open_recording
from spotcheck_recording.recording import Recording

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

CYCLE = 64
"""Samples of a mains cycle: the recorders take 64 of each."""
PHASES = ("A", "B", "C")
COLOURS = ("#c28a00", "#1b7f3b", "#c0281f")
"""Phases A, B, C as Chinese practice has them: yellow, green, red."""
SEQUENCE_COLOURS = ("#1f5f99", "#b0468f", "#444b52")
SEQUENCES = ("positive", "negative", "zero")
STEADY_S = 0.18
"""So much of the beginning is steady: the trigger comes at 0.2 s."""
WHAT = ("the fault", "reclosed onto the fault")
LIVE_A = 320.0
"""Primary current (1 A secondary) that tells a fault from load."""
TITLE: dict[str, Any] = {"fontweight": "bold", "family": "DejaVu Sans"}
"""The Chinese font has no bold face."""
STYLE = {
    "font.size": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a939b",
    "axes.grid": True,
    "grid.color": "#e6eaed",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One recording and the channels of the faulted line in it."""

    name: str
    """File name without suffix."""
    title: str
    """For people."""
    voltages: tuple[int, int, int]
    """Numbers of the voltage channels A, B, C."""
    currents: tuple[int, int, int]
    """Numbers of the current channels A, B, C of line 214."""
    panes_s: tuple[tuple[float, float], tuple[float, float]]
    """Begin and end of what is drawn of the fault and of the reclosing."""


STATIONS = (
    Station(
        name="xtz",
        title="Station xtz",
        voltages=(1, 2, 3),
        currents=(33, 34, 35),
        panes_s=((0.18, 0.30), (1.305, 1.425)),
    ),
    Station(
        name="ygz",
        title="Station ygz",
        voltages=(1, 2, 3),
        currents=(45, 46, 47),
        panes_s=((0.18, 0.30), (1.305, 1.425)),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One stretch at 3200 S/s, all channels at common instants, primary side."""

    times_s: Array
    """(n,) recording's time."""
    voltages_v: Array
    """(n, 3)."""
    currents_a: Array
    """(n, 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is drawn of a station."""

    station: Station
    """Which."""
    names: tuple[str, ...]
    """The mapped channels' names in the file."""
    before: dict[str, Any]
    """Summary of the steady part, primary side."""
    runs: tuple[Run, Run]
    """The stretches with the fault and with the reclosing."""


def read_event(folder: Path, station: Station) -> Event:
    """Measure the steady part and read both stretches at 3200 S/s."""
    path = folder / f"{station.name}.cfg"
    maps = [f"u{p}=#{number}" for p, number in enumerate(station.voltages, 1)]
    maps += [f"i{p}=#{number}" for p, number in enumerate(station.currents, 1)]
    keys = {source.number: source.key for source in list_channels(path)}
    with open_recording(path, channel_map=parse_channel_map(maps), side="primary") as recording:
        measured = measure(recording, choose_window(recording, 0.0, STEADY_S))
        return Event(
            station=station,
            names=tuple(keys[n] for n in station.voltages + station.currents),
            before=measurement_summary(measured, conditions_of(measured.quantities)),
            runs=(_run(recording, 0), _run(recording, 2)),
        )


def _run(recording: Recording, index: int) -> Run:
    segment = recording.segments[index]
    blocks = recording.blocks(segment.first_sample, segment.end_sample)
    values = np.concatenate([block.values for block in blocks])
    skews = np.array([channel.skew_s for channel in recording.channels])
    values = aligned(values, skews * segment.sample_rate_hz)
    times_s = segment.start_s + np.arange(len(values)) / segment.sample_rate_hz
    return Run(times_s=times_s, voltages_v=values[:, ::2], currents_a=values[:, 1::2])


def cycle_rms(values: Array) -> Array:
    """RMS over the cycle that ends with each sample; NaN in the first cycle."""
    total = np.cumsum(np.vstack([np.zeros(values.shape[1]), values**2]), axis=0)
    rms = np.full(values.shape, np.nan)
    rms[CYCLE - 1 :] = np.sqrt((total[CYCLE:] - total[:-CYCLE]) / CYCLE)
    return rms


def cycle_phasors(values: Array) -> Complex:
    """RMS phasors of the fundamental over the cycle that ends with each sample."""
    turned = values * np.exp(-2j * np.pi * np.arange(len(values)) / CYCLE)[:, None]
    total = np.cumsum(np.vstack([np.zeros(values.shape[1]), turned]), axis=0)
    phasors = np.full(values.shape, np.nan, np.complex128)
    phasors[CYCLE - 1 :] = np.sqrt(2) * (total[CYCLE:] - total[:-CYCLE]) / CYCLE
    return phasors


def sequences(phasors: Complex) -> Array:
    """(n, 3) RMS of the positive, negative and zero sequence of (n, 3) phasors."""
    third = np.exp(2j * np.pi / 3)
    one, two, three = phasors.T
    parts = [one + third * two + third**2 * three, one + third**2 * two + third * three]
    return np.abs(np.column_stack([*parts, one + two + three])) / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Figures of one fault at one station, primary side."""

    start_s: float
    """When the current of phase A leaves the load's."""
    cycles: float
    """Until it is interrupted."""
    peak_a: float
    """Largest instantaneous current of phase A."""
    currents_a: tuple[float, ...]
    """Phases A, B, C over the cycle in which A is largest, RMS."""
    voltages_v: tuple[float, ...]
    """Phases A, B, C over the cycle in which A is lowest before the current ends, RMS."""
    current_sequence_a: tuple[float, ...]
    """Positive, negative and zero sequence of the same cycle as the currents."""
    voltage_sequence_v: tuple[float, ...]
    """Of the same cycle as the voltages."""


def find_fault(run: Run) -> Fault:
    """Find where phase A carries more than load, and what was there."""
    live = np.flatnonzero(np.abs(run.currents_a[:, 0]) > LIVE_A)
    first, last = int(live[0]), int(live[-1])
    current_rms, voltage_rms = cycle_rms(run.currents_a), cycle_rms(run.voltages_v)
    # A cycle that lies wholly within the fault ends after one cycle of it.
    inside = slice(first + CYCLE - 1, last + 1)
    at_i = inside.start + int(np.argmax(current_rms[inside, 0]))
    at_u = inside.start + int(np.argmin(voltage_rms[inside, 0]))
    return Fault(
        start_s=float(run.times_s[first]),
        cycles=(last - first + 1) / CYCLE,
        peak_a=float(np.max(np.abs(run.currents_a[:, 0]))),
        currents_a=tuple(current_rms[at_i]),
        voltages_v=tuple(voltage_rms[at_u]),
        current_sequence_a=tuple(sequences(cycle_phasors(run.currents_a))[at_i]),
        voltage_sequence_v=tuple(sequences(cycle_phasors(run.voltages_v))[at_u]),
    )


def draw_prefault(events: list[Event]) -> Figure:
    """Two cycles of the steady part, and its phasors."""
    figure = _figure((10.5, 6.4))
    grid = figure.add_gridspec(2, 3, width_ratios=(1.35, 1.35, 1))
    for row, event in enumerate(events):
        run, steady = event.runs[0], slice(0, 2 * CYCLE + 1)
        panes = [figure.add_subplot(grid[row, column]) for column in range(2)]
        quantities = ((run.voltages_v / 1e3, "U / kV"), (run.currents_a, "I / A"))
        for pane, (values, text) in zip(panes, quantities, strict=True):
            for phase in range(3):
                pane.plot(
                    1e3 * run.times_s[steady], values[steady, phase], color=COLOURS[phase],
                    linewidth=1.5, label=PHASES[phase],
                )  # fmt: skip
            pane.set_ylabel(text)
            pane.set_xlabel("t / ms")
            pane.margins(x=0)
        panes[0].set_title(event.station.title, loc="left", **TITLE)
        for pane, names in zip(panes, (event.names[:3], event.names[3:]), strict=True):
            pane.set_title(names[0] + ", b, c", loc="right", fontsize=8, color="#5b646c")
        _draw_phasors(figure.add_subplot(grid[row, 2], projection="polar"), event.before)
    return figure


def _draw_phasors(pane: Any, summary: dict[str, Any]) -> None:
    pane.set_theta_zero_location("N")
    longest = max(phase["i1_a"] for phase in summary["phases"])
    for number, phase in enumerate(summary["phases"]):
        for name, angle, length, dash in (
            ("U", phase["u_phase_deg"], 1.0, "-"),
            ("I", phase["i_phase_deg"], 0.68 * phase["i1_a"] / longest, "--"),
        ):
            turn, colour = np.radians(angle), COLOURS[number]
            pane.annotate(
                "", xy=(turn, length), xytext=(0, 0),
                arrowprops={
                    "arrowstyle": "-|>", "color": colour, "linewidth": 1.8, "linestyle": dash,
                    "shrinkA": 0, "shrinkB": 0,
                },
            )  # fmt: skip
            pane.text(turn, length + 0.16, f"{name}{PHASES[number].lower()}", color=colour,
                      ha="center", va="center", fontsize=9)  # fmt: skip
    total = summary["total"]
    pane.set_ylim(0, 1.18)
    pane.set_yticks([0.5, 1.0], ["", ""])
    pane.set_xticks(np.radians(np.arange(0, 360, 30)), [""] * 12)
    pane.spines["polar"].set_visible(False)
    pane.set_title(
        f"P = {total['p_w'] / 1e6:.2f} MW,  Q1 = {total['q1_var'] / 1e6:.2f} Mvar".replace(
            "-", "−"
        ),
        fontsize=8.5,
    )


def draw_event(events: list[Event]) -> Figure:
    """Voltages and currents of both stations around the fault and the reclosing."""
    figure = _figure((10.5, 9.0))
    grid = figure.add_gridspec(4, 2)
    for half, event in enumerate(events):
        for column, run in enumerate(event.runs):
            top = figure.add_subplot(grid[2 * half, column])
            bottom = figure.add_subplot(grid[2 * half + 1, column], sharex=top)
            for pane, values in ((top, run.voltages_v), (bottom, run.currents_a)):
                for phase in (1, 2, 0):
                    pane.plot(1e3 * run.times_s, values[:, phase] / 1e3, color=COLOURS[phase],
                              linewidth=1.3, label=PHASES[phase])  # fmt: skip
                _shade_fault(pane, run)
            top.set_xlim(*(1e3 * t for t in event.station.panes_s[column]))
            top.set_ylim(-215, 215)
            bottom.set_ylim(-22, 22)
            top.tick_params(labelbottom=False)
            _label(top, bottom, ("U / kV", "I / kA"), column)
            top.set_title(f"{event.station.title}: {WHAT[column]}", loc="left", **TITLE)
            if half == 1:
                bottom.set_xlabel("t / ms")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    order = [labels.index(phase) for phase in PHASES]
    figure.legend([handles[k] for k in order], PHASES, loc="outside upper right", ncols=3)
    return figure


def draw_sequences(events: list[Event]) -> Figure:
    """RMS of the voltages and sequences of the currents, each over one cycle."""
    figure = _figure((10.5, 9.0))
    grid = figure.add_gridspec(4, 2)
    for half, event in enumerate(events):
        for column, run in enumerate(event.runs):
            top = figure.add_subplot(grid[2 * half, column])
            bottom = figure.add_subplot(grid[2 * half + 1, column], sharex=top)
            milliseconds = 1e3 * run.times_s
            rms = cycle_rms(run.voltages_v) / 1e3
            parts = sequences(cycle_phasors(run.currents_a)) / 1e3
            for k in range(3):
                top.plot(milliseconds, rms[:, k], color=COLOURS[k], linewidth=1.7,
                         label=f"U{PHASES[k].lower()}")  # fmt: skip
                bottom.plot(milliseconds, parts[:, k], color=SEQUENCE_COLOURS[k], linewidth=1.7,
                            label=f"I {SEQUENCES[k]}")  # fmt: skip
            for pane in (top, bottom):
                _shade_fault(pane, run)
            begin, end = event.station.panes_s[column]
            top.set_xlim(1e3 * begin, 1e3 * end)
            top.set_ylim(0, 150)
            bottom.set_ylim(0, 4)
            top.tick_params(labelbottom=False)
            _label(top, bottom, ("U RMS / kV", "I / kA"), column)
            top.set_title(f"{event.station.title}: {WHAT[column]}", loc="left", **TITLE)
            if half == 1:
                bottom.set_xlabel("t / ms (end of the cycle that a value rests on)")
    legends = [pane.get_legend_handles_labels() for pane in figure.axes[:2]]
    figure.legend([h for handles, _ in legends for h in handles],
                  [text for _, texts in legends for text in texts],
                  loc="outside upper center", ncols=6)  # fmt: skip
    return figure


def save_small(figure: Figure, path: Path) -> None:
    """Save as a PNG of 64 colours: a third of the bytes, and nobody sees it."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(110)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
    pixels.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def _figure(size: tuple[float, float]) -> Figure:
    return Figure(figsize=size, layout="constrained")


def _label(top: Any, bottom: Any, texts: tuple[str, str], column: int) -> None:
    for pane, text in ((top, texts[0]), (bottom, texts[1])):
        if column == 0:
            pane.set_ylabel(text)
        else:
            pane.tick_params(labelleft=False)


def _shade_fault(pane: Any, run: Run) -> None:
    fault = find_fault(run)
    begin = 1e3 * fault.start_s
    pane.axvspan(begin, begin + 1e3 * fault.cycles * CYCLE / 3200, color="#f3e9d2", zorder=0)


def trips(folder: Path, station: Station) -> list[str]:
    """Changes of the status channels, which `spotcheck measure` does not read."""
    with (folder / f"{station.name}.cfg").open(encoding="gbk", newline="") as file:
        rows = list(csv.reader(file))
    analog, status = (int(text[:-1]) for text in rows[1][1:3])
    words = (status + 15) // 16
    record = np.dtype([("n", "<u4"), ("t", "<u4"), ("x", "<i2", analog), ("d", "<u2", words)])
    data = np.fromfile(folder / f"{station.name}.dat", record)
    bits = ((data["d"][:, :, None] >> np.arange(16)) & 1).reshape(len(data), -1)[:, :status]
    changes = np.argwhere(np.diff(bits.astype(np.int8), axis=0))
    return [
        f"  {data['t'][row + 1] / 1e6:.4f} s  {rows[2 + analog + k][1]} = {bits[row + 1, k]}"
        for row, k in changes
    ]


def print_figures(event: Event) -> None:
    """The figures of the fault, in times of the load and of the voltage before it."""
    before = event.before
    load_a = before["phases"][0]["i_a"]
    healthy_v = before["phases"][0]["u_v"]
    total = before["total"]
    print(
        f"{event.station.name}: before: Ua {healthy_v / 1e3:.2f} kV, Ia {load_a:.2f} A, "
        f"P {total['p_w'] / 1e6:.3f} MW, Q1 {total['q1_var'] / 1e6:.3f} Mvar"
    )
    for run in event.runs:
        fault = find_fault(run)
        print(
            f"  from {fault.start_s:.4f} s, {fault.cycles:.2f} cycles; "
            f"Ia {fault.currents_a[0] / 1e3:.3f} kA RMS = {fault.currents_a[0] / load_a:.1f} times "
            f"the load, peak {fault.peak_a / 1e3:.2f} kA; Ib, Ic "
            f"{fault.currents_a[1] / 1e3:.3f}, {fault.currents_a[2] / 1e3:.3f} kA\n"
            f"    U A, B, C {', '.join(f'{v / 1e3:.1f}' for v in fault.voltages_v)} kV, "
            f"A dips by {100 * (1 - fault.voltages_v[0] / healthy_v):.1f} %\n"
            f"    I +, −, 0: {', '.join(f'{a / 1e3:.3f}' for a in fault.current_sequence_a)} kA; "
            f"U +, −, 0: {', '.join(f'{v / 1e3:.1f}' for v in fault.voltage_sequence_v)} kV"
        )


def main(folder: Path, images: Path) -> None:
    """Draw all and print all."""
    events = [read_event(folder, station) for station in STATIONS]
    chinese = report_fonts().chinese_family
    families = ["DejaVu Sans"] + ([chinese] if chinese else [])
    with rc_context({**STYLE, "font.family": families}):
        for name, draw in (
            ("prefault", draw_prefault),
            ("fault", draw_event),
            ("sequence", draw_sequences),
        ):
            save_small(draw(events), images / f"station-{name}.png")
    for event in events:
        print_figures(event)
        print("\n".join(trips(folder, event.station)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
