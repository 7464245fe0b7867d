"""The energy that the meter under test has counted, and when it reaches a given amount."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np

from spotcheck_sim.meter_under_test import MeterUnderTest, PulseKind
from spotcheck_sim.power_truth import PlantPower, Segment
from spotcheck_sim.waveform import FloatArray

_GRID_POINTS_PER_CYCLE = 16
_BISECTIONS = 16
_ROUNDING_S = 1e-7
_ROWS_AT_ONCE = 1024


class MeterEnergy:
    """M(t): the true energy times (1 + error), with the error of each segment of the load.

    A meter at rest counts its creep, and one that restarts counts nothing.
    """

    def __init__(self, meter: MeterUnderTest, power: PlantPower) -> None:
        """Work out the counted energy at the begin of every segment."""
        self._power = power
        self._pulsating = meter.pulse_kind is not PulseKind.SMOOTHED
        filtered = meter.pulse_kind is PulseKind.FILTERED
        self._lag_rad = math.radians(meter.filter_lag_deg) if filtered else 0.0
        self._segments = _split_at_reset(power.segments, meter)
        self._gains = np.array([_gain(meter, power, segment) for segment in self._segments])
        self._creep_w = np.array([_creep_w(meter, power, segment) for segment in self._segments])
        self._starts = np.array([segment.start_s for segment in self._segments])
        true_at_starts_j = self._true_energy_j(self._starts)
        counted_j = self._gains[:-1] * np.diff(true_at_starts_j)
        counted_j += self._creep_w[:-1] * np.diff(self._starts)
        self._true_at_starts_j = true_at_starts_j
        self._counted_at_starts_j = np.concatenate(([0.0], np.cumsum(counted_j)))

    def _true_energy_j(self, time_s: FloatArray) -> FloatArray:
        if self._pulsating:
            return self._power.filtered_energy_j(time_s, self._lag_rad)
        return self._power.energy_j(time_s)

    def at(self, time_s: FloatArray) -> FloatArray:
        """Energy counted since true time 0, in J."""
        index = self._segment_index(time_s)
        gained = self._true_energy_j(time_s) - self._true_at_starts_j[index]
        crept = self._creep_w[index] * (time_s - self._starts[index])
        return np.asarray(self._counted_at_starts_j[index] + self._gains[index] * gained + crept)

    def _segment_index(self, time_s: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
        return np.maximum(np.searchsorted(self._starts, time_s, side="right") - 1, 0)

    def counted_mean_j(self, from_s: float, to_s: float) -> float:
        """Energy that the mean power lets the meter count between two instants, in J."""
        edges = np.unique(np.clip([from_s, *self._starts, to_s], from_s, to_s))
        index = self._segment_index(edges[:-1])
        gained_j = self._gains[index] * np.diff(self._power.energy_j(edges))
        return float(np.sum(gained_j + self._creep_w[index] * np.diff(edges)))

    def largest_before_j(self, time_s: float) -> float:
        """No less than the largest energy counted before an instant, in J."""
        instants = np.array([*self._starts[self._starts < time_s], time_s])
        ripple_j = 2 * self._power.ripple_bound_j * float(np.max(np.abs(self._gains)))
        factor = max(abs(segment.power_factor_on_base) for segment in self._segments)
        return float(np.max(self.at(instants))) + (ripple_j * factor if self._pulsating else 0.0)

    def first_times(self, thresholds_j: FloatArray, from_s: float, to_s: float) -> FloatArray:
        """When M(t) first reaches rising thresholds within a window of time.

        Args:
            thresholds_j: Energies that M(t) reached at no time before `from_s`, in J.
            from_s: Begin of the window, in s of true time.
            to_s: End of the window, in s.

        Returns:
            Instants in s, correct to 1 ns, for as many leading thresholds as are reached.
        """
        found: list[FloatArray] = []
        pending = thresholds_j
        for number, segment in enumerate(self._segments):
            begin, end = max(from_s, segment.start_s), min(to_s, segment.end_s)
            counts = self._gains[number] != 0.0 or self._creep_w[number] != 0.0
            if begin < end and pending.size and counts:
                times = self._first_times_in(number, pending, begin, end)
                found.append(times)
                pending = pending[times.size :]
        return np.concatenate(found) if found else np.empty(0)

    def _first_times_in(
        self, number: int, thresholds_j: FloatArray, begin_s: float, end_s: float
    ) -> FloatArray:
        """First times within one segment, by formula or between brackets."""
        factor = float(self._segments[number].power_factor_on_base)
        counted_w = float(self._gains[number]) * self._power.power_w(begin_s)
        counted_w += float(self._creep_w[number])
        above_j = thresholds_j - self._counted_at_starts_j[number]
        centre_s = self._starts[number] + above_j / counted_w
        if not self._pulsating or self._gains[number] == 0.0:
            # Rounding may put a crossing of the window's very begin just before it.
            return np.asarray(np.maximum(centre_s[centre_s < end_s], begin_s))
        reach_s = 2 * abs(self._gains[number] * factor) * self._power.ripple_bound_j / counted_w
        # A balanced load has no ripple; rounding must still leave the crossing inside.
        reach_s += _ROUNDING_S
        low_s = np.clip(centre_s - reach_s, begin_s, end_s)
        high_s = np.clip(centre_s + reach_s, begin_s, end_s)
        parts = []
        for row in range(0, thresholds_j.size, _ROWS_AT_ONCE):
            rows = slice(row, row + _ROWS_AT_ONCE)
            parts.append(self._bracketed(thresholds_j[rows], low_s[rows], high_s[rows]))
            if parts[-1].size < thresholds_j[rows].size:
                break
        return np.concatenate(parts)

    def _bracketed(
        self, thresholds_j: FloatArray, low_s: FloatArray, high_s: FloatArray
    ) -> FloatArray:
        """First crossings: the first grid cell that reaches the threshold, then bisection.

        A crest that tops a threshold by less than about 1e-4 of the ripple may be passed over; the
        pulse then leaves at the next crossing, at the same counted energy.
        """
        longest_s = float(np.max(high_s - low_s))
        rate = self._power.mains.frequency_hz * self._power.highest_ripple_order
        cells = max(4, math.ceil(longest_s * rate * _GRID_POINTS_PER_CYCLE))
        grid = low_s[:, None] + (high_s - low_s)[:, None] * np.linspace(0.0, 1.0, cells + 1)
        grid = self._moved_onto_crests(grid)
        reached = self.at(grid) >= thresholds_j[:, None]
        crossed = np.minimum.accumulate(reached.any(axis=1))
        first = np.argmax(reached, axis=1)
        rows = np.arange(thresholds_j.size)
        low, high = grid[rows, np.maximum(first - 1, 0)][crossed], grid[rows, first][crossed]
        wanted = thresholds_j[crossed]
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            below = self.at(middle) < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return self._on_chord(wanted, low, high)

    def _moved_onto_crests(self, grid_s: FloatArray) -> FloatArray:
        """The grid with its local maxima moved to the vertex of the parabola through them."""
        counted_j = self.at(grid_s)
        left, middle, right = counted_j[:, :-2], counted_j[:, 1:-1], counted_j[:, 2:]
        crest = (middle > left) & (middle >= right)
        curvature = np.where(crest, left - 2 * middle + right, 1.0)
        shift = np.where(crest, (left - right) / (2 * curvature), 0.0)
        moved = grid_s.copy()
        moved[:, 1:-1] += shift * (grid_s[:, 2:] - grid_s[:, :-2]) / 2
        return moved

    def _on_chord(self, wanted_j: FloatArray, low_s: FloatArray, high_s: FloatArray) -> FloatArray:
        """Crossings by linear interpolation within the last, nanosecond-wide brackets."""
        low_j, high_j = self.at(low_s), self.at(high_s)
        rise_j = np.where(high_j > low_j, high_j - low_j, 1.0)
        part = np.clip((wanted_j - low_j) / rise_j, 0.0, 1.0)
        return np.asarray(low_s + part * (high_s - low_s))


def _split_at_reset(segments: tuple[Segment, ...], meter: MeterUnderTest) -> tuple[Segment, ...]:
    """The segments of the load, cut where the meter stops counting and where it goes on."""
    cuts = (meter.reset.at_s, meter.reset.end_s) if meter.reset else ()
    pieces: list[Segment] = []
    for segment in segments:
        inside = [cut for cut in cuts if segment.start_s < cut < segment.end_s]
        edges = [segment.start_s, *inside, segment.end_s]
        pieces += [replace(segment, start_s=start, end_s=end) for start, end in pairwise(edges)]
    return tuple(pieces)


def _is_blind(meter: MeterUnderTest, segment: Segment) -> bool:
    reset = meter.reset
    return reset is not None and reset.at_s <= segment.start_s < reset.end_s


def _gain(meter: MeterUnderTest, power: PlantPower, segment: Segment) -> float:
    """Counted energy for each unit of true energy in a segment; 0 for a meter at rest."""
    mean_w = power.power_w(segment.start_s)
    current_a = power.mean_phase_current_a(segment)
    if mean_w == 0.0 or abs(mean_w) < meter.starting_power_w or _is_blind(meter, segment):
        return 0.0
    # A load set to the starting current is at it, whatever the last bit of a product says.
    if current_a < meter.starting_current_a * (1 - 1e-12):
        return 0.0
    return math.copysign(1 + meter.error_percent_at(current_a) / 100, mean_w)


def _creep_w(meter: MeterUnderTest, power: PlantPower, segment: Segment) -> float:
    """Power counted without any current, in W; a meter without voltage is dark."""
    has_voltage = power.mains.voltage_v * segment.voltage_factor > 0.0
    is_idle = power.mean_phase_current_a(segment) == 0.0
    return meter.creep_power_w if has_voltage and is_idle and not _is_blind(meter, segment) else 0.0
