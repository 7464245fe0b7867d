"""How well PPS knows the sample clock over a reading, and how honest its uncertainty is.

Clocks of known course, marks with 1 µs of jitter, seen for 100 s; `make campaign-clock`.
"""

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.clock_wander import time_gained

Array = NDArray[np.float64]
RUNS = 1000
JITTER_S = 1e-6
MARKS = 100
WALK_PER_ROOT_S = 1e-9
INTERVALS_S = {
    "reading of 24 s at the end": (75.3, 99.2),
    "reading of 9 s at the end": (90.1, 99.2),
    "10 s in holdover, from 5 s on": (104.2, 114.2),
    "20 s in holdover, from 60 s on": (159.2, 179.2),
    "20 s in holdover, from 300 s on": (399.2, 419.2),
}


def offset(rng: np.random.Generator) -> Callable[[Array], Array]:
    """A constant offset within ±30 ppm."""
    rate = rng.uniform(-30e-6, 30e-6)
    return lambda t: rate * t


def drift(rng: np.random.Generator) -> Callable[[Array], Array]:
    """An offset, and a drift of 30 ppm in 100 s."""
    rate = rng.uniform(-30e-6, 30e-6)
    drift_per_s = rng.choice([-1.0, 1.0]) * 30e-6 / 100
    return lambda t: rate * t + drift_per_s * t**2 / 2


def swing(rng: np.random.Generator) -> Callable[[Array], Array]:
    """±30 ppm as a sinusoid of ten minutes."""
    omega, phase = 2 * np.pi / 600, rng.uniform(0, 2 * np.pi)
    return lambda t: -30e-6 / omega * np.cos(omega * t + phase)


def walk(rng: np.random.Generator) -> Callable[[Array], Array]:
    """An offset, and a TCXO's random walk of 1e-9 per root second."""
    rate, step_s = rng.uniform(-30e-6, 30e-6), 0.1
    grid = np.arange(0.0, 430.0, step_s)
    frequency = np.cumsum(rng.normal(0, WALK_PER_ROOT_S * np.sqrt(step_s), len(grid)))
    walked = np.cumsum(frequency) * step_s
    return lambda t: rate * t + np.interp(t, grid, walked)


COURSES = {
    "±30 ppm": offset,
    "±30 ppm, walk": walk,
    "30 ppm in 100 s": drift,
    "±30 ppm swing in 600 s": swing,
}


def main() -> None:
    """Print the table."""
    print(f"{RUNS} runs each; ppm of the mean rate over the interval\n")
    print("| clock | interval | RMS error | largest | mean U (k = 2) | within U |")
    print("|---|---|---|---|---|---|")
    spent_s = 0.0
    for name, course in COURSES.items():
        for interval, (from_s, to_s) in INTERVALS_S.items():
            errors, uncertainties = np.empty(RUNS), np.empty(RUNS)
            for run in range(RUNS):
                rng = np.random.default_rng(run)
                x = course(rng)
                true_s = np.arange(float(MARKS))
                marks_s = true_s + x(true_s) + rng.normal(0, JITTER_S, MARKS)
                ends = np.array([from_s, to_s])
                by_clock = ends + x(ends)
                begun_s = time.process_time()
                found = time_gained(
                    marks_s, marks_s - true_s,
                    from_s=by_clock[0], to_s=by_clock[1], least_wander=1e-9,
                )  # fmt: skip
                spent_s += time.process_time() - begun_s
                before, after = x(ends)
                errors[run] = (found.gained_s - (after - before)) / (to_s - from_s)
                uncertainties[run] = 2 * found.standard_uncertainty_s / (to_s - from_s)
            within = np.mean(np.abs(errors) <= uncertainties)
            print(
                f"| {name} | {interval} | {1e6 * np.sqrt(np.mean(errors**2)):.3f} "
                f"| {1e6 * np.max(np.abs(errors)):.3f} | {1e6 * np.mean(uncertainties):.3f} "
                f"| {100 * within:.1f} % |",
                flush=True,
            )
    print(f"\n{1e3 * spent_s / (RUNS * len(COURSES) * len(INTERVALS_S)):.0f} ms an estimate")


if __name__ == "__main__":
    main()
