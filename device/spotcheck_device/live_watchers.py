"""Which hosts watch, and when each gets its next picture."""

from dataclasses import dataclass

from spotcheck_device.host_link import HostLink
from spotcheck_wire.host_messages import WatchLive

LIVE_SHARE = 0.1
"""Largest part of the time that may go into live pictures."""
_LONGEST_PAUSE_S = 0.25


@dataclass(slots=True)
class _Watcher:
    """What a host wants to see."""

    interval_s: float
    points: int
    due_s: float


class LiveWatchers:
    """Which hosts watch, and when each gets its next picture; reads no clock of its own."""

    def __init__(self) -> None:
        """Nobody watches."""
        self._watchers: dict[HostLink, _Watcher] = {}
        self._rest_until_s = 0.0

    def __bool__(self) -> bool:
        return bool(self._watchers)

    def watch(self, link: HostLink, wish: WatchLive, now_s: float) -> None:
        """Do as a host wishes, in place of what it wished before."""
        if wish.interval_ms:
            self._watchers[link] = _Watcher(wish.interval_ms / 1000, wish.points, now_s)
        else:
            self.leave(link)

    def leave(self, link: HostLink) -> None:
        """A host watches no longer, or is gone."""
        self._watchers.pop(link, None)

    def due(self, now_s: float) -> list[tuple[HostLink, int]]:
        """Hosts whose picture is due, with the most points of it; each is told once.

        A host that is behind misses a picture: only the newest are worth anything.
        """
        if now_s < self._rest_until_s:
            return []
        found = [(link, w) for link, w in self._watchers.items() if w.due_s <= now_s]
        for _, watcher in found:
            watcher.due_s = now_s + watcher.interval_s
        return [(link, watcher.points) for link, watcher in found if not link.is_behind]

    def rest_after(self, begun_s: float, ended_s: float) -> None:
        """Pictures were made in this time; so many of them that they keep within their share."""
        self._rest_until_s = begun_s + (ended_s - begun_s) / LIVE_SHARE

    def pause_s(self, now_s: float) -> float:
        """Time until somebody may be due, at most a quarter of a second."""
        due_s = min((w.due_s for w in self._watchers.values()), default=now_s + _LONGEST_PAUSE_S)
        return min(max(due_s, self._rest_until_s) - now_s, _LONGEST_PAUSE_S)
