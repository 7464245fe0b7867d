"""The two ends of a resampled window, put right.

Dividing a spectrum by the kernel's response is exact for what repeats with the window: harmonics,
and interharmonics on the bins. Anything else jumps where the window's end meets its start. The
kernel has seen the true continuation there, the Fourier transform takes the signal to start over,
and the division turns the difference into errors: up to a tenth of such a component at 10 kS/s,
more than the component itself at 4 kS/s.

For one component e^{2πjθp} all of this is closed form. Its Fourier coefficient over N steps at the
bin b, and what division leaves of it, are

    truth      −a / (2πj(θ−b)N)
    division   ρ·a / (N·(1 − e^{2πj(θ−b)})),      ρ = W(θ)/W(b),   a = 1 − e^{2πjθN}

so truth − division = (a/N)·Z with Z(b, θ) = (j/2)·(1/(πs) − ρ·cot(πs)) − ρ/2 and s = θ − b. Z does
not hang on N, and it is smooth: the poles at s = 0 cancel. The jump shows in the values around both
ends, d[l] = y[l] − y[l+N] = a·W(θ)·e^{2πjθl}. Least squares over θ and b in the band gives the
matrix M that makes the missing spectrum, as values c = M·d at the steps around the seam. Passed
through the kernel, c is added to the values before the transform, and one division serves both.

The result is the Fourier integral over the window, which no number of steps enters into, rather
than its sum over 2048 values.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.harmonics.cycle_resampling import STEPS, ResamplingKernel

Array = NDArray[np.float64]

_REACH_PER_HALF_WIDTH = 4.0
"""Values looked at on either side of an end, in half widths of the kernel."""
_SMALLEST_SINGULAR = 1e-9
"""Directions weaker than this are left: they carry rounding and noise, not signal."""
_NODES_PER_STEP = 2
_NEAREST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class EndCorrection:
    """What to add to the values around the seam of a window."""

    beyond_steps: int
    """Values needed before the window and after it."""
    matrix: Array
    """(2·reach, 2·beyond): from the jump at the steps −beyond … beyond−1 to what is added at the
    steps −reach … reach−1 around the seam."""

    def wrapped(self, values: Array) -> Array:
        """The window's 2048 values, corrected so that the spectrum may be divided.

        Args:
            values: (2048 + 2·beyond, channels) from `resample_cycles`.

        Returns:
            (2048, channels).

        Raises:
            ValueError: another number of values.
        """
        if len(values) != STEPS + 2 * self.beyond_steps:
            raise ValueError(
                f"{len(values)} values; {STEPS} and twice {self.beyond_steps} are needed"
            )
        added = self.matrix @ (values[: 2 * self.beyond_steps] - values[STEPS:])
        reach = len(added) // 2
        within = values[self.beyond_steps : self.beyond_steps + STEPS].copy()
        within[-reach:] += added[:reach]
        within[:reach] += added[reach:]
        return within


@lru_cache(maxsize=64)
def end_correction(
    kernel: ResamplingKernel, band_cycles_per_step: float, signal_cycles_per_step: float
) -> EndCorrection:
    """The correction for a kernel and a band; kept, as it takes some milliseconds to make.

    Args:
        kernel: The kernel of the resampling.
        band_cycles_per_step: Highest frequency that the spectrum is wanted for.
        signal_cycles_per_step: Highest frequency of components whose leakage is put right; at
            least the band, and below half.
    """
    beyond = int(np.ceil(_REACH_PER_HALF_WIDTH * kernel.half_width_steps))
    steps = np.arange(-beyond, beyond, dtype=np.float64)
    count = _NODES_PER_STEP * len(steps)
    nodes = np.cos(np.pi * (np.arange(count) + 0.5) / count)
    frequencies, bins = signal_cycles_per_step * nodes, band_cycles_per_step * nodes
    missing = _missing_spectrum(kernel, bins, frequencies)
    level = float(kernel.response(np.array(0.0)))
    spectra = np.exp(-2j * np.pi * np.outer(bins, steps))
    jumps = kernel.response(frequencies) / level * np.exp(2j * np.pi * np.outer(steps, frequencies))
    solved = (
        np.linalg.pinv(spectra, _SMALLEST_SINGULAR)
        @ missing
        @ np.linalg.pinv(jumps, _SMALLEST_SINGULAR)
    )
    # The nodes are symmetric, so the solution is real but for rounding.
    seam = _through_kernel(kernel, beyond) @ solved.real / level
    seam.setflags(write=False)
    return EndCorrection(beyond_steps=beyond, matrix=seam)


def _missing_spectrum(
    kernel: ResamplingKernel, bins: Array, frequencies: Array
) -> NDArray[np.complex128]:
    """Z(b, θ), with the bins down and the frequencies across."""
    apart = frequencies[None, :] - bins[:, None]
    # At 0 the poles cancel to 0/0; this near to it they still cancel to seven digits.
    apart = np.where(np.abs(apart) < _NEAREST, _NEAREST, apart)
    ratio = kernel.response(bins[:, None] + apart) / kernel.response(bins)[:, None]
    turns = np.pi * apart
    missing = 0.5j * (1 / turns - ratio / np.tan(turns)) - ratio / 2
    return missing.astype(np.complex128)


def _through_kernel(kernel: ResamplingKernel, beyond: int) -> Array:
    """The kernel as a matrix from values at −beyond … beyond−1 to all the steps it reaches."""
    wider = beyond + int(np.ceil(kernel.half_width_steps))
    rows = np.arange(-wider, wider, dtype=np.float64)
    columns = np.arange(-beyond, beyond, dtype=np.float64)
    return kernel.weight(rows[:, None] - columns[None, :])
