"""Accuracy of a window beyond its kernels: slow flicker, no mains, and other means than ours."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from window_loads import (
    FEW_HZ,
    RATE_HZ,
    Load,
    Truth,
    burst,
    cases,
    flicker,
    periodic_loads,
    sampled,
    table,
    with_interharmonics,
)

from spotcheck_dsp.measured_window import (
    COVERAGE_FACTOR,
    MeasuredWindow,
    measure_window,
    measure_without_mains,
)

Array = NDArray[np.float64]


def slow_table(quick: bool) -> None:
    """What no kernel of this length stops: errors, and whether U = 2u covers them."""
    rng = np.random.default_rng(9)
    kinds: list[tuple[str, Callable[[], Load]]] = [
        (f"swing of 20 %, {low:g} to {high:g} f",
         lambda low=low, high=high: flicker(float(rng.uniform(low, high)), 0.2))
        for low, high in ((0.18, 0.3), (0.1, 0.18), (0.05, 0.1), (0.034, 0.05), (0.02, 0.034))
    ]  # fmt: skip
    kinds += [
        (f"burst {on} on, {period - on} off", lambda on=on, period=period: burst(on, period))
        for on, period in ((3, 5), (3, 7), (5, 10), (5, 20), (10, 20), (10, 30), (25, 50))
    ]
    kinds += [("burst 2 on, 2 off, interharmonics", lambda: with_interharmonics(burst(2, 4), 3))]
    rows = []
    for name, make in kinds:
        errors, limits = [], []
        for _ in range(8 if quick else 40):
            load, frequency = make().turned(float(rng.uniform(0, 400 * np.pi))), rng.uniform(45, 65)
            samples, truth = sampled(load, float(frequency), 4000.0, 1.0)
            found = measure_window(samples, 0, 4000.0)
            errors.append(truth.errors_ppm(found.quantities)["P"])
            limits.append(expanded_ppm(found, truth))
        e, u = np.array(errors), np.array(limits)
        rms = [f"{np.sqrt(np.mean(x**2)):.3g} ppm" for x in (e, u)]
        rows.append((name, *rms, f"{np.mean(e <= u):.0%}"))
    table(
        "Slow flicker and long bursts, 1 s at 4 kS/s: P",
        ("load", "rms error", "rms U", "|error| ≤ U"),
        rows,
    )


def expanded_ppm(found: MeasuredWindow, truth: Truth) -> float:
    assert found.unsteadiness is not None
    share = COVERAGE_FACTOR * found.unsteadiness.power_w[0] / (truth.u * truth.i)
    return float(share) * 1e6


def unlocked_table() -> None:
    """Without a frequency: direct current with ripple, and alternating current as a check."""
    rows = []
    ripple = {0.0: 48.0 + 0j, 2.0: 1.0 + 0j, 0.31: 0.5j, 6.0: 0.2 + 0j}
    direct = Load(
        name="48 V DC, ripple from 0.31 f", u=ripple, i={0.0: 10.0 + 0j, 0.31: 1.0, 2.0: 2j}
    )
    for load in (direct, periodic_loads()[2], with_interharmonics(periodic_loads()[2], 5)):
        worst = 0.0
        for turned, frequency in cases(load, FEW_HZ, 2):
            samples, _ = sampled(turned, frequency, RATE_HZ, 1.0)
            found = measure_without_mains(samples, 0, RATE_HZ)
            power, u, i = turned.means
            worst = max(worst, *(abs(a / b - 1) * 1e6 for a, b in zip(
                (found.power_w[0], found.rms_u_v[0], found.rms_i_a[0]), (power, u, i), strict=True
            )))  # fmt: skip
        rows.append((load.name, f"{worst:.1e} ppm"))
    table("Without a frequency, 1 s: P, U, I, of themselves", ("signal", "worst"), rows)


def naive_powers(samples: Array, frequency: float) -> dict[str, float]:
    """What is commonly done, with the frequency known exactly."""
    power = samples[:, 0] * samples[:, 1]
    cycles = int(len(power) * frequency / RATE_HZ)
    hann = np.hanning(len(power) + 2)[1:-1]
    return {
        "mean of 1 s": float(power.mean()),
        "whole cycles": float(power[: round(cycles * RATE_HZ / frequency)].mean()),
        "Hann window": float(power @ hann / hann.sum()),
    }


def naive_table(quick: bool) -> None:
    """P by other means, worst in ppm of S."""
    rows = []
    loads = [periodic_loads()[k] for k in (0, 2, 4, 5)] + [burst(2, 4), burst(5, 20)]
    for load in [*loads, with_interharmonics(loads[1], 5), flicker(8.8 / 50, 0.2)]:
        worst: dict[str, float] = {}
        for turned, frequency in cases(load, FEW_HZ, 1 if quick else 3):
            samples, truth = sampled(turned, frequency, RATE_HZ, 1.0)
            powers = naive_powers(samples, frequency)
            powers["this"] = float(measure_window(samples, 0, RATE_HZ).quantities.power_w[0])
            for name, power in powers.items():
                error = abs(power - truth.power) / (truth.u * truth.i) * 1e6
                worst[name] = max(worst.get(name, 0.0), error)
        rows.append((load.name, *(f"{error:.2g}" for error in worst.values())))
    table("P over 1 s by other means, worst, ppm of S", ("signal", *worst), rows)
