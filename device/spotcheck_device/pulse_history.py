"""The newest pulses of every input, and the marks of PPS, on the sample clock."""

from bisect import bisect_left, bisect_right
from collections import defaultdict, deque

from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse

PPS_MEMORY_S = 128.0
"""Marks of PPS are kept so long before the first pulse of a reading: what a clock's jitter and
wander are told from."""


class PulseHistory:
    """Keeps what came in order, for as long as somebody may want it."""

    def __init__(self, sample_rate_hz: int) -> None:
        """Nothing has come yet."""
        self._rate_hz = sample_rate_hz
        self._pulses: defaultdict[int, list[Pulse]] = defaultdict(list)
        self._complete_to_stamp: defaultdict[int, int] = defaultdict(int)
        self._pps: deque[int] = deque()

    def add(self, batch: PulseBatch) -> None:
        """Take pulses and marks of PPS, and the promise that none of them is still to come."""
        self._pps.extend(batch.pps_stamps)
        self._pulses[batch.input].extend(batch.pulses)
        promised = self._complete_to_stamp[batch.input]
        self._complete_to_stamp[batch.input] = max(promised, batch.complete_to_stamp)

    @property
    def pps_stamps(self) -> tuple[int, ...]:
        """All marks of PPS that are kept."""
        return tuple(self._pps)

    def complete_to_sample(self, inputs: set[int]) -> int:
        """Sample before which nothing is still to come on some inputs."""
        return min(self._complete_to_stamp[which] for which in inputs) // STAMP_SUBDIVISION

    def next_between(self, which: int, after_stamp: int, before_stamp: int) -> Pulse | None:
        """The first pulse of an input that lies between two stamps; None where there is none."""
        kept = self._pulses[which]
        place = bisect_right(kept, after_stamp, key=lambda pulse: pulse.stamp)
        found = kept[place] if place < len(kept) else None
        return found if found and found.stamp < before_stamp else None

    def pps_between(self, first_stamp: int, before_sample: int) -> tuple[int, ...]:
        """Marks that tell about a reading: from the memory before its first pulse on.

        Args:
            first_stamp: Stamp of the first pulse.
            before_sample: Sample up to which stream time has come.
        """
        oldest = first_stamp - round(PPS_MEMORY_S * self._rate_hz) * STAMP_SUBDIVISION
        newest = before_sample * STAMP_SUBDIVISION
        return tuple(stamp for stamp in self._pps if oldest <= stamp < newest)

    def forget_before(self, sample: int) -> None:
        """Drop pulses before a sample, and PPS long before it."""
        stamp = sample * STAMP_SUBDIVISION
        for kept in self._pulses.values():
            del kept[: bisect_left(kept, stamp, key=lambda pulse: pulse.stamp)]
        oldest = stamp - round(PPS_MEMORY_S * self._rate_hz) * STAMP_SUBDIVISION
        while self._pps and self._pps[0] < oldest:
            self._pps.popleft()
