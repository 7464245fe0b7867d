"""Error of the meter from its pulses: accuracy and coverage against a closed-form meter.

The meter is that of `filtered_meter`. The reference knows P·t and the ripple of the unfiltered
power exactly, but in row a, where it has samples with noise. Errors in ppm of the energy per
pulse; seeds are fixed.

Row a: 10 kS/s float64, three phases, noise of 95 dB on every channel; the register reads through
the quick edge kernel. Row b: stamps of 1 µs. Row c: 20 µs of Gaussian jitter, or a tick of 1 ms.
Row d: 20 µs of jitter, of which the instrument knows beforehand what 20 observations would tell.
Row e: 1 % missing, 1 % double, 1 % bouncing pulses.
"""

import argparse
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
from filtered_meter import STAMP_S, Meter, meters, stamped
from numpy.typing import NDArray
from scipy import stats

from spotcheck_dsp.edge_window import QUICK_KERNEL
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.pulses.filtered_lines import PulseEnergies, StampNoise
from spotcheck_dsp.pulses.pulse_fit import PulseEnergyFit, PulseFilter, fit_energy_per_pulse
from spotcheck_dsp.pulses.pulse_residuals import analyse_residuals
from spotcheck_dsp.pulses.pulse_train import NotRecoverable, PulseFault, repair_train
from spotcheck_dsp.pulses.tick_bounds import bound_by_tick

Array = NDArray[np.float64]

LAGS_DEG = (0, 20, 45, 70, 90)
POWER_FACTORS = (1.0, 0.5, 0.25)
TICK_S, JITTER_S = 1e-3, 20e-6
FINE = StampNoise(
    standard_deviation_s=STAMP_S / np.sqrt(12), degrees_of_freedom=20, resolution_s=STAMP_S
)
"""Stamps of 1 µs, and nothing else."""


class Tally:
    """Errors and half widths of one cell of a table."""

    def __init__(self) -> None:
        self.errors: list[float] = []
        self.widths: list[float] = []

    def add(self, found_j: float, half_width_j: float, truth_j: float) -> None:
        self.errors.append(1e6 * (found_j / truth_j - 1))
        self.widths.append(1e6 * half_width_j / truth_j)

    @property
    def rms(self) -> float:
        return float(np.sqrt(np.mean(np.square(self.errors)))) if self.errors else np.nan

    @property
    def width(self) -> float:
        return float(np.mean(self.widths)) if self.widths else np.nan

    @property
    def coverage(self) -> float:
        if not self.errors:
            return np.nan
        return float(np.mean(np.abs(self.errors) <= np.array(self.widths)))

    def cells(self) -> str:
        return f"{len(self.errors)} | {self.rms:.3f} | {self.width:.3f} | {self.coverage:.3f}"


def row_a(runs: int) -> None:
    print("\n### a: 3 phases, 2 s, pulses 1 s apart, 95 dB, stamps of 1 µs (≤ 0.5 ppm rms)\n")
    print("| PF | error, ppm rms | worst, ppm |\n|---:|---:|---:|")
    for power_factor in (1.0, 0.5):
        rng = np.random.default_rng(11)
        errors = [_three_phase_error(power_factor, rng) for _ in range(runs)]
        rms = np.sqrt(np.mean(np.square(errors)))
        print(f"| {power_factor} | {rms:.3f} | {np.max(np.abs(errors)):.3f} |")


def _three_phase_error(power_factor: float, rng: np.random.Generator) -> float:
    rate, u_v, i_a = 10_000.0, 220.0, 5.0
    f, angle, start = rng.uniform(49.5, 50.5), np.arccos(power_factor), rng.uniform(0.1, 0.11)
    t = np.arange(int(2.25 * rate)) / rate
    noise = 10 ** (-95 / 20)
    power, voltage = np.zeros_like(t), t
    for phase in range(3):
        turn = 2 * np.pi * (f * t - phase / 3) + 0.3
        u = u_v * (np.sqrt(2) * np.cos(turn) + noise * rng.standard_normal(len(t)))
        i = i_a * (np.sqrt(2) * np.cos(turn - angle) + noise * rng.standard_normal(len(t)))
        power, voltage = power + u * i, u if phase == 0 else voltage
    cycle = fit_mains(voltage, 0, rate).cycle_samples(len(t) / 2)
    stamps = np.rint((start + np.arange(3.0)) / STAMP_S) * STAMP_S
    distance = (stamps[:, None] * rate - np.arange(len(t))) / cycle
    energies = QUICK_KERNEL.smooth_step(distance) @ power / rate
    truth = 3 * u_v * i_a * power_factor
    fit = fit_energy_per_pulse(
        PulseEnergies(smoothed_j=energies, power_w=np.full(3, truth), ripple=None),
        FINE,
    )
    return float(1e6 * (fit.energy_per_pulse_j / truth - 1))


