"""Trains of pulses with noisy stamps, and their verdicts by the looks of a plan; vectorised.

Used by sequential_verdict.py. Pulses are drawn one by one; the line through them is ordinary least
squares, its u_A from its own residuals.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.guard_band import (
    Look,
    StoppingPlan,
    Tally,
    guard_band,
    next_look_pulses,
    stamp_noise_percent,
    tick_bound_percent,
)

PASS, FAIL, UNDECIDED = 1, -1, 0
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What is wrong with the stamps."""

    name: str
    jitter_s: float = 0.0
    """Standard deviation of white jitter."""
    tick_s: float = 0.0
    """Raster to which the meter rounds its pulses up."""
    walk_s_per_root_pulse: float = 0.0
    """Standard deviation of what each interval adds to a random walk."""
    load_ripple: float = 0.0
    """Relative standard deviation of an interval from the load's own change (known, corrected)."""
    floor_is_known: bool = True
    """Whether the looks are told the stamps' noise."""

    assumed_tick_s: float | None = None
    """Tick that the looks are told; None for the true one."""

    def bound_percent(self, interval_s: float, pulses: int) -> float:
        """Largest error by the tick that the looks are told."""
        tick_s = self.tick_s if self.assumed_tick_s is None else self.assumed_tick_s
        return tick_bound_percent(tick_s=tick_s, interval_s=interval_s, pulses=pulses)

    def floor_percent(self, interval_s: float, pulses: int) -> float:
        """Standard uncertainty that the looks are told."""
        if not self.floor_is_known:
            return 0.0
        white = stamp_noise_percent(
            stamp_noise_s=self.jitter_s, interval_s=interval_s, pulses=pulses
        )
        # A line's slope over a random walk of n − 1 steps: √(6/5) that of its end points.
        walk = self.walk_s_per_root_pulse / interval_s * math.sqrt(1.2 / (pulses - 1))
        return math.hypot(white, 100 * walk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A load, an instrument and a plan."""

    noise: Noise
    interval_s: float
    type_b_percent: float
    plan: StoppingPlan


class Trains:
    """Growing trains of pulses with the sums that a least-squares line needs."""

    def __init__(self, scene: Scene, count: int, rng: np.random.Generator) -> None:
        self._noise, self._rng = scene.noise, rng
        self.interval_s = scene.interval_s * rng.uniform(0.98, 1.02, count)
        tick_s = scene.noise.tick_s
        self._instant_s = rng.uniform(0, tick_s, count) if tick_s else np.zeros(count)
        self._walk_s = np.zeros(count)
        self._sums = np.zeros((3, count))  # Σe, Σke, Σe² of the stamps' errors e
        self.pulses = 0

    def grow_to(self, pulses: int, active: NDArray[np.bool_]) -> None:
        rows = np.flatnonzero(active)
        new = pulses - self.pulses
        error_s = self._errors_s(rows, new) / self.interval_s[rows, None]
        k = np.arange(self.pulses, pulses, dtype=float)
        self._sums[0, rows] += error_s.sum(1)
        self._sums[1, rows] += error_s @ k
        self._sums[2, rows] += np.einsum("ij,ij->i", error_s, error_s)
        self.pulses = pulses

    def _errors_s(self, rows: NDArray[np.intp], new: int) -> Array:
        noise, shape = self._noise, (len(rows), new)
        error_s = np.zeros(shape)
        if noise.jitter_s:
            error_s += self._rng.normal(0, noise.jitter_s, shape)
        if noise.walk_s_per_root_pulse:
            steps = self._rng.normal(0, noise.walk_s_per_root_pulse, shape)
            walk = self._walk_s[rows, None] + np.cumsum(steps, axis=1)
            self._walk_s[rows] = walk[:, -1]
            error_s += walk
        if noise.tick_s:
            intervals = np.repeat(self.interval_s[rows, None], new, axis=1)
            if noise.load_ripple:
                intervals *= 1 + self._rng.normal(0, noise.load_ripple, shape)
            instants = self._instant_s[rows, None] + np.cumsum(intervals, axis=1)
            self._instant_s[rows] = instants[:, -1] % noise.tick_s
            error_s += np.ceil(instants / noise.tick_s) * noise.tick_s - instants - noise.tick_s / 2
        return error_s

    def line(self) -> tuple[Array, Array]:
        """Relative error of the slope, and its standard uncertainty from the residuals."""
        n = self.pulses
        sum_e, sum_ke, sum_ee = self._sums
        spread = (n**3 - n) / 12
        slope = (sum_ke - (n - 1) / 2 * sum_e) / spread
        residual = np.maximum(sum_ee - sum_e**2 / n - slope**2 * spread, 0.0)
        return slope, np.sqrt(residual / (n - 2) / spread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When to look, and the guard band of each look."""

    pulses: list[int]
    guard: Callable[[int, Array], Array]
    """From the number of the look, counted from 0, and u_A in percent of each sequence."""


def look_like(scene: Scene, pulses: int, **changes: float) -> Look:
    duration_s = scene.interval_s * (pulses - 1)
    names = ("type_a_percent", "type_a_floor_percent", "tick_bound_percent", "error_percent")
    values = dict.fromkeys(names, 0.0) | changes
    return Look(
        elapsed_s=duration_s, duration_s=duration_s, pulses=pulses, degrees_of_freedom=pulses - 2,
        type_b_percent=scene.type_b_percent, **values,
    )  # fmt: skip


def last_pulses(scene: Scene) -> int:
    return 1 + math.floor(scene.plan.maximum_duration_s / scene.interval_s)


def planned_looks(scene: Scene) -> list[int]:
    """The looks that the domain's plan takes at this rate of pulses, the last included."""
    last = last_pulses(scene)
    for_duration = 1 + math.ceil(scene.plan.minimum_duration_s / scene.interval_s)
    pulses = [max(scene.plan.minimum_pulses, for_duration)]
    while (coming := next_look_pulses(Tally(pulses=pulses[-1]))) < last:
        pulses.append(coming)
    return [*pulses, max(last, pulses[-1])]


def planned(scene: Scene) -> Rule:
    """The domain's guard band; its factors are asked of it once a look, with u = 1 %."""
    pulses = planned_looks(scene)
    b = guard_band(scene.plan, look_like(scene, 3), number=1, is_last=False).type_b_percent
    factors = []
    for number, n in enumerate(pulses, 1):
        t, z = (
            guard_band(
                scene.plan, look_like(scene, n, **{name: 1.0}),
                number=number, is_last=number == len(pulses),
            ).type_a_percent
            for name in ("type_a_percent", "type_a_floor_percent")
        )  # fmt: skip
        told = scene.noise.floor_percent(scene.interval_s, n)
        bound = scene.noise.bound_percent(scene.interval_s, n)
        factors.append((t, z * told + bound))

    def guard(number: int, u_percent: Array) -> Array:
        t, known = factors[number]
        return np.maximum(t * u_percent, known) + b

    return Rule(pulses=pulses, guard=guard)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Verdicts of many sequences."""

    verdict: NDArray[np.int8]
    time_s: Array
    instrument_percent: Array


def run(scene: Scene, truth_percent: Array, seed: int, rule: Rule | None = None) -> Outcome:
    """Judge a sequence for each true error, by the domain's plan or by another rule."""
    rng, count, plan = np.random.default_rng(seed), len(truth_percent), scene.plan
    rule = rule or planned(scene)
    trains = Trains(scene, count, rng)
    instrument = rng.normal(0, scene.type_b_percent, count)
    verdict = np.zeros(count, np.int8)
    time_s, active = np.full(count, plan.maximum_duration_s), np.ones(count, bool)
    for number, n in enumerate(rule.pulses):
        if n > trains.pulses:
            trains.grow_to(n, active)
        slope, u = trains.line()
        x = truth_percent + instrument - 100 * slope * (1 + truth_percent / 100)
        guard = rule.guard(number, 100 * u)
        passes = (np.abs(x) + guard <= plan.limit_percent) & (
            guard <= plan.largest_pass_guard_percent
        )
        fails = np.abs(x) - guard > plan.limit_percent
        verdict[active & passes], verdict[active & fails] = PASS, FAIL
        decided = active & (passes | fails)
        if number + 1 < len(rule.pulses):
            time_s[decided] = (n - 1) * trains.interval_s[decided]
        active &= ~decided
    return Outcome(verdict=verdict, time_s=time_s, instrument_percent=instrument)
