"""Losses of 1 to 1000 frames at random places, again and again: found, named, numbered aright?

Each run loses three pieces of a simulated converter's frames (one of every length in turn, one of
up to 50 soon after, and up to 30 at the very begin), at 4 to 32 kS/s with clocks that differ by up
to 100 ppm. Stamps are late by 2 µs on average, and by up to 60 µs now and then. The converter and
the check of what came of it are those of the tests.

Run: nice .venv/bin/python benchmarks/gap_campaign.py --rounds 10
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

RATES_HZ = (4000, 8000, 16_000, 32_000)
LONGEST = 1000


def tests_of_the_stream() -> ModuleType:
    path = Path(__file__).parents[1] / "tests/device/sources/test_numbered_stream.py"
    spec = importlib.util.spec_from_file_location("test_numbered_stream", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["test_numbered_stream"] = module
    spec.loader.exec_module(module)
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    tests = tests_of_the_stream()
    rng = np.random.default_rng(1)
    runs = losses = wrong = beside = lost = 0
    for _ in range(rounds):
        for length in range(1, LONGEST + 1):
            at = int(rng.integers(200, 900))
            second = at + length + int(rng.integers(1, 300))
            converter = tests.Converter(
                frames=second + 1200, ppm=rng.uniform(-100, 100), seed=int(rng.integers(1 << 30)),
                rate_hz=int(rng.choice(RATES_HZ)),
            )  # fmt: skip
            for first, count in (
                (at, length), (second, rng.integers(1, 50)), (0, rng.integers(0, 31)),
            ):  # fmt: skip
                converter.lose(first, int(count))
                losses += count > 0
            try:
                found = tests.listen(converter)
                is_right = found.accounts_for(converter)
                lost += int((~converter.read).sum())
                beside += int((found.named & converter.read[: len(found.named)]).sum())
            except AssertionError:
                is_right = False
            wrong += not is_right
            runs += 1
    print(f"{runs} runs, {losses} losses of {lost} frames: {wrong} runs with a loss unnamed or a")
    print(f"sample under a wrong number; {beside / losses:.1f} good frames dropped beside a loss.")
    false, hours = false_alarms(tests, rounds)
    print(f"Without a loss, {hours:.1f} h at 32 kS/s: {false} gaps.")


def false_alarms(tests: ModuleType, rounds: int) -> tuple[int, float]:
    gaps = frames = 0
    for seed in range(10 * rounds):
        converter = tests.Converter(frames=60 * tests.RATE_HZ, ppm=2.0 * seed - 100, seed=seed)
        gaps += len(tests.listen(converter).gaps)
        frames += converter.frames
    return gaps, frames / tests.RATE_HZ / 3600


if __name__ == "__main__":
    main()
