"""Flat lines: a channel that is stuck on one code, and one that carries noise only.

Stuck is exact: so many identical codes in a row as noise would not bring about. "No signal" is a
test of the variance against the known noise. A load that is off for some cycles, or a dimmer's
pause, is neither, as long as the lengths asked for are longer than the pause.
"""

import enum
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import (
    refuse_no_probability,
    refuse_not_positive,
    refuse_wrong_codes,
)
from spotcheck_dsp.chi_squared import chi_squared_quantile

Codes = NDArray[np.int32]
Integers = NDArray[np.int64]

LONGEST_WINDOW = 65_535


class ChannelLife(enum.Enum):
    """Whether a channel lives."""

    LIVE = "live"
    NO_SIGNAL = "no signal"
    STUCK = "stuck"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFlatness:
    """What one channel showed since the begin."""

    longest_run_samples: int
    """Longest row of identical codes; the statistic for STUCK."""
    run_threshold_samples: int
    """From this length on the channel was stuck."""
    run_first_sample: int | None
    """Where the longest row begins; None before the first sample."""
    least_rms_codes: float | None
    """RMS about the mean of the quietest window; the statistic for NO_SIGNAL. None before the
    first whole window."""
    rms_threshold_codes: float
    """At or below this a window holds noise only."""
    quietest_first_sample: int | None
    """Where the quietest window begins; None before the first whole one."""

    @property
    def life(self) -> ChannelLife:
        """Stuck, if ever; else without signal, if ever; undetermined before a whole window."""
        if self.longest_run_samples >= self.run_threshold_samples:
            return ChannelLife.STUCK
        if self.least_rms_codes is None:
            return ChannelLife.UNDETERMINED
        quiet = self.least_rms_codes <= self.rms_threshold_codes
        return ChannelLife.NO_SIGNAL if quiet else ChannelLife.LIVE


def stuck_run_samples(
    noise_codes_rms: float, stream_samples: int, false_alarm_probability: float
) -> int:
    """Identical codes in a row that noise alone brings about with less than a probability.

    For white Gaussian noise before the rounding, at its worst: a constant signal in the middle of a
    code. P(a row of r in n samples) ≤ n·Σp_k^r over the codes k.

    Args:
        noise_codes_rms: Noise of the channel, codes RMS.
        stream_samples: Samples over which the probability shall hold.
        false_alarm_probability: Between 0 and 1/2.

    Raises:
        ValueError: out of range.
    """
    refuse_not_positive("noise_codes_rms", noise_codes_rms)
    refuse_not_positive("stream_samples", stream_samples)
    refuse_no_probability("false_alarm_probability", false_alarm_probability)
    noise = NormalDist(0.0, noise_codes_rms)
    middle = noise.cdf(0.5) - noise.cdf(-0.5)
    if middle >= 1.0:
        raise ValueError(
            f"noise_codes_rms is {noise_codes_rms}: so little noise keeps one code for ever; "
            f"give a length of your own"
        )
    # The tails of k ≠ 0 count twice; beyond six sigma they weigh nothing.
    codes = range(1, 2 + math.ceil(6 * noise_codes_rms))
    sides = [noise.cdf(k + 0.5) - noise.cdf(k - 0.5) for k in codes]
    run = 2
    while True:
        expected = stream_samples * (middle**run + 2 * sum(p**run for p in sides))
        if expected <= false_alarm_probability:
            return run
        run = max(run + 1, int(run * 1.02))