def ppm_row(
    title: str, runs: int, noise: StampNoise, *, jitter_s: float = 0.0, tick_s: float = 0.0
) -> None:
    """Rows b and c: 0.1 s pulses for 10 s, apart where they keep step with ripple or tick."""
    print(f"\n### {title}\n")
    print("| PF | lag, ° | Cramér–Rao | runs | ppm rms | mean U | coverage | named |", end="")
    print(" in step: runs | ppm rms | mean U | coverage |")
    print("|---:" * 12 + "|")
    for power_factor in POWER_FACTORS:
        for lag_deg in LAGS_DEG:
            free, step, names, limits = Tally(), Tally(), Counter[str](), []
            cell = meters(runs, lag_deg, interval_s=0.1, power_factor=power_factor, lag_deg=lag_deg)
            for meter, rng in cell:
                due = meter.pulses(101, rng)
                stamps = stamped(due, rng, jitter_s, tick_s)
                fit, name, bounds = _judged(meter, stamps, noise)
                names[name] += 1
                tally = step if meter.in_step(101, tick_s) else free
                if tally is free and not tick_s:
                    limits.append(meter.limit_ppm(due, np.hypot(jitter_s, STAMP_S / np.sqrt(12))))
                tally.add(*(bounds or (fit.energy_per_pulse_j, fit.expanded_uncertainty_j)),
                          meter.quantum_j)  # fmt: skip
            named = ", ".join(f"{name} {100 * n / runs:.0f} %" for name, n in names.most_common())
            limit = f"{np.sqrt(np.mean(np.square(limits))):.3f}" if limits else "–"
            print(
                f"| {power_factor} | {lag_deg} | {limit} | {free.cells()} | {named} "
                f"| {step.cells()} |"
            )


def _judged(
    meter: Meter, stamps: Array, noise: StampNoise
) -> tuple[PulseEnergyFit, str, tuple[float, float] | None]:
    """The fit, the scatter's name, and the tick's bounds in its place where one was found."""
    pulses = meter.read(stamps)
    fit = fit_energy_per_pulse(pulses, noise)
    report = analyse_residuals(fit.residuals_s, stamps, meter.phases(stamps), resolution_s=STAMP_S)
    bounds = None
    if report.tick_s is not None and report.lattice_jitter_s is not None:
        slack_s = 4 * report.lattice_jitter_s + STAMP_S
        found = bound_by_tick(pulses, tick_s=report.tick_s, slack_s=slack_s)
        bounds = (found.energy_per_pulse_j, found.half_width_j) if found else None
    return fit, report.scatter.value, bounds


def row_commensurate(runs: int) -> None:
    print("\n### b, nearly commensurate: at most 2 beats in 10 s, stamps of 1 µs\n")
    print("| PF | lag, ° | runs | ppm rms | mean U | coverage |\n|---:|---:|---:|---:|---:|---:|")
    for power_factor in POWER_FACTORS:
        for lag_deg in LAGS_DEG:
            tally = Tally()
            cell = meters(
                runs, 8 + lag_deg, interval_s=0.1, power_factor=power_factor, lag_deg=lag_deg
            )
            for meter, rng in cell:
                halves = rng.integers(16, 24) + rng.uniform(-2, 2) / 100
                slow = Meter(
                    frequency_hz=meter.frequency_hz, lag_rad=meter.lag_rad,
                    power_factor_angle_rad=meter.power_factor_angle_rad,
                    interval_s=halves / 4 / meter.frequency_hz, phase_rad=meter.phase_rad,
                )  # fmt: skip
                fit = fit_energy_per_pulse(
                    slow.read(stamped(slow.pulses(101, rng), rng)),
                    FINE,
                )
                tally.add(fit.energy_per_pulse_j, fit.expanded_uncertainty_j, slow.quantum_j)
            print(f"| {power_factor} | {lag_deg} | {tally.cells()} |")


