"""False-alarm and miss rates of the detectors, over seeded random signals.

Legal signals are harsh but no fault of the chain: none of them may raise an alarm, but for what is
truly there (direct current of a half-wave load, the motion of a burst), which is marked. Faults of
graded size give the rate at which each is missed. Sums of sinusoids below 0.4 of the sample rate
where the signal has steps; 10 kS/s; noise 90 dB below the applied signal unless said.

Run: .venv/bin/python benchmarks/detector_rates.py            (about two minutes)
     .venv/bin/python benchmarks/detector_rates.py --share 0.1
"""

import argparse
import math
import time
from collections.abc import Iterator

import numpy as np
from detector_signals import (
    COURSES,
    I_A,
    INDISTINGUISHABLE,
    RATE_HZ,
    SHAPES,
    U_V,
    Legal,
    legal_signal,
    turns_of,
    voltages,
)
from numpy.typing import NDArray

from spotcheck_dsp.faults.clipping import find_clipping
from spotcheck_dsp.faults.direct_component import find_direct_component
from spotcheck_dsp.faults.flat_line import ChannelLife, FlatLineDetector
from spotcheck_dsp.faults.load_stability import cycle_power_noise, load_stability
from spotcheck_dsp.faults.lost_samples import TimeStep, find_time_steps
from spotcheck_dsp.faults.overload import OverloadDetector
from spotcheck_dsp.mains_fit import MainsFit, fit_mains
from spotcheck_dsp.quantities.cycle_means import means_between
from spotcheck_dsp.quantities.half_cycle_rms import fundamental_crossings

Array = NDArray[np.float64]

CODES_PER_A = (1 << 23) / 500.0
TOLERATED_DIRECT = 1e-3
RUN_SAMPLES, WINDOW_SAMPLES = 500, 2000


# Detectors, each as a yes or no on one legal signal.


def alarms(signal: Legal) -> Iterator[tuple[str, bool]]:
    u, i = signal.voltages_v, signal.current_a
    mains = fit_mains(u[:, 0], 0, RATE_HZ)
    codes = np.rint(i * CODES_PER_A).astype(np.int32)[:, None]
    overload = OverloadDetector(channels=1)
    overload.add(codes)
    yield "overload", overload.channels[0].detected
    yield "clipping U", find_clipping(u[:, 0], 0, signal.noise_v).detected
    noise_a = math.hypot(signal.noise_a, 12**-0.5 / CODES_PER_A)
    yield "clipping I", find_clipping(codes[:, 0] / CODES_PER_A, 0, noise_a).detected
    flat = FlatLineDetector(
        noise_codes_rms=(signal.noise_a * CODES_PER_A,),
        run_samples=RUN_SAMPLES,
        window_samples=WINDOW_SAMPLES,
    )
    flat.add(codes)
    yield "flat line I", flat.channels[0].life is not ChannelLife.LIVE
    yield "lost samples, 3 U", bool(find_time_steps(u, 0, RATE_HZ))
    yield "lost samples, 1 U", bool(find_time_steps(u[:, :1], 0, RATE_HZ))
    for name, values, noise, level in (
        ("DC U", u[:, 0], signal.noise_v, U_V),
        ("DC I", i, signal.noise_a, I_A),
    ):
        found = find_direct_component(
            values, 0, mains, noise_rms=noise, tolerated=TOLERATED_DIRECT * level
        )
        yield name, found.detected
    yield "unstable load", stability(signal, mains)


def stability(signal: Legal, mains: MainsFit) -> bool:
    u, i = signal.voltages_v[:, 0], signal.current_a
    marks = fundamental_crossings(mains, 0, len(u))[::2]
    powers = means_between((u * i)[:, None], 0, marks[:-1], marks[1:])[:, 0]
    noise = cycle_power_noise(
        U_V, float(np.sqrt(np.mean(i**2))), noise_voltage=signal.noise_v,
        noise_current=signal.noise_a, samples_per_cycle=RATE_HZ / 55,
    )  # fmt: skip
    return load_stability(powers, noise=noise).detected


TRULY_THERE = {
    ("half-wave", "DC I"),
    ("inrush 10 ×", "DC I"),
    ("inrush 10 ×", "unstable load"),
    ("dip to 40 %, 5 cycles", "DC U"),
    ("dip to 40 %, 5 cycles", "DC I"),
    ("dip to 40 %, 5 cycles", "unstable load"),
    ("interruption, 1 to 8 cycles", "DC U"),
    ("interruption, 1 to 8 cycles", "DC I"),
    ("interruption, 1 to 8 cycles", "unstable load"),
    ("flicker 8.8 Hz, 1 % of U", "unstable load"),
    ("burst 2 on, 2 off", "unstable load"),
    ("burst 2 on, 4 off", "unstable load"),
}


