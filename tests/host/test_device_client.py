"""The host's end of the link, against a device that answers by a script."""

from collections import deque
from hashlib import sha256

import pytest

from spotcheck_host.device_client import DeviceClient
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.errors import MessageError
from spotcheck_wire.frames import Frame, FrameDecoder, FrameEncoder
from spotcheck_wire.host_messages import (
    PROTOCOL,
    DeviceHello,
    HostHello,
    HostMessage,
    LiveView,
    WatchLive,
    decode_host,
    encode_host,
)

CORRECTION_SET = b"a correction set"
HELLO = DeviceHello(
    protocol=PROTOCOL,
    software="spotcheck",
    device_id="SC-1",
    boot=1,
    epoch_utc_ns=0,
    sample_rate_hz=8000,
    phases=1,
    voltage_range="480V",
    current_range="C5",
    correction_set_sha256=sha256(CORRECTION_SET).hexdigest(),
    state="idle",
    note="",
)
VIEW = LiveView(
    sample=8000,
    state="idle",
    conditions={},
    obstacle="U1 is 0.0 V",
    overload=False,
    trace_interval_s=0.000125,
    trace_points=1,
    traces=bytes(8),
    harmonic_orders=0,
    harmonics=b"",
)


class Script:
    """A transport on which the device says what it was given to say."""

    def __init__(self) -> None:
        self._encoder, self._decoder = FrameEncoder(), FrameDecoder()
        self._to_host: deque[bytes] = deque()
        self.heard: list[HostMessage] = []

    def say(self, *messages: HostMessage) -> None:
        self._to_host += [self._encoder.encode(*encode_host(message)) for message in messages]

    def write(self, data: bytes) -> None:
        frames = (event for event in self._decoder.feed(data) if isinstance(event, Frame))
        self.heard += [decode_host(frame) for frame in frames]

    def read(self, timeout_s: float) -> bytes | None:
        return self._to_host.popleft() if self._to_host else None

    def close(self) -> None:
        pass


@pytest.fixture
def script() -> Script:
    script = Script()
    script.say(HELLO, *split_blob(CORRECTION_SET))
    return script


def test_watching_is_asked_for_and_views_come_as_events(script: Script) -> None:
    client = DeviceClient(script)
    assert client.next_event(0.1) == HELLO
    client.watch_live(200)
    client.watch_live(0, points=16)
    script.say(VIEW)
    assert client.next_event(0.1) == VIEW
    greeting, *wishes = script.heard
    assert isinstance(greeting, HostHello)
    assert wishes == [
        WatchLive(interval_ms=200, points=400),
        WatchLive(interval_ms=0, points=16),
    ]


@pytest.mark.parametrize(("interval_ms", "points"), [(20, 400), (200, 4096)])
def test_wish_that_no_device_grants_is_not_sent(
    script: Script, interval_ms: int, points: int
) -> None:
    client = DeviceClient(script)
    with pytest.raises(MessageError, match="WatchLive"):
        client.watch_live(interval_ms, points)
    assert len(script.heard) == 1