def row_d(runs: int, interval_s: float) -> None:
    print(f"\n### d: few pulses {interval_s} s apart, 20 µs of jitter; U in ppm\n")
    print("U / known: mean U over that of a meter of known kind by the same prior; classic: by")
    print("residuals alone (t of n − 2). Out of step: only trains of two beats and more. Worst")
    print(
        "kind: the lag whose coverage over all power factors is least. Forced: mean half width of"
    )
    print("what no method can tell apart, over the same.\n")
    print(
        "| pulses | coverage, worst kind | all kinds | mean U | U / known | forced / known |",
        end="",
    )
    print(" median U / known | out of step | U / classic |")
    print("|---:" * 9 + "|")
    noise = StampNoise(standard_deviation_s=JITTER_S, degrees_of_freedom=20)
    for count in (2, 3, 4, 5, 6, 8, 12, 20):
        coverages, rows = [], []
        for lag_deg in (0, 15, 30, 45, 60, 75, 90):
            tally = Tally()
            for power_factor in POWER_FACTORS:
                cell = meters(
                    runs, 1000 * count + 10 * lag_deg + int(4 * power_factor),
                    interval_s=interval_s, power_factor=power_factor, lag_deg=lag_deg,
                )  # fmt: skip
                rows += [_few(meter, count, rng, noise, tally) for meter, rng in cell]
            coverages.append(tally.coverage)
        unknown, known, classic, in_step, forced = np.array([row for row in rows if row]).T
        out = in_step == 0
        free = unknown[out].mean() / known[out].mean() if out.any() else np.nan
        mean = np.mean(unknown)
        print(f"| {count} | {min(coverages):.3f} | {np.mean(coverages):.3f} | {1e6 * mean:.1f} | "
              f"{mean / known.mean():.2f} | {forced.mean() / known.mean():.2f} | "
              f"{np.median(unknown / known):.2f} | {free:.2f} | "
              f"{mean / classic.mean():.2f} |")  # fmt: skip


def _few(
    meter: Meter, count: int, rng: np.random.Generator, noise: StampNoise, tally: Tally
) -> tuple[float, float, float, float, float] | None:
    """Relative U of unknown, known, classically known kind; in step; forced. None between kinds."""
    due = meter.pulses(count, rng)
    pulses = meter.read(stamped(due, rng, JITTER_S))
    fit = fit_energy_per_pulse(pulses, noise)
    tally.add(fit.energy_per_pulse_j, fit.expanded_uncertainty_j, meter.quantum_j)
    kinds = {0.0: PulseFilter.PULSATING, np.pi / 2: PulseFilter.SMOOTHED}
    if meter.lag_rad not in kinds:
        return None
    known = fit_energy_per_pulse(pulses, noise, kinds[meter.lag_rad])
    classic = np.nan
    if count > 2:
        energies = pulses.smoothed_j.copy()
        if meter.lag_rad == 0 and pulses.ripple is not None:
            energies += pulses.ripple.in_phase_j[:, 0]
        line = stats.linregress(np.arange(count), energies)
        classic = line.stderr * stats.t.ppf(0.975, count - 2) / meter.quantum_j
    scale = 1 / meter.quantum_j
    return (
        fit.expanded_uncertainty_j * scale, known.expanded_uncertainty_j * scale, classic,
        float(meter.in_step(count)), meter.forced_half_width_j(due, JITTER_S) * scale,
    )  # fmt: skip


