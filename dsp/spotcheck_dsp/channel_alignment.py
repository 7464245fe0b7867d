"""Channels that were sampled a little early or late, put on one set of instants.

Inside, a Kaiser-windowed sinc of 64 samples; towards either end of a record, where a window has
little weight, Lagrange's polynomial through the nearest twelve samples.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REACH = 32
"""Samples on either side that a value rests on."""
_KAISER_BETA = 25.0
_EDGE_POINTS = 12


def aligned(values: Array, delays_samples: Array) -> Array:
    """Each channel at the common instants 0 … n−1.

    Args:
        values: (n, channels); value n of a channel was taken at instant n + delay.
        delays_samples: (channels,) delays; a fraction of a sample, or some samples.

    Returns:
        (n, channels).

    Raises:
        ValueError: a delay is longer than 1000 samples, or there are fewer than 12 values.
    """
    if not np.any(delays_samples):
        return values
    if np.max(np.abs(delays_samples)) > 1000 or len(values) < _EDGE_POINTS:
        raise ValueError(
            f"{len(values)} samples cannot be moved by {np.max(np.abs(delays_samples)):g} samples"
        )
    out = np.empty_like(values, dtype=np.float64)
    for channel, delay in enumerate(delays_samples):
        column = np.ascontiguousarray(values[:, channel], np.float64)
        out[:, channel] = _delayed(column, float(delay)) if delay else column
    return out


def _delayed(column: Array, delay: float) -> Array:
    """The values at instants 0 … n−1 of a column whose value k was taken at k + delay."""
    whole = int(np.rint(-delay))
    fraction = -delay - whole
    taps = np.arange(-REACH + 1, REACH + 1)
    window = np.i0(_KAISER_BETA * np.sqrt(1 - ((taps - fraction) / (REACH + 1)) ** 2))
    weights = np.sinc(taps - fraction) * window
    weights /= weights.sum()
    out = np.empty_like(column)
    # Value at n is the sum over taps of column[n + whole + tap].
    first, last = REACH - 1 - whole, len(column) - REACH - whole
    first, last = max(first, 0), min(last, len(column))
    if last > first:
        start = first + whole - REACH + 1
        piece = column[start : start + last - first + 2 * REACH - 1]
        out[first:last] = np.convolve(piece, weights[::-1], mode="valid")
    else:
        first = last = len(column)
    edges = np.concatenate([np.arange(first), np.arange(last, len(column))])
    out[edges] = _lagrange(column, edges - delay)
    return out


def _lagrange(column: Array, places: Array) -> Array:
    """The column at fractional places, by the nearest points."""
    count = min(_EDGE_POINTS, len(column))
    start = np.clip(np.rint(places - (count - 1) / 2), 0, len(column) - count).astype(np.int64)
    x = places - start
    nodes = np.arange(count, dtype=np.float64)
    weights = np.ones((len(places), count))
    for k in range(count):
        others = np.delete(nodes, k)
        weights[:, k] = np.prod((x[:, None] - others) / (nodes[k] - others), axis=1)
    values: Array = np.sum(weights * column[start[:, None] + np.arange(count)], axis=1)
    return values
