"""Whether a load is steady: the scatter of its cycle powers against what noise explains.

Beyond that, features that tell how it is unsteady: a drift, one step, a rhythm of cycles (burst
firing), or none of these.
"""

import enum
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import (
    refuse_negative,
    refuse_no_probability,
    refuse_not_positive,
    refuse_unusable,
)
from spotcheck_dsp.chi_squared import chi_squared_quantile

Array = NDArray[np.float64]

FEWEST_CYCLES = 6
EXPLAINED_SHARE = 0.8
"""A kind is named when it explains so much of the scatter."""
_SAME_SHARE = 0.02


class LoadMotion(enum.Enum):
    """How a load changes."""

    STEADY = "steady"
    DRIFT = "drift"
    STEP = "step"
    RHYTHM = "rhythm"
    IRREGULAR = "irregular"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadStability:
    """Scatter of the cycle powers of one load over one window."""

    mean_power: float
    """Mean of the cycle powers, in their unit."""
    scatter: float
    """Standard deviation of the cycle powers, in their unit; the statistic."""
    threshold: float
    """Beyond this scatter it is unstable: tolerated scatter and noise, with chance."""
    drift_share: float
    """Share of the variance that a straight line explains, 0 … 1."""
    step_share: float
    """Share that two levels explain, with one change between them."""
    step_cycle: int
    """The first cycle of the second level."""
    rhythm_share: float
    """Share that a pattern explains which repeats in the window three times at least; less what
    chance explains."""
    rhythm_cycles: int | None
    """Length of that pattern, the shortest that explains as much as any; None when the window is
    too short for one."""

    @property
    def detected(self) -> bool:
        """Whether the load is unstable."""
        return self.scatter > self.threshold

    @property
    def relative_scatter(self) -> float | None:
        """Scatter over the mean's magnitude; None when the mean is 0."""
        return self.scatter / abs(self.mean_power) if self.mean_power else None

    @property
    def motion(self) -> LoadMotion:
        """What explains most of the scatter, when it explains four fifths."""
        if not self.detected:
            return LoadMotion.STEADY
        shares = {
            LoadMotion.DRIFT: self.drift_share,
            LoadMotion.STEP: self.step_share,
            LoadMotion.RHYTHM: self.rhythm_share,
        }
        best = max(shares, key=lambda kind: shares[kind])
        return best if shares[best] >= EXPLAINED_SHARE else LoadMotion.IRREGULAR


def cycle_power_noise(
    rms_voltage: float, rms_current: float, *, noise_voltage: float, noise_current: float,
    samples_per_cycle: float,
) -> float:  # fmt: skip
    """Standard deviation that white noise gives the mean of u·i over one cycle, in W.

    Args:
        rms_voltage: RMS voltage, V.
        rms_current: RMS current, A.
        noise_voltage: Noise of each voltage sample, V RMS.
        noise_current: Noise of each current sample, A RMS.
        samples_per_cycle: Of the mains.

    Raises:
        ValueError: a negative number, or no samples.
    """
    for name, value in (
        ("rms_voltage", rms_voltage),
        ("rms_current", rms_current),
        ("noise_voltage", noise_voltage),
        ("noise_current", noise_current),
    ):
        refuse_negative(name, value)
    refuse_not_positive("samples_per_cycle", samples_per_cycle)
    variance = (
        (noise_voltage * rms_current) ** 2
        + (noise_current * rms_voltage) ** 2
        + (noise_voltage * noise_current) ** 2
    )
    return math.sqrt(variance / samples_per_cycle)


def load_stability(
    cycle_powers: Array, *, noise: float, tolerated_relative: float = 0.005,
    false_alarm_probability: float = 1e-6,
) -> LoadStability:  # fmt: skip
    """Scatter of cycle powers, its threshold, and what explains it.

    The threshold holds for white scatter whose standard deviation is the noise and the tolerated
    share of the mean together: it is exceeded with the false-alarm probability (chi-squared).

    Args:
        cycle_powers: (n,) power of successive whole cycles (`means_between` of u·i), six or more;
            a rhythm is seen when it repeats three times.
        noise: Standard deviation of a cycle power by noise alone (`cycle_power_noise`).
        tolerated_relative: Scatter that is no alarm, relative to the mean.
        false_alarm_probability: As said.

    Raises:
        TypeError: no array of numbers.
        ValueError: fewer than six cycles, not finite, or a number out of its range.
    """
    refuse_unusable("cycle_powers", cycle_powers, 1)
    refuse_negative("noise", noise)
    refuse_negative("tolerated_relative", tolerated_relative)
    refuse_no_probability("false_alarm_probability", false_alarm_probability)
    count = len(cycle_powers)
    if count < FEWEST_CYCLES:
        raise ValueError(f"cycle_powers has {count} cycles; at least {FEWEST_CYCLES} are needed")
    mean = float(np.mean(cycle_powers))
    local = cycle_powers - mean
    square = float(local @ local)
    widening = math.sqrt(chi_squared_quantile(false_alarm_probability, count - 1) / (count - 1))
    step_share, step_cycle = _best_step(local, square)
    rhythm_share, rhythm_cycles = _best_rhythm(local, square)
    return LoadStability(
        mean_power=mean,
        scatter=math.sqrt(square / (count - 1)),
        threshold=widening * math.hypot(noise, tolerated_relative * mean),
        drift_share=_line_share(local, square),
        step_share=step_share,
        step_cycle=step_cycle,
        rhythm_share=rhythm_share,
        rhythm_cycles=rhythm_cycles,
    )


def _line_share(local: Array, square: float) -> float:
    if square == 0:
        return 0.0
    k = np.arange(len(local)) - (len(local) - 1) / 2
    return float(k @ local) ** 2 / float(k @ k) / square


def _best_step(local: Array, square: float) -> tuple[float, int]:
    """Share of the variance between both sides of the best cut, and the cut."""
    count = len(local)
    cuts = np.arange(1, count)
    left = np.cumsum(local)[:-1]
    # The two sides' sums are opposite, as the mean is gone.
    between = left**2 * (1 / cuts + 1 / (count - cuts))
    best = int(np.argmax(between))
    return (float(between[best]) / square if square > 0 else 0.0), best + 1


def _best_rhythm(local: Array, square: float) -> tuple[float, int | None]:
    """Adjusted share of the variance that the best repeating pattern explains, and its length."""
    count = len(local)
    shares: dict[int, float] = {}
    for length in range(2, count // 3 + 1):
        sums = np.bincount(np.arange(count) % length, local, length)
        sizes = np.bincount(np.arange(count) % length, minlength=length)
        share = float(np.sum(sums**2 / sizes)) / square if square > 0 else 0.0
        # As R² is adjusted: a pattern of many levels explains some of any noise.
        shares[length] = max(0.0, 1 - (1 - share) * (count - 1) / (count - length))
    if not shares:
        return 0.0, None
    best = max(shares.values())
    shortest = min(length for length, share in shares.items() if share >= best - _SAME_SHARE)
    return best, shortest
