"""The pulse per second of a GPS receiver, with the faults that such receivers have."""

import math
from dataclasses import dataclass

import numpy as np

from spotcheck.errors import ConfigurationError
from spotcheck_sim.meter_pulses import LARGEST_SIGMAS
from spotcheck_sim.noise import GaussianNoise


@dataclass(frozen=True, slots=True, kw_only=True)
class PpsOutage:
    """The receiver sees no satellites and gives no pulses."""

    start_s: float
    """Begin, in s of true time."""
    duration_s: float = math.inf
    """Length in s; infinite for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PpsStep:
    """From here on the receiver's second begins at another instant."""

    at_s: float
    """Instant, in s of true time."""
    step_s: float
    """How much later each second begins from then on, −0.5 to 0.5 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GpsReceiver:
    """A receiver whose seconds begin with the true ones, but for its faults."""

    jitter_s: float = 0.0
    """RMS jitter of each pulse (Gaussian, cut off at 4.3 σ), in s."""
    outages: tuple[PpsOutage, ...] = ()
    """When there are no pulses."""
    step: PpsStep | None = None
    """A step of the second."""

    def __post_init__(self) -> None:
        if not 0 <= self.jitter_s < 0.01:
            raise ConfigurationError(f"jitter_s of a PPS is {self.jitter_s}; 0 to 0.01")
        if self.step is not None and not abs(self.step.step_s) <= 0.5:
            raise ConfigurationError("a step of the second is at most half a second")

    def has_pulse_at(self, second: int) -> bool:
        """Whether the pulse of a second is given."""
        return not any(o.start_s <= second < o.start_s + o.duration_s for o in self.outages)

    def offset_s(self, second: int) -> float:
        """How much later than the true second its pulse comes, jitter apart, in s."""
        return self.step.step_s if self.step is not None and second >= self.step.at_s else 0.0


class PpsEdges:
    """Leading edges of the pulse per second, in true time."""

    def __init__(self, receiver: GpsReceiver, seed: np.random.SeedSequence) -> None:
        """Start at true time 0.

        Args:
            receiver: The receiver.
            seed: Seed of its jitter.
        """
        self._receiver = receiver
        self._noise = GaussianNoise(seed)
        self._second = 0
        self._edges: list[float] = []

    def edges_before(self, time_s: float, first: int = 0) -> list[float]:
        """Edges up to an instant, in s of true time, rising; they never change.

        Args:
            time_s: Instant before which all edges are wanted, in s.
            first: Number of the first edge wanted, counted from true time 0.
        """
        while self._second <= time_s + 0.5 + LARGEST_SIGMAS * self._receiver.jitter_s:
            self._make_one()
        return [edge for edge in self._edges[first:] if edge < time_s]

    def _make_one(self) -> None:
        second, self._second = self._second, self._second + 1
        jitter_s = self._receiver.jitter_s * float(self._noise.draw(1)[0])
        edge_s = second + self._receiver.offset_s(second) + jitter_s
        if self._receiver.has_pulse_at(second) and edge_s >= 0:
            self._edges.append(edge_s)
