"""The sequential verdict over 100,000 sequences: its risk, its time, and its forecast.

Run: .venv/bin/python benchmarks/sequential_verdict.py

The truth is the error that was put in. Seeds are fixed.
"""

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sequential_verdict_rules import every_pulse, mixture, naive, o_brien_fleming, pocock
from sequential_verdict_trains import (
    FAIL,
    PASS,
    UNDECIDED,
    Array,
    Noise,
    Outcome,
    Rule,
    Scene,
    Trains,
    last_pulses,
    look_like,
    planned,
    planned_looks,
    run,
)

from spotcheck.guard_band import StoppingPlan, Tally, guard_band
from spotcheck.sequential_verdict import Step, decide
from spotcheck.verdict import Judgement
from spotcheck.verdict_forecast import Outlook

SEQUENCES = 100_000


def upper_95(wrong: int, of: int) -> float:
    """Upper end of the 95 % interval of a rate (Wilson)."""
    p, z = wrong / of, 1.96
    middle = p + z * z / (2 * of)
    return float(
        (middle + z * math.sqrt(p * (1 - p) / of + z * z / (4 * of * of))) / (1 + z * z / of)
    )


WHITE_1, WHITE_20 = (
    Noise(name="1 µs jitter", jitter_s=1e-6),
    Noise(name="20 µs jitter", jitter_s=20e-6),
)
TICK = Noise(name="1 ms tick, steady load", tick_s=1e-3)
TICK_LIVELY = Noise(name="1 ms tick, load moves 0.1 %", tick_s=1e-3, load_ripple=1e-3)
TICK_UNTOLD = replace(TICK, name="1 ms tick, not told", assumed_tick_s=0.0)
LARGE = Noise(name="2 ms jitter", jitter_s=2e-3)
LARGE_UNTOLD = replace(LARGE, name="2 ms jitter, not told", floor_is_known=False)
WALK = Noise(name="walk 100 ppm/√pulse", walk_s_per_root_pulse=1e-4)
WALK_UNTOLD = replace(WALK, name="walk, not told", floor_is_known=False)


def scene(
    noise: Noise, interval_s: float, type_b: float, limit: float = 1.0, pulses: int = 120
) -> Scene:
    return Scene(
        noise=noise, interval_s=interval_s, type_b_percent=type_b,
        plan=StoppingPlan(
            limit_percent=limit, minimum_pulses=3, minimum_duration_s=0.0,
            maximum_duration_s=(pulses - 1) * interval_s * 1.0001,
        ),
    )  # fmt: skip


def at_limit(scene: Scene, offset_percent: float = 0.0, count: int = SEQUENCES) -> Array:
    """Half of the meters at one limit, half at the other."""
    sign = np.where(np.arange(count) % 2, 1.0, -1.0)
    return sign * (scene.plan.limit_percent + offset_percent)


def risk_cells(found: Outcome) -> str:
    n = len(found.verdict)
    cells = []
    for wrong in (PASS, FAIL):
        count = int((found.verdict == wrong).sum())
        cells.append(f"{100 * count / n:.2f} (< {100 * upper_95(count, n):.2f})")
    cells.append(f"{100 * (found.verdict == UNDECIDED).mean():.1f}")
    return " | ".join(cells)


def risk_at_the_limit() -> None:
    print(f"## Risk at the worst truth, exactly ±1 %: {SEQUENCES} sequences a row, 120 pulses\n")
    print("| stamps | interval, s | u_B, % | false pass, % | false fail, % | undecided, % |")
    print("|---|---:|---:|---:|---:|---:|")
    seed = 0
    for noise in (WHITE_1, WHITE_20, LARGE, TICK, TICK_LIVELY, WALK):
        for interval_s, type_b in ((1.0, 0.0125), (0.05, 0.0125), (1.0, 0.1), (0.05, 0.0)):
            seed += 1
            judged = scene(noise, interval_s, type_b)
            cells = risk_cells(run(judged, at_limit(judged), seed))
            print(f"| {noise.name} | {interval_s} | {type_b} | {cells} |")
    print("\n95 % interval after each planned look, nothing paid for looking repeatedly:\n")
    for noise, interval_s in ((WHITE_20, 0.05), (LARGE, 1.0), (WHITE_1, 1.0)):
        judged = scene(noise, interval_s, 0.0125)
        cells = risk_cells(run(judged, at_limit(judged, count=20_000), 99, naive(judged)))
        print(f"| {noise.name} | {interval_s} | 0.0125 | {cells} |")
    print("\nThe same plan when the looks are not told what the stamps' noise is:\n")
    for noise, interval_s in ((LARGE_UNTOLD, 0.05), (TICK_UNTOLD, 0.05), (WALK_UNTOLD, 0.05)):
        judged = scene(noise, interval_s, 0.0125)
        cells = risk_cells(run(judged, at_limit(judged, count=20_000), 98))
        print(f"| {noise.name} | {interval_s} | 0.0125 | {cells} |")


