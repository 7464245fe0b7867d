"""Accuracy of a window of samples: what the arithmetic itself errs.

Input is float64, without noise where none is stated. Every signal is a sum of sinusoids below
0.4 fs; its truth follows from the list of its tones (`window_loads.py`), without the code under
test. Worst over frequencies from 45 to 65 Hz and phases; P, Q1 and S in ppm of S, U and I in ppm of
themselves. Seeds are fixed.

One thread: matrix products as small as these lose by sharing.

Run: OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/accuracy_windows.py [--quick]
"""

import argparse
import itertools
import time

import numpy as np
from accuracy_windows_beyond import naive_table, slow_table, unlocked_table
from numpy.typing import NDArray
from window_loads import (
    FEW_HZ,
    OFFSETS_HZ,
    RATE_HZ,
    Load,
    burst,
    cases,
    fundamental_angle_rad,
    periodic_loads,
    sampled,
    step_energy,
    table,
    with_interharmonics,
)

from spotcheck_dsp.channel_alignment import REACH, aligned_between
from spotcheck_dsp.edge_window import DEFAULT_KERNEL, QUICK_KERNEL, EdgeKernel
from spotcheck_dsp.mains_fit import fit_mains
from spotcheck_dsp.measured_window import measure_window
from spotcheck_dsp.window_quantities import (
    Edge,
    WindowQuantities,
    combine_pieces,
    edge_weights,
    piece_sums,
    window_edges,
)

Array = NDArray[np.float64]
QUANTITIES = ("P", "Q1", "S", "U", "I")


def worst_errors(
    load: Load, frequencies: tuple[float, ...], phases: int, rate: float, seconds: float
) -> tuple[dict[str, float], set[str]]:
    worst, kernels = dict.fromkeys(QUANTITIES, 0.0), set()
    for turned, frequency in cases(load, frequencies, phases):
        samples, truth = sampled(turned, frequency, rate, seconds)
        found = measure_window(samples, 0, rate)
        kernels.add(str(found.kernel))
        errors = truth.errors_ppm(found.quantities)
        worst = {name: max(worst[name], errors[name]) for name in QUANTITIES}
    return worst, kernels


def quantities_table(
    title: str, loads: list[Load], required: float, seconds: float, quick: bool
) -> None:
    """Rows 1 to 3: worst errors at each sample rate."""
    rows = []
    for rate in (RATE_HZ,) if quick else (RATE_HZ, 4000.0, 50_000.0, 200_000.0):
        full = rate == RATE_HZ and not quick
        chosen = loads if rate < 200_000 else loads[3:5]
        for load in chosen:
            errors, kernels = worst_errors(
                load, OFFSETS_HZ if full else FEW_HZ, 3 if full else 1, rate, seconds
            )
            figures = (f"{errors[name]:.1e}" for name in QUANTITIES)
            reached = "yes" if max(errors.values()) <= required else "NO"
            rows.append(
                (load.name, f"{rate / 1000:g} kS/s", *figures, " / ".join(kernels), reached)
            )
    head = ("signal", "rate", *QUANTITIES, "kernel", f"≤ {required:.0e} ppm")
    table(title, head, rows)


def one_kernel(samples: Array, rate: float, kernel_index: int) -> WindowQuantities:
    """By a kernel that is told: the boxes of four cycles, or of one."""
    kernel = (DEFAULT_KERNEL, QUICK_KERNEL)[kernel_index]
    mains = fit_mains(samples[:, 0], 0, rate)
    span = (0, len(samples))
    edges = window_edges(*span, mains, kernel)
    return combine_pieces([piece_sums(samples, 0, edges, kernel, mains, span)], 0)


def noise_gain(frequency: float, kernel: EdgeKernel) -> float:
    """√(N·Σw²)/Σw: what the weights alone make of white noise, without chance."""
    cycle = RATE_HZ / frequency
    half = kernel.half_width_cycles * cycle
    edges = [Edge(sample=at, cycle_samples=cycle) for at in (half - 0.5, 9999.5 - half)]
    weights = edge_weights(np.arange(10_000.0), (edges[0], edges[1]), kernel)
    return float(100 * np.sqrt(np.sum(weights**2)) / np.sum(weights))


