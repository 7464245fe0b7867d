"""How fast the live views paint, at device pixel ratios 1 and 2, beside pyqtgraph in the same run.

Window of 1920 × 1080 logical pixels on Qt's offscreen platform: everything is painted into the
backing store, nothing is shown. At ratio 2 that is 3840 × 2160 pixels; a third run takes
960 × 540 at ratio 2, a 1920 × 1080 panel seen at twice the size. Values are prepared beforehand
and differ in every frame; a frame is set_… of the views and the repaint of all that it changed.

Run: .venv/bin/python benchmarks/live_view_speed.py --seconds 10
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

from spotcheck_host.app.live_values import (
    ErrorPoint,
    Harmonics,
    Phasor,
    QuantityRow,
    RunningError,
    Waveforms,
)
from spotcheck_host.app.theme import DARK
from spotcheck_host.app.views.error_display import ErrorDisplay
from spotcheck_host.app.views.harmonics_view import HarmonicsView
from spotcheck_host.app.views.phasor_view import PhasorView
from spotcheck_host.app.views.quantities_table import QuantitiesTable
from spotcheck_host.app.views.running_error_view import RunningErrorView
from spotcheck_host.app.views.waveform_view import WaveformView

FRAMES = 60
POINTS = 2000
FRAME_RATE_HZ = 25
SLOW_EVERY = 5
WARM_UP = 10
WINDOWS = ((1, 1920, 1080), (2, 960, 540), (2, 1920, 1080))


def waveforms(phase: float) -> Waveforms:
    rng = np.random.default_rng(round(phase * 1000))
    t = np.arange(POINTS) * 20e-6
    turns = 2 * np.pi * (50 * t[None, :] - np.arange(3)[:, None] / 3)

    def channel(rms: float, shift: float, fifth: float) -> np.ndarray:
        wave = np.sin(turns - shift) + fifth * np.sin(5 * turns + phase)
        return (rms * np.sqrt(2) * (wave + rng.normal(0, 0.002, wave.shape))).astype(np.float32)

    return Waveforms(
        interval_s=20e-6, voltages_v=channel(230, 0, 0.03), currents_a=channel(5, 0.5, 0.15)
    )


def values(frame: int) -> dict[str, Any]:
    rng = np.random.default_rng(frame)
    phasors = tuple(
        Phasor(
            name=f"{kind}{n + 1}",
            magnitude=size * (1 + rng.normal(0, 1e-3)),
            phase_deg=-120.0 * n - lag + rng.normal(0, 0.3),
        )
        for kind, size, lag in (("U", 230.0, 0.0), ("I", 5.0, 25.0))
        for n in range(3)
    )
    orders = np.arange(1, 51)
    levels = [
        (top / orders * (1 + rng.normal(0, 0.1, (3, 50)))).astype(np.float32) for top in (8, 30)
    ]
    numbers = [f"{value:.4f}" for value in rng.normal(230, 0.1, 21)]
    return {
        "waveforms": waveforms(frame * 0.1),
        "phasors": phasors,
        "harmonics": Harmonics(voltages_percent=levels[0], currents_percent=levels[1]),
        "rows": tuple(
            QuantityRow(name=f"Quantity {n}", values=tuple(numbers[3 * n : 3 * n + 3]))
            for n in range(7)
        ),
        "error": f"{rng.normal(0.3, 0.02):+.3f} %",
    }


class Screen:
    """The live views as on the measuring page."""

    def __init__(self, width: int, height: int) -> None:
        self.window = QWidget()
        grid = QGridLayout(self.window)
        self.waves, self.phasors, self.bars = WaveformView(), PhasorView(), HarmonicsView()
        self.running, self.error, self.table = RunningErrorView(), ErrorDisplay(), QuantitiesTable()
        for row, pair in enumerate(
            ((self.error, self.phasors), (self.waves, self.bars), (self.running, self.table))
        ):
            grid.addWidget(pair[0], row, 0)
            grid.addWidget(pair[1], row, 1)
            grid.setRowStretch(row, 1)
        grid.setColumnStretch(0, 3)
        grid.setColumnStretch(1, 2)
        self.points = tuple(
            ErrorPoint(
                time_s=0.1 * k,
                error_percent=0.3 + np.sin(k) / k,
                expanded_uncertainty_percent=0.05 + 2 / k,
            )
            for k in range(1, 1001)
        )
        self.shown = 300
        self.window.resize(width, height)

    def named_frame(self, given: dict[str, Any]) -> None:
        """Six traces, phasor, bars."""
        self.waves.set_waveforms(given["waveforms"])
        self.phasors.set_phasors(given["phasors"])
        self.bars.set_harmonics(given["harmonics"])

    def full_frame(self, given: dict[str, Any]) -> None:
        """All views, every text another one."""
        self.named_frame(given)
        self.shown = 300 + (self.shown - 299) % 700
        self.running.set_running_error(
            RunningError(points=self.points[: self.shown], mpe_percent=1.0, time_left_s=30.0)
        )
        self.error.show_reading(given["error"], "± 0.050 %", "pass", "Basic error")
        self.table.set_rows(("L1", "L2", "L3"), given["rows"])


class Peer:
    """The same traces, as many people would draw them."""

    def __init__(self, size: Any, dashed: bool) -> None:
        import pyqtgraph as pg  # noqa: PLC0415 – not in the memory of our own views

        pg.setConfigOptions(useOpenGL=False, antialias=False)
        self.window = pg.PlotWidget()
        self.window.resize(size)
        self.window.setXRange(0, 40)
        self.window.setYRange(-400, 400)
        self.window.showGrid(x=True, y=True)
        colors = [*(DARK.voltage(n) for n in range(3)), *(DARK.current(n) for n in range(3))]
        dash = [7, 5] if dashed else None
        self.curves = [
            self.window.plot(pen=pg.mkPen(color, width=0, dash=dash if n > 2 else None))
            for n, color in enumerate(colors)
        ]
        self.times_ms = np.arange(POINTS) * 0.02

    def frame(self, given: dict[str, Any]) -> None:
        waves = given["waveforms"]
        for curve, trace in zip(
            self.curves, (*waves.voltages_v, *(waves.currents_a * 40)), strict=True
        ):
            curve.setData(self.times_ms, trace)


def frame_times_ms(
    app: Any, window: Any, frame: Callable[[dict[str, Any]], None], prepared: list[dict[str, Any]]
) -> np.ndarray:
    """Time of each frame: setting the values and one paint event of all that is dirty."""
    window.show()
    app.processEvents()
    times = []
    for given in (*prepared[:WARM_UP], *prepared):
        begun = time.perf_counter()
        frame(given)
        app.processEvents()
        times.append((time.perf_counter() - begun) * 1e3)
    return np.array(times[WARM_UP:])


def core_share(
    app: Any, screen: Screen, prepared: list[dict[str, Any]], seconds: float, *, every_text: bool
) -> tuple[float, float]:
    """(Share of a core in percent, frames a second) with a 40 ms timer."""
    count = 0

    def tick() -> None:
        nonlocal count
        if every_text or count % SLOW_EVERY == 0:
            screen.full_frame(prepared[count % len(prepared)])
        else:
            screen.named_frame(prepared[count % len(prepared)])
        count += 1

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    timer.start(round(1000 / FRAME_RATE_HZ))
    cpu, wall = time.process_time(), time.perf_counter()
    loop.exec()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    timer.stop()
    return 100 * cpu / wall, count / wall


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def summary(times: np.ndarray) -> dict[str, float]:
    return {
        "mean": float(times.mean()),
        "median": float(np.median(times)),
        "p95": float(np.percentile(times, 95)),
    }


def measure(width: int, height: int, seconds: float) -> dict[str, Any]:
    """All figures of one window, in a process of its own."""
    app = QApplication([])
    prepared = [values(frame) for frame in range(FRAMES)]
    screen = Screen(width, height)
    result: dict[str, Any] = {
        "named": summary(frame_times_ms(app, screen.window, screen.named_frame, prepared)),
        "full": summary(frame_times_ms(app, screen.window, screen.full_frame, prepared)),
        "grids": screen.waves.static_redraws,
    }
    parts: dict[str, Callable[[dict[str, Any]], None]] = {
        "waveforms": lambda given: screen.waves.set_waveforms(given["waveforms"]),
        "phasors": lambda given: screen.phasors.set_phasors(given["phasors"]),
        "harmonics": lambda given: screen.bars.set_harmonics(given["harmonics"]),
    }
    for name, part in parts.items():
        result[name] = summary(frame_times_ms(app, screen.window, part, prepared))
    for key, every_text in (("live", False), ("worst", True)):
        result[key] = core_share(app, screen, prepared, seconds, every_text=every_text)
    result["rss"] = resident_mb()
    for key, dashed in (("peer", False), ("peer_dashed", True)):
        peer = Peer(screen.waves.size(), dashed)
        result[key] = summary(frame_times_ms(app, peer.window, peer.frame, prepared))
        peer.window.close()
    result["ratio"] = screen.window.devicePixelRatioF()
    return result


def in_subprocess(ratio: int, width: int, height: int, seconds: float) -> dict[str, Any]:
    environment = os.environ | {
        "QT_QPA_PLATFORM": "offscreen",
        "QT_SCALE_FACTOR": str(ratio),
        "QT_LOGGING_RULES": "qt.qpa.*=false",
    }
    command = [sys.executable, __file__, "--seconds", str(seconds)]
    done = subprocess.run(
        [*command, "--size", str(width), str(height)],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert result["ratio"] == ratio
    return result


ROWS: tuple[tuple[str, Callable[[dict[str, Any]], str]], ...] = (
    ("6 traces × 2,000, phasor, 50 bars", lambda r: pair(r["named"])),
    ("all six views, all values new", lambda r: pair(r["full"])),
    ("– waveforms alone", lambda r: pair(r["waveforms"])),
    ("– phasor alone", lambda r: pair(r["phasors"])),
    ("– harmonics alone", lambda r: pair(r["harmonics"])),
    ("pyqtgraph, the same traces, solid", lambda r: pair(r["peer"])),
    ("pyqtgraph, currents dashed as ours", lambda r: pair(r["peer_dashed"])),
    (
        "pyqtgraph (solid / dashed) by our waveforms",
        lambda r: " / ".join(
            f"{r[key]['mean'] / r['waveforms']['mean']:.1f} ×" for key in ("peer", "peer_dashed")
        ),
    ),
    (
        "25 Hz, error and figures at 5 Hz: frames a second, one core",
        lambda r: f"{r['live'][1]:.1f}, {r['live'][0]:.1f} %",
    ),
    (
        "25 Hz, everything at 25 Hz: frames a second, one core",
        lambda r: f"{r['worst'][1]:.1f}, {r['worst'][0]:.1f} %",
    ),
    ("resident memory before pyqtgraph", lambda r: f"{r['rss']:.0f} MB"),
    ("grids drawn for all frames (waveforms)", lambda r: str(r["grids"])),
)


def pair(times: dict[str, float]) -> str:
    return f"{times['mean']:.1f} / {times['median']:.1f} / {times['p95']:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of the 25 Hz run")
    parser.add_argument("--size", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.size:
        print(json.dumps(measure(*given.size, given.seconds)))
        return
    results = [in_subprocess(*window, given.seconds) for window in WINDOWS]
    heads = [f"{width} × {height} at {ratio}×" for ratio, width, height in WINDOWS]
    print("| mean / median / p95 of a frame |", " | ".join(heads), "|")
    print("|---|" + "---:|" * len(heads))
    for name, figure in ROWS:
        print(f"| {name} |", " | ".join(figure(result) for result in results), "|")


if __name__ == "__main__":
    main()
