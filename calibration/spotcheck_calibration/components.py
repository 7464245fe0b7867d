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

from spotcheck.errors import EvidenceError
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

    def near(self, samples: Array, lengths: float = 1.0) -> NDArray[np.bool_]:
        """(n,) whether an instant lies in a window, or nearer to one than so many lengths of it."""
        window = self.at(samples)
        length = self.ends[window] - self.starts[window]
        away = np.maximum(self.starts[window] - samples, samples - self.ends[window])
        found: NDArray[np.bool_] = away < lengths * length
        return found

    def mains_phase(self, samples: Array) -> tuple[Array, Array]:
        """Phase of the mains at instants, and its rate, as the windows around have them.

        Returns:
            (n,) angle in rad since the middle of the window `at` an instant, and (n,) rad a sample.
        """
        middles = (self.starts + self.ends) / 2
        rates = 2 * np.pi * self.cycles / (self.ends - self.starts)
        # The frequency drifts on as it does from window to window.
        drifts = np.gradient(rates, middles) if len(rates) > 1 else np.zeros(1)
        window = self.at(samples)
        since = samples - middles[window]
        angle = rates[window] * since + drifts[window] * since**2 / 2
        return angle, rates[window] + drifts[window] * since

    def distortion_percent(self, windows: slice) -> Array:
        """(channels,) √Σ|X_h|² over the orders from 2, by |X_1| (IEC 61000-4-7, 3.3.1, recalled).

        0 where there is no fundamental.
        """
        squares = np.mean(np.abs(self.phasors[windows]) ** 2, axis=0)
        fundamental = squares[:, 0]
        harmonics = squares[:, 1:].sum(axis=1)
        ratio = np.divide(
            harmonics, fundamental, out=np.zeros_like(harmonics), where=fundamental > 0
        )
        distortion: Array = 100 * np.sqrt(ratio)
        return distortion

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
    """The components of evidence; None where it has none.

    Raises:
        EvidenceError: they cannot be what a device demodulated of these slots.
    """
    grid, head = evidence.head.components, evidence.head
    if grid is None:
        return None
    values = np.frombuffer(evidence.components, "<f8").astype(np.float64)
    rows = values.reshape(-1, evidence.window_bytes // BYTES_PER_FLOAT)
    _refuse_impossible(
        rows,
        head.first_slot * head.slot_length,
        len(evidence.slot_sums) // evidence.slot_bytes * head.slot_length,
    )
    parts = rows[:, 2:].reshape(len(rows), 2 * evidence.head.stream.phases, grid.orders, 2)
    return Components(
        cycles=grid.cycles,
        starts=rows[:, 0],
        ends=rows[:, 1],
        phasors=parts[..., 0] + 1j * parts[..., 1],
    )


def _refuse_impossible(rows: Array, first_sample: int, samples: int) -> None:
    starts, ends = rows[:, 0], rows[:, 1]
    if not np.all(np.isfinite(rows)):
        raise EvidenceError("a component is not finite")
    if np.any(ends <= starts) or np.any(starts[1:] < ends[:-1] - 1e-6):
        raise EvidenceError("windows of components have no length, or overlap")
    if np.any(ends <= first_sample) or np.any(starts >= first_sample + samples):
        raise EvidenceError("a window of components lies outside the slots")


def component_bytes(components: Components) -> bytes:
    """Components as evidence carries them."""
    count = len(components.starts)
    parts = np.stack([components.phasors.real, components.phasors.imag], axis=-1)
    rows = np.column_stack([components.starts, components.ends, parts.reshape(count, -1)])
    return np.ascontiguousarray(rows, "<f8").tobytes()
