"""Repair of a pulse train: which edges are pulses of the meter, and which pulse is which.

The axis is energy, not time, so a load that varies leaves pulses evenly spaced. Edges that bounce
are merged first. Then the cheapest reading of the edges is sought (dynamic programming, as in
sequence alignment): every edge is either the next pulse, a pulse after so many missing ones, or
none of the meter's. A reading that is not clearly cheaper than the one with another quantum is no
reading: the train is refused, with the reason.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

BOUNCE_S = 0.005
"""Edges that follow another within this time, and within a quarter of a pulse, are its bounces."""
LARGEST_BAD_SHARE = 0.1
"""Missing and extra pulses, of all that should be there, up to which a train is repaired."""

_FEWEST_PULSES = 3
_MISSING_COST, _EXTRA_COST = 6.0, 8.0
"""Minus the logarithm of how rare they are: one pulse in 400, one edge in 3000."""
_STEP_SPREAD = 0.08
"""Standard deviation of an interval in quanta: ripple, tick and jitter together."""
_LEAST_MARGIN = 9.0
"""By how much a quantum must be cheaper than half, a third or twice of it (e⁹ = 8000 to 1)."""
_LARGEST_STEP_ERROR = 0.3
"""An interval farther than this from a whole number of quanta cannot be told."""
_MOST_EXTRAS_RUNNING = 6
_OUTLIER_SPREADS, _OUTLIER_LEAST, _ALONE = 8.0, 1e-3, 1.5
_FACTOR_TOLERANCE, _LARGEST_FACTOR = 0.1, 4


class PulseFault(StrEnum):
    """What was wrong with single pulses."""

    MISSING = "missing"
    """A gap of several quanta."""
    DOUBLE = "double"
    """One edge too many between two pulses."""
    BOUNCE = "bounce"
    """Edges within milliseconds of a pulse."""
    FOREIGN = "foreign"
    """Edges that fit nowhere: several between two pulses, or at either end of the train."""


class TrainObstacle(StrEnum):
    """Why a train cannot be repaired."""

    TOO_FEW_PULSES = "too few pulses"
    NO_ENERGY = "no energy between pulses"
    TOO_MANY_FAULTS = "too many faults"
    AMBIGUOUS = "ambiguous"
    FACTOR_UNCLEAR = "factor unclear"


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseEvent:
    """One fault of a train."""

    fault: PulseFault
    """What it is."""
    edge: int
    """Index of the edge: the superfluous one (the first of several), or the one before the gap."""
    count: int
    """Pulses that are missing, or edges that are superfluous."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairedTrain:
    """The pulses of the meter with their numbers."""

    used: Indices
    """(n,) indices of the edges that are pulses."""
    numbers: Indices
    """(n,) their numbers, 0 for the first; a missing pulse leaves its number out."""
    quantum_j: float
    """Energy per pulse, by the median of the intervals: a rough figure."""
    events: tuple[PulseEvent, ...]
    """Faults in the order of their edges."""

    def count(self, fault: PulseFault) -> int:
        """How many pulses or edges had a fault."""
        return sum(event.count for event in self.events if event.fault is fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRecoverable:
    """Why the pulses of a train cannot be numbered."""

    reason: TrainObstacle
    """The kind of reason."""
    detail: str
    """The figures behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One way to read the edges."""

    cost: float
    used: Indices
    steps: Indices
    worst_step_error: float


def repair_train(
    stamps_s: Array,
    energies_j: Array,
    *,
    claimed_j: float | None = None,
    bounce_s: float = BOUNCE_S,
) -> RepairedTrain | NotRecoverable:
    """Find the meter's pulses among the edges of an optical head.

    Args:
        stamps_s: (n,) instants of the edges, in s, rising.
        energies_j: (n,) register at the edges, in J; best as the meter counts it.
        claimed_j: Energy of a pulse by the meter constant, in J. A hint only: a found quantum near
            a multiple or a fraction of it is refused, never corrected.
        bounce_s: Longest time from an edge to its last bounce, in s.

    Raises:
        ValueError: shapes that differ, values that are not finite, stamps out of order, a claimed
            energy or bounce time that is not positive.
    """
    _check(stamps_s, energies_j, claimed_j, bounce_s)
    if len(stamps_s) < _FEWEST_PULSES:
        return _refused(TrainObstacle.TOO_FEW_PULSES, f"{len(stamps_s)} edges, 3 are needed")
    # Export is counted as a magnitude.
    energies = energies_j - energies_j[0]
    energies = energies if energies[-1] >= 0 else -energies
    heads = _without_bounces(stamps_s, energies, bounce_s)
    if len(heads) < _FEWEST_PULSES:
        detail = f"{len(heads)} pulses and {len(stamps_s) - len(heads)} bounces; 3 are needed"
        return _refused(TrainObstacle.TOO_FEW_PULSES, detail)
    gained = np.diff(energies[heads])
    if np.median(gained) <= 0 or np.min(gained) < -0.5 * np.median(gained):
        return _refused(
            TrainObstacle.NO_ENERGY,
            f"energy between pulses runs from {gained.min():.4g} to {gained.max():.4g} J",
        )
    return _numbered(energies, heads, claimed_j)


def _numbered(
    energies: Array, heads: Indices, claimed_j: float | None
) -> RepairedTrain | NotRecoverable:
    positions = energies[heads]
    quantum = float(np.median(np.diff(positions)))
    best = _cheapest(positions / quantum)
    if len(best.used) < _FEWEST_PULSES:
        return _disagreeing(best, positions)
    # The reading gives a better quantum than the intervals did.
    quantum = float(np.median(np.diff(positions[best.used]) / best.steps))
    best = _cheapest(positions / quantum)
    if obstacle := _obstacle(positions, quantum, best):
        return obstacle
    numbers = np.concatenate([[0], np.cumsum(best.steps)])
    kept = _without_outliers(positions[best.used], numbers, quantum)
    used, numbers = heads[best.used[kept]], numbers[kept]
    events = _events(len(energies), heads, used, numbers)
    faults = sum(event.count for event in events if event.fault is not PulseFault.BOUNCE)
    expected = int(numbers[-1] - numbers[0]) + 1
    if faults > max(1.0, LARGEST_BAD_SHARE * expected):
        return _refused(
            TrainObstacle.TOO_MANY_FAULTS,
            f"{faults} missing or superfluous among {expected} pulses",
        )
    if claimed_j is not None and (factor := _near_factor(quantum / claimed_j)):
        return _refused(
            TrainObstacle.FACTOR_UNCLEAR,
            f"a pulse holds {quantum / claimed_j:.4g} of the energy claimed, near {factor}: "
            "pulses are lost or doubled regularly, or the constant is wrong",
        )
    return RepairedTrain(used=used, numbers=numbers - numbers[0], quantum_j=quantum, events=events)


def _check(stamps_s: Array, energies_j: Array, claimed_j: float | None, bounce_s: float) -> None:
    for name, values in (("stamps_s", stamps_s), ("energies_j", energies_j)):
        if values.ndim != 1 or values.shape != stamps_s.shape:
            raise ValueError(f"{name} {values.shape} must be (n,), one for each edge")
        if not np.all(np.isfinite(values)):
            raise ValueError(f"{name} holds values that are not finite")
    if np.any(np.diff(stamps_s) < 0):
        raise ValueError("stamps_s are out of order: an edge comes before the one ahead of it")
    if claimed_j is not None and not 0 < claimed_j < np.inf:
        raise ValueError(f"claimed_j is {claimed_j}; energy of a pulse is positive")
    if not 0 <= bounce_s < np.inf:
        raise ValueError(f"bounce_s is {bounce_s}; it must not be negative")


def _refused(reason: TrainObstacle, detail: str) -> NotRecoverable:
    return NotRecoverable(reason=reason, detail=detail)


def _without_bounces(stamps_s: Array, energies: Array, bounce_s: float) -> Indices:
    """First edges of what bounces."""
    gained = np.diff(energies)
    long = gained[np.diff(stamps_s) > bounce_s]
    most = 0.25 * float(np.median(long)) if long.size else 0.0
    heads = [0]
    for edge in range(1, len(stamps_s)):
        late = stamps_s[edge] - stamps_s[heads[-1]] > bounce_s
        if late or energies[edge] - energies[heads[-1]] > most:
            heads.append(edge)
    return np.array(heads, np.int64)


def _cheapest(positions: Array) -> _Reading:
    """The cheapest reading of edges whose positions are given in quanta."""
    count = len(positions)
    costs = _EXTRA_COST * np.arange(count)
    before = np.full(count, -1)
    for edge in range(1, count):
        low = max(0, edge - 1 - _MOST_EXTRAS_RUNNING)
        distance = positions[edge] - positions[low:edge]
        steps = np.maximum(np.rint(distance), 1.0)
        through = costs[low:edge] + _MISSING_COST * (steps - 1)
        through += ((distance - steps) / _STEP_SPREAD) ** 2 / 2
        through += _EXTRA_COST * np.arange(edge - low - 1, -1, -1)
        choice = int(np.argmin(through))
        if through[choice] < costs[edge]:
            costs[edge], before[edge] = through[choice], low + choice
    whole = costs + _EXTRA_COST * np.arange(count - 1, -1, -1)
    edge = int(np.argmin(whole))
    cost, path = float(whole[edge]), [edge]
    while before[path[-1]] >= 0:
        path.append(int(before[path[-1]]))
    used = np.array(path[::-1], np.int64)
    distance = np.diff(positions[used])
    steps = np.maximum(np.rint(distance), 1.0)
    return _Reading(
        cost=cost,
        used=used,
        steps=steps.astype(np.int64),
        worst_step_error=float(np.max(np.abs(distance - steps), initial=0.0)),
    )


def _obstacle(positions: Array, quantum: float, best: _Reading) -> NotRecoverable | None:
    """Why the cheapest reading is not to be believed."""
    if len(best.used) < _FEWEST_PULSES:
        return _disagreeing(best, positions)
    if best.worst_step_error > _LARGEST_STEP_ERROR:
        return _refused(
            TrainObstacle.AMBIGUOUS,
            f"an interval lies {best.worst_step_error:.2f} of a pulse from a whole number of them",
        )
    for factor in (1 / 3, 1 / 2, 2 / 3, 3 / 2, 2.0, 3.0):
        other = _cheapest(positions / (factor * quantum))
        if other.cost - best.cost < _LEAST_MARGIN:
            return _refused(
                TrainObstacle.AMBIGUOUS,
                f"pulses of {quantum:.5g} J and of {factor * quantum:.5g} J explain the edges "
                "nearly as well",
            )
    return None


def _disagreeing(best: _Reading, positions: Array) -> NotRecoverable:
    return _refused(
        TrainObstacle.AMBIGUOUS, f"only {len(best.used)} of {len(positions)} edges agree"
    )


def _without_outliers(energies: Array, numbers: Indices, quantum: float) -> Indices:
    """Pulses that do not stand out against their neighbours."""
    if len(numbers) < 5:
        return np.arange(len(numbers))
    about = energies - quantum * numbers
    # Slow changes are the load's and the meter's; a wrong edge stands alone.
    local = about[1:-1] - (
        about[:-2]
        + (about[2:] - about[:-2]) * (numbers[1:-1] - numbers[:-2]) / (numbers[2:] - numbers[:-2])
    )
    # Of the ninth decile, not of the median: ripple that beats is small most of the time.
    spread = float(np.quantile(np.abs(local), 0.9)) / 1.645
    limit = max(_OUTLIER_SPREADS * spread, _OUTLIER_LEAST * quantum)
    beyond = np.concatenate([[0.0], np.abs(local), [0.0]])
    # The neighbours of an outlier stand out by half as much, those of a jump as much: where power
    # runs backwards a meter that pulsates skips part of the ripple.
    peak = beyond[1:-1] > _ALONE * np.maximum(beyond[:-2], beyond[2:])
    out = np.concatenate([[False], peak & (beyond[1:-1] > limit), [False]])
    return np.flatnonzero(~out)


def _events(count: int, heads: Indices, used: Indices, numbers: Indices) -> tuple[PulseEvent, ...]:
    """Faults by edge: what the pulses used and their numbers leave out."""
    events = []
    is_head = np.zeros(count, bool)
    is_head[heads] = True
    bounds = np.concatenate([[-1], used, [count]])
    for place, (low, high) in enumerate(pairwise(bounds)):
        extra = np.flatnonzero(is_head[low + 1 : high]) + low + 1
        if extra.size:
            inside = 0 < place < len(used)
            fault = PulseFault.DOUBLE if extra.size == 1 and inside else PulseFault.FOREIGN
            events.append(PulseEvent(fault=fault, edge=int(extra[0]), count=int(extra.size)))
        if 0 < place < len(used) and numbers[place] - numbers[place - 1] > 1:
            gap = int(numbers[place] - numbers[place - 1]) - 1
            events.append(PulseEvent(fault=PulseFault.MISSING, edge=int(low), count=gap))
    for head, following in zip(heads, np.append(heads[1:], count), strict=True):
        if following - head > 1:
            events.append(
                PulseEvent(
                    fault=PulseFault.BOUNCE, edge=int(head) + 1, count=int(following - head) - 1
                )
            )
    return tuple(sorted(events, key=lambda event: event.edge))


def _near_factor(ratio: float) -> str | None:
    """The whole number above 1, or its inverse, that a ratio is near to."""
    for name, value in ((f"{round(ratio)}", ratio), (f"1/{round(1 / ratio)}", 1 / ratio)):
        whole = round(value)
        if 2 <= whole <= _LARGEST_FACTOR and abs(value / whole - 1) < _FACTOR_TOLERANCE:
            return name
    return None