def noise_table(quick: bool) -> None:
    """Row 4. The bounds of P, U and I of a sinusoid: (U²σi² + I²σu²)/N, σu²/N and σi²/N."""
    rng = np.random.default_rng(4)
    load, rows, copies = periodic_loads()[0], [], 20
    truth = load.truth
    clean = (truth.power, truth.u, truth.i)
    for snr_db, frequency in itertools.product((80.0, 110.0), FEW_HZ):
        part = 10 ** (-snr_db / 20)
        samples, _ = sampled(load, frequency, RATE_HZ, 1.0)
        sigma = np.tile([truth.u * part, truth.i * part], copies)
        spreads = np.array([np.sqrt(2) * truth.u * truth.i, truth.u, truth.i]) * part
        errors: dict[str, list[Array]] = {"by data": [], "quick kernel": []}
        stopband = 0
        for _ in range(5 if quick else 30):
            noisy = np.tile(samples, (1, copies)) + sigma * rng.normal(size=(10_000, 2 * copies))
            chosen = measure_window(noisy, 0, RATE_HZ)
            stopband += chosen.kernel is not DEFAULT_KERNEL
            for name, found in (
                ("by data", chosen.quantities),
                ("quick kernel", one_kernel(noisy, RATE_HZ, 1)),
            ):
                values = np.stack([found.power_w, found.rms_u_v, found.rms_i_a], axis=1)
                errors[name].append((values - clean) / spreads * np.sqrt(10_000))
        for name, limit in (("by data", 1.2), ("quick kernel", 1.12)):
            every = np.concatenate(errors[name])
            rms = np.sqrt(np.mean(every**2, axis=0))
            # What ±1 standard deviation of a Monte Carlo of so many runs is.
            figures = (f"{value:.3f}" for value in rms)
            expected = noise_gain(frequency, DEFAULT_KERNEL if name == "by data" else QUICK_KERNEL)
            rows.append(
                (f"{snr_db:g} dB, {frequency:g} Hz", name, *figures, f"{expected:.3f}", f"{limit}",
                 f"±{1 / np.sqrt(2 * len(every)):.3f}", f"{stopband}")
            )  # fmt: skip
    head = ("noise", "kernel", "P", "U", "I", "by weights", "required", "chance", "stopband chosen")
    table("Row 4: rms error by the Cramér–Rao bound, 1 s at 10 kS/s", head, rows)


def frequency_errors(
    loads: list[Load], drift_hz_per_s: float, frequencies: tuple[float, ...]
) -> tuple[float, set[str]]:
    """Largest error of the frequency at the window's centre, in ppm."""
    worst, kernels = 0.0, set()
    times = (np.arange(10_000) - 4999.5) / RATE_HZ
    for load in loads:
        for turned, frequency in cases(load, frequencies, 2):
            # A drifting mains is the load run along a bent time.
            bent = times + drift_hz_per_s / frequency * times**2 / 2
            low = turned.below(0.4 * RATE_HZ / (frequency + abs(drift_hz_per_s)))
            fit = fit_mains(low.samples(bent, frequency)[:, 0], 0, RATE_HZ)
            worst = max(worst, abs(fit.frequency_hz / frequency - 1) * 1e6)
            kernels.add(str(fit.kernel))
    return worst, kernels