def risk_beside_the_limit() -> None:
    print("\n## Beside the limit: 20 µs jitter, 0.05 s, u_B 0.0125 %\n")
    print("| truth less limit, % | pass, % | fail, % | undecided, % |\n|---:|---:|---:|---:|")
    judged = scene(WHITE_20, 0.05, 0.0125)
    for offset in (-0.1, -0.05, -0.025, -0.0125, 0.0, 0.0125, 0.025, 0.05, 0.1):
        cells = risk_cells(run(judged, at_limit(judged, offset), 77))
        print(f"| {offset:+.4f} | {cells} |")
    print("\n## On condition of the instrument: truth at the limit, the same scene\n")
    found = run(judged, at_limit(judged), 78)
    share = found.instrument_percent / judged.type_b_percent
    k = guard_band(judged.plan, look_like(judged, 3), number=1, is_last=False).type_b_percent
    k /= judged.type_b_percent
    for name, rows in (
        (f"its error within ±{k:.3f} u_B", np.abs(share) <= k),
        ("beyond", np.abs(share) > k),
    ):
        wrong = 100 * (found.verdict[rows] != UNDECIDED).mean()
        print(f"- {name} ({rows.mean():.1%} of instruments): wrong either way {wrong:.2f} %")


def other_rules() -> None:
    print("\n## What else was tried: pulses to the verdict, errors normal with 0.4 of the limit\n")
    print("| looks | stamps | wrong at the limit, either way, % | median | mean | undecided, % |")
    print("|---|---|---:|---:|---:|---:|")
    truth = np.random.default_rng(5).normal(0, 0.4, 20_000)
    for noise in (replace(WHITE_20, floor_is_known=False), LARGE_UNTOLD):
        judged = scene(noise, 0.2, 0.0125)
        rules: dict[str, Rule] = {
            f"plan, {x:.0%} of the risk for Type A": planned(
                replace(judged, plan=replace(judged.plan, type_a_share=x))
            )
            for x in (0.1, 0.2, 0.5)
        } | {
            "a look at every pulse": every_pulse(judged),
            "mixture martingale, c = 1": mixture(judged, 1.0),
            "mixture martingale, c = 0.01": mixture(judged, 0.01),
            "Pocock, 3.0, scatter known beforehand": pocock(judged, 3.0),
            "O'Brien-Fleming, scatter known beforehand": o_brien_fleming(judged),
            "95 % each time, repeated looks not paid": naive(judged),
        }
        for name, rule in rules.items():
            at_worst = run(judged, at_limit(judged, count=20_000), 6, rule).verdict
            found = run(judged, truth, 7, rule)
            pulses = 1 + found.time_s / judged.interval_s
            print(
                f"| {name} | {noise.name} | {50 * (at_worst != UNDECIDED).mean():.2f} "
                f"| {np.median(pulses):.1f} | {pulses.mean():.1f} "
                f"| {100 * (found.verdict == UNDECIDED).mean():.1f} |"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCell:
    """A scene of the grid with its load and the practice's time."""

    scene: Scene
    current_a: float
    constant: int
    practice_s: float


def grid(
    *, minimum_pulses: int, minimum_duration_s: float, assumed_tick_s: float | None
) -> list[GridCell]:
    """Loads at 220 V, PF 1; at most twice the time of the practice."""
    cells = []
    for current_a in (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0):
        for constant in (800, 1200, 1600, 3200, 6400):
            interval_s = 3.6e6 / (constant * 220 * current_a)
            practice_s = interval_s * max(24, math.ceil(30 / interval_s))
            for noise in (WHITE_1, WHITE_20, TICK):
                for type_b in (0.0125, 0.1):
                    for limit in (1.0, 2.0):
                        plan = StoppingPlan(
                            limit_percent=limit, minimum_pulses=minimum_pulses,
                            minimum_duration_s=minimum_duration_s,
                            maximum_duration_s=2 * practice_s,
                            largest_pass_guard_percent=limit / 3,
                        )  # fmt: skip
                        judged = Scene(
                            noise=replace(noise, assumed_tick_s=assumed_tick_s),
                            interval_s=interval_s, type_b_percent=type_b, plan=plan,
                        )  # fmt: skip
                        cells.append(GridCell(
                            scene=judged, current_a=current_a, constant=constant,
                            practice_s=practice_s,
                        ))  # fmt: skip
    return cells


def drawn_errors(kind: str, limit: float, count: int, rng: np.random.Generator) -> Array:
    if kind == "normal, sd 0.4 L":
        return rng.normal(0, 0.4 * limit, count)
    return rng.uniform(-1.5 * limit, 1.5 * limit, count)


def time_to_verdict() -> None:
    print("\n## Time to the verdict over that of the practice (25 pulses and 30 s)\n")
    print("Undecided sequences count with the maximum time, twice the practice.\n")
    print("| minimum | meter's tick | errors | median | p75 | p90 | p95 | cells' medians "
          "| undecided, % | wrong, % |")  # fmt: skip
    print("|---|---|---|---:|---:|---:|---:|---:|---:|---:|")
    for pulses, duration_s, assumed in (
        (3, 0.0, None), (3, 1.0, None), (3, 1.0, 1e-3), (5, 2.0, 1e-3), (10, 30.0, 1e-3),
    ):  # fmt: skip
        cells = grid(minimum_pulses=pulses, minimum_duration_s=duration_s, assumed_tick_s=assumed)
        for kind in ("normal, sd 0.4 L", "uniform ±1.5 L"):
            grid_row(cells, kind, f"{pulses} pulses, {duration_s:g} s",
                     "1 ms assumed" if assumed else "known")  # fmt: skip


def grid_row(cells: list[GridCell], kind: str, minimum: str, tick: str) -> None:
    ratios, undecided, wrong = [], [], []
    for seed, cell in enumerate(cells):
        limit = cell.scene.plan.limit_percent
        truth = drawn_errors(kind, limit, 200, np.random.default_rng([1, seed]))
        found = run(cell.scene, truth, 1000 + seed)
        ratios.append(found.time_s / cell.practice_s)
        undecided.append(found.verdict == UNDECIDED)
        is_inside = np.abs(truth) <= limit
        wrong.append(found.verdict == np.where(is_inside, FAIL, PASS))
    p50, p75, p90, p95 = np.percentile(np.concatenate(ratios), (50, 75, 90, 95))
    medians = [float(np.median(cell)) for cell in ratios]
    print(
        f"| {minimum} | {tick} | {kind} | {p50:.3f} | {p75:.3f} | {p90:.3f} | {p95:.3f} "
        f"| {min(medians):.3f}–{max(medians):.3f} | {100 * np.mean(undecided):.1f} "
        f"| {100 * np.mean(wrong):.2f} |"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What a step of a sequence said, and when."""

    row: int
    at_s: float
    step: Step


def stepwise(judged: Scene, truth: Array, seed: int) -> tuple[NDArray[np.int8], list[Forecast]]:
    """The same sequences through the domain's own `decide`, look by look."""
    rng, count = np.random.default_rng(seed), len(truth)
    trains = Trains(judged, count, rng)
    instrument = rng.normal(0, judged.type_b_percent, count)
    verdict, tallies = np.zeros(count, np.int8), [Tally()] * count
    active, given = np.ones(count, bool), []
    for n in planned_looks(judged):
        if n > trains.pulses:
            trains.grow_to(n, active)
        slope, u = trains.line()
        x = truth + instrument - 100 * slope * (1 + truth / 100)
        for row in np.flatnonzero(active):
            look = look_like(
                judged, n, error_percent=float(x[row]), type_a_percent=float(100 * u[row]),
                type_a_floor_percent=judged.noise.floor_percent(judged.interval_s, n),
                tick_bound_percent=judged.noise.bound_percent(judged.interval_s, n),
            )  # fmt: skip
            if n == last_pulses(judged):
                look = replace(look, elapsed_s=judged.plan.maximum_duration_s)
            step = decide(judged.plan, look, tallies[row])
            tallies[row] = step.tally
            given.append(Forecast(row=int(row), at_s=look.elapsed_s, step=step))
            if step.judgement is not None:
                verdict[row] = {Judgement.PASS: PASS, Judgement.FAIL: FAIL}.get(step.judgement, 0)
                active[row] = False
    return verdict, given


def forecasts() -> None:
    print("\n## The forecast against what came: go-on steps of sequences over the grid\n")
    cells = grid(minimum_pulses=3, minimum_duration_s=0.0, assumed_tick_s=1e-3)[::7]
    ratios, missed, refuted, refused = [], 0, 0, 0
    for seed, cell in enumerate(cells):
        limit = cell.scene.plan.limit_percent
        truth = drawn_errors("uniform ±1.5 L", limit, 40, np.random.default_rng([2, seed]))
        verdict, given = stepwise(cell.scene, truth, seed)
        assert np.array_equal(verdict, run(cell.scene, truth, seed).verdict)  # two ways, one answer
        ends_s = {f.row: f.at_s for f in given if f.step.judgement is not None}
        for f in given:
            is_judged = verdict[f.row] != UNDECIDED
            if f.step.time_left_s and is_judged:
                ratios.append((ends_s[f.row] - f.at_s) / f.step.time_left_s)
            elif f.step.outlook is Outlook.VERDICT_EXPECTED:
                missed += 1
            elif f.step.outlook is not None:
                refused += 1
                refuted += is_judged
    low, half, high = np.percentile(ratios, (10, 50, 90))
    near = np.mean((np.array(ratios) > 0.5) & (np.array(ratios) < 2))
    print(
        f"- verdict expected: {len(ratios)} came, {missed} did not; "
        f"time it took over the forecast: p10 {low:.2f}, median {half:.2f}, p90 {high:.2f}; "
        f"within a factor of 2: {near:.0%}"
    )
    print(f"- no verdict expected: {refused}, of which a verdict came all the same: {refuted}")


if __name__ == "__main__":
    begun = time.process_time()
    risk_at_the_limit()
    risk_beside_the_limit()
    other_rules()
    time_to_verdict()
    forecasts()
    print(f"\n{time.process_time() - begun:.0f} s of CPU")
