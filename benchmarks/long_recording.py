"""Memory and time of `spotcheck measure` on an hour of three phases.

Writes the recording first (Parquet and COMTRADE BINARY32, 8 kS/s), then measures it in a process
of its own and asks the kernel for that process's largest resident memory.

Run: .venv/bin/python benchmarks/long_recording.py --hours 1
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.writers import open_writer

RATE_HZ = 8000
GAINS = {"u": 680 / 2**23, "i": 170 / 2**23}
SCALES = tuple(
    ChannelScale(
        name=f"{kind}{phase}",
        unit="V" if kind == "u" else "A",
        gain_per_code=GAINS[kind],
        offset_codes=0.0,
        skew_s=0.0,
    )
    for phase in (1, 2, 3)
    for kind in "ui"
)


def second(number: int) -> np.ndarray:
    """Codes of one second: 220 V, 10 A, 60° lag, with noise."""
    t = number + np.arange(RATE_HZ) / RATE_HZ
    rng = np.random.default_rng(number)
    columns = []
    for phase in range(3):
        turn = 2 * np.pi * (50.02 * t - phase / 3)
        for kind, peak, lag in (("u", 311.1, 0.0), ("i", 14.142, np.pi / 3)):
            columns.append(peak * np.cos(turn - lag) / GAINS[kind] + rng.normal(0, 30, RATE_HZ))
    return np.rint(np.column_stack(columns)).astype(np.int32)


def write(path: Path, kind: str, seconds: int) -> None:
    writer = open_writer(
        path, format=kind, sample_rate_hz=RATE_HZ, scales=SCALES, first_sample=0, station="long",
        start_utc_ns=0,
    )  # fmt: skip
    for number in range(seconds):
        writer.append(second(number))
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    seconds = round(3600 * parser.parse_args().hours)
    print("| file | size | time | largest resident memory | P error |")
    print("|---|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for kind, name in (("parquet", "long.parquet"), ("comtrade", "long.cfg")):
            path = Path(folder) / name
            write(path, kind, seconds)
            data = path if kind == "parquet" else path.with_suffix(".dat")
            begun_s = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-m", "spotcheck_cli", "measure", str(path), "--json"],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            took_s = time.monotonic() - begun_s
            peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            speed = seconds / took_s
            found = json.loads(done.stdout)["total"]["p_w"] / (3 * 311.1 * 14.142 / 4) - 1
            print(
                f"| {kind}, {seconds} s | {data.stat().st_size / 2**20:.0f} MiB | {took_s:.0f} s "
                f"({speed:.0f} × real time) | {peak_mib:.0f} MiB | {found * 1e6:.3f} ppm |"
            )


if __name__ == "__main__":
    main()
