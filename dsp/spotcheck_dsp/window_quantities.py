"""Quantities over a window of samples in volts and amperes, whatever the window's length.

Every mean is a difference of two register readings: weight is smooth step at the begin minus
smooth step at the end, so pieces of a long window tile exactly. Phasors are weighted the same
way, in a frame that turns with the fitted phase of the mains, so a steady drift does not blur them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import Kernel
from spotcheck_dsp.mains_fit import MainsFit

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

MOST_ORDERS = 50
_SAMPLES_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """One end of a window: an instant, and the mains cycle that smooths it."""

    sample: float
    """Instant, in samples."""
    cycle_samples: float
    """Length of the mains cycle around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceSums:
    """Sums over one piece; those of pieces that tile a window add up to the window's."""

    weight: float
    """Samples in it: the sum of the weights."""
    power: Array
    """(phases,) weighted sum of u·i."""
    square_u: Array
    """(phases,) of u²."""
    square_i: Array
    """(phases,) of i²."""
    mean_u: Array
    """(phases,) of u: what is not zero is direct voltage."""
    mean_i: Array
    """(phases,) of i."""
    phasors: Complex
    """(channels, orders) RMS phasors, channels u1, i1, u2, …; order h in a frame that turns h
    times with the fundamental of the reference voltage."""
    samples: int
    """Samples of the piece itself, without what the kernel smooths beyond it."""
    frequency_hz: float
    """Frequency at its middle."""


def piece_sums(
    samples: Array, first_sample: int, edges: tuple[Edge, Edge], kernel: Kernel,
    mains: MainsFit, span: tuple[int, int],
) -> PieceSums:  # fmt: skip
    """Sums between two edges.

    Args:
        samples: (n, 2·phases) in V and A, channels u1, i1, u2, i2, …; from half a kernel before
            the first edge to half a kernel after the last.
        first_sample: Number of the first of them.
        edges: Where the register is read.
        kernel: Smooths both edges.
        mains: The mains over the piece.
        span: First sample of the piece, and the sample after its last; at a window's ends they lie
            half a kernel beyond the edges.
    """
    instants = first_sample + np.arange(len(samples), dtype=np.float64)
    weights = edge_weights(instants, edges, kernel)
    used = np.flatnonzero(weights)
    here = slice(int(used[0]), int(used[-1]) + 1)
    weights, instants, values = weights[here], instants[here], samples[here]
    u, i = values[:, ::2], values[:, 1::2]
    total = float(weights.sum())
    orders = harmonic_orders(mains.frequency_hz, mains.sample_rate_hz)
    return PieceSums(
        weight=total,
        power=weights @ (u * i),
        square_u=weights @ (u * u),
        square_i=weights @ (i * i),
        mean_u=weights @ u,
        mean_i=weights @ i,
        phasors=_phasors(values * (weights / total)[:, None], mains.phases_rad(instants), orders),
        samples=span[1] - span[0],
        frequency_hz=mains.sample_rate_hz / mains.cycle_samples((span[0] + span[1] - 1) / 2),
    )


def harmonic_orders(frequency_hz: float, sample_rate_hz: float) -> int:
    """Orders that lie below half the sample rate, at most 50."""
    return min(MOST_ORDERS, int(np.ceil(sample_rate_hz / 2 / frequency_hz)) - 1)


def edge_weights(instants: Array, edges: tuple[Edge, Edge], kernel: Kernel) -> Array:
    """What samples weigh between two edges: 1 in the middle, 0 beyond the kernels.

    Args:
        instants: (n,) instants in samples.
        edges: Where the register is read.
        kernel: Smooths both edges.
    """
    begin, end = edges
    return _after(instants, begin, kernel) - _after(instants, end, kernel)


def _after(instants: Array, edge: Edge, kernel: Kernel) -> Array:
    """How much of each sample the register holds more after the edge: 0 before, 1 after."""
    return kernel.smooth_step((instants - edge.sample) / edge.cycle_samples)


def _phasors(weighted: Array, phases_rad: Array, orders: int) -> Complex:
    found = np.zeros((weighted.shape[1], orders), np.complex128)
    for start in range(0, len(weighted), _SAMPLES_AT_ONCE):
        here = slice(start, start + _SAMPLES_AT_ONCE)
        # Real arrays: one product of real matrices, where a complex one would turn the samples
        # complex first.
        cosine, sine = np.cos(phases_rad[here]), -np.sin(phases_rad[here])
        turns = np.empty((2, orders, len(cosine)))
        turns[:, 0] = cosine, sine
        for order in range(1, orders):
            real, imaginary = turns[:, order - 1]
            turns[0, order] = real * cosine - imaginary * sine
            turns[1, order] = imaginary * cosine + real * sine
        real, imaginary = (turns.reshape(2 * orders, -1) @ weighted[here]).reshape(2, orders, -1)
        found += (real + 1j * imaginary).T
    found *= np.sqrt(2.0)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowQuantities:
    """What was there over a window."""

    power_w: Array
    """(phases,) active power."""
    rms_u_v: Array
    """(phases,) RMS voltage, everything included."""
    rms_i_a: Array
    """(phases,) RMS current, everything included."""
    direct_u_v: Array
    """(phases,) mean voltage."""
    direct_i_a: Array
    """(phases,) mean current."""
    q1_var: Array
    """(phases,) reactive power of the fundamental, positive when inductive import (IEEE 1459)."""
    fundamental: Complex
    """(channels,) RMS phasors of the fundamental; U1 has the angle 0."""
    harmonics_rms: Array
    """(channels, orders) RMS of each order, from 1; over pieces, their mean squares."""
    frequency_hz: float
    """Mean frequency."""


