"""Draws the pictures of docs/explanations/dsp.md.

    .venv/bin/python tools/dsp_pictures.py docs/images

Most curves are closed forms of the text; kernels, filters and verdicts are the project's own.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from spotcheck.guard_band import Look, StoppingPlan, Tally, stamp_noise_percent
from spotcheck.sequential_verdict import Step, decide
from spotcheck_dsp.decimation_filter import halving_filter
from spotcheck_dsp.edge_window import (
    DEFAULT_KERNEL,
    QUICK_KERNEL,
    STOPBAND_KERNEL,
    EdgeKernel,
    Kernel,
)
from spotcheck_dsp.harmonics.cycle_resampling import ResamplingKernel
from spotcheck_dsp.pulses.pulse_line import least_squares_line

Array = NDArray[np.float64]

MAINS_HZ = 50.0
OMEGA = 2 * np.pi * MAINS_HZ
BLUE, RED, GREEN, GREY, AMBER = "#1f5f99", "#c0281f", "#1b7f3b", "#5b646c", "#c28a00"
KERNELS: tuple[tuple[Kernel, str, str], ...] = (
    (QUICK_KERNEL, "4 boxes of 1 cycle", AMBER),
    (DEFAULT_KERNEL, "4 boxes of 4 cycles", BLUE),
    (STOPBAND_KERNEL, "cosine sum, 20 cycles", RED),
)
STYLE = {
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a939b",
    "axes.grid": True,
    "grid.color": "#e6eaed",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
}


def draw_problem() -> Figure:
    """Power and pulses of a load, and what three familiar means make of it."""
    figure = _figure(6.0)
    draws = _draw_power_and_pulses, _draw_unlocked_mean, _draw_burst, _draw_step
    for draw, pane in zip(draws, figure.subplots(2, 2).flat, strict=True):
        draw(pane)
    return figure


def _draw_power_and_pulses(pane: Any) -> None:
    lag, quantum_s = np.pi / 3, 0.0231
    t = np.linspace(0, 0.1, 4001)
    power = np.cos(lag) + np.cos(2 * OMEGA * t - lag)
    energy = np.cos(lag) * t + (np.sin(2 * OMEGA * t - lag) + np.sin(lag)) / (2 * OMEGA)
    pane.plot(1e3 * t, power, color=BLUE, label="u·i")
    pane.axhline(np.cos(lag), color=GREY, dashes=(4, 2), label="its mean P")
    due = quantum_s * np.arange(1, 5)
    first = [int(np.argmax(energy >= np.cos(lag) * at)) for at in due]
    for times, colour, height, text in (
        (due, GREEN, -1.05, "smooths"), (t[first], RED, -1.6, "pulsates"),
    ):  # fmt: skip
        pane.vlines(1e3 * times, height, height + 0.38, color=colour, linewidth=2.2)
        pane.text(1, height + 0.04, text, color=colour, fontsize=8.5)
    _label(pane, "Power of one phase, pulses of two meters", "t / ms",
           "power / UI", x=(0, 100), y=(-1.75, 2.3))  # fmt: skip
    pane.legend(loc="upper right", ncols=2)


def _draw_unlocked_mean(pane: Any) -> None:
    rng = np.random.default_rng(1)
    power_factor, lag = 0.5, np.pi / 3
    seconds = rng.uniform(0.3, 3, 900)
    start = rng.uniform(0, 0.02, 900)
    error = np.sin(2 * OMEGA * (start + seconds) - lag) - np.sin(2 * OMEGA * start - lag)
    pane.plot(seconds, 1e2 * error / (2 * OMEGA * seconds * power_factor), ".", color=BLUE, ms=2.5)
    grid = np.linspace(0.3, 3, 200)
    bound = 1e2 / (OMEGA * power_factor * grid)
    pane.plot(grid, bound, color=RED, label="±3183 ppm / (PF · T)")
    pane.plot(grid, -bound, color=RED)
    _label(pane, "Mean over any T, PF 0.5", "T / s", "error of P / %", x=(0.3, 3))
    pane.legend(loc="upper right")


def _draw_burst(pane: Any) -> None:
    start = np.linspace(0, 8, 801)

    def heated(cycles: Array) -> Array:
        """Cycles with power up to an instant: two on, two off."""
        return 2 * np.floor(cycles / 4) + np.minimum(cycles % 4, 2)

    for count, colour in ((49, AMBER), (50, RED), (52, GREEN)):
        mean = (heated(start + count) - heated(start)) / count
        pane.plot(start, 100 * (mean / 0.5 - 1), color=colour, label=f"{count} cycles")
    _label(pane, "Whole cycles, load 2 on / 2 off", "begin of the mean / cycles",
           "error of P / %", x=(0, 8), y=(-5, 7))  # fmt: skip
    pane.legend(loc="upper right", ncols=3, columnspacing=0.9, handlelength=1.2)


def _draw_step(pane: Any) -> None:
    step_s = np.linspace(1, 2, 401)
    truth = step_s + 0.5 * (3 - step_s)
    hann = -0.5 * np.sin(2 * np.pi * (step_s - 1)) / (2 * np.pi)
    pane.plot(step_s, 100 * hann / truth, color=RED, label="Hann windows")
    pane.plot(step_s, 0 * step_s, color=BLUE, label="register, edge window")
    _label(pane, "Three windows of 1 s, added up", "the load halves at / s",
           "error of energy / %", x=(1, 2), y=(-5, 6))  # fmt: skip
    pane.legend(loc="upper right")


def draw_edge_window() -> Figure:
    """Steps, the windows they make, and what they leave of a ripple."""
    figure = _figure(6.0)
    grid = figure.add_gridspec(2, 2, height_ratios=(1, 1.15))
    step, window = (figure.add_subplot(grid[0, k]) for k in range(2))
    gain = figure.add_subplot(grid[1, :])
    x, cycles, ratio = (np.linspace(*ends, 3601) for ends in ((-11, 11), (-1, 51), (0, 4.5)))
    for kernel, name, colour in KERNELS:
        dash = "--" if kernel is STOPBAND_KERNEL else "-"
        step.plot(x, kernel.smooth_step(x), dash, color=colour)
        half = kernel.half_width_cycles
        weight = kernel.smooth_step(cycles - half) - kernel.smooth_step(cycles - 50 + half)
        window.plot(cycles, weight, color=colour)
        gain.plot(ratio, decibels(_gain(kernel, ratio)), color=colour, label=name)
    peaks = decibels(1 / (50 * np.pi * ratio[ratio > 0.02]))
    gain.plot(ratio[ratio > 0.02], peaks, color=GREY, dashes=(3, 2),
              label="rectangle of 50 cycles (peaks)")  # fmt: skip
    _label(step, "Smooth step: one reading of E(t)", "cycles from the instant asked for", "weight")
    _label(window, "Difference of two: 1 s at 50 Hz", "cycles", "weight", x=(-1, 51))
    _label(gain, "What the kernel leaves of a ripple", "frequency of the ripple / mains frequency",
           "left of it / dB", x=(0, 4.5), y=(-230, 5))  # fmt: skip
    gain.axvline(0.3, color=GREY, linewidth=0.8, label="0.3 of the mains frequency")
    gain.legend(loc="upper right", ncols=2)
    return figure


def _gain(kernel: Kernel, ratio: Array) -> Array:
    """Fourier transform of a kernel at multiples of the mains frequency."""
    if isinstance(kernel, EdgeKernel):
        return np.asarray(np.sinc(kernel.box_cycles * ratio) ** kernel.boxes, np.float64)
    return STOPBAND_KERNEL.gain(ratio)


def draw_ripple() -> Figure:
    """The ripple of a running energy, and what boxes leave of it at a wrong frequency."""
    figure = _figure(3.4)
    left, right = figure.subplots(1, 2)
    apparent_va, lag = 220 * 5.0, np.pi / 3
    t = np.linspace(0, 0.06, 1201)
    size = apparent_va / (2 * OMEGA)
    left.plot(1e3 * t, size * np.sin(2 * OMEGA * t - lag), color=RED, label="running integral")
    left.plot(1e3 * t, 0 * t, color=BLUE, label="smoothed register")
    left.axhline(size, color=GREY, linewidth=0.8, dashes=(4, 2))
    left.text(59, size * 1.06, "S/(2ω)", ha="right", color=GREY)
    _label(left, "220 V, 5 A, PF 0.5", "t / ms", "E(t) − P·t  / J", x=(0, 60), y=(-2.2, 3.4))
    left.legend(loc="upper right", ncols=2, columnspacing=1.0, handlelength=1.4)
    offset = np.logspace(-5, -1, 60)
    x, samples = (np.arange(-2000, 2000) + 0.5) / 1000, 1000
    for boxes, colour in zip((1, 2, 3, 4), (GREY, AMBER, GREEN, BLUE), strict=True):
        right.loglog(offset, offset**boxes, color=colour, linewidth=1.2)
        weights = EdgeKernel(boxes=boxes, box_cycles=1).window(x) / samples
        left_over = [abs(weights @ np.cos(4 * np.pi * (1 + d) * x)) for d in offset[::6]]
        right.loglog(offset[::6], left_over, "o", ms=4, color=colour,
                     label=f"{boxes} box" + ("es" if boxes > 1 else ""))  # fmt: skip
    _label(right, "Lines: d to the number of boxes", "relative error d of the frequency",
           "left of the ripple", x=(1e-5, 0.1), y=(1e-17, 1))  # fmt: skip
    right.legend(loc="lower right", ncols=2, handlelength=1.0)
    return figure


def draw_frequency() -> Figure:
    """Phases of a drifting mains about a line and a parabola; what each kernel costs in noise."""
    figure = _figure(3.4)
    left, right = figure.subplots(1, 2)
    seconds, phases = _phases_of_drifting_mains()
    for degree, colour, name in ((1, RED, "about a line"), (2, BLUE, "about a parabola")):
        fit = np.polynomial.Polynomial.fit(seconds, phases, degree)
        left.plot(seconds, np.degrees(phases - fit(seconds)), ".-", ms=5, linewidth=1, color=colour,
                  label=name)  # fmt: skip
    _label(left, "50.2 Hz drifting by 0.5 Hz/s", "time from the centre / s",
           "phase / °", y=(-8, 16))  # fmt: skip
    left.legend(loc="upper center")
    for (kernel, name, colour), first in zip(KERNELS, (6, 24, 28), strict=True):
        cycles = np.linspace(first, 100, 400)
        flat = cycles - kernel.width_cycles
        right.plot(cycles, np.sqrt(cycles * (flat - _mean_distance(kernel))) / flat, color=colour,
                   label=name)  # fmt: skip
    _label(right, "Price of smooth edges", "length of the window / cycles",
           "noise / Cramér–Rao bound", x=(0, 100), y=(1, 1.8))  # fmt: skip
    right.legend(loc="upper right")
    return figure


def _phases_of_drifting_mains() -> tuple[Array, Array]:
    """Phases each cycle, through four boxes, of a voltage with a third harmonic."""
    rate, frequency, drift = 10_000.0, 50.2, 0.5
    t = (np.arange(10_000) - 4999.5) / rate
    turns = frequency * t + drift * t * t / 2
    voltage = np.cos(2 * np.pi * turns) + 0.1 * np.cos(6 * np.pi * turns)
    turned = voltage * np.exp(-2j * np.pi * frequency * t)
    centres = np.arange(-0.44, 0.441, 0.02)
    found = [QUICK_KERNEL.window((t - at) * frequency) @ turned for at in centres]
    return centres, np.unwrap(np.angle(found))


def _mean_distance(kernel: Kernel) -> float:
    """E|X − Y| of two independent draws from a kernel, in cycles: 2∫F(1 − F)."""
    x = np.linspace(-kernel.half_width_cycles, kernel.half_width_cycles, 20_001)
    step = kernel.smooth_step(x)
    return float(2 * np.sum(step * (1 - step)) * (x[1] - x[0]))


def draw_lag() -> Figure:
    """What the lag correction from slot sums leaves, order by order."""
    figure = _figure(3.2)
    pane = figure.subplots()
    orders, omega = np.arange(2, 51), OMEGA / 10_000
    for delay_us, colour in ((1, GREEN), (5, AMBER), (20, RED)):
        lag = OMEGA * delay_us * 1e-6
        active = np.cos(lag) - np.cos(orders * lag)
        reactive = np.sin(lag) * np.sin(orders * omega) / np.sin(omega) - np.sin(orders * lag)
        pane.loglog(orders, 1e6 * np.hypot(active, reactive), color=colour,
                    label=f"delay of {delay_us} µs")  # fmt: skip
    pane.axhline(1.3e-4, color=BLUE, dashes=(4, 2), label="windowed sinc on samples (measured)")
    _label(pane, "Lag correction from the lagged sums, 50 Hz, 10 kS/s, worst angle", "order h",
           "error, ppm of S of that order", x=(2, 50), y=(3e-5, 3e5))  # fmt: skip
    pane.set_xticks([2, 3, 5, 7, 11, 19, 30, 50], ["2", "3", "5", "7", "11", "19", "30", "50"])
    pane.minorticks_off()
    pane.legend(loc="center right", bbox_to_anchor=(1, 0.33))
    return figure


def draw_stream() -> Figure:
    """A halving filter and the kernel that resamples."""
    figure = _figure(3.4)
    left, right = figure.subplots(1, 2, sharey=True)
    rate = 20_000.0
    frequency = np.linspace(0, 10_000, 2001)
    band = halving_filter(3_400.0, rate, 1e-6)
    left.plot(frequency / 1e3, decibels(band.response(frequency / rate)), color=BLUE)
    kernel = ResamplingKernel(half_width_steps=8.0, beta=2 * np.pi * 8 * 0.4905)
    response = kernel.response(frequency / 10_000.0) / kernel.response(np.zeros(1))
    right.plot(frequency / 1e3, decibels(response), color=BLUE)
    titles = f"Halving 20 to 10 kS/s, {band.taps} taps", "Resampling at 10 kS/s, 16 taps"
    for pane, title, folds in zip((left, right), titles, (6.6, 4.905), strict=True):
        pane.axvspan(0, 3.4, color="#dcebdc", zorder=0)
        pane.axvspan(folds, 10, color="#f6dcd8", zorder=0)
        pane.text(1.7, -248, "kept, divided out", ha="center", color=GREEN, fontsize=8.5)
        pane.text((folds + 10) / 2, -60, "folds onto it", ha="center", color=RED, fontsize=8.5)
        _label(pane, title, "frequency / kHz", "response / dB", x=(0, 10), y=(-258, 8))
    return figure


def draw_pulses() -> Figure:
    """Ripple at the pulses of a meter that pulsates, and what a slow one does to a slope."""
    figure = _figure(3.5)
    left, right = figure.subplots(1, 2)
    number, stamps, size = _pulsating_pulses()
    line = np.polynomial.Polynomial.fit(number, stamps, 1)
    late_ms = 1e3 * (stamps - line(number))
    left.plot(number, late_ms, "o", ms=4, color=RED, label="about a plain line")
    # What a meter without a filter counts besides P·t goes to the energies first.
    counted = stamps + size * np.sin(2 * OMEGA * stamps - np.arccos(0.5))
    line = np.polynomial.Polynomial.fit(number, counted, 1)
    late_ms = 1e3 * (counted - line(number))
    left.plot(number, late_ms, ".", ms=4, color=BLUE, label="with its ripple")
    _label(left, "Meter that pulsates, PF 0.5", "pulse number", "residual / ms at P", y=(-4, 6.6))
    left.legend(loc="upper right", ncols=2, columnspacing=0.8, handletextpad=0.2)
    beats = np.linspace(0.01, 6, 1200)
    k = 2 * np.pi * beats
    slope = np.abs(12 * (2 * np.sin(k / 2) / k**2 - np.cos(k / 2) / k))
    right.plot(beats, 1e6 * slope / (2 * OMEGA), color=RED, label="least-squares line")
    right.plot(beats, 1e6 * np.abs(2 * np.sin(k / 2)) / (2 * OMEGA), color=GREY, dashes=(3, 2),
               label="gate, first to last")  # fmt: skip
    _label(right, "What a slow ripple feigns", "beats of ripple and pulses over the train",
           "slope error · PF · T / ppm·s", x=(0, 6), y=(0, 5600))  # fmt: skip
    right.legend(loc="upper right")
    return figure


def _pulsating_pulses() -> tuple[Array, Array, float]:
    """Numbers, instants in s, and S/(2ωP) in s, of a meter without a filter at PF 0.5."""
    lag, interval_s = np.arccos(0.5), 0.1
    size = 1 / (2 * OMEGA * np.cos(lag))
    t = np.arange(0, 6.5, 2e-6)
    energy = t + size * np.sin(2 * OMEGA * t - lag)
    number = np.arange(1, 61)
    # A little off a tenth of a second: pulses and ripple beat.
    due = number * interval_s * 1.0037
    # The first crossing counts, so what the energy reached before must be kept.
    at = np.searchsorted(np.maximum.accumulate(energy), due)
    return number.astype(np.float64), t[at], float(size)


def draw_sequential() -> Figure:
    """Three meters looked at until the verdict."""
    figure = _figure(3.6)
    pane = figure.subplots()
    pane.axhspan(-1, 1, color="#dcebdc", zorder=0)
    for k, (true, colour) in enumerate(((1.6, RED), (0.99, AMBER), (-0.25, GREEN))):
        steps = _sequence(true, seed=14 + k)
        n = np.array([pulses for pulses, _, _ in steps]) + 0.2 * (k - 1)
        x = np.array([error for _, error, _ in steps])
        width = [step.guard.total_percent if step.guard else np.nan for _, _, step in steps]
        pane.errorbar(n, x, width, fmt="o", ms=3.5, color=colour, linewidth=1.2, capsize=2)
        judged = steps[-1][2].judgement
        if judged is not None:
            pane.annotate(judged.value, (n[-1], x[-1]), xytext=(9, -14 if k == 1 else -3),
                          color=colour, textcoords="offset points")  # fmt: skip
    for limit in (-1, 1):
        pane.axhline(limit, color=GREY, linewidth=1)
    _label(pane, "Limit ±1 %, stamps with 2 ms of jitter, at most 40 s", "pulses, one a second",
           "error ± guard band / %", x=(2, 46), y=(-2.2, 3.4))  # fmt: skip
    return figure


def _sequence(true_percent: float, seed: int) -> list[tuple[int, float, Step]]:
    """Looks at a simulated meter: pulses, error in percent, and what the plan says."""
    rng = np.random.default_rng(seed)
    jitter_s = 2e-3
    stamps = np.arange(60) + rng.normal(0, jitter_s, 60)
    plan = StoppingPlan(limit_percent=1.0, minimum_pulses=3, minimum_duration_s=0.0,
                        maximum_duration_s=40.0)  # fmt: skip
    tally, found = Tally(), []
    for count in range(3, 60):
        line = least_squares_line(stamps[:count])
        floor = stamp_noise_percent(stamp_noise_s=jitter_s, interval_s=1.0, pulses=count)
        look = Look(
            elapsed_s=count - 1.0, duration_s=count - 1.0, pulses=count,
            error_percent=true_percent - 100 * (line.energy_per_pulse - 1),
            type_a_percent=100 * line.standard_uncertainty,
            degrees_of_freedom=line.degrees_of_freedom,
            type_a_floor_percent=floor,
            tick_bound_percent=0.0, type_b_percent=0.0125,
        )  # fmt: skip
        step = decide(plan, look, tally)
        tally = step.tally
        if step.guard is not None:
            found.append((count, look.error_percent, step))
        if step.judgement is not None:
            break
    return found


def decibels(response: Array) -> Array:
    """20·log10 of the magnitude; what is 0 is drawn at the bottom."""
    return np.asarray(20 * np.log10(np.maximum(np.abs(response), 1e-15)), np.float64)


def _label(
    pane: Any, title: str, xlabel: str, ylabel: str,
    x: tuple[float, float] | None = None, y: tuple[float, float] | None = None,
) -> None:  # fmt: skip
    pane.set(title=title, xlabel=xlabel, ylabel=ylabel)
    pane.set(xlim=x or pane.get_xlim(), ylim=y or pane.get_ylim())


def _figure(height_in: float) -> Figure:
    return Figure(figsize=(8.0, height_in), layout="constrained")


def save_small(figure: Figure, path: Path) -> None:
    """Save as a PNG of 64 colours: a third of the bytes, and nobody sees it."""
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(130)
    canvas.draw()
    pixels = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3])
    pixels.quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def main(images: Path) -> None:
    """Draw all."""
    with rc_context(STYLE):
        for draw in (
            draw_problem, draw_edge_window, draw_ripple, draw_frequency, draw_lag, draw_stream,
            draw_pulses, draw_sequential,
        ):  # fmt: skip
            name = draw.__name__.removeprefix("draw_").replace("_", "-")
            save_small(draw(), images / f"dsp-{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
