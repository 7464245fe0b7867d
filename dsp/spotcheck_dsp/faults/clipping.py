"""Clipping below full scale: flat tops with a kink at either end.

A saturated amplifier ahead of the converter holds the signal at one level, with the converter's
noise on it. A smooth peak leaves its top slowly: near a maximum like 1 − |x|^p, at 1.7 times the
top's half width it has fallen by 2.9 (p = 2) to 8.4 times (p = 4) the top's own depth; at a clipped
top the signal falls away at once. That ratio is the statistic. Tops of no current are left out.

A load that truly draws blocks of constant current (a rectifier behind a large choke, an inverter
of rectangular steps) has the same shape: no detector can tell it from clipping by its waveform.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_not_positive, refuse_unusable

Array = NDArray[np.float64]

FALL_THRESHOLD = 12.0
"""Above what a top with p = 4 and noise reaches. A maximally flat sum of a fundamental and its
third harmonic has p = 4."""
FEWEST_FLAT_SAMPLES = 4
LEAST_LEVEL = 0.55
"""A half-wave current through a current transformer lies flat at 0.47 of its largest magnitude."""
DEPTH_SIGMAS = 8.0
"""Depth of a top: what noise spans over some hundred samples, and some more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipping:
    """What one channel showed at its highest and lowest values."""

    fall_ratio: float
    """Largest ratio of the fall beside a top to the top's depth, the smaller of both sides; the
    statistic. 0 where no top is long enough."""
    threshold: float
    """At or above this ratio it is clipping."""
    level: float | None
    """The level at which the signal stands there, in its unit; None without clipping."""
    first_sample: int | None
    """First sample of the first clipped top; None without."""
    tops: int
    """How many tops were clipped."""
    samples: int
    """How many samples they hold."""

    @property
    def detected(self) -> bool:
        """Whether a top was clipped."""
        return self.tops > 0


def find_clipping(values: Array, first_sample: int, noise_rms: float) -> Clipping:
    """Whether the highest or the lowest values of one channel are clipped.

    The top is everything within 8·noise of the extreme, so with noise σ and amplitude A a depth of
    about 100·σ/A is seen, given at least 4 clipped samples in a row.

    Args:
        values: (n,) equidistant samples, a cycle or more.
        first_sample: Number of the first.
        noise_rms: Noise of the converter, in the unit of the values; rounding included.

    Raises:
        TypeError: no array of numbers.
        ValueError: not one dimension, not finite, fewer than 16 samples, or no noise.
    """
    refuse_unusable("values", values, 1)
    refuse_not_positive("noise_rms", noise_rms)
    if len(values) < 16:
        raise ValueError(f"values has {len(values)} samples; 16 are needed, better whole cycles")
    depth = DEPTH_SIGMAS * noise_rms
    least = LEAST_LEVEL * float(np.max(np.abs(values)))
    sides = [(sign, *_tops(sign * values, depth, least)) for sign in (1.0, -1.0)]
    ratio = max(float(np.max(ratios, initial=0.0)) for _, _, _, ratios in sides)
    clipped = [
        (int(begin), int(length), sign)
        for sign, begins, lengths, ratios in sides
        for begin, length, fall in zip(begins, lengths, ratios, strict=True)
        if fall >= FALL_THRESHOLD
    ]
    if not clipped:
        return Clipping(
            fall_ratio=ratio, threshold=FALL_THRESHOLD, level=None, first_sample=None, tops=0,
            samples=0,
        )  # fmt: skip
    begin, length, _ = min(clipped)
    return Clipping(
        fall_ratio=ratio,
        threshold=FALL_THRESHOLD,
        level=float(np.mean(values[begin : begin + length])),
        first_sample=first_sample + begin,
        tops=len(clipped),
        samples=sum(length for _, length, _ in clipped),
    )


def _tops(
    values: Array, depth: float, least: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Begins, lengths and fall ratios of the rows of samples within a depth of the maximum.

    The ends of the record have only one side and are left out.
    """
    top = float(np.max(values))
    if top < least:
        nothing = np.zeros(0, np.int64)
        return nothing, nothing, np.zeros(0)
    high = np.concatenate([[False], values >= top - depth, [False]])
    changes = np.flatnonzero(high[1:] != high[:-1])
    begins, ends = changes[::2], changes[1::2]
    lengths = ends - begins
    # From the middle to the last flat sample it is (length − 1)/2.
    beyond = np.maximum(1, np.floor(0.7 * (lengths - 1) / 2).astype(np.int64))
    left, right = begins - beyond, ends - 1 + beyond
    whole = (lengths >= FEWEST_FLAT_SAMPLES) & (left >= 0) & (right < len(values))
    begins, lengths, left, right = begins[whole], lengths[whole], left[whole], right[whole]
    falls = top - np.maximum(values[left], values[right])
    return begins, lengths, falls / depth
