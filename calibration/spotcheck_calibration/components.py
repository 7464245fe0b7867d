"""Demodulated components of evidence, and what a lag does to the power of harmonics.

A lag β of a current against its voltage, at the fundamental, turns P into P·cos β + Q·sin β. Slot
sums know the whole power, and Q by the lagged sums, which weigh order h by sin hω / sin ω. That is
exact for the fundamental only. Taken as a delay, the lag is hβ at order h, so that order needs

    Re(U_h·I_h*·e^{−jhβ})    instead of    P_h·cos β + Q_h·sin β·sin hω / sin ω.

The difference is what components add to the slot sums' power.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.evidence import BYTES_PER_FLOAT, ComponentGrid, Evidence

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """RMS phasors of harmonics over windows of whole mains cycles, in codes."""

    cycles: int
    """Mains cycles of a window."""
    starts: Array
    """(windows,) where each begins, in samples since sample 0."""
    ends: Array
    """(windows,) where each ends."""
    phasors: Complex
    """(windows, 2·phases, orders), channels u1, i1, …, orders from 1; phase 0 for a cosine at the
    window's middle."""

    @property
    def grid(self) -> ComponentGrid:
        """What evidence says of them."""
        return ComponentGrid(cycles=self.cycles, orders=int(self.phasors.shape[2]))

    def at(self, samples: Array) -> NDArray[np.int64]:
        """(n,) window in which an instant lies, or the nearest."""
        middles = (self.starts + self.ends) / 2
        after = np.searchsorted(middles, samples)
        before = np.clip(after - 1, 0, len(middles) - 1)
        after = np.clip(after, 0, len(middles) - 1)
        nearer = samples - middles[before] <= middles[after] - samples
        return np.where(nearer, before, after)

    def within(self, first_sample: float, last_sample: float) -> slice:
        """Windows that overlap an interval; the nearest where none does."""
        found = np.flatnonzero((self.ends > first_sample) & (self.starts < last_sample))
        if len(found) == 0:
            found = self.at(np.array([(first_sample + last_sample) / 2]))
        return slice(int(found[0]), int(found[-1]) + 1)

    def mean_hz(self, sample_rate_hz: float, windows: slice) -> float:
        """Mean frequency over some of the windows."""
        starts, ends = self.starts[windows], self.ends[windows]
        return float(sample_rate_hz * self.cycles * len(starts) / np.sum(ends - starts))

    def power_correction(self, lag_rad: Array, radians_per_sample: float) -> Array:
        """What each phase's mean power lacks in slot sums corrected for a lag, in squared codes.

        Args:
            lag_rad: (phases,) lag β of each current against its voltage at the fundamental.
            radians_per_sample: ω of the fundamental.

        Returns:
            (windows, phases).
        """
        order = np.arange(2, self.phasors.shape[2] + 1)
        power = self.phasors[:, ::2, 1:] * np.conj(self.phasors[:, 1::2, 1:])
        lag = lag_rad[:, None]
        weight = np.sin(order * radians_per_sample) / np.sin(radians_per_sample)
        wanted = (power * np.exp(-1j * lag * order)).real
        there = power.real * np.cos(lag) + power.imag * np.sin(lag) * weight
        lacking: Array = np.sum(wanted - there, axis=2)
        return lacking


def components_of(evidence: Evidence) -> Components | None:
    """The components of evidence; None where it has none."""
    grid = evidence.head.components
    if grid is None:
        return None
    values = np.frombuffer(evidence.components, "<f8").astype(np.float64)
    rows = values.reshape(-1, evidence.window_bytes // BYTES_PER_FLOAT)
    parts = rows[:, 2:].reshape(len(rows), 2 * evidence.head.stream.phases, grid.orders, 2)
    return Components(
        cycles=grid.cycles,
        starts=rows[:, 0],
        ends=rows[:, 1],
        phasors=parts[..., 0] + 1j * parts[..., 1],
    )


def component_bytes(components: Components) -> bytes:
    """Components as evidence carries them."""
    count = len(components.starts)
    parts = np.stack([components.phasors.real, components.phasors.imag], axis=-1)
    rows = np.column_stack([components.starts, components.ends, parts.reshape(count, -1)])
    return np.ascontiguousarray(rows, "<f8").tobytes()
