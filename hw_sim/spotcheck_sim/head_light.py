"""Light on the optical head: the meter's LED through a head that may sit askew, and ambient light.

The head's comparator is high while

    signal·(LED lit) + ambient + drift·t + flicker·cos(2π·f·t) ≥ threshold,

all in units of what a well aligned head sees of the LED. Its edges follow in closed form: a level
crosses the threshold once with drifting light, and at ± acos of what the flicker lacks of the
threshold in each period of a lamp.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from spotcheck.errors import ConfigurationError
from spotcheck_sim.noise import GaussianNoise

_WINDOW_S = 10.0
_TOUCH_S = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadLight:
    """What the head's photodiode sees; 1 is the LED under a well aligned head."""

    signal: float = 1.0
    """The LED's light through this head: 1 well aligned, 0 beside the LED."""
    signal_noise_rms: float = 0.0
    """RMS change of the LED's light from pulse to pulse (Gaussian), in units of `signal` = 1."""
    threshold: float = 0.5
    """Level from which the comparator is high."""
    ambient: float = 0.0
    """Steady light of the surroundings at true time 0."""
    ambient_drift_per_s: float = 0.0
    """Its change in a second, as clouds and hands make it; at most 0.1, slow against a lamp."""
    flicker: float = 0.0
    """Amplitude of the light of lamps on the mains."""
    flicker_hz: float = 100.0
    """Frequency of that light: twice the mains frequency, in Hz."""
    begin_s: float = 0.0
    """Instant from which ambient light and flicker are there, in s of true time."""
    end_s: float = math.inf
    """Instant at which they go, in s."""

    def __post_init__(self) -> None:
        if self.threshold <= 0 or self.flicker_hz <= 0:
            raise ConfigurationError("threshold and flicker_hz of a head are positive")
        if min(self.signal, self.signal_noise_rms, self.ambient, self.flicker) < 0:
            raise ConfigurationError("light is not negative")
        if abs(self.ambient_drift_per_s) > 0.1:
            raise ConfigurationError("ambient light that drifts faster than 0.1 a second flickers")

    @property
    def margin(self) -> float:
        """Flicker that the head bears at true time 0: more makes false edges, or cuts pulses."""
        return min(self.threshold - self.ambient, self.signal + self.ambient - self.threshold)


class LedEdges(Protocol):
    """When the LED's light begins and ends, as far as a well aligned head sees it."""

    def rises_before(self, time_s: float, first: int = 0) -> list[float]:
        """Beginnings up to an instant, in s of true time, from the `first`-th on."""

    def falls_before(self, time_s: float, first: int = 0) -> list[float]:
        """Ends up to an instant, as `rises_before`."""


class LitHeadEdges:
    """Edges of the comparator of a head in some light; a twin of `LedEdges`."""

    def __init__(self, light: HeadLight, led: LedEdges, seed: np.random.SeedSequence) -> None:
        """Look at a meter's LED.

        Args:
            light: What else shines, and how the head sits.
            led: The LED.
            seed: Seed of the LED's changes from pulse to pulse.
        """
        self._light = light
        self._led = led
        self._noise = GaussianNoise(seed)
        self._strengths: list[float] = []
        self._made_to_s = 0.0
        self._done = 0
        self._rises: list[float] = []
        self._falls: list[float] = []

    def rises_before(self, time_s: float, first: int = 0) -> list[float]:
        """Rising edges up to an instant, in s of true time; they never change."""
        self._make_up_to(time_s)
        return self._rises[first : bisect_left(self._rises, time_s)]

    def falls_before(self, time_s: float, first: int = 0) -> list[float]:
        """Falling edges up to an instant, as `rises_before`."""
        self._make_up_to(time_s)
        return self._falls[first : bisect_left(self._falls, time_s)]

    def _make_up_to(self, time_s: float) -> None:
        # An edge at the very end of what was made may yet turn out to be none.
        while self._made_to_s <= time_s:
            begin_s, self._made_to_s = self._made_to_s, self._made_to_s + _WINDOW_S
            for start_s, end_s, strength in self._stretches(begin_s, self._made_to_s):
                for rise_s, fall_s in self._high(start_s, end_s, strength):
                    self._append(rise_s, fall_s)

    def _high(self, start_s: float, end_s: float, strength: float) -> list[tuple[float, float]]:
        """When the comparator is high within a stretch of even LED light."""
        light = self._light
        begin_s, gone_s = np.clip((light.begin_s, light.end_s), start_s, end_s).tolist()
        dark = [(start_s, begin_s), (gone_s, end_s)] if strength >= light.threshold else []
        lit = self._high_in_light(begin_s, gone_s, strength) if begin_s < gone_s else []
        found = [*dark[:1], *lit, *dark[1:]]
        return [(low_s, high_s) for low_s, high_s in found if low_s < high_s]

    def _append(self, rise_s: float, fall_s: float) -> None:
        if self._falls and rise_s - self._falls[-1] < _TOUCH_S:
            self._falls[-1] = fall_s
        else:
            self._rises.append(rise_s)
            self._falls.append(fall_s)

    def _stretches(self, begin_s: float, end_s: float) -> list[tuple[float, float, float]]:
        """Begin, end and strength of the LED's light, dark stretches included, without gaps."""
        rises = self._led.rises_before(end_s, self._done)
        falls = self._led.falls_before(end_s, self._done)
        stretches: list[tuple[float, float, float]] = []
        at_s = begin_s
        for number, rise_s in enumerate(rises):
            off_s = falls[number] if number < len(falls) else end_s
            strength = self._strength(self._done + number)
            lit_s = max(rise_s, begin_s)
            stretches += [(at_s, lit_s, 0.0), (lit_s, off_s, strength)]
            at_s = off_s
        self._done += len(falls)
        stretches.append((at_s, end_s, 0.0))
        return [stretch for stretch in stretches if stretch[0] < stretch[1]]

    def _strength(self, number: int) -> float:
        while len(self._strengths) <= number:
            change = self._light.signal_noise_rms * float(self._noise.draw(1)[0])
            self._strengths.append(max(0.0, self._light.signal + change))
        return self._strengths[number]

    def _high_in_light(
        self, start_s: float, end_s: float, strength: float
    ) -> list[tuple[float, float]]:
        """The same while the surroundings shine."""
        light = self._light
        lacking = light.threshold - light.ambient - strength
        if light.flicker > 0:
            return self._high_of_flicker(start_s, end_s, lacking)
        drift = light.ambient_drift_per_s
        if drift == 0:
            return [(start_s, end_s)] if lacking <= 0 else []
        crossing_s = lacking / drift
        low_s, high_s = (crossing_s, end_s) if drift > 0 else (start_s, crossing_s)
        low_s, high_s = max(low_s, start_s), min(high_s, end_s)
        return [(low_s, high_s)] if low_s < high_s else []

    def _high_of_flicker(
        self, start_s: float, end_s: float, lacking: float
    ) -> list[tuple[float, float]]:
        """The same, lamp period by lamp period; drift counts at each period's middle."""
        light = self._light
        period_s = 1 / light.flicker_hz
        crests = np.arange(round(start_s / period_s), round(end_s / period_s) + 1) * period_s
        wanted = (lacking - light.ambient_drift_per_s * crests) / light.flicker
        reached = wanted <= 1
        half_s = np.arccos(np.clip(wanted[reached], -1, 1)) / (2 * math.pi * light.flicker_hz)
        lows = np.maximum(crests[reached] - half_s, start_s)
        highs = np.minimum(crests[reached] + half_s, end_s)
        inside = lows < highs
        return list(zip(lows[inside].tolist(), highs[inside].tolist(), strict=True))
