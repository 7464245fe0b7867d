"""A window measured with the kernel that suits its signal, and how steady its means are.

Read at instants a cycle apart, the smoothed register of a steady load rises on a straight line.
What it strays from the line is what the kernel leaves of ripple: of interharmonics, of slow
flicker, of long bursts, of a load that changes. A mean is a difference of two readings over the
time between them, so the straying says how far the mean may be off, and which kernel to trust:

* four boxes of four cycles, as long as the stopband kernel's register is not more than twice as
  steady: periodic loads and bursts within four cycles leave nothing, and the boxes cost less noise;
* the stopband kernel otherwise: interharmonics, anything that beats at 0.3 of the mains or above.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.edge_window import (
    FEWEST_CYCLES_FOR_STOPBAND,
    LOWEST_MAINS_HZ,
    STOPBAND_KERNEL,
    Kernel,
    candidate_kernels,
)
from spotcheck_dsp.mains_fit import MainsFit, fit_mains
from spotcheck_dsp.window_quantities import (
    Edge,
    WindowQuantities,
    combine_pieces,
    edge_weights,
    piece_sums,
    window_edges,
)

Array = NDArray[np.float64]

COVERAGE_FACTOR = 2.0
"""For one slow ripple no error is larger than twice the standard uncertainty: a sinusoid's end
points differ by at most twice its amplitude, which is √2 times its RMS."""
STEADIER_BY = 2.0
"""The stopband kernel must be so much steadier; noise alone makes it less than that."""
_ROUNDING = 1e-12
"""Registers that stray less have nothing to be told apart by."""
FEWEST_READINGS = 5
"""Instants of the register from which steadiness can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterReadings:
    """A smoothed register, read from one edge of a window to the other."""

    samples: Array
    """(n,) instants in samples, about a cycle apart."""
    readings: Array
    """(n, 3·phases) Σu·i of each phase, then Σu², then Σi², from the first instant on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsteadiness:
    """Standard uncertainties of a window's means because its load is not steady.

    They cover what is slower than the kernel stops, from about one period in the window. They do
    not cover a drift that is slower than the window, and of white noise only a third.
    """

    power_w: Array
    """(phases,) of the active power."""
    rms_u_v: Array
    """(phases,) of the RMS voltage."""
    rms_i_a: Array
    """(phases,) of the RMS current."""
    relative: float
    """The largest of all phases: that of P in terms of U·I, of U² and I² in terms of themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredWindow:
    """What a window came to."""

    quantities: WindowQuantities
    """What was there."""
    kernel: Kernel
    """What smoothed its ends."""
    edges: tuple[Edge, Edge]
    """The instants between which its means are taken."""
    mains: MainsFit
    """The mains over it."""
    unsteadiness: Unsteadiness | None
    """How steady the means are; none where too few cycles stay between the edges to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockedQuantities:
    """What can be told of a window without knowing the frequency of its mains."""

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
    kernel: Kernel
    """What smoothed its ends."""
    cycle_s: float
    """What the kernel took for a cycle: that of the lowest mains."""
    unsteadiness: Unsteadiness
    """How steady the means are."""


def measure_window(samples: Array, first_sample: int, sample_rate_hz: float) -> MeasuredWindow:
    """Quantities over a window in one piece, by the kernel that suits its signal.

    Args:
        samples: (n, 2·phases) in V and A, channels u1, i1, u2, i2, …; only these are used.
        first_sample: Number of the first of them.
        sample_rate_hz: Samples per second.

    Raises:
        ValueError: wrong shape, values that are not finite, too short, or no mains voltage.
    """
    _refuse_unfit(samples, sample_rate_hz)
    voltage = int(np.argmax(np.mean(samples[:, ::2] ** 2, axis=0)))
    mains = fit_mains(samples[:, 2 * voltage], first_sample, sample_rate_hz)
    span = (first_sample, first_sample + len(samples))
    kernels = candidate_kernels(len(samples) * mains.frequency_hz / sample_rate_hz)
    edges = [window_edges(*span, mains, kernel) for kernel in kernels]
    found = [
        _unsteadiness_of_window(samples, first_sample, ends, kernel)
        for ends, kernel in zip(edges, kernels, strict=True)
    ]
    best = steadier(found)
    sums = piece_sums(samples, first_sample, edges[best], kernels[best], mains, span)
    return MeasuredWindow(
        quantities=combine_pieces([sums], voltage),
        kernel=kernels[best],
        edges=edges[best],
        mains=mains,
        unsteadiness=found[best],
    )


def measure_without_mains(
    samples: Array, first_sample: int, sample_rate_hz: float
) -> UnlockedQuantities:
    """P, U and I over a window whose frequency is not known: direct current, or no voltage.

    The stopband kernel, 20/45 s wide, stops whatever beats at 13.5 Hz or above. There are no
    phasors, no reactive power and no harmonics without a frequency.

    Args:
        samples: (n, 2·phases) in V and A, channels u1, i1, u2, i2, …; only these are used.
        first_sample: Number of the first of them.
        sample_rate_hz: Samples per second.

    Raises:
        ValueError: wrong shape, values that are not finite, or shorter than 28/45 s.
    """
    _refuse_unfit(samples, sample_rate_hz)
    cycle = sample_rate_hz / LOWEST_MAINS_HZ
    if len(samples) < FEWEST_CYCLES_FOR_STOPBAND * cycle:
        raise ValueError(
            f"{len(samples) / sample_rate_hz:.3g} s are too few to measure without a frequency; "
            f"{FEWEST_CYCLES_FOR_STOPBAND / LOWEST_MAINS_HZ:.3g} s are needed"
        )
    half = STOPBAND_KERNEL.half_width_cycles * cycle
    low, high = first_sample - 0.5, first_sample + len(samples) - 0.5
    edges = (
        Edge(sample=low + half, cycle_samples=cycle),
        Edge(sample=high - half, cycle_samples=cycle),
    )
    instants = first_sample + np.arange(len(samples), dtype=np.float64)
    weights = edge_weights(instants, edges, STOPBAND_KERNEL)
    weights /= weights.sum()
    u, i = samples[:, ::2], samples[:, 1::2]
    readings = register_readings(samples, first_sample, edges, STOPBAND_KERNEL)
    return UnlockedQuantities(
        power_w=weights @ (u * i),
        rms_u_v=np.sqrt(weights @ (u * u)),
        rms_i_a=np.sqrt(weights @ (i * i)),
        direct_u_v=weights @ u,
        direct_i_a=weights @ i,
        kernel=STOPBAND_KERNEL,
        cycle_s=1 / LOWEST_MAINS_HZ,
        unsteadiness=unsteadiness([readings]),
    )


def register_readings(
    samples: Array, first_sample: int, edges: tuple[Edge, Edge], kernel: Kernel
) -> RegisterReadings:
    """The smoothed registers of one piece, read about once a cycle.

    Args:
        samples: (n, 2·phases) in V and A, from half a kernel before the first edge to half a
            kernel after the last.
        first_sample: Number of the first of them.
        edges: Where the readings begin and end; the cycle changes evenly between them.
        kernel: Smooths the register.
    """
    begin, end = edges
    u, i = samples[:, ::2], samples[:, 1::2]
    values = np.hstack([u * i, u * u, i * i])
    cumulative = np.vstack([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    # Steps of whole samples: one set of weights serves all readings but the last. A drift within
    # the window moves the kernel's zeros by a part in a thousand; its fourth power does not show.
    cycle = (begin.cycle_samples + end.cycle_samples) / 2
    step = max(1, round(cycle))
    offsets = np.arange(0.0, end.sample - begin.sample - step / 2, step)
    reach = int(np.ceil(kernel.half_width_cycles * cycle)) + 1

    def reading(instants: Array) -> Array:
        nearest = int(np.floor(instants[0]))
        around = np.arange(nearest - reach, nearest + reach + 1)
        weights = kernel.smooth_step((instants[0] - around) / cycle)
        found = np.empty((len(instants), values.shape[1]))
        for k, instant in enumerate(instants):
            first = int(np.floor(instant)) - reach - first_sample
            low, high = max(first, 0), min(first + len(weights), len(values))
            found[k] = cumulative[low] + weights[low - first : high - first] @ values[low:high]
        return found

    regular, last = begin.sample + offsets, np.array([end.sample])
    readings = np.vstack([reading(regular), reading(last)])
    return RegisterReadings(
        samples=np.concatenate([regular, last]), readings=readings - readings[0]
    )


def unsteadiness(pieces: list[RegisterReadings]) -> Unsteadiness:
    """How far the means over a window may be off because the register strays from a line.

    A mean over L samples is a difference of two readings, each off by the RMS s of the straying:
    u = √2·s/L. Half the difference that a ripple's worst phase makes is no more than that.

    Args:
        pieces: Readings of one or more pieces that tile the window, in order.

    Raises:
        ValueError: fewer than five readings.
    """
    samples = np.concatenate([pieces[0].samples[:1], *(piece.samples[1:] for piece in pieces)])
    if len(samples) < FEWEST_READINGS:
        raise ValueError(f"{len(samples)} readings are too few to tell how steady the load is")
    begins = np.cumsum([piece.readings[-1] for piece in pieces[:-1]], axis=0)
    parts = [piece.readings[1:] + begin for piece, begin in zip(pieces[1:], begins, strict=True)]
    readings = np.vstack([pieces[0].readings, *parts])
    length = samples[-1] - samples[0]
    means = readings[-1] / length
    # Of a long window's energy the line takes nearly all: it goes first, to keep the digits.
    stray = readings - means * (samples - samples[0])[:, None]
    stray -= stray.mean(axis=0)
    x = (samples - samples.mean()) / length
    stray -= x[:, None] * (x @ stray / (x @ x))
    standard = np.sqrt(2 * np.sum(stray**2, axis=0) / (len(samples) - 2)) / length
    power, square_u, square_i = standard.reshape(3, -1)
    mean_u, mean_i = means.reshape(3, -1)[1:]
    u, i = np.sqrt(mean_u), np.sqrt(mean_i)
    shares = [_ratio(power, u * i), _ratio(square_u, mean_u), _ratio(square_i, mean_i)]
    return Unsteadiness(
        power_w=power,
        rms_u_v=_ratio(square_u, 2 * u),
        rms_i_a=_ratio(square_i, 2 * i),
        relative=float(np.max(shares)),
    )


def steadier(found: list[Unsteadiness | None]) -> int:
    """Which of the kernels to trust, by how steady each leaves the register.

    Args:
        found: That of the boxes; then, where the window is long enough, that of the stopband.
    """
    if len(found) < 2 or found[0] is None or found[1] is None:
        return 0
    boxes, stopband = found[0].relative, found[1].relative
    return int(boxes > _ROUNDING and boxes > STEADIER_BY * stopband)


def _unsteadiness_of_window(
    samples: Array, first_sample: int, edges: tuple[Edge, Edge], kernel: Kernel
) -> Unsteadiness | None:
    readings = register_readings(samples, first_sample, edges, kernel)
    if len(readings.samples) < FEWEST_READINGS:
        return None
    return unsteadiness([readings])


def _ratio(values: Array, by: Array) -> Array:
    """Values in terms of others; 0 where both are."""
    return np.asarray(values / np.where(by > 0, by, 1.0), np.float64)


def _refuse_unfit(samples: Array, sample_rate_hz: float) -> None:
    if samples.ndim != 2 or samples.shape[1] < 2 or samples.shape[1] % 2:
        raise ValueError(
            f"samples have the shape {samples.shape}; a column each for u1, i1, u2, i2, … is needed"
        )
    if not (np.isfinite(sample_rate_hz) and sample_rate_hz > 0):
        raise ValueError(f"sample_rate_hz is {sample_rate_hz}; it must be a number above 0")
    if not np.all(np.isfinite(samples)):
        raise ValueError("samples hold values that are not finite; measure a window without them")