def false_alarms(trials: int) -> None:
    print(f"\n## Alarms on legal signals, {trials} of 0.5 s each\n")
    rows = {}
    for number, name in enumerate((*SHAPES, *COURSES, INDISTINGUISHABLE)):
        counts: dict[str, int] = {}
        for trial in range(trials):
            rng = np.random.default_rng([1, number, trial])
            for detector, alarm in alarms(legal_signal(rng, name)):
                counts[detector] = counts.get(detector, 0) + int(alarm)
        rows[name] = counts
    heads = list(next(iter(rows.values())))
    print("| signal |", " | ".join(heads), "|")
    print("|---|" + "---:|" * len(heads))
    for name, counts in rows.items():
        cells = [
            f"{100 * counts[head] / trials:.4g} %" + (" *" if (name, head) in TRULY_THERE else "")
            for head in heads
        ]
        print(f"| {name} |", " | ".join(cells), "|")
    print(f"\n\\* is truly there: no false alarm. 0 of {trials} says: below {300 / trials:.2g} %, "
          f"at 95 % confidence.")  # fmt: skip


def chance(trials: int) -> None:
    """Thresholds of a stated probability, on noise alone."""
    print(f"\n## Thresholds set for a probability of 1 %, {trials} trials of noise\n")
    rng = np.random.default_rng(2)
    live = 0
    for _ in range(trials):
        detector = FlatLineDetector(
            noise_codes_rms=(3.0,),
            run_samples=1000,
            window_samples=1000,
            false_alarm_probability=0.01,
        )
        detector.add(np.rint(rng.normal(0, 3, (1000, 1))).astype(np.int32))
        live += detector.channels[0].life is ChannelLife.LIVE
    t = np.arange(1000) / RATE_HZ
    mains = fit_mains(np.sin(2 * np.pi * 50 * t), 0, RATE_HZ)
    direct = sum(
        find_direct_component(
            rng.normal(0, 1, 1000) + 400 * np.sin(2 * np.pi * 50 * t + k), 0, mains,
            noise_rms=1.0, false_alarm_probability=0.01,
        ).detected
        for k in range(trials)
    )  # fmt: skip
    unstable = sum(
        load_stability(
            1000 + rng.normal(0, 5, 50), noise=5.0, tolerated_relative=0.0,
            false_alarm_probability=0.01,
        ).detected
        for _ in range(trials)
    )  # fmt: skip
    print("| noise taken for a signal | DC | unstable load |\n|---:|---:|---:|")
    print(" ".join(f"| {100 * n / trials:.2f} %" for n in (live, direct, unstable)), "|")


# Misses, by the size of the fault.


def clipping_misses(trials: int) -> None:
    print(f"\n## Clipping missed, by depth (share of the peak cut off), {trials} each, 0.2 s\n")
    depths = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
    print("| signal, noise |", " | ".join(f"{100 * d:g} %" for d in depths), "|")
    print("|---|" + "---:|" * len(depths))
    for distorted in (False, True):
        for noise_db in (70.0, 80.0, 95.0):
            rng = np.random.default_rng([3, int(noise_db), int(distorted)])
            cells = []
            for depth in depths:
                missed = 0
                for _ in range(trials):
                    turns, _ = turns_of(rng, 2000)
                    wave = voltages(rng, turns, 1)[:, 0] if distorted else np.sin(2 * np.pi * turns)
                    level = (1 - depth) * float(np.max(np.abs(wave)))
                    noise = float(np.sqrt(np.mean(wave**2))) * 10 ** (-noise_db / 20)
                    values = np.clip(wave, -level, level) + rng.normal(0, noise, 2000)
                    missed += not find_clipping(values, 0, noise).detected
                cells.append(f"{100 * missed / trials:.4g} %")
            print(f"| {'distorted' if distorted else 'sine'}, {noise_db:g} dB |", " | ".join(cells),
                  "|")  # fmt: skip


def flat_misses(trials: int) -> None:
    print(f"\n## A dead channel missed, {trials} each (noise 3 codes, window 0.2 s, run 500)\n")
    rng = np.random.default_rng(4)
    print("| fault | missed |\n|---|---:|")
    for run in (300, 490, 500, 501, 1000):
        missed = 0
        for _ in range(trials):
            turns, _ = turns_of(rng, 4000)
            codes = np.rint(1e5 * np.sin(2 * np.pi * turns) + rng.normal(0, 3, 4000))
            begin = int(rng.integers(500, 2500))
            codes[begin : begin + run] = codes[begin]
            missed += flat_life(codes) is not ChannelLife.STUCK
        print(f"| stuck for {run} samples | {100 * missed / trials:.4g} % |")
    for level in (0.0, 0.1, 0.2, 0.3, 0.5, 1.0):
        said_dead = 0
        for _ in range(trials):
            turns, _ = turns_of(rng, 4000)
            wave = 3 * level * math.sqrt(2) * np.sin(2 * np.pi * turns)
            codes = np.rint(wave + rng.normal(0, 3, 4000))
            said_dead += flat_life(codes) is ChannelLife.NO_SIGNAL
        text = "no signal" if level == 0 else f"signal of {level:g} × noise RMS"
        print(f"| {text}: not told as no signal | {100 * (1 - said_dead / trials):.4g} % |")


