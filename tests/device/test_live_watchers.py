"""Who gets a picture when."""

from spotcheck_device.host_link import HostLink
from spotcheck_device.live_watchers import LIVE_SHARE, LiveWatchers
from spotcheck_wire.flow_control import WINDOW_BYTES
from spotcheck_wire.host_messages import Credit, WatchLive
from spotcheck_wire.message_channel import MessageChannel


class Line:
    """What a host has not taken yet."""

    def __init__(self) -> None:
        self.waiting = 0

    def link(self) -> HostLink:
        """A link to a host that has offered its tables and given credit."""
        link = HostLink(lambda data: None, lambda: self.waiting)
        host = MessageChannel("a host")
        link.receive(host.opening())
        host.feed(MessageChannel("the device").opening())
        link.receive(host.encode(Credit(total_bytes=WINDOW_BYTES)))
        return link


def wish(interval_ms: int = 200, points: int = 400) -> WatchLive:
    return WatchLive(interval_ms=interval_ms, points=points)


def test_each_watcher_has_an_interval_of_its_own() -> None:
    fast, slow = Line().link(), Line().link()
    watchers = LiveWatchers()
    watchers.watch(fast, wish(200, 100), 10.0)
    watchers.watch(slow, wish(1000, 300), 10.0)
    assert watchers.due(10.0) == [(fast, 100), (slow, 300)]
    assert watchers.due(10.1) == []
    assert watchers.due(10.25) == [(fast, 100)]
    assert watchers.due(11.0) == [(fast, 100), (slow, 300)]


def test_watching_ends_by_an_interval_of_zero_or_with_the_link() -> None:
    one, other = Line().link(), Line().link()
    watchers = LiveWatchers()
    watchers.watch(one, wish(), 0.0)
    watchers.watch(other, wish(), 0.0)
    watchers.watch(one, wish(0), 0.1)
    assert watchers.due(0.2) == [(other, 400)]
    watchers.leave(other)
    watchers.leave(other)
    assert not watchers
    assert watchers.due(5.0) == []


def test_host_that_is_behind_misses_pictures() -> None:
    line = Line()
    link, watchers = line.link(), LiveWatchers()
    watchers.watch(link, wish(), 0.0)
    line.waiting = 1
    assert watchers.due(0.0) == []
    line.waiting = 0
    assert watchers.due(0.1) == []
    assert watchers.due(0.2) == [(link, 400)]


def test_pictures_keep_within_their_share_of_the_time() -> None:
    link, watchers = Line().link(), LiveWatchers()
    watchers.watch(link, wish(50), 0.0)
    assert watchers.due(0.0)
    watchers.rest_after(0.0, 0.03)
    assert watchers.due(0.29) == []
    assert watchers.due(0.03 / LIVE_SHARE) == [(link, 400)]


def test_pause_is_until_somebody_is_due_and_never_long() -> None:
    watchers = LiveWatchers()
    assert watchers.pause_s(7.0) == 0.25
    watchers.watch(Line().link(), wish(100), 7.0)
    assert watchers.pause_s(7.0) == 0.0
    watchers.due(7.0)
    assert 0.09 < watchers.pause_s(7.0) < 0.11
    watchers.rest_after(7.0, 7.02)
    assert 0.19 < watchers.pause_s(7.0) < 0.21
