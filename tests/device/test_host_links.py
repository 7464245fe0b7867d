"""What a host link answers by itself, and who gets a picture when."""

import asyncio
from typing import Any

import cbor2

from spotcheck_device.host_links import LIVE_SHARE, HostLink, LiveWatchers
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import (
    HostMessage,
    Notice,
    WatchLive,
    decode_host,
    encode_host,
)


class Line(asyncio.WriteTransport):
    """A transport that keeps what is written; `waiting` is what the host has not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.waiting = 0

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def messages(self) -> list[HostMessage]:
        events = FrameDecoder().feed(self.written)
        return [decode_host(event) for event in events if isinstance(event, Frame)]


def wish(interval_ms: int = 200, points: int = 400) -> WatchLive:
    return WatchLive(interval_ms=interval_ms, points=points)


def test_wish_that_is_out_of_range_is_answered_with_a_notice() -> None:
    line = Line()
    kind, _ = encode_host(wish())
    body = cbor2.dumps({"interval_ms": 20, "points": 400}, canonical=True)
    assert HostLink(line).receive(FrameEncoder().encode(kind, body)) == []
    (answer,) = line.messages()
    assert isinstance(answer, Notice)
    assert answer.code == "message-not-understood"
    assert answer.text == "WatchLive.interval_ms is 20; 0 or 50 to 10000"


def test_type_that_is_not_known_is_answered_with_a_notice() -> None:
    line = Line()
    assert HostLink(line).receive(FrameEncoder().encode(0x7F, b"\xa0")) == []
    (answer,) = line.messages()
    assert isinstance(answer, Notice)
    assert answer.code == "message-not-understood"


def test_each_watcher_has_an_interval_of_its_own() -> None:
    fast, slow = HostLink(Line()), HostLink(Line())
    watchers = LiveWatchers()
    watchers.watch(fast, wish(200, 100), 10.0)
    watchers.watch(slow, wish(1000, 300), 10.0)
    assert watchers.due(10.0) == [(fast, 100), (slow, 300)]
    assert watchers.due(10.1) == []
    assert watchers.due(10.25) == [(fast, 100)]
    assert watchers.due(11.0) == [(fast, 100), (slow, 300)]


def test_watching_ends_by_an_interval_of_zero_or_with_the_link() -> None:
    one, other = HostLink(Line()), HostLink(Line())
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
    link, watchers = HostLink(line), LiveWatchers()
    watchers.watch(link, wish(), 0.0)
    line.waiting = 1
    assert watchers.due(0.0) == []
    line.waiting = 0
    assert watchers.due(0.1) == []
    assert watchers.due(0.2) == [(link, 400)]


def test_pictures_keep_within_their_share_of_the_time() -> None:
    link, watchers = HostLink(Line()), LiveWatchers()
    watchers.watch(link, wish(50), 0.0)
    assert watchers.due(0.0)
    watchers.rest_after(0.0, 0.03)
    assert watchers.due(0.29) == []
    assert watchers.due(0.03 / LIVE_SHARE) == [(link, 400)]


def test_pause_is_until_somebody_is_due_and_never_long() -> None:
    watchers = LiveWatchers()
    assert watchers.pause_s(7.0) == 0.25
    watchers.watch(HostLink(Line()), wish(100), 7.0)
    assert watchers.pause_s(7.0) == 0.0
    watchers.due(7.0)
    assert 0.09 < watchers.pause_s(7.0) < 0.11
    watchers.rest_after(7.0, 7.02)
    assert 0.19 < watchers.pause_s(7.0) < 0.21
