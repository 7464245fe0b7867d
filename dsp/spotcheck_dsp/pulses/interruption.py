"""An interruption of a pulse train: one interval that stands out and is never made up for.

A meter that restarts loses what it had counted towards the next pulse. Whole pulses that are
missing can be counted; the part of one cannot, and a line through both sides of it has a wrong
slope. What a filter, a tick or a ripple moves is less than a cycle of the mains.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

LEAST_S = 0.020
"""One cycle at 50 Hz, at the mean power: no ripple and no tick of a meter moves a pulse so far."""
LEAST_SHARE = 0.02
"""Of a pulse: slow pulses feel a change of load by the meter's error curve."""
LEAST_SPREADS = 8.0
"""Of the other intervals, by their ninth decile."""
FEWEST_INTERVALS = 4


def interruption(stamps_s: Array, energies_j: Array, numbers: Indices) -> str | None:
    """Where a train was interrupted, as a sentence; None where it was not.

    Args:
        stamps_s: (n,) instants of the meter's pulses, in s, rising.
        energies_j: (n,) register there, in J.
        numbers: (n,) numbers of the pulses, rising; a missing pulse leaves its number out.

    Raises:
        ValueError: shapes that differ.
    """
    if not stamps_s.shape == energies_j.shape == numbers.shape:
        raise ValueError("stamps_s, energies_j and numbers must be (n,), one for each pulse")
    steps = np.diff(numbers)
    if len(steps) < FEWEST_INTERVALS:
        return None
    gained_j = np.diff(energies_j)
    quantum_j = float(np.median(gained_j / steps))
    off = np.abs(gained_j - quantum_j * steps)
    worst = int(np.argmax(off))
    spread_j = float(np.quantile(np.delete(off, worst), 0.9)) / 1.645
    power_w = (energies_j[-1] - energies_j[0]) / (stamps_s[-1] - stamps_s[0])
    least_j = max(LEAST_S * power_w, LEAST_SHARE * quantum_j, LEAST_SPREADS * spread_j)
    if off[worst] <= least_j:
        return None
    return (
        f"the energy between pulses {worst} and {worst + 1} is "
        f"{gained_j[worst] / quantum_j:.3f} times that of a pulse: the meter was interrupted"
    )
