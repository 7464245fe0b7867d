"""Reactive power by its definitions, each under its own name.

All are positive for inductive import and agree for sinusoids; they differ by what they make of the
order h of a distorted signal, with Q_h = U_h·I_h·sin φ_h and P_h = U_h·I_h·cos φ_h:

| name | weight of the order h |
|---|---|
| fundamental, Q1 (IEEE 1459-2010, 3.1.2.5) | Q_1 alone |
| Budeanu, Q_B (IEEE 1459-2010, annex) | Q_h; a filter that shifts all orders by 90° gives this |
| quarter period | U_h·I_h·cos(φ_h − h·90°): Q_1, −P_2, −Q_3, P_4, Q_5 … |
| one sample's lag | Q_h·sin(hω)/sin ω, about h·Q_h |

Clauses from memory. IEC 62053-24 meters count the fundamental's energy. IEC 62053-23 states its
limits for sinusoids only and leaves open what a meter makes of harmonics; meters built to it shift
by 90° (Budeanu's value) or by a quarter of the nominal period.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_not_positive, refuse_unusable
from spotcheck_dsp.channel_alignment import REACH, aligned_between

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def fundamental_reactive_power(voltage: Complex, current: Complex) -> Array:
    """Q1 = Im(U1·I1*), in var.

    Args:
        voltage: (phases,) RMS phasors of the fundamental, V.
        current: (phases,) the same of the current, A, in the same frame.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: shapes that do not pair, or not finite.
    """
    refuse_unusable("voltage", voltage, 1)
    refuse_unusable("current", current, 1)
    _refuse_unlike(voltage, current)
    reactive: Array = np.imag(voltage * np.conj(current))
    return reactive


@dataclass(frozen=True, slots=True, kw_only=True)
class BudeanuPower:
    """What Budeanu (1927) makes of one phase; D has no physical flow behind it."""

    reactive_var: float
    """Q_B = Σ U_h·I_h·sin φ_h."""
    distortion_va: float
    """D_B = √(S² − P² − Q_B²)."""


def budeanu_power(voltage: Complex, current: Complex) -> BudeanuPower:
    """Budeanu's reactive and distortion power from the phasors of the orders.

    P and S are those of the same orders, so that D_B is not a difference of unlike windows.

    Args:
        voltage: (orders,) RMS phasors of the orders 1, 2, …, V; the phase of order h counts in a
            frame that turns h times with the fundamental.
        current: (orders,) the same of the current, A.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: shapes that do not pair, or not finite.
    """
    refuse_unusable("voltage", voltage, 1)
    refuse_unusable("current", current, 1)
    _refuse_unlike(voltage, current)
    power = complex(np.sum(voltage * np.conj(current)))
    # S² − |P + jQ|² by Lagrange's identity: a sum of squares, where a difference would cancel.
    crossed = np.outer(voltage, current) - np.outer(current, voltage)
    distortion = float(np.sqrt(np.sum(np.abs(crossed) ** 2) / 2))
    return BudeanuPower(reactive_var=power.imag, distortion_va=distortion)


def quarter_period_products(
    voltage: Array, current: Array, delay_samples: float
) -> tuple[Array, int]:
    """u(t − T/4)·i(t): its mean is the reactive power by quarter-period delay.

    For Q by the definition, the delay is a quarter of the actual cycle; a meter with a fixed delay
    of a quarter of the nominal period is described by that delay. At (1 + d) times the nominal
    frequency its mean is Q·cos(πd/2) − P·sin(πd/2).

    Args:
        voltage: (n, phases) samples, V.
        current: (n, phases) samples, A.
        delay_samples: Delay, in samples; need not be whole.

    Returns:
        (m, phases) products in var, and how many samples after the first voltage sample they
        begin: m = n less the delay and less 32 samples of the interpolation's reach.

    Raises:
        TypeError: no arrays of numbers.
        ValueError: shapes that do not pair, not finite, no delay, or too few samples for it.
    """
    refuse_unusable("voltage", voltage, 2)
    refuse_unusable("current", current, 2)
    _refuse_unlike(voltage, current)
    refuse_not_positive("delay_samples", delay_samples)
    whole = int(np.floor(delay_samples))
    fraction = delay_samples - whole
    first = whole + REACH
    count = len(voltage) - first
    if count < 1:
        raise ValueError(
            f"voltage has {len(voltage)} samples; a delay of {delay_samples:g} takes {first} away"
        )
    # Value k of a delayed record was taken at k + fraction: at instant j it shows u(j − fraction).
    delays = np.full(voltage.shape[1], fraction)
    delayed = aligned_between(voltage, delays, REACH, REACH + count)
    products: Array = delayed * current[first:]
    return products, first


def _refuse_unlike(voltage: Array | Complex, current: Array | Complex) -> None:
    if voltage.shape != current.shape:
        raise ValueError(f"voltage is {voltage.shape} and current {current.shape}; they must pair")
