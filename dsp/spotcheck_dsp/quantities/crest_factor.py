"""Crest factor: peak over RMS (IEC 60050-103-02-39, from memory)."""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_unusable

Array = NDArray[np.float64]


def crest_factors(values: Array, rms: Array) -> Array:
    """Largest magnitude among the samples over the RMS.

    The peak is that of the samples. Between two of them a sinusoid of order h rises by at most
    1 − cos(π·h·f/fs) of its amplitude: 0.012 % for 50 Hz at 10 kS/s. Nothing is interpolated,
    because an interpolated step of a phase-fired load would overshoot by an eighth.

    Args:
        values: (n, channels) samples over whole cycles, DC included.
        rms: (channels,) RMS over the same, from `window_quantities` or `half_cycle_rms`.

    Returns:
        (channels,); √2 for a sinusoid.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: no samples, shapes that do not pair, or an RMS of 0, which has no crest factor.
    """
    refuse_unusable("values", values, 2)
    refuse_unusable("rms", rms, 1)
    if len(values) == 0 or rms.shape != values.shape[1:]:
        raise ValueError(f"values is {values.shape} and rms {rms.shape}; one RMS for each channel")
    if np.min(rms) <= 0:
        raise ValueError(f"rms is {rms}; a channel without signal has no crest factor")
    peaks: Array = np.max(np.abs(values), axis=0) / rms
    return peaks
