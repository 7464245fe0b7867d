"""A meter behind a first-order filter, in closed form: what the pulse benchmark is held against.

It counts E(t) = P·t + g·S/(2ω)·sin(2θ + φ − β), the instantaneous power of sinusoids behind a
first-order filter (g = cos β; β = 0 pulsates, 90° smooths). Its pulses are found by bisection.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.pulses.filtered_lines import PulseEnergies
from spotcheck_dsp.pulses.pulse_ripple import ripple_at_pulses

Array = NDArray[np.float64]

STAMP_S = 1e-6
BEATS = 2.0
"""Fewer beats over the train than this are nearly commensurate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """A meter on a steady sinusoidal load of one phase."""

    frequency_hz: float
    power_factor_angle_rad: float
    lag_rad: float
    """Of its filter at twice the mains frequency."""
    interval_s: float
    phase_rad: float
    power_w: float = 1000.0

    @property
    def ripple_j(self) -> float:
        apparent_w = self.power_w / float(np.cos(self.power_factor_angle_rad))
        return apparent_w / (4 * np.pi * self.frequency_hz)

    @property
    def quantum_j(self) -> float:
        return self.power_w * self.interval_s

    def phases(self, t: Array) -> Array:
        phases: Array = 2 * np.pi * self.frequency_hz * t + self.phase_rad
        return phases

    def counted_j(self, t: Array) -> Array:
        turned = 2 * self.phases(t) + self.power_factor_angle_rad - self.lag_rad
        ripple: Array = np.cos(self.lag_rad) * self.ripple_j * np.sin(turned)
        return self.power_w * t + ripple

    def pulses(self, count: int, rng: np.random.Generator) -> Array:
        """First crossings of the thresholds, to rounding."""
        thresholds = self.quantum_j * (rng.random() + np.arange(count)) + 2 * self.ripple_j
        reach_s = 1.02 * np.cos(self.lag_rad) * self.ripple_j / self.power_w + 1e-6
        cells = int(np.ceil(2 * reach_s * self.frequency_hz * 128)) + 8
        grid = (thresholds / self.power_w - reach_s)[:, None]
        grid = grid + 2 * reach_s * np.linspace(0, 1, cells + 1)
        first = np.maximum(np.argmax(self.counted_j(grid) >= thresholds[:, None], axis=1), 1)
        rows = np.arange(count)
        low, high = grid[rows, first - 1], grid[rows, first]
        for _ in range(45):
            middle = (low + high) / 2
            below = self.counted_j(middle) < thresholds
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        found: Array = (low + high) / 2
        return found

    def read(self, stamps: Array, numbers: Array | None = None) -> PulseEnergies:
        """What an ideal reference holds at stamps."""
        size = self.power_w / np.cos(self.power_factor_angle_rad)
        components = np.array([self.power_w, 0, size * np.exp(1j * self.power_factor_angle_rad)])
        return PulseEnergies(
            smoothed_j=self.power_w * stamps,
            power_w=np.full(len(stamps), self.power_w),
            ripple=ripple_at_pulses(components, self.phases(stamps), self.frequency_hz),
            numbers=numbers,
        )

    def limit_ppm(self, t: Array, jitter_s: float) -> float:
        """Cramér–Rao bound of the energy per pulse for pulses due at t, the filter being known.

        A stamp says where energy k was reached: dt/d(slope) = k/p(t), so pulse k weighs by 1/p².
        """
        turned = 2 * self.phases(t) + self.power_factor_angle_rad - self.lag_rad
        swing = np.cos(self.lag_rad) / np.cos(self.power_factor_angle_rad) * np.cos(turned)
        weights = 1 / (self.power_w * (1 + swing)) ** 2
        numbers = np.arange(len(t))
        numbers = numbers - np.average(numbers, weights=weights)
        spread = jitter_s / np.sqrt(np.sum(weights * numbers**2))
        return float(1e6 * spread / self.quantum_j)

    def forced_half_width_j(self, t: Array, jitter_s: float) -> float:
        """Half of the span of energies per pulse that nobody can tell apart by pulses due at t.

        A filter of another lag is taken for possible where its best line leaves residuals of less
        than a tenth of the jitter in all (χ² < 0.01): what the pulses look like then differs by
        less than 4 % in probability, so that 95 % intervals must hold both.
        """
        lags = np.linspace(0, np.pi / 2, 181)[:, None]
        turned = 2 * self.phases(t) + self.power_factor_angle_rad - lags
        counted = self.power_w * t + np.cos(lags) * self.ripple_j * np.sin(turned)
        swing = np.cos(lags) / np.cos(self.power_factor_angle_rad) * np.cos(turned)
        weights = 1 / (self.power_w * np.maximum(np.abs(1 + swing), 0.05)) ** 2
        total = weights.sum(axis=1, keepdims=True)
        numbers = np.arange(len(t)) - (weights @ np.arange(len(t)))[:, None] / total
        middle = np.sum(weights * counted, axis=1, keepdims=True) / total
        spread = np.sum(weights * numbers**2, axis=1)
        slopes = np.sum(weights * numbers * (counted - middle), axis=1) / spread
        left = counted - middle - slopes[:, None] * numbers
        possible = np.sum(weights * left**2, axis=1) < 0.01 * jitter_s**2
        return float(np.ptp(slopes[possible]) / 2) if possible.any() else 0.0

    def in_step(self, count: int, tick_s: float = 0.0) -> bool:
        """Whether the pulses nearly keep step with the ripple or with the tick."""
        slowest = _beats(2 * self.frequency_hz * self.interval_s, count, 2)
        if tick_s:
            slowest = min(slowest, _beats(self.interval_s / tick_s, count, 4))
        return slowest < BEATS


def _beats(ratio: float, count: int, denominators: int) -> float:
    return min(
        abs(d * ratio - round(d * ratio)) * (count - 1) / d for d in range(1, denominators + 1)
    )


def meters(
    runs: int, seed: int, *, interval_s: float, power_factor: float, lag_deg: float
) -> Iterator[tuple[Meter, np.random.Generator]]:
    rng = np.random.default_rng(seed)
    for _ in range(runs):
        yield (
            Meter(
                frequency_hz=rng.uniform(49.5, 50.5),
                power_factor_angle_rad=rng.choice([-1, 1]) * np.arccos(power_factor),
                lag_rad=np.radians(lag_deg),
                interval_s=interval_s * rng.uniform(0.8, 1.25),
                phase_rad=rng.uniform(0, 2 * np.pi),
            ),
            rng,
        )


def stamped(
    t: Array, rng: np.random.Generator, jitter_s: float = 0.0, tick_s: float = 0.0
) -> Array:
    if tick_s:
        t = np.ceil(t / tick_s) * tick_s
    t = t + jitter_s * rng.standard_normal(len(t))
    return np.rint(t / STAMP_S) * STAMP_S
