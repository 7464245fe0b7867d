"""Samples lost from a stream without numbers: the mains voltages jump in time.

A gap of g samples turns the fundamental by 2π·f·g/fs, in all phases alike. The phase is compared
across each instant with its advance over two cycles on either side, so frequency and drift cancel.
The place comes from the cycle-to-cycle difference of the samples, which is large for just one
cycle after the gap. Dips disturb phasors too: a step is told only where the samples before it,
moved in time by it, are the samples after it.

What cannot be told: a gap of whole cycles leaves no step (at 50.00 Hz and 10 kS/s, 200 samples);
it is known modulo a cycle only. A true phase jump of the grid, equal in all phases, looks the same;
but it need not be a whole number of samples, which `lost_samples_candidates` tests. Where a sample
is shorter than the grid's own steps (at 200 kS/s it is 0.09°), single ones drown in these. Where
the voltage is below a tenth of its median, nothing is told.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import (
    refuse_negative,
    refuse_no_probability,
    refuse_not_positive,
    refuse_unusable,
)
from spotcheck_dsp.channel_alignment import REACH, aligned_between
from spotcheck_dsp.mains_fit import HIGHEST_HZ, LEAST_SHARE, LOWEST_HZ
from spotcheck_dsp.mains_tracking import coarse_frequency_hz

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

GRID_STEP_DEG = 0.3
"""Phase steps that loads in the grid make of themselves; from practice, not from a standard."""
MARGIN_CYCLES = 4
"""Cycles that must lie on either side of a gap; two gaps nearer than that are seen as one."""
TOLERANCE_SAMPLES = 0.02
"""At 80 dB and 10 kS/s three voltages give the step to less than 0.002 samples."""
FEWEST_SAMPLES_PER_CYCLE = 40
LEAST_EXPLAINED = 0.9
"""Dips and flicker reach 0.79; noise leaves one lost sample above this from 50 dB at 10 kS/s on."""
_ROUNDS = 3
_LEAST_SLOT_RATE_HZ = 1000.0
_LEAST_LEVEL = 0.1
_QUIET_QUANTILE, _QUIET_SIGMAS = 0.25, 0.3186
"""A quarter of normal deviates lies within 0.3186 sigma; a gap disturbs up to half of the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStep:
    """One jump of the voltages in time."""

    sample: int
    """The first sample after it; good to some samples."""
    step_deg: float
    """Phase step of the fundamental, −180 … 180; the statistic is its magnitude."""
    threshold_deg: float
    """Beyond this it is told."""
    standard_uncertainty_deg: float
    """Of the step, from the scatter of the voltage from cycle to cycle."""
    cycle_samples: float
    """Length of the mains cycle there."""
    explained_share: float
    """Share of the difference to the cycles before that the step explains, 0.9 … 1; lost samples
    leave noise only unexplained."""

    @property
    def lost_samples_modulo_cycle(self) -> float:
        """Samples that were lost, modulo a cycle: 0 … one cycle."""
        return (self.step_deg / 360 * self.cycle_samples) % self.cycle_samples

    def lost_samples_candidates(
        self, longest: int, tolerance_samples: float = TOLERANCE_SAMPLES
    ) -> tuple[int, ...]:
        """Numbers of lost samples that would bring about this step; empty where none does.

        Off the nominal frequency a cycle is no whole number of samples, and often one number only
        is left. A step that no number explains is a phase jump of the grid; one that a number
        explains may be, by chance of twice the tolerance for each whole cycle up to the longest.

        Args:
            longest: Longest gap that is thought of, in samples.
            tolerance_samples: What a step may be off a whole number.

        Raises:
            ValueError: no gap is thought of, or no tolerance.
        """
        if longest < 1:
            raise ValueError(f"longest is {longest}; a gap has at least 1 sample")
        refuse_not_positive("tolerance_samples", tolerance_samples)
        cycles = np.arange(longest // self.cycle_samples + 2)
        exact = self.lost_samples_modulo_cycle + (cycles - 1) * self.cycle_samples
        whole = np.rint(exact)
        fits = (np.abs(exact - whole) <= tolerance_samples) & (whole >= 1) & (whole <= longest)
        return tuple(int(number) for number in whole[fits])


def find_time_steps(
    voltages: Array, first_sample: int, sample_rate_hz: float, *,
    false_alarm_probability: float = 1e-6, grid_step_deg: float = GRID_STEP_DEG,
) -> tuple[TimeStep, ...]:  # fmt: skip
    """Jumps of the voltages in time, four cycles and 64 samples or more inside the window.

    Told is what exceeds half a sample, the grid's own steps, and what noise makes of the step with
    the false-alarm probability over the window. The noise is taken from the voltages themselves.

    Args:
        voltages: (n, phases) equidistant samples; twelve cycles or more, 40 samples a cycle.
        first_sample: Number of the first.
        sample_rate_hz: Samples per second.
        false_alarm_probability: Between 0 and 1/2.
        grid_step_deg: Steps that are the grid's own.

    Returns:
        In order of time.

    Raises:
        TypeError: no array of numbers.
        ValueError: not finite, too short, no mains in the strongest voltage, or a number out of
            its range.
    """
    refuse_unusable("voltages", voltages, 2)
    refuse_not_positive("sample_rate_hz", sample_rate_hz)
    refuse_no_probability("false_alarm_probability", false_alarm_probability)
    refuse_negative("grid_step_deg", grid_step_deg)
    if voltages.shape[1] < 1 or len(voltages) < 2:
        raise ValueError(f"voltages has the shape {voltages.shape}; (n, phases) is needed")
    strongest = int(np.argmax(np.mean(voltages**2, axis=0)))
    cycle = _cycle_samples(voltages[:, strongest], sample_rate_hz)
    if round(cycle) < FEWEST_SAMPLES_PER_CYCLE or len(voltages) < 3 * MARGIN_CYCLES * cycle:
        raise ValueError(
            f"voltages has {len(voltages)} samples with {cycle:.4g} a cycle; twelve cycles of "
            f"{FEWEST_SAMPLES_PER_CYCLE} samples are needed"
        )
    comparison = _Comparison(voltages, cycle)
    steps_deg = np.abs(np.degrees(comparison.common_steps_rad()))
    seen_deg = steps_deg[steps_deg > 0]
    noise_deg = (
        float(np.quantile(seen_deg, _QUIET_QUANTILE)) / _QUIET_SIGMAS if len(seen_deg) else 0.0
    )
    by_noise_deg = _normal_quantile(len(steps_deg) / cycle, false_alarm_probability) * noise_deg
    threshold = max(180 / cycle, grid_step_deg, by_noise_deg)
    found = []
    for place in comparison.events(steps_deg, threshold):
        step_rad, explained = comparison.at(place)
        # Other events disturb the phasors too; only a jump in time explains what follows.
        if abs(math.degrees(step_rad)) > threshold and explained >= LEAST_EXPLAINED:
            found.append(
                TimeStep(
                    sample=first_sample + place,
                    step_deg=math.degrees(step_rad),
                    threshold_deg=threshold,
                    standard_uncertainty_deg=noise_deg,
                    cycle_samples=comparison.cycle_at(place),
                    explained_share=explained,
                )
            )
    return tuple(found)


def _normal_quantile(cycles: float, false_alarm_probability: float) -> float:
    """What noise exceeds, to either side, at any of the looks in so many cycles.

    Two instants half a cycle apart count as two looks.
    """
    return -NormalDist().inv_cdf(false_alarm_probability / (2 * max(1.0, 2 * cycles)))


def _cycle_samples(voltage: Array, sample_rate_hz: float) -> float:
    """Length of the cycle; a median of phase advances, which a gap does not move."""
    slot = max(1, int(sample_rate_hz / _LEAST_SLOT_RATE_HZ))
    means = voltage[: len(voltage) // slot * slot].reshape(-1, slot).mean(axis=1)
    cycle = sample_rate_hz / coarse_frequency_hz(means, sample_rate_hz / slot)
    for _ in range(_ROUNDS):
        comparison = _Comparison(voltage[:, None], cycle)
        if len(comparison.common) == 0:
            raise ValueError(f"voltages has {len(voltage)} samples; twelve cycles are needed")
        advance = float(np.median(np.angle(comparison.common))) / comparison.span
        cycle = 2 * math.pi / (2 * math.pi / cycle + advance)
    level = math.sqrt(2 * float(np.median(np.abs(comparison.common))))
    total = float(np.std(voltage))
    frequency_hz = sample_rate_hz / cycle
    if not (level > LEAST_SHARE * total and LOWEST_HZ <= frequency_hz <= HIGHEST_HZ):
        raise ValueError(
            f"voltages holds no mains: {level:.3g} of {total:.3g} RMS at {frequency_hz:.4g} Hz; "
            f"without mains a gap leaves no trace"
        )
    return cycle


class _Comparison:
    """Phasors of all phases at all instants, each compared with that of two cycles before.

    A phasor starts at its index and rests on the next `span` samples: two boxes of one cycle.
    """

    def __init__(self, voltages: Array, cycle_samples: float) -> None:
        self._voltages, self._cycle = voltages, cycle_samples
        self._box = round(cycle_samples)
        self.span = 2 * self._box - 1
        turn = np.exp(-2j * math.pi / cycle_samples * np.arange(len(voltages), dtype=np.float64))
        phasors = voltages * turn[:, None]
        for _ in range(2):
            sums = np.cumsum(np.vstack([np.zeros((1, voltages.shape[1])), phasors]), axis=0)
            phasors = (sums[self._box :] - sums[: -self._box]) / self._box
        self._phasors: Complex = phasors
        self._advances: Complex = phasors[self.span :] * np.conj(phasors[: -self.span])
        # Strong phases weigh more, by the square of their voltage.
        self.common: Complex = self._advances.sum(axis=1)

    def steps_rad(self, advances: Complex) -> Array:
        """Step across each instant from 2·span on: the advance less its neighbours' mean."""
        angles = np.angle(advances)
        span = self.span
        steps = angles[span:-span] - (angles[: -2 * span] + angles[2 * span :]) / 2
        wrapped: Array = (steps + math.pi) % (2 * math.pi) - math.pi
        return wrapped

    def common_steps_rad(self) -> Array:
        """Steps of all phases together; 0 where one of the phasors is hardly there."""
        levels = np.sqrt(np.sum(np.abs(self._phasors) ** 2, axis=1))
        weak = levels < _LEAST_LEVEL * np.median(levels)
        span = self.span
        blind = weak[: -3 * span] | weak[span : -2 * span] | weak[2 * span : -span]
        blind |= weak[3 * span :]
        return np.where(blind, 0.0, self.steps_rad(self.common))

    def events(self, steps: Array, threshold: float) -> list[int]:
        """Where something happened that moved the steps beyond a threshold, in order.

        Args:
            steps: Magnitudes of the steps from the instant 2·span on.
            threshold: As said.
        """
        left, margin = steps.copy(), round(MARGIN_CYCLES * self._cycle)
        low, high = 4 * self._box + 2 * REACH, len(self._voltages) - 2 * self.span
        found: list[int] = []
        while left[peak := int(np.argmax(left))] > threshold:
            place = self.place(peak + 2 * self.span)
            # All that one event disturbs goes at once; and the peak, so that this ends.
            middle = place - 2 * self.span
            left[max(0, middle - margin) : middle + margin + 1] = 0.0
            left[max(0, peak - self._box) : peak + self._box + 1] = 0.0
            if low <= place <= high:
                found.append(place)
        return sorted(set(found))

    def at(self, place: int) -> tuple[float, float]:
        """Step at a place, and the share that it explains of what changes there."""
        near = slice(place - 2 * self.span, place + 1)
        step = float(self.steps_rad(self.common[near])[0])
        cycle = self.cycle_at(place)
        lost = step / (2 * math.pi) * cycle
        # Whole cycles back, until the samples that are looked at lie before the place.
        cycles = 1 + math.ceil(max(0.0, lost + REACH) / cycle)
        back = cycles * self.cycle_at(place, (1 - cycles) / 2 * cycle)
        unmoved = self._difference(place, place + self._box, back)
        moved = self._difference(place, place + self._box, back - lost)
        # Until the place nothing may differ: else the cycle is wrong, not the time.
        back = cycles * self.cycle_at(place, -(1 + cycles) / 2 * cycle)
        still = self._difference(place - self._box, place, back)
        return step, 1 - (moved + still) / max(unmoved, 1e-300)

    def cycle_at(self, place: int, later: float = 0.0) -> float:
        """Length of the cycle so many samples after a place, by the advances on both sides of it.

        The step itself lies between the two advances and does not enter.
        """
        before, after = np.angle(self.common[[place - 2 * self.span, place]]) / self.span
        drift = (after - before) / (2 * self.span)
        turning = 2 * math.pi / self._cycle + (before + after) / 2 + drift * later
        return 2 * math.pi / float(turning)

    def _difference(self, first: int, end: int, delay: float) -> float:
        """Sum of the squared differences to the voltages a delay before."""
        return float(np.sum(self._differences(first, end, delay)))

    def _differences(self, first: int, end: int, delay: float) -> Array:
        """Square of the difference to the voltages a delay before, summed over the phases."""
        whole, fraction = int(delay), delay % 1
        before = self._voltages[first - whole - REACH : end - whole + REACH]
        delays = np.full(before.shape[1], fraction)
        earlier = aligned_between(before, delays, REACH, REACH + end - first)
        squares: Array = np.sum((self._voltages[first:end] - earlier) ** 2, axis=1)
        return squares

    def place(self, near: int) -> int:
        """The first sample after a step: from it on, one cycle differs from the cycle before."""
        reach = self._box + self._box // 4
        first = near - reach
        end = min(len(self._voltages), near + reach + self._box)
        squares = self._differences(first, end, self.cycle_at(near))
        sums = np.concatenate([[0.0], np.cumsum(squares)])
        over_a_cycle = sums[self._box :] - sums[: -self._box]
        return first + int(np.argmax(over_a_cycle))
