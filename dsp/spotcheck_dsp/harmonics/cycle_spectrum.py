"""Spectrum of ten or twelve whole mains cycles: the bins of IEC 61000-4-7.

The bins lie a tenth or a twelfth of the mains frequency apart. Each is the Fourier coefficient of
the signal over exactly these cycles, under a rectangular window. What lies between two bins leaks
into all of them, as the standard has it.

So the frequency matters. A window of 0.2 s made for a frequency that is wrong by d leaks the
fundamental into its neighbours, in proportion to d, and takes from the high orders, as its square:

| d | bins beside order 1 | subgroup of order 2 | order 50 |
|---|---:|---:|---:|
| 1 µHz | 0.21 ppm | 0.023 ppm | below 1e-9 of itself |
| 0.1 mHz | 21 ppm | 2.3 ppm | −1.6 ppm of itself |
| 1 mHz | 210 ppm | 23 ppm | −160 ppm of itself |
| 10 mHz | 2100 ppm | 230 ppm | −1.6 % of itself |
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.harmonics.cycle_resampling import (
    HIGHEST_SHARE_OF_RATE,
    KAISER_BETA,
    STEPS,
    CycleWindow,
    ResamplingKernel,
    kernel_for,
    resample_cycles,
    samples_needed,
)
from spotcheck_dsp.harmonics.window_ends import EndCorrection, end_correction

Array = NDArray[np.float64]

HIGHEST_ORDER = 50
"""Orders that IEC 61000-4-7 groups are measured to."""
_HIGHEST_PER_STEP = 0.435
"""Components up to here, in cycles per step, leak as the Fourier integral has it: all below 0.4 of
10 kS/s, and up to 4 kHz above. What is higher is filtered out by the resampling, leakage and all.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleSpectrum:
    """RMS phasors at the multiples of a tenth or a twelfth of the mains frequency."""

    cycles: int
    """Mains cycles in the window, which are bins per order: 10 or 12."""
    orders: int
    """Highest harmonic order."""
    phasors: NDArray[np.complex128]
    """(channels, cycles·(orders + 1)): bin j turns j times in the window; bin 0 is the mean. The
    phase is 0 for a cosine at the window's centre, the instant when half of the cycles have
    passed."""


def highest_order(sample_rate_hz: float, frequency_hz: float) -> int:
    """The highest order, up to 50, whose groups lie below 0.4 of the sample rate.

    The group of interharmonics above an order belongs to it, so order h needs (h + 1)·f.

    Args:
        sample_rate_hz: Samples per second.
        frequency_hz: Frequency of the mains.

    Raises:
        ValueError: not even order 1 does.
    """
    if not (sample_rate_hz > 0 and frequency_hz > 0):
        raise ValueError(
            f"sample_rate_hz is {sample_rate_hz:g} and frequency_hz {frequency_hz:g}; both must "
            "be above 0"
        )
    carried = _highest_order(frequency_hz / sample_rate_hz)
    if carried < 1:
        raise ValueError(
            f"{sample_rate_hz:g} S/s carry no harmonic order of {frequency_hz:g} Hz mains"
        )
    return min(HIGHEST_ORDER, carried)


def cycle_spectrum(
    samples: Array, first_sample: int, window: CycleWindow, orders: int = HIGHEST_ORDER
) -> CycleSpectrum:
    """Spectrum of a window, from DC to just below order `orders` + 1.

    Args:
        samples: (n, channels) float64, equidistant; more than the window, see `sample_span`.
        first_sample: Number of the first, on the window's scale.
        window: The cycles.
        orders: Highest harmonic order.

    Raises:
        TypeError: `samples` is not float64.
        ValueError: an order that the sample rate does not carry, samples that are missing, of
            another shape, or not finite.
    """
    kernel, ends = kernel_and_ends(window, orders)
    values = resample_cycles(samples, first_sample, window, kernel, ends.beyond_steps)
    return spectrum_of_values(values, window.cycles, orders, kernel, ends)


def spectrum_of_values(
    values: Array, cycles: int, orders: int, kernel: ResamplingKernel, ends: EndCorrection
) -> CycleSpectrum:
    """Spectrum of values that are already resampled, by whichever code.

    Args:
        values: (2048 + 2·ends.beyond_steps, channels), as `resample_cycles` gives them.
        cycles: Mains cycles in the window.
        orders: Highest harmonic order.
        kernel: What the values were resampled with.
        ends: The correction for that kernel, these cycles and orders.

    Raises:
        ValueError: another number of values.
    """
    count = cycles * (orders + 1)
    bins = np.arange(count)
    spectrum = np.fft.rfft(ends.wrapped(values), axis=0)[:count].T
    scale = np.sqrt(2) / STEPS / kernel.response(bins / STEPS)
    scale[0] /= np.sqrt(2)
    # The phase goes from the window's start to its centre: half a turn per bin.
    phasors = spectrum * (scale * (1 - 2.0 * (bins % 2)))
    return CycleSpectrum(cycles=cycles, orders=orders, phasors=phasors)


def kernel_and_ends(
    window: CycleWindow, orders: int = HIGHEST_ORDER, beta: float = KAISER_BETA
) -> tuple[ResamplingKernel, EndCorrection]:
    """Kernel and correction for a window: what a compiled resampling asks for once per window.

    Args:
        window: The cycles.
        orders: Highest harmonic order.
        beta: Shape of the kernel, see `kernel_for`.

    Raises:
        ValueError: an order that the sample rate does not carry.
    """
    band = _band(window, orders)
    kernel = kernel_for(window, band, beta)
    rate = float(window.steps_per_sample(np.array(window.start_sample)))
    signal = min(HIGHEST_SHARE_OF_RATE / rate, _HIGHEST_PER_STEP)
    # Rounded up, so that a mains frequency that wanders finds the correction made before.
    rounded = float(np.ceil(max(signal, band) * 256)) / 256
    return kernel, end_correction(kernel, band, rounded)


def sample_span(window: CycleWindow, orders: int = HIGHEST_ORDER) -> tuple[int, int]:
    """First and last sample that the spectrum of a window hangs on.

    Some go before the window's start and as many after its end: 4.1 ms at 10 kS/s, 3.2 ms at
    200, 10 ms at 4. Four windows of ten 50 Hz cycles fit into one second, five need 8.2 ms
    more.

    Args:
        window: The cycles.
        orders: Highest harmonic order.

    Raises:
        ValueError: an order that the sample rate does not carry.
    """
    kernel, ends = kernel_and_ends(window, orders)
    return samples_needed(window, kernel, ends.beyond_steps)


def _highest_order(cycles_per_sample: float) -> int:
    # Where a group ends at 0.4 of the rate exactly, rounding must not refuse it.
    return int(HIGHEST_SHARE_OF_RATE / cycles_per_sample * (1 + 1e-12)) - 1


def _band(window: CycleWindow, orders: int) -> float:
    """The frequency just above the last bin, in cycles per step."""
    if not 1 <= orders <= HIGHEST_ORDER:
        raise ValueError(f"orders is {orders}; it must be 1 to {HIGHEST_ORDER}")
    carried = _highest_order(window.cycles_per_sample)
    if orders > carried:
        raise ValueError(
            f"order {orders} is beyond what the sample rate carries: with "
            f"{1 / window.cycles_per_sample:.4g} samples per mains cycle, order {carried} with the "
            f"interharmonics above it is the last below {HIGHEST_SHARE_OF_RATE:g} of the rate"
        )
    return window.cycles * (orders + 1) / STEPS
