"""Harmonic phasors over four cycles, by demodulation with the edge window.

The window's fourfold zeros at every other harmonic keep the orders apart; it is not the 10/12
cycle grouping of IEC 61000-4-7, which gets a name of its own.
"""

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import HALF_WIDTH_CYCLES, window


def harmonic_phasors(
    samples: NDArray[np.float64], sample_rate_hz: float, frequency_hz: float, orders: int
) -> NDArray[np.complex128]:
    """RMS phasors of the orders 1 … `orders`, centred on the record's middle.

    Args:
        samples: (n,) equidistant values; at least four cycles. The middle four are used.
        sample_rate_hz: Samples per second.
        frequency_hz: Frequency of the fundamental.
        orders: Highest order; it must lie below half the sample rate.

    Returns:
        (orders,) complex, phase 0 for a cosine at the record's middle.

    Raises:
        ValueError: too few samples, or an order beyond the Nyquist frequency.
    """
    cycle = sample_rate_hz / frequency_hz
    if len(samples) < 2 * HALF_WIDTH_CYCLES * cycle:
        raise ValueError(f"{len(samples)} samples; four cycles are {4 * cycle:.0f}")
    if orders * frequency_hz >= sample_rate_hz / 2:
        raise ValueError(f"order {orders} of {frequency_hz} Hz is beyond half the sample rate")
    instants = np.arange(len(samples), dtype=np.float64) - (len(samples) - 1) / 2
    weights = window(instants / cycle)
    weighted = samples * weights / weights.sum()
    turns = np.exp(-2j * np.pi * np.outer(np.arange(1, orders + 1) / cycle, instants))
    result: NDArray[np.complex128] = np.sqrt(2.0) * (turns @ weighted)
    return result


def total_harmonic_distortion_percent(phasors: NDArray[np.complex128]) -> float:
    """√Σ|X_h|²/|X₁| over the orders from 2, in percent (IEC 61000-4-7, 3.3.2 by orders)."""
    magnitude = np.abs(phasors)
    return float(100 * np.sqrt(np.sum(magnitude[1:] ** 2)) / magnitude[0])
