"""Channels that were sampled a little early or late, put on one set of instants.

Inside, a Kaiser-windowed sinc of 64 samples; towards either end of a record, where a window has
little weight, Lagrange's polynomial through the nearest twelve samples, at the very end eight.
Always between samples: what lies beyond a record's ends is not known.
"""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.lagrange import lagrange_weights

Array = NDArray[np.float64]

REACH = 32
"""Samples on either side that a value rests on."""
LONGEST_DELAY_SAMPLES = 1000
_KAISER_BETA = 25.0
_INNER_POINTS = 12
_END_POINTS = 8
"""Twelve points to one side of a place would raise noise fiftyfold, eight tenfold."""


def missing_samples(delays_samples: Array) -> tuple[int, int]:
    """Instants at the begin and at the end of a record that not all of its channels reach.

    Args:
        delays_samples: (channels,) delays: value n of a channel was taken at instant n + delay.
    """
    latest = float(np.max(delays_samples, initial=0.0))
    earliest = float(np.min(delays_samples, initial=0.0))
    return int(np.ceil(latest)), int(np.ceil(-earliest))


def aligned_between(values: Array, delays_samples: Array, first: int, end: int) -> Array:
    """Each channel at the common instants first … end−1, all of them between its samples.

    Args:
        values: (n, channels); value n of a channel was taken at instant n + delay.
        delays_samples: (channels,) delays; a fraction of a sample, or some samples.
        first: The first instant.
        end: The instant after the last.

    Returns:
        (end − first, channels).

    Raises:
        ValueError: a channel has no samples on both sides of an instant, a delay is longer than
            1000 samples or than the record, or there are fewer than 12 values.
    """
    if not np.any(delays_samples):
        return values[first:end]
    _refuse_unmovable(len(values), delays_samples)
    before, after = missing_samples(delays_samples)
    if first < before or end > len(values) - after:
        raise ValueError(
            f"instants {first} to {end - 1} lie beyond {len(values)} samples that were taken up to "
            f"{before} later and {after} earlier"
        )
    out = np.empty((max(0, end - first), values.shape[1]))
    for channel, delay in enumerate(delays_samples):
        column = np.ascontiguousarray(values[:, channel], np.float64)
        out[:, channel] = _delayed(column, float(delay), first, end) if delay else column[first:end]
    return out


def aligned(values: Array, delays_samples: Array) -> Array:
    """Each channel at the common instants 0 … n−1, for a picture of a whole record.

    At the ends, where a channel has no samples on both sides of an instant, it keeps its value of
    the nearest instant at which it has: nothing can be measured there. Use `aligned_between` for a
    measurement.

    Args:
        values: (n, channels); value n of a channel was taken at instant n + delay.
        delays_samples: (channels,) delays; a fraction of a sample, or some samples.

    Returns:
        (n, channels).

    Raises:
        ValueError: a delay is longer than 1000 samples or than the record, or there are fewer
            than 12 values.
    """
    if not np.any(delays_samples):
        return values
    _refuse_unmovable(len(values), delays_samples)
    columns = []
    for channel, delay in enumerate(delays_samples):
        own = np.array([delay])
        ends = missing_samples(own)
        inner = aligned_between(values[:, [channel]], own, ends[0], len(values) - ends[1])
        columns.append(np.pad(inner[:, 0], ends, mode="edge"))
    return np.column_stack(columns)


def _refuse_unmovable(count: int, delays_samples: Array) -> None:
    longest = np.max(np.abs(delays_samples))
    if longest > LONGEST_DELAY_SAMPLES or count < max(_INNER_POINTS, longest + 1):
        raise ValueError(f"{count} samples cannot be moved by {longest:g} samples")


def _delayed(column: Array, delay: float, first: int, end: int) -> Array:
    """The values at instants first … end−1 of a column whose value k was taken at k + delay."""
    whole = int(np.rint(-delay))
    fraction = -delay - whole
    taps = np.arange(-REACH + 1, REACH + 1)
    window = np.i0(_KAISER_BETA * np.sqrt(1 - ((taps - fraction) / (REACH + 1)) ** 2))
    weights = np.sinc(taps - fraction) * window
    weights /= weights.sum()
    out = np.empty(max(0, end - first))
    # Value at n is the sum over taps of column[n + whole + tap].
    low = max(REACH - 1 - whole, first)
    high = min(len(column) - REACH - whole, end)
    if high > low:
        start = low + whole - REACH + 1
        piece = column[start : start + high - low + 2 * REACH - 1]
        out[low - first : high - first] = np.convolve(piece, weights[::-1], mode="valid")
    else:
        low = high = end
    edges = np.concatenate([np.arange(first, low), np.arange(high, end)])
    out[edges - first] = _interpolated(column, edges - delay)
    return out


def _interpolated(column: Array, places: Array) -> Array:
    """The column at fractional places near its ends, 0 to n−1."""
    values = _lagrange(column, places, _INNER_POINTS)
    half = _INNER_POINTS // 2
    outer = (places < half - 1) | (places > len(column) - half)
    values[outer] = _lagrange(column, places[outer], _END_POINTS)
    return values


def _lagrange(column: Array, places: Array, count: int) -> Array:
    """The column at fractional places, by so many of the nearest points."""
    start = np.clip(np.rint(places - (count - 1) / 2), 0, len(column) - count).astype(np.int64)
    weights = lagrange_weights(places - start, count)
    values: Array = np.sum(weights * column[start[:, None] + np.arange(count)], axis=1)
    return values