def frequency_table(quick: bool) -> None:
    """Row 5."""
    loads = periodic_loads()[2:4]
    between = [with_interharmonics(load, 7) for load in loads]
    grid = FEW_HZ if quick else OFFSETS_HZ
    rows = []
    for name, chosen, drift, required in (
        ("harmonics", loads, 0.0, "1e-6"),
        ("harmonics, +0.5 Hz/s", loads, 0.5, "1e-3"),
        ("harmonics, −0.5 Hz/s", loads, -0.5, "1e-3"),
        ("harmonics and interharmonics", between, 0.0, "1e-6"),
        ("harmonics and interharmonics, 0.5 Hz/s", between, 0.5, "1e-3"),
    ):
        error, kernels = frequency_errors(chosen, drift, grid)
        rows.append((name, f"{error:.1e} ppm", required, " / ".join(kernels)))
    rng = np.random.default_rng(5)
    times, count = np.arange(10_000) / RATE_HZ, 10_000
    for snr_db, frequency in itertools.product((80.0, 110.0), FEW_HZ):
        sigma = 10 ** (-snr_db / 20) / np.sqrt(2)
        bound = np.sqrt(24 * sigma**2 / (count * (count**2 - 1.0))) * RATE_HZ / (2 * np.pi)
        found = [
            fit_mains(
                np.cos(2 * np.pi * frequency * times + rng.uniform(0, 6))
                + rng.normal(0, sigma, count), 0, RATE_HZ,
            ).frequency_hz - frequency
            for _ in range(40 if quick else 200)
        ]  # fmt: skip
        ratio = np.sqrt(np.mean(np.square(found))) / bound
        chance = f"±{1 / np.sqrt(2 * len(found)):.2f}"
        rows.append(
            (f"noise {snr_db:g} dB, {frequency:g} Hz", f"{ratio:.2f} × CRB", "1.15", chance)
        )
    table("Row 5: frequency over 1 s", ("signal", "reached", "required", "kernel or chance"), rows)


def angle_table() -> None:
    """Row 6: from voltage to current, which may be any two channels."""
    rows = []
    loads = [*periodic_loads(), burst(2, 4)]
    for load in loads + [with_interharmonics(load, 3) for load in loads[:4]]:
        worst = 0.0
        for turned, frequency in cases(load, FEW_HZ, 2):
            samples, _ = sampled(turned, frequency, RATE_HZ, 1.0)
            u, i = measure_window(samples, 0, RATE_HZ).quantities.fundamental
            worst = max(worst, abs(np.angle(i / u * np.exp(-1j * fundamental_angle_rad(turned)))))
        rows.append((load.name, f"{np.degrees(worst):.1e}°", "1e-6°"))
    table("Row 6: angle between channels, 1 s", ("signal", "reached", "required"), rows)


def chained_energy(samples: Array, bounds_s: list[float]) -> tuple[float, tuple[Edge, Edge]]:
    """Energy of windows that are chained, in J, and their outermost edges."""
    bounds = [second * RATE_HZ for second in bounds_s]
    margin = round(0.25 * RATE_HZ)
    total, begin, first_edge = 0.0, None, None
    for low, high in itertools.pairwise(bounds):
        start, stop = max(0, int(low) - margin), int(high) + margin
        mains = fit_mains(samples[start:stop, 0], start, RATE_HZ)
        begin = begin or Edge(sample=low, cycle_samples=mains.cycle_samples(low))
        first_edge = first_edge or begin
        end = Edge(sample=high, cycle_samples=mains.cycle_samples(high))
        span = (int(low), int(high))
        sums = piece_sums(samples[start:stop], start, (begin, end), DEFAULT_KERNEL, mains, span)
        total, begin = total + float(sums.power[0]), end
    assert first_edge is not None
    assert begin is not None
    return total / RATE_HZ, (first_edge, begin)


def whole_energy(samples: Array, edges: tuple[Edge, Edge]) -> float:
    """Energy of one window between edges, in J."""
    mains = fit_mains(samples[:, 0], 0, RATE_HZ)
    span = (int(edges[0].sample), int(edges[1].sample))
    whole = piece_sums(samples, 0, edges, DEFAULT_KERNEL, mains, span)
    return float(whole.power[0]) / RATE_HZ