def flat_life(codes: Array) -> ChannelLife:
    detector = FlatLineDetector(
        noise_codes_rms=(3.0,), run_samples=RUN_SAMPLES, window_samples=WINDOW_SAMPLES
    )
    detector.add(codes.astype(np.int32)[:, None])
    return detector.channels[0].life


def one_gap(
    rng: np.random.Generator,
    gap: int,
    frequency: float | None,
    rate_hz: float = RATE_HZ,
    noise_db: float = 80.0,
) -> tuple[int, tuple[TimeStep, ...]]:
    count = round(rate_hz / 2)
    turns, start_hz = turns_of(rng, count + gap, rate_hz)
    if frequency is not None:
        # A live grid: within 20 mHz, drifting slowly.
        start_hz = frequency + rng.uniform(-0.02, 0.02)
        seconds = np.arange(count + gap) / rate_hz
        turns = rng.uniform() + seconds * (start_hz + seconds * rng.uniform(-0.02, 0.02) / 2)
    place = int(rng.integers(count // 4, count - count // 4))
    kept = np.delete(voltages(rng, turns), slice(place, place + gap), axis=0)
    kept += rng.normal(0, U_V * 10 ** (-noise_db / 20), kept.shape)
    return place, find_time_steps(kept, 0, rate_hz)


def gap_misses(trials: int) -> None:
    print(f"\n## Lost samples, {trials} gaps each, three voltages, 0.5 s, noise 80 dB\n")
    gaps = (1, 2, 3, 10, 50, 100, 150, 190, 199, 200, 201, 210, 400, 600, 800, 999, 1000)
    print("| gap | missed, 50 Hz ± 20 mHz | missed, 46 to 64 Hz | place off, most | gap off modulo "
          "a cycle, most | true gap among the candidates ≤ 1000 | candidates, mean |")  # fmt: skip
    print("|---:|" + "---:|" * 6)
    for gap in gaps:
        missed, places, offs, named, many = [0, 0], [0], [0.0], 0, 0
        for kind, frequency in enumerate((50.0, None)):
            for trial in range(trials):
                rng = np.random.default_rng([5, kind, gap, trial])
                place, steps = one_gap(rng, gap, frequency)
                if len(steps) != 1:
                    missed[kind] += 1
                    continue
                step = steps[0]
                places.append(abs(step.sample - place))
                cycle = step.cycle_samples
                off = (step.lost_samples_modulo_cycle - gap + cycle / 2) % cycle - cycle / 2
                offs.append(abs(off))
                candidates = step.lost_samples_candidates(1000)
                named += gap in candidates
                many += len(candidates)
        told = max(1, 2 * trials - sum(missed))
        print(f"| {gap} | {100 * missed[0] / trials:.4g} % | {100 * missed[1] / trials:.4g} % | "
              f"{max(places)} | {max(offs):.4f} | {100 * named / told:.4g} % | "
              f"{many / told:.2f} |")  # fmt: skip


def gaps_at_other_rates(trials: int) -> None:
    print(f"\n## Lost samples at other rates, {trials} gaps each, 46 to 64 Hz: missed\n")
    rates = (4e3, 10e3, 50e3, 200e3)
    print("| gap |", " | ".join(f"{rate / 1e3:g} kS/s" for rate in rates), "|")
    print("|---:|" + "---:|" * len(rates))
    for gap in (1, 2, 3, 5):
        cells = []
        for rate in rates:
            rngs = (np.random.default_rng([9, gap, int(rate), k]) for k in range(trials))
            missed = sum(len(one_gap(rng, gap, None, rate)[1]) != 1 for rng in rngs)
            cells.append(f"{100 * missed / trials:.4g} %")
        print(f"| {gap} |", " | ".join(cells), "|")


def gaps_in_noise(trials: int) -> None:
    print(f"\n## Lost samples in noise, {trials} gaps each, 10 kS/s, 46 to 64 Hz: missed\n")
    levels_db = (20.0, 30.0, 40.0, 45.0, 50.0, 60.0)
    print("| gap |", " | ".join(f"{level:g} dB" for level in levels_db), "|")
    print("|---:|" + "---:|" * len(levels_db))
    for gap in (1, 2, 10, 50):
        cells = []
        for level in levels_db:
            rngs = (np.random.default_rng([10, gap, int(level), k]) for k in range(trials))
            found = [one_gap(rng, gap, None, noise_db=level)[1] for rng in rngs]
            cells.append(f"{100 * sum(len(steps) != 1 for steps in found) / trials:.4g} %")
        print(f"| {gap} |", " | ".join(cells), "|")


def grid_jumps(trials: int) -> None:
    """A true phase jump: told as a step; how often does a number of lost samples explain it?"""
    told = explained = 0
    for trial in range(trials):
        rng = np.random.default_rng([6, trial])
        turns, _ = turns_of(rng, 5000)
        jump = rng.uniform(2, 20) / 360 * rng.choice([-1, 1])
        turns[int(rng.integers(1000, 4000)) :] += jump
        u = voltages(rng, turns)
        steps = find_time_steps(u + rng.normal(0, U_V * 1e-4, u.shape), 0, RATE_HZ)
        told += len(steps) == 1
        explained += bool(steps and steps[0].lost_samples_candidates(100))
    print(f"\nTrue phase jumps of 2° to 20° in all phases ({trials}): {100 * told / trials:.4g} % "
          f"told as a step; {100 * explained / trials:.4g} % of all could be a gap of up to 100 "
          "samples by their size.")  # fmt: skip


def direct_misses(trials: int) -> None:
    print(f"\n## DC missed, by its size in standard uncertainties, {trials} each, P = 1e-6\n")
    sizes = (3, 4, 5, 6, 7, 8)
    rng = np.random.default_rng(7)
    cells = []
    for size in sizes:
        missed = 0
        turns, _ = turns_of(rng, 2000)
        wave = 1000 * np.sin(2 * np.pi * turns)
        mains = fit_mains(wave, 0, RATE_HZ)
        none = find_direct_component(wave, 0, mains, noise_rms=1.0)
        direct = size * none.standard_uncertainty
        for _ in range(trials):
            values = wave + rng.normal(direct, 1.0, 2000)
            missed += not find_direct_component(values, 0, mains, noise_rms=1.0).detected
        cells.append(f"{100 * missed / trials:.4g} %")
    print("|", " | ".join(f"{size} u" for size in sizes), "|")
    print("|" + "---:|" * len(sizes))
    print("|", " | ".join(cells), "|")


def motion_misses(trials: int) -> None:
    print(f"\n## Unstable load missed / named otherwise, by relative scatter, {trials} each, "
          "50 cycles, noise 0.2 %, tolerated 0.5 %\n")  # fmt: skip
    scatters = (0.005, 0.0075, 0.01, 0.015, 0.02, 0.05)
    print("| motion |", " | ".join(f"{100 * s:g} %" for s in scatters), "|")
    print("|---|" + "---:|" * len(scatters))
    k = np.arange(50)
    for name in ("drift", "step", "rhythm", "irregular"):
        cells = []
        for scatter in scatters:
            rng = np.random.default_rng([8, int(1e5 * scatter)])
            missed = misnamed = 0
            for _ in range(trials):
                courses = {
                    "drift": k.astype(float),
                    "step": (k >= rng.integers(10, 40)).astype(float),
                    "rhythm": ((k + rng.integers(0, 6)) % rng.integers(4, 9) < 2).astype(float),
                    "irregular": rng.normal(0, 1, 50),
                }
                course = courses[name] - courses[name].mean()
                course *= scatter / course.std(ddof=1)
                powers = 1000 * (1 + course + rng.normal(0, 0.002, 50))
                found = load_stability(powers, noise=2.0)
                missed += not found.detected
                misnamed += found.detected and found.motion.value != name
            cells.append(f"{100 * missed / trials:.3g} / {100 * misnamed / trials:.3g} %")
        print(f"| {name} |", " | ".join(cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="share of the trials")
    share = parser.parse_args().share
    begun, begun_cpu = time.perf_counter(), time.process_time()

    def trials(full: int) -> int:
        return max(10, round(share * full))

    false_alarms(trials(150))
    chance(trials(10_000))
    clipping_misses(trials(200))
    flat_misses(trials(500))
    gap_misses(trials(80))
    gaps_at_other_rates(trials(20))
    gaps_in_noise(trials(50))
    grid_jumps(trials(300))
    direct_misses(trials(400))
    motion_misses(trials(500))
    elapsed, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    print(f"\n{elapsed:.0f} s, of these {cpu:.0f} s of CPU time")


if __name__ == "__main__":
    main()
