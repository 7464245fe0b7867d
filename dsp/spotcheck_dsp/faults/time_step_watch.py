"""`find_time_steps` over a stream: windows at fixed places, so the cut into blocks has no say."""

import math

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_not_positive, refuse_unusable
from spotcheck_dsp.channel_alignment import REACH
from spotcheck_dsp.faults.lost_samples import (
    FEWEST_SAMPLES_PER_CYCLE,
    GRID_STEP_DEG,
    MARGIN_CYCLES,
    TimeStep,
    find_time_steps,
)
from spotcheck_dsp.mains_fit import HIGHEST_HZ, LOWEST_HZ

Array = NDArray[np.float64]

WINDOW_S = 0.5
_OVERLAP_SAMPLES = 16


class TimeStepWatch:
    """Keeps what its windows need, and tells each jump once.

    The first and the last tenth of a second of a stream are not watched.
    """

    def __init__(
        self, *, phases: int, sample_rate_hz: float, first_sample: int = 0,
        false_alarm_probability: float = 1e-6, grid_step_deg: float = GRID_STEP_DEG,
    ) -> None:  # fmt: skip
        """Start before a sample.

        Args:
            phases: Voltages.
            sample_rate_hz: Samples per second.
            first_sample: Number of the first sample that will come.
            false_alarm_probability: Over each window of half a second.
            grid_step_deg: Steps that are the grid's own.

        Raises:
            ValueError: no phases, or a sample rate below 2,800 S/s.
        """
        if phases < 1:
            raise ValueError(f"phases is {phases}; at least one is needed")
        refuse_not_positive("sample_rate_hz", sample_rate_hz)
        if sample_rate_hz < FEWEST_SAMPLES_PER_CYCLE * HIGHEST_HZ:
            raise ValueError(
                f"sample_rate_hz is {sample_rate_hz:g}; {FEWEST_SAMPLES_PER_CYCLE} samples a cycle "
                f"are needed"
            )
        self._rate_hz = sample_rate_hz
        self._probability, self._grid_step_deg = false_alarm_probability, grid_step_deg
        self._window = math.ceil(WINDOW_S * sample_rate_hz)
        self._margin = math.ceil(MARGIN_CYCLES * sample_rate_hz / LOWEST_HZ) + 2 * REACH
        self._begin = first_sample
        self._kept = np.zeros((0, phases))
        self._last_told: int | None = None
        self._unseen: list[tuple[int, int]] = []

    @property
    def unseen(self) -> tuple[tuple[int, int], ...]:
        """Stretches (first sample, sample after the last) without mains: nothing is told there."""
        return tuple(self._unseen)

    def add(self, voltages: Array) -> tuple[TimeStep, ...]:
        """Jumps that the next samples complete.

        Args:
            voltages: (n, phases) float64.

        Raises:
            TypeError: no array of numbers.
            ValueError: another number of phases, or not finite.
        """
        refuse_unusable("voltages", voltages, 2)
        if voltages.shape[1] != self._kept.shape[1]:
            raise ValueError(
                f"voltages has the shape {voltages.shape}; (n, {self._kept.shape[1]}) is expected"
            )
        self._kept = np.vstack([self._kept, voltages])
        told: list[TimeStep] = []
        hop = self._window - 2 * self._margin
        while len(self._kept) >= self._window:
            told += self._look(self._kept[: self._window])
            self._kept = self._kept[hop:]
            self._begin += hop
        return tuple(told)

    def _look(self, window: Array) -> list[TimeStep]:
        try:
            steps = find_time_steps(
                window, self._begin, self._rate_hz,
                false_alarm_probability=self._probability, grid_step_deg=self._grid_step_deg,
            )  # fmt: skip
        except ValueError:
            # The samples are finite and enough: what is missing is the mains.
            self._note_unseen(self._begin, self._begin + len(window))
            return []
        # Windows share some samples at their bounds, as they may place a jump a little apart.
        low = self._begin + self._margin - _OVERLAP_SAMPLES
        high = self._begin + len(window) - self._margin + _OVERLAP_SAMPLES
        told = []
        for step in steps:
            again = (
                self._last_told is not None and step.sample - self._last_told <= self._margin // 2
            )
            if low <= step.sample < high and not again:
                told.append(step)
                self._last_told = step.sample
        return told

    def _note_unseen(self, first: int, end: int) -> None:
        if self._unseen and self._unseen[-1][1] >= first:
            first = self._unseen.pop()[0]
        self._unseen.append((first, end))
