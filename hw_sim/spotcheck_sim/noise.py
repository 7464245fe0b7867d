"""Fast Gaussian noise: 16 random bits a value, looked up in a table of normal quantiles."""

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_LEVELS = 1 << 16


@cache
def _quantiles() -> NDArray[np.float32]:
    """Normal quantiles at the middles of 65536 equal probabilities, of variance exactly 1."""
    inverse = NormalDist().inv_cdf
    half = np.array([inverse((level + 0.5) / _LEVELS) for level in range(_LEVELS // 2)])
    table = np.concatenate((half, -half[::-1]))
    return np.asarray(table / np.sqrt(np.mean(table**2)), dtype=np.float32)


class GaussianNoise:
    """A stream of normal values, cut off at 4.3 σ; bit-identical for a seed.

    Five times as fast as `Generator.standard_normal`, which would take most of the time there is.
    """

    def __init__(self, seed: np.random.SeedSequence, rms: float = 1.0) -> None:
        """Start the stream that belongs to the seed; `rms` is the RMS value."""
        self._bits = np.random.SFC64(seed)
        self._table = _quantiles() * np.float32(rms)

    def draw(self, count: int) -> NDArray[np.float32]:
        """The next values; `count` is a multiple of four wherever splits must not matter."""
        words = np.asarray(self._bits.random_raw(-(-count // 4)), dtype="<u8")
        return np.take(self._table, words.view("<u2")[:count], mode="wrap")
