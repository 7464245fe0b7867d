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
    found: NDArray[np.complex128] = channel_harmonics(
        samples[:, None], sample_rate_hz / frequency_hz, orders
    )[0]
    return found


def channel_harmonics(
    samples: NDArray[np.float64], samples_per_cycle: float, orders: int
) -> NDArray[np.complex128]:
    """RMS phasors of several channels, as `harmonic_phasors` gives them for one.

    The rotations are nearly all of the cost, and one set of them serves all channels.

    Args:
        samples: (n, channels) equidistant values; at least four cycles. The middle four are used.
        samples_per_cycle: Of the fundamental; need not be whole.
        orders: Highest order; it must lie below half the samples per cycle.

    Returns:
        (channels, orders) complex, phase 0 for a cosine at the record's middle.

    Raises:
        ValueError: too few samples, or an order beyond the Nyquist frequency.
    """
    if len(samples) < 2 * HALF_WIDTH_CYCLES * samples_per_cycle:
        raise ValueError(f"{len(samples)} samples; four cycles are {4 * samples_per_cycle:.0f}")
    if 2 * orders >= samples_per_cycle:
        raise ValueError(f"order {orders} is beyond half of {samples_per_cycle:g} samples a cycle")
    instants = np.arange(len(samples), dtype=np.float64) - (len(samples) - 1) / 2
    weights = window(instants / samples_per_cycle)
    weights *= np.sqrt(2.0) / weights.sum()
    turns = np.exp(-2j * np.pi / samples_per_cycle * np.outer(np.arange(1, orders + 1), instants))
    # Two products of real numbers: a complex one would turn the samples complex first.
    weighted = samples * weights[:, None]
    found: NDArray[np.complex128] = (turns.real @ weighted + 1j * (turns.imag @ weighted)).T
    return found


def total_harmonic_distortion_percent(phasors: NDArray[np.complex128]) -> float:
    """√Σ|X_h|²/|X₁| over the orders from 2, in percent (IEC 61000-4-7, 3.3.2 by orders)."""
    magnitude = np.abs(phasors)
    return float(100 * np.sqrt(np.sum(magnitude[1:] ** 2)) / magnitude[0])
