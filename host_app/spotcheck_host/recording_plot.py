"""Plot of a recording's window: waveforms, phasors and harmonics."""

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_host.recorded_window import Window
from spotcheck_recording.recording import Recording

PLOT_SUFFIXES = (".png", ".svg", ".pdf")
MOST_POINTS = 20_000
_COLOURS = ("#c28a00", "#1b7f3b", "#c0281f")
"""Phases 1, 2, 3 as Chinese practice has them: yellow, green, red."""


def check_plot_path(path: Path) -> None:
    """Refuse a plot that could not be written, before anything is measured.

    Raises:
        RecordingError: the suffix is no picture's, or there is no such folder.
    """
    if path.suffix.lower() not in PLOT_SUFFIXES:
        raise RecordingError(f"{path}: name the plot with {', '.join(PLOT_SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise RecordingError(f"{path}: there is no folder {path.parent}; make it first")


def save_plot(recording: Recording, window: Window, summary: dict[str, Any], path: Path) -> None:
    """Draw the beginning of a window (at most 20,000 samples) and what was measured over it."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 2, width_ratios=(2.2, 1))
    voltage = figure.add_subplot(grid[0, 0])
    current = figure.add_subplot(grid[1, 0], sharex=voltage)
    _draw_waveforms((voltage, current), recording, window)
    _draw_phasors(figure.add_subplot(grid[0:2, 1], projection="polar"), summary["phases"])
    _draw_harmonics(figure.add_subplot(grid[2, :]), summary["phases"])
    figure.suptitle(
        f"{recording.path.name}: f = {summary['frequency_hz']:.5f} Hz, {summary['kernel']}, "
        f"{summary['window_start_s']:.4g} s + {summary['window_s']:.4g} s",
        fontsize=10,
    )
    figure.savefig(path, dpi=120)


def _samples(recording: Recording, window: Window) -> NDArray[np.float64]:
    end = min(window.end_sample, window.first_sample + MOST_POINTS)
    parts = [block.values for block in recording.blocks(window.first_sample, end)]
    return np.concatenate(parts)


def _draw_waveforms(axes: tuple[Any, Any], recording: Recording, window: Window) -> None:
    values = _samples(recording, window)
    rate = window.segment.sample_rate_hz
    for number, channel in enumerate(recording.channels):
        plot = axes[number % 2]
        seconds = window.start_s + channel.skew_s + np.arange(len(values)) / rate
        colour = _COLOURS[channel.phase - 1]
        plot.plot(seconds, values[:, number], color=colour, linewidth=0.9, label=channel.name)
    for plot, text in zip(axes, ("V", "A"), strict=True):
        plot.yaxis.set_major_formatter(EngFormatter(unit=text))
        plot.grid(visible=True, color="#e3e8ec", linewidth=0.6)
        plot.margins(x=0)
        plot.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8, ncols=3, frameon=False)
    axes[1].set_xlabel("time / s")


def _draw_phasors(axes: Any, phases: list[dict[str, Any]]) -> None:
    largest_u = max(phase["u1_v"] for phase in phases) or 1.0
    largest_i = max(phase["i1_a"] for phase in phases) or 1.0
    for number, phase in enumerate(phases):
        for name, angle, length, dash in (
            ("U", phase["u_phase_deg"], phase["u1_v"] / largest_u, "-"),
            ("I", phase["i_phase_deg"], 0.7 * phase["i1_a"] / largest_i, "--"),
        ):
            turn = np.radians(angle)
            axes.plot([turn, turn], [0, length], dash, color=_COLOURS[number], linewidth=1.8)
            axes.annotate(f"{name}{number + 1}", (turn, length + 0.1), fontsize=8, ha="center")
    axes.set_ylim(0, 1.15)
    axes.set_yticklabels([])
    axes.tick_params(labelsize=7)


def _draw_harmonics(axes: Any, phases: list[dict[str, Any]]) -> None:
    bars = 2 * len(phases)
    width = 0.8 / bars
    for number, phase in enumerate(phases):
        for place, (name, key) in enumerate((("U", "u_harmonics_v"), ("I", "i_harmonics_a"))):
            levels = np.array(phase[key])
            if levels[0] == 0:
                continue
            orders = np.arange(2, len(levels) + 1)
            shift = (2 * number + place - (bars - 1) / 2) * width
            axes.bar(
                orders + shift, 100 * levels[1:] / levels[0], width, label=f"{name}{number + 1}",
                color=_COLOURS[number], alpha=1.0 if name == "U" else 0.45,
            )  # fmt: skip
    axes.set_xlabel("order")
    axes.set_ylabel("% of the fundamental")
    axes.set_xlim(1.4, 31)
    axes.grid(visible=True, axis="y", color="#e3e8ec", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), fontsize=8, ncols=bars, frameon=False)