def chain_table(quick: bool) -> None:
    """Row 7."""
    rng, rows = np.random.default_rng(7), []
    times, bounds = np.arange(110_000) / RATE_HZ, [0.5 + k for k in range(11)]
    for name, lag, factors in (
        ("100 % to 50 %, PF 1", 0.0, (1.0, 0.5)),
        ("50 % to 100 %, PF 1", 0.0, (0.5, 1.0)),
        ("100 % to 150 %, PF 1", 0.0, (1.0, 1.5)),
        ("100 % to 50 %, PF 0.5", np.pi / 3, (1.0, 0.5)),
    ):
        errors, shares, sums = [], [], []
        for _ in range(6 if quick else 25):
            frequency, step_s = float(rng.uniform(45, 65)), float(rng.uniform(1, 10))
            turn = 2 * np.pi * frequency * times
            level = np.where(times < step_s, *factors)
            samples = np.column_stack([325 * np.cos(turn), 14 * level * np.cos(turn - lag)])
            chained, edges = chained_energy(samples, bounds)
            truth = step_energy(325.0, 14.0, lag, frequency, step_s, factors, (0.5, 10.5))
            errors.append((chained / truth - 1) * 1e6)
            shares.append(abs(chained - truth) / (325 * 14 / 2 * max(factors) * 10) * 1e6)
            if len(sums) < 3:
                sums.append(abs(chained / whole_energy(samples, edges) - 1))
        rms = np.sqrt(np.mean(np.square(errors)))
        rows.append((name, f"{rms:.2f} ppm", f"{np.max(np.abs(errors)):.2f} ppm",
                     f"{max(shares):.2f} ppm", "5 ppm",
                     f"{max(sums):.0e}"))  # fmt: skip
    head = ("step at any instant", "rms", "worst", "worst, of S", "required", "parts against whole")
    table("Row 7: energy chained over 10 × 1 s, of the energy", head, rows)


def skew_table(quick: bool) -> None:
    """Row 8: the current was sampled later or earlier by up to 20 µs."""
    rows = []
    load = periodic_loads()[3]
    last = Load(name="50th alone beside the mains, 10 % U, 40 % I",
                u={1.0: 325.0, 50.0: 32.5}, i={1.0: 14.0, 50.0: 5.6j})  # fmt: skip
    for chosen, inside in itertools.product((load, last), (True, False)):
        worst = 0.0
        for turned, frequency in cases(chosen, FEW_HZ if quick else OFFSETS_HZ, 1):
            for skew_us in (-20.0, -7.3, 0.4, 11.0, 20.0):
                guard = REACH + 1 if inside else 1
                instants = np.arange(-guard, 10_000 + guard) / RATE_HZ
                voltage = turned.samples(instants, frequency)[:, 0]
                current = turned.samples(instants + skew_us * 1e-6, frequency)[:, 1]
                delays = np.array([0.0, skew_us * 1e-6 * RATE_HZ])
                values = np.column_stack([voltage, current])
                samples = aligned_between(values, delays, guard, guard + 10_000)
                found = measure_window(samples, 0, RATE_HZ).quantities
                errors = turned.truth.errors_ppm(found)
                worst = max(worst, errors["P"], errors["Q1"], errors["S"])
        place = "inside a longer record" if inside else "the whole record"
        rows.append((chosen.name, place, f"{worst:.1e} ppm", "0.01 ppm"))
    head = ("signal", "window", "P, Q1, S", "required")
    table("Row 8: skews of −20 to +20 µs undone, 1 s at 10 kS/s", head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 kS/s and few cases only")
    quick = parser.parse_args().quick
    began_s = time.monotonic()
    loads = periodic_loads()
    between = [with_interharmonics(load, seed) for seed, load in enumerate(loads)]
    quantities_table("Row 1: over 1 s", [*loads, burst(2, 4)], 1e-6, 1.0, quick)
    quantities_table("Row 2: over 1 s, with interharmonics", between, 1e-3, 1.0, quick)
    quantities_table("Row 3: over 0.2 s", loads, 1e-5, 0.2, quick)
    noise_table(quick)
    frequency_table(quick)
    angle_table()
    chain_table(quick)
    skew_table(quick)
    slow_table(quick)
    unlocked_table()
    naive_table(quick)
    print(f"\n{time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    main()
