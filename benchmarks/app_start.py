"""How soon `spotcheck app --demo` shows its window, and what it holds while it measures.

Each start is a process of its own: the time runs from before the interpreter starts to after the
first paint. Then the window goes on for some seconds, on real time, with a measurement running.

Run: .venv/bin/python benchmarks/app_start.py --starts 7 --seconds 20
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

CHILD = """
import json, os, resource, sys, time
began_s, seconds = float(sys.argv[1]), float(sys.argv[2])
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from spotcheck_host.app import application
opened = application.VerificationApp.open
said = {}

def resident_mb():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6

def open_and_tell(app):
    app.window.show()
    app.window.repaint()
    QApplication.processEvents()
    said["first_window_s"] = time.time() - began_s
    app.reader.start()
    if not seconds:
        QTimer.singleShot(0, app.window.close)
        return
    def begin():
        if not app.presenter.screen().quantity_rows:
            QTimer.singleShot(200, begin)
            return
        app.window.start.click()
        said["cpu_s"], said["wall_s"] = time.process_time(), time.monotonic()
        QTimer.singleShot(int(1000 * seconds), end)
    def end():
        said["core_percent"] = 100 * (time.process_time() - said.pop("cpu_s")) / (
            time.monotonic() - said.pop("wall_s"))
        said["resident_mb"] = resident_mb()
        app.window.close()
    begin()

application.VerificationApp.open = open_and_tell
from spotcheck_cli.main import app
try:
    app(["app", "--demo", "--out", sys.argv[3]], standalone_mode=False)
except SystemExit:
    pass
print(json.dumps(said))
"""


def started(seconds: float, scale: int) -> dict[str, float]:
    """One start of the app."""
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(time.time()), str(seconds), folder],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=20.0)
    arguments = parser.parse_args()
    started(0, 1)
    print("| scale | first window, median (best, worst) | measuring: one core | resident memory |")
    print("|---|---:|---:|---:|")
    for scale in (1, 2):
        times = [started(0, scale)["first_window_s"] for _ in range(arguments.starts)]
        live = started(arguments.seconds, scale)
        print(
            f"| {scale} | {statistics.median(times):.2f} s ({min(times):.2f}, {max(times):.2f}) | "
            f"{live['core_percent']:.1f} % | {live['resident_mb']:.0f} MB |"
        )


if __name__ == "__main__":
    main()
