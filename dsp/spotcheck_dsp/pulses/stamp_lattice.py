"""Whether all pulses leave on a lattice of instants: a meter that looks at its register by a tick.

Where the pulses keep step with the tick, no residual shows it (`pulse_residuals` looks for what
does). Here the ticks that processors have are tried one by one, each within what crystals differ:
stamps that are no lattice's all lie near one by chance only, and the chance is known. Pulses at
equal distances may keep step with a tick that the meter has not: nobody can tell, and it is said.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TICKS_S = (0.1, 1 / 16, 0.05, 0.04, 1 / 32, 0.025, 0.02, 1 / 64, 0.01, 1 / 128, 0.005)
"""Longest first: a lattice of 10 ms is one of 5 ms, too. Shorter ones leave less open than any
instrument's own part of U, and pulses keep step with them by chance too often."""
TOLERANCE_S = 100e-6
"""What optical head and LED move a pulse at most, for a lattice to be seen."""
CRYSTALS_DIFFER = 200e-6
LARGEST_CHANCE = 1e-4
"""Of calling pulses a lattice that are none."""


def tick_of(stamps_s: Array) -> float | None:
    """The longest known tick on which all pulses leave, in s; None where there is none.

    Args:
        stamps_s: (n,) instants of the pulses, in s, rising.
    """
    since_s = stamps_s - stamps_s[0]
    for tick_s in TICKS_S:
        drifts = _drifts(float(since_s[-1]))
        # One stamp places the lattice; the others come to lie near it by chance.
        chance = len(TICKS_S) * len(drifts) * (4 * TOLERANCE_S / tick_s) ** (len(since_s) - 1)
        if chance <= LARGEST_CHANCE and _is_lattice(since_s, tick_s * (1 + drifts)):
            return tick_s
    return None


def _drifts(span_s: float) -> Array:
    steps = int(np.ceil(2 * CRYSTALS_DIFFER * span_s / TOLERANCE_S)) + 1
    return np.linspace(-CRYSTALS_DIFFER, CRYSTALS_DIFFER, max(steps, 3))


def _is_lattice(since_s: Array, ticks_s: Array) -> bool:
    turns = since_s[None, :] / ticks_s[:, None]
    vectors = np.exp(2j * np.pi * turns)
    middle = np.angle(vectors.mean(axis=1, keepdims=True))
    off = np.abs(np.angle(vectors * np.exp(-1j * middle))) / (2 * np.pi) * ticks_s[:, None]
    # Half a step of the drifts moves the ends by a quarter of the tolerance.
    return bool(np.any(off.max(axis=1) <= 1.25 * TOLERANCE_S))