class FlatLineDetector:
    """Rows of identical codes, and windows of noise; independent of how the stream is cut."""

    def __init__(
        self, *, noise_codes_rms: tuple[float, ...], run_samples: int, window_samples: int,
        false_alarm_probability: float = 1e-6, first_sample: int = 0,
    ) -> None:  # fmt: skip
        """Start before a sample.

        Args:
            noise_codes_rms: Noise of each channel without signal, codes RMS.
            run_samples: Identical codes that mean "stuck"; longer than any pause of the load (two
                cycles off of a burst) and than `stuck_run_samples`.
            window_samples: Length of the windows for "no signal", 2 to 65,535; longer than any
                pause. They lie end to end from the first sample.
            false_alarm_probability: With which a window that holds noise only is held to be live.
            first_sample: Number of the first sample that will come.

        Raises:
            ValueError: out of range.
        """
        if not noise_codes_rms:
            raise ValueError("noise_codes_rms is empty; one value for each channel is needed")
        for noise in noise_codes_rms:
            refuse_not_positive("noise_codes_rms", noise)
        refuse_no_probability("false_alarm_probability", false_alarm_probability)
        if run_samples < 2:
            raise ValueError(f"run_samples is {run_samples}; at least 2 are needed")
        if not 2 <= window_samples <= LONGEST_WINDOW:
            raise ValueError(f"window_samples is {window_samples}; 2 to {LONGEST_WINDOW} work")
        channels = len(noise_codes_rms)
        freedom = window_samples - 1
        widening = math.sqrt(chi_squared_quantile(false_alarm_probability, freedom) / freedom)
        # Rounding to codes adds its own noise of 1/12.
        self._rms_thresholds = [widening * math.hypot(n, 12**-0.5) for n in noise_codes_rms]
        self._run_threshold, self._window = run_samples, window_samples
        self._next_sample = self._origin = first_sample
        self._sums = np.zeros((2, channels), np.int64)
        self._last: Codes | None = None
        self._run = np.zeros(channels, np.int64)
        self._longest = np.zeros(channels, np.int64)
        self._longest_begin: list[int | None] = [None] * channels
        self._quietest: list[tuple[float, int] | None] = [None] * channels

    def add(self, codes: Codes) -> None:
        """Look at the next codes.

        Args:
            codes: (n, channels) int32, 24 significant bits.

        Raises:
            TypeError: not int32.
            ValueError: another number of channels, or a code beyond ±2²³.
        """
        refuse_wrong_codes("codes", codes, len(self._run))
        if len(codes) == 0:
            return
        if codes.max() > 1 << 23 or codes.min() < -(1 << 23):
            raise ValueError("codes holds a code beyond ±2²³; the front end delivers 24 bits")
        self._follow_runs(codes)
        self._follow_windows(codes)
        self._next_sample += len(codes)

    def _follow_runs(self, codes: Codes) -> None:
        changed = np.ones(codes.shape, bool)
        changed[1:] = codes[1:] != codes[:-1]
        if self._last is not None:
            changed[0] = codes[0] != self._last
        for channel in range(codes.shape[1]):
            begins = np.flatnonzero(changed[:, channel])
            lengths = np.diff(np.concatenate([[0], begins, [len(codes)]]))
            lengths[0] += self._run[channel]
            # The stretch before the first change carries on what came before.
            starts = np.concatenate([[-self._run[channel]], begins])
            longest = int(np.argmax(lengths))
            if lengths[longest] > self._longest[channel]:
                self._longest[channel] = lengths[longest]
                self._longest_begin[channel] = int(starts[longest]) + self._next_sample
            self._run[channel] = lengths[-1]
        self._last = codes[-1].copy()

    def _follow_windows(self, codes: Codes) -> None:
        start = 0
        while start < len(codes):
            filled = (self._next_sample + start - self._origin) % self._window
            piece = codes[start : start + self._window - filled].astype(np.int64)
            self._sums += np.stack([piece.sum(axis=0), (piece * piece).sum(axis=0)])
            start += len(piece)
            if filled + len(piece) == self._window:
                self._close_window(self._next_sample + start - self._window)
                self._sums = np.zeros_like(self._sums)

    def _close_window(self, first_sample: int) -> None:
        for channel in range(len(self._run)):
            total, square = (int(part) for part in self._sums[:, channel])
            # In whole numbers: near full scale the squares cancel beyond a double's digits.
            spread = square * self._window - total * total
            rms = math.sqrt(spread / (self._window * (self._window - 1)))
            best = self._quietest[channel]
            if best is None or rms < best[0]:
                self._quietest[channel] = (rms, first_sample)

    @property
    def channels(self) -> tuple[ChannelFlatness, ...]:
        """What was found so far."""
        return tuple(self._channel(k, self._quietest[k]) for k in range(len(self._run)))

    def _channel(self, channel: int, quietest: tuple[float, int] | None) -> ChannelFlatness:
        return ChannelFlatness(
            longest_run_samples=int(self._longest[channel]),
            run_threshold_samples=self._run_threshold,
            run_first_sample=self._longest_begin[channel],
            least_rms_codes=None if quietest is None else quietest[0],
            rms_threshold_codes=self._rms_thresholds[channel],
            quietest_first_sample=None if quietest is None else quietest[1],
        )
