"""Means between instants that need not fall on samples, without any edge window.

The running integral is interpolated between samples, so a cycle of 199.7 samples is a cycle of
199.7 samples. For what must follow the signal cycle by cycle; for energy use the edge windows.
"""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_unusable
from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.window_quantities import integral_over_samples

Array = NDArray[np.float64]

FEWEST_SAMPLES = 8
_OVERHANG = 1e-9


def means_between(values: Array, first_sample: int, begins: Array, ends: Array) -> Array:
    """Mean of each column over each interval.

    For a sinusoid of ω rad a sample and an interval of φ rad the mean errs by less than
    (ω⁴/165 + ω⁶/100)/φ of its amplitude: the midpoint rule with its curvature (17/5760 ω⁴) and the
    six-point interpolation, at both ends. Three samples from either end of the record, where these
    have one side only, it is more.

    Args:
        values: (n, columns) equidistant samples, 8 or more.
        first_sample: Instant of the first, in samples.
        begins: (k,) begins of the intervals, in samples.
        ends: (k,) their ends.

    Returns:
        (k, columns), in the unit of the values.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: too few values, or an interval that is empty or leaves the samples (a sample
            stands for the interval ±½ around it).
    """
    refuse_unusable("values", values, 2)
    refuse_unusable("begins", begins, 1)
    refuse_unusable("ends", ends, 1)
    if len(values) < FEWEST_SAMPLES:
        raise ValueError(f"values has {len(values)} samples; {FEWEST_SAMPLES} are needed")
    if begins.shape != ends.shape or np.any(ends <= begins):
        raise ValueError("begins and ends must pair, each end after its begin")
    low, high = first_sample - 0.5, first_sample + len(values) - 0.5
    if begins.size and (begins.min() < low - _OVERHANG or ends.max() > high + _OVERHANG):
        raise ValueError(
            f"the intervals reach from {begins.min():.2f} to {ends.max():.2f}; "
            f"there are samples from {low:.1f} to {high:.1f}"
        )
    register = EnergyRegister(first_slot=0, slot_length=1, columns=values.shape[1])
    register.extend(integral_over_samples(values))
    integrals = register.read_unfiltered(np.concatenate([begins, ends]) - first_sample)
    count = len(begins)
    means: Array = (integrals[count:] - integrals[:count]) / (ends - begins)[:, None]
    return means
