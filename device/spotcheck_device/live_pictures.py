"""Each host that watches gets its picture when it is due, and an idle stream goes on for it."""

import asyncio
from collections.abc import Callable

from spotcheck.samples import SampleBlock
from spotcheck_device.host_link import HostLink
from spotcheck_device.live_view import LiveViewer, view_without_stream
from spotcheck_device.live_watchers import LiveWatchers
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_wire import host_messages as wire

WATCHED_CREDIT_S = 0.25
"""While somebody watches, an idle stream gets credit this often, a second at most each time: a
source that keeps real time never waits, and one that does not is four times as fast at most."""


class LivePictures:
    """Makes pictures of the stream that is there, for whoever watches."""

    def __init__(self, *, on_credit_due: Callable[[], None]) -> None:
        """Nobody watches, and there is no stream.

        Args:
            on_credit_due: Told when the stream may go on for those who watch.
        """
        self._on_credit_due = on_credit_due
        self._watchers = LiveWatchers()
        self._session: MeasuringSession | None = None
        self._viewer: LiveViewer | None = None
        self._next_credit_s = 0.0

    def attach(self, session: MeasuringSession, viewer: LiveViewer) -> None:
        """Show this stream from now on."""
        self._session, self._viewer = session, viewer

    def detach(self) -> None:
        """Show that there is no stream that can be used."""
        self._session = self._viewer = None

    def add_block(self, block: SampleBlock) -> None:
        """Take the next samples."""
        if self._viewer is not None:
            self._viewer.add_block(block)

    def lose_source(self) -> None:
        """What has come so far is no longer what is there."""
        if self._viewer is not None:
            self._viewer.lose_source()

    def watch(self, link: HostLink, wish: wire.WatchLive) -> None:
        """Do as a host wishes."""
        self._watchers.watch(link, wish, _now_s())

    def leave(self, link: HostLink) -> None:
        """A host is gone."""
        self._watchers.leave(link)

    async def run(self) -> None:
        """Show, until cancelled."""
        while True:
            begun_s = _now_s()
            if self._watchers and begun_s >= self._next_credit_s:
                self._next_credit_s = begun_s + WATCHED_CREDIT_S
                self._on_credit_due()
            if due := self._watchers.due(begun_s):
                views = {points: self._view(points) for _, points in due}
                for link, points in due:
                    link.send(views[points])
                self._watchers.rest_after(begun_s, _now_s())
            await asyncio.sleep(self._watchers.pause_s(_now_s()))

    def _view(self, points: int) -> wire.LiveView:
        if self._session is None or self._viewer is None:
            return view_without_stream()
        return self._viewer.picture(self._session, points)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