class WindowSums:
    """Adds up pieces that tile a window; it takes no more room however many they are."""

    def __init__(self, reference_phase: int) -> None:
        """No piece yet.

        Args:
            reference_phase: The phase, from 0, whose voltage turns the frame.
        """
        self._reference = 2 * reference_phase
        self._weight = 0.0
        self._samples = 0
        self._cycles = 0.0
        self._has_first_voltage = True
        self._sums: list[Array] = []
        self._turned: list[Complex] = []
        self._squares = np.zeros((0, 0))

    def add(self, piece: PieceSums) -> None:
        """Add a piece."""
        fundamental = piece.phasors[:, 0]
        q1 = (fundamental[::2] * np.conj(fundamental[1::2])).imag
        here = [piece.power, piece.square_u, piece.square_i, piece.mean_u, piece.mean_i,
                piece.weight * q1]  # fmt: skip
        # Angles are counted from U1; without it, from the voltage that turns the frame.
        turned = [
            piece.weight * fundamental * np.conj(u) / max(abs(u), 1e-300)
            for u in (fundamental[0], fundamental[self._reference])
        ]
        squares = piece.weight * np.abs(piece.phasors) ** 2
        if self._weight:
            orders = min(squares.shape[1], self._squares.shape[1])
            here = [old + new for old, new in zip(self._sums, here, strict=True)]
            turned = [old + new for old, new in zip(self._turned, turned, strict=True)]
            squares = self._squares[:, :orders] + squares[:, :orders]
        self._sums, self._turned, self._squares = here, turned, squares
        self._has_first_voltage &= bool(fundamental[0])
        self._weight += piece.weight
        self._samples += piece.samples
        self._cycles += piece.samples * piece.frequency_hz

    def quantities(self) -> WindowQuantities:
        """Quantities over the window.

        Raises:
            ValueError: no pieces.
        """
        if not self._samples:
            raise ValueError("a window needs one piece at least")
        power, square_u, square_i, mean_u, mean_i, q1 = (s / self._weight for s in self._sums)
        return WindowQuantities(
            power_w=power,
            rms_u_v=np.sqrt(square_u),
            rms_i_a=np.sqrt(square_i),
            direct_u_v=mean_u,
            direct_i_a=mean_i,
            q1_var=q1,
            fundamental=self._turned[0 if self._has_first_voltage else 1] / self._weight,
            harmonics_rms=np.sqrt(self._squares / self._weight),
            frequency_hz=self._cycles / self._samples,
        )


def combine_pieces(pieces: list[PieceSums], reference_phase: int) -> WindowQuantities:
    """Quantities over the window that pieces tile.

    Args:
        pieces: One or more, in order.
        reference_phase: The phase, from 0, whose voltage turns the frame.

    Raises:
        ValueError: no pieces.
    """
    sums = WindowSums(reference_phase)
    for piece in pieces:
        sums.add(piece)
    return sums.quantities()


def integral_over_samples(values: Array) -> Array:
    """Integral of a smooth signal over each sample's interval, in sample intervals.

    A sample is the signal at the middle of its interval; the second difference adds the curvature
    there (Taylor), so that the running sum of a sinusoid errs by 17/5760 (ωT)⁴ instead of (ωT)²/24.

    Args:
        values: (n,) equidistant samples.
    """
    whole = values.copy()
    whole[1:-1] += (values[2:] - 2 * values[1:-1] + values[:-2]) / 24
    return whole


def window_edges(
    first_sample: int, end_sample: int, mains: MainsFit, kernel: Kernel
) -> tuple[Edge, Edge]:
    """The edges whose kernels reach just to both ends of a window: all its samples are used.

    Args:
        first_sample: First sample of the window.
        end_sample: The sample after its last.
        mains: The mains there.
        kernel: Smooths both ends; the window must hold it and a cycle more.

    Raises:
        ValueError: too short for the kernel.
    """
    half = kernel.half_width_cycles
    # A sample stands for the interval ±½ around it.
    low, high = first_sample - 0.5, end_sample - 0.5
    begin = _edge(mains, low + half * mains.cycle_samples(low), low, half)
    end = _edge(mains, high - half * mains.cycle_samples(high), high, -half)
    if end.sample <= begin.sample:
        raise ValueError(f"the window is too short for a kernel of {kernel}")
    return begin, end


def _edge(mains: MainsFit, near: float, bound: float, half_cycles: float) -> Edge:
    """An edge half a kernel inside a bound, by the cycle at the edge itself."""
    cycle = mains.cycle_samples(near)
    return Edge(sample=bound + half_cycles * cycle, cycle_samples=cycle)