def row_e(runs: int) -> None:
    print("\n### e: 1 % missing, 1 % double, 1 % bouncing; single phase, PF 0.5, 20 µs of jitter\n")
    print("Bias: mean of (slope after repair − slope of the whole train), ppm.\n")
    print("| pulses | lag, ° | trains | right, each fault counted | right, a count differs |"
          " an extra edge used | wrong | refused | bias | rms |")  # fmt: skip
    print("|---:" * 10 + "|")
    noise = StampNoise(standard_deviation_s=JITTER_S, degrees_of_freedom=4)
    for count in (20, 100, 500):
        for lag_deg in (0, 90):
            outcome, moved = Counter[str](), []
            cell = meters(
                max(20, runs * 100 // count), 31, interval_s=0.5, power_factor=0.5, lag_deg=lag_deg
            )
            for meter, rng in cell:
                name, shift = _repaired(meter, count, rng, noise)
                outcome[name] += 1
                moved += [] if shift is None else [shift]
            total = sum(outcome.values())
            cells = " | ".join(
                str(outcome[name]) for name in ("exact", "count", "extra", "wrong", "refused")
            )
            print(f"| {count} | {lag_deg} | {total} | {cells} | {np.mean(moved):.3f} | "
                  f"{np.std(moved):.3f} |")  # fmt: skip


def _repaired(
    meter: Meter, count: int, rng: np.random.Generator, noise: StampNoise
) -> tuple[str, float | None]:
    whole = stamped(meter.pulses(count, rng), rng, JITTER_S)
    edges, numbers, faults = _spoilt(whole, rng)
    train = repair_train(
        edges, meter.power_w * edges, claimed_j=meter.quantum_j * rng.uniform(0.95, 1.05)
    )
    if isinstance(train, NotRecoverable):
        return "refused", None
    labels = numbers[train.used]
    right = labels >= 0
    fit = fit_energy_per_pulse(meter.read(edges[train.used], train.numbers.astype(float)), noise)
    shift = 1e6 * (
        fit.energy_per_pulse_j / fit_energy_per_pulse(meter.read(whole), noise).energy_per_pulse_j
        - 1
    )
    if np.any(np.diff((labels - train.numbers)[right])):
        return "wrong", shift
    if not right.all():
        return "extra", shift
    same = all(train.count(fault) == faults[fault] for fault in PulseFault)
    return ("exact" if same else "count"), shift


def _spoilt(
    whole: Array, rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64], Counter[PulseFault]]:
    """Edges with faults, the number of each true pulse (−1 for others), and the faults."""
    edges: list[tuple[float, int]] = []
    faults = Counter[PulseFault]()
    last = len(whole) - 1
    for number, stamp in enumerate(whole):
        if 0 < number < last and rng.random() < 0.01:
            faults[PulseFault.MISSING] += 1
            continue
        edges.append((stamp, number))
        if rng.random() < 0.01:
            bounces = int(rng.integers(1, 4))
            faults[PulseFault.BOUNCE] += bounces
            edges += [(stamp + gap, -1) for gap in rng.uniform(1e-4, 4.5e-3, bounces)]
        if number < last and rng.random() < 0.01:
            faults[PulseFault.DOUBLE] += 1
            edges.append((stamp + rng.uniform(0.1, 0.9) * (whole[number + 1] - stamp), -1))
    edges.sort()
    return np.array([e[0] for e in edges]), np.array([e[1] for e in edges]), faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the runs")
    runs = 12 if parser.parse_args().quick else 60
    begun_s = time.process_time()
    rough = StampNoise(standard_deviation_s=JITTER_S, degrees_of_freedom=4)
    tasks: tuple[Callable[[], None], ...] = (
        lambda: row_a(runs),
        lambda: ppm_row("b: 1 phase, 0.1 s pulses, 10 s (≤ 0.1 ppm rms)", runs, FINE),
        lambda: row_commensurate(runs),
        lambda: ppm_row("c: 20 µs of jitter (≤ 0.75 ppm rms)", runs, rough, jitter_s=JITTER_S),
        lambda: ppm_row("c: tick of 1 ms (≤ 12 ppm rms)", runs, rough, tick_s=TICK_S),
        lambda: row_d(10 * runs, 1.0),
        lambda: row_e(5 * runs),
    )
    for task in tasks:
        task()
    print(f"\n{time.process_time() - begun_s:.0f} s of CPU time")


if __name__ == "__main__":
    main()
