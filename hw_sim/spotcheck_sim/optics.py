"""The optical head on the meter's LED: delay, jitter, and pulses that it misses or sees twice."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from spotcheck_sim.meter_pulses import LARGEST_SIGMAS, MeterPulses
from spotcheck_sim.noise import GaussianNoise
from spotcheck_sim.waveform import FloatArray

_WINDOW_S = 10.0
"""Pulses are made in windows of this length, whoever asks for how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpticalHead:
    """How the head turns the LED's light into edges."""

    delay_s: float = 0.0
    """Constant delay of every edge, in s."""
    jitter_s: float = 0.0
    """RMS jitter of the leading edge (Gaussian, cut off at 4.3 σ), in s."""
    missed_pulses: frozenset[int] = frozenset()
    """Pulses, counted from 0 as the meter emits them, that the head does not see."""
    doubled_pulses: frozenset[int] = frozenset()
    """Pulses, counted from 0 as the meter emits them, that the head sees twice."""
    double_gap_s: float = 0.050
    """From the first to the second edge of a doubled pulse, in s."""
    bounced_pulses: frozenset[int] = frozenset()
    """Pulses, counted from 0 as the meter emits them, whose contact bounces."""
    bounces: int = 3
    """Further edges of a bouncing pulse."""
    bounce_gap_s: float = 4e-4
    """From one edge of a bouncing contact to the next, in s."""


class OpticalEdges:
    """Rising and falling edges of the head's output, in true time."""

    def __init__(
        self,
        head: OpticalHead,
        pulses: MeterPulses,
        led: tuple[float, float],
        seed: np.random.SeedSequence,
    ) -> None:
        """Look at a meter's pulses.

        Args:
            head: Properties of the head.
            pulses: The meter's pulses.
            led: Width of the meter's pulses and RMS jitter of their instants, in s.
            seed: Seed of the head's own jitter.
        """
        self._head = head
        self._pulses = pulses
        self._width_s, led_jitter_s = led
        self._early_s = LARGEST_SIGMAS * (led_jitter_s + head.jitter_s)
        self._noise = GaussianNoise(seed)
        self._seen = 0
        self._made_to_s = 0.0
        self._rises: list[float] = []
        self._pending: list[float] = []

    def rises_before(self, time_s: float, first: int = 0) -> list[float]:
        """Rising edges up to an instant, in s of true time; they never change.

        Args:
            time_s: Instant before which all edges are wanted, in s.
            first: Number of the first edge wanted, counted from true time 0.
        """
        while self._settled_s < time_s:
            self._make_window()
        return self._rises[first : bisect_left(self._rises, time_s)]

    def falls_before(self, time_s: float, first: int = 0) -> list[float]:
        """Falling edges up to an instant, as `rises_before`.

        The light goes out after the LED's width, but half-way to the next pulse at the latest.
        """
        # A later rising edge shortens a pulse only if it comes within two widths.
        while self._settled_s < time_s + 2 * self._width_s:
            self._make_window()
        falls: list[float] = []
        for number in range(first, len(self._rises)):
            fall_s = self._fall_s(number)
            if fall_s >= time_s:
                break
            falls.append(fall_s)
        return falls

    def _fall_s(self, number: int) -> float:
        end_s = self._rises[number] + self._width_s
        if number + 1 == len(self._rises):
            return end_s
        return min(end_s, (self._rises[number] + self._rises[number + 1]) / 2)

    @property
    def _settled_s(self) -> float:
        """Instant before which no further edge can appear, in s."""
        return self._made_to_s - self._early_s + min(0.0, self._head.delay_s)

    def _make_window(self) -> None:
        self._made_to_s += _WINDOW_S
        self._pending += self._seen_by_head(self._pulses.next_window(self._made_to_s))
        self._pending.sort()
        # An edge of a later window may lie before this one's last edges.
        settled = bisect_left(self._pending, self._settled_s)
        self._rises += self._pending[:settled]
        self._pending = self._pending[settled:]

    def _seen_by_head(self, pulses_s: FloatArray) -> list[float]:
        edges: list[float] = []
        for pulse_s in pulses_s.tolist():
            number, self._seen = self._seen, self._seen + 1
            jitter_s = self._head.jitter_s * float(self._noise.draw(1)[0])
            edge_s = pulse_s + self._head.delay_s + jitter_s
            if number not in self._head.missed_pulses and edge_s >= 0:
                edges.append(edge_s)
            if number in self._head.doubled_pulses:
                edges.append(edge_s + self._head.double_gap_s)
            if number in self._head.bounced_pulses:
                gaps = range(1, self._head.bounces + 1)
                edges += [edge_s + k * self._head.bounce_gap_s for k in gaps]
        return edges
