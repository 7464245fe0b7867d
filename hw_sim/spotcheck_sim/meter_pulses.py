"""The pulses of the meter under test, from its counted energy."""

import math

import numpy as np

from spotcheck_sim.meter_energy import MeterEnergy
from spotcheck_sim.meter_under_test import MeterUnderTest
from spotcheck_sim.noise import GaussianNoise
from spotcheck_sim.waveform import FloatArray

LARGEST_SIGMAS = 4.4
"""Jitter never exceeds this many times its RMS value."""


class MeterPulses:
    """Instants at which the meter's LED lights, produced window after window."""

    def __init__(
        self, meter: MeterUnderTest, energy: MeterEnergy, seed: np.random.SeedSequence
    ) -> None:
        """Start at true time 0 with the meter's accumulator as the seed or the meter says."""
        start_seed, jitter_seed = seed.spawn(2)
        self._meter = meter
        self._energy = energy
        self._jitter = GaussianNoise(jitter_seed)
        drawn = float(np.random.Generator(np.random.SFC64(start_seed)).random())
        given = meter.start_energy_fraction
        self.start_energy_fraction = drawn if given is None else given
        self._reached_s = 0.0
        self._begun_j = 0.0
        self._begun_fraction = self.start_energy_fraction
        self._since_begin = 0
        self._emitted = 0
        self._last_tick = -1

    def next_window(self, to_s: float) -> FloatArray:
        """Pulses whose energy is reached from the end of the last window up to `to_s`.

        Args:
            to_s: End of the window, in s of true time. Windows must not depend on who consumes the
                pulses, or rounding would.

        Returns:
            Instants in s, with tick and jitter, in order of the energy they stand for.
        """
        reset = self._meter.reset
        if reset is None or not self._reached_s <= reset.at_s < to_s:
            times = self._times_up_to(to_s)
        else:
            before = self._times_up_to(reset.at_s)
            # The meter starts anew: what was counted towards the next pulse is gone.
            self._begun_j = float(self._energy.at(np.array([reset.at_s]))[0])
            self._begun_fraction = 0.0
            self._since_begin = 0
            times = np.concatenate((before, self._times_up_to(to_s)))
        self._emitted += times.size
        return self._lit(self._on_tick_grid(times))

    def _times_up_to(self, to_s: float) -> FloatArray:
        """Instants at which whole pulses' energy is reached, before tick and jitter."""
        pulse_j = self._meter.pulse_energy_j
        counted_j = self._energy.largest_before_j(to_s) - self._begun_j
        highest = math.floor(counted_j / pulse_j + self._begun_fraction)
        numbers = np.arange(self._since_begin + 1, max(highest, self._since_begin) + 2)
        thresholds_j = np.asarray(
            self._begun_j + (numbers - self._begun_fraction) * pulse_j, dtype=np.float64
        )
        times = self._energy.first_times(thresholds_j, self._reached_s, to_s)
        self._reached_s = to_s
        self._since_begin += times.size
        return times

    def _on_tick_grid(self, times_s: FloatArray) -> FloatArray:
        """Each pulse at the meter's next free tick."""
        if not self._meter.tick_s or not times_s.size:
            return times_s
        queue = np.arange(times_s.size)
        ticks = np.ceil(times_s / self._meter.tick_s)
        ticks[0] = max(ticks[0], self._last_tick + 1)
        ticks = np.maximum.accumulate(ticks - queue) + queue
        self._last_tick = int(ticks[-1])
        return np.asarray(ticks * self._meter.tick_s)

    def _lit(self, times_s: FloatArray) -> FloatArray:
        """Jitter, and what a dying LED leaves of the pulses."""
        if self._meter.jitter_s:
            noise = np.array([self._jitter.draw(1)[0] for _ in range(times_s.size)])
            times_s = times_s + self._meter.jitter_s * noise
        if self._meter.pulses_at_most is not None:
            before = self._emitted - times_s.size
            times_s = times_s[: max(0, self._meter.pulses_at_most - before)]
        return times_s[times_s < self._meter.pulses_stop_at_s]
