"""What waits for a host, within which bounds, and what a link answers by itself."""

import cbor2
import pytest

from spotcheck_device.host_link import MOST_WAITING, WRITE_AHEAD_BYTES, HostLink
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.flow_control import WINDOW_BYTES, CreditGrants
from spotcheck_wire.frames import FrameEncoder
from spotcheck_wire.host_messages import (
    Credit,
    Finished,
    HostMessage,
    LiveView,
    Notice,
    Progress,
    Refused,
    WatchLive,
    encode_host,
)
from spotcheck_wire.message_channel import MessageChannel, TableAgreed

VIEW = LiveView(
    sample=1, state="idle", conditions={}, obstacle="x", overload=False, trace_interval_s=0.0,
    trace_points=0, traces=b"", harmonic_orders=0, harmonics=b"",
)  # fmt: skip
PROGRESS = Progress(
    request_id="r", sample=1, state="measuring", pulses=3, power_w=1.5, error_percent=None,
    expanded_uncertainty_percent=None, expected_wait_s=None,
)  # fmt: skip


class Host:
    """A host at the other end of a line that takes what it is given, until it is `full`."""

    def __init__(self, *, credit: int = WINDOW_BYTES) -> None:
        self.full = False
        self.written = b""
        self._read = 0
        self._channel = MessageChannel("a host")
        self.link = HostLink(self._take, lambda: WRITE_AHEAD_BYTES if self.full else 0)
        self._channel.feed(self._new())
        assert self.link.receive(self._channel.opening()) == [TableAgreed(table=2)]
        if credit:
            self.grant(credit)

    def _take(self, data: bytes) -> None:
        self.written += data

    def _new(self) -> bytes:
        data, self._read = self.written[self._read :], len(self.written)
        return data

    def grant(self, total_bytes: int) -> None:
        self.say(Credit(total_bytes=total_bytes))

    def say(self, message: HostMessage) -> None:
        self.link.receive(self._channel.encode(message))

    def heard(self) -> list[object]:
        return list(self._channel.feed(self._new()))


def notice(number: int) -> Notice:
    return Notice(code="n", text=str(number), sample=None)


def test_wish_that_is_out_of_range_is_answered_with_a_notice() -> None:
    host = Host()
    kind, _ = encode_host(WatchLive(interval_ms=200, points=400))
    body = cbor2.dumps({"interval_ms": 20, "points": 400}, canonical=True)
    # The host's frames so far: its offer and its credit.
    assert host.link.receive(FrameEncoder(first_sequence=2).encode(kind, body)) == []
    (answer,) = host.heard()
    assert isinstance(answer, Notice)
    assert answer.code == "message-not-understood"
    assert answer.text == "WatchLive.interval_ms is 20; 0 or 50 to 10000"


def test_type_that_is_not_known_is_answered_with_a_notice() -> None:
    host = Host()
    assert host.link.receive(FrameEncoder(first_sequence=2).encode(0x7F, b"\xa0")) == []
    (answer,) = host.heard()
    assert isinstance(answer, Notice)
    assert answer.code == "message-not-understood"


def test_nothing_but_the_offer_is_said_without_credit() -> None:
    host = Host(credit=0)
    host.link.send(notice(1))
    assert host.heard() == []
    host.grant(1)
    assert host.heard() == [notice(1)]


def test_credit_is_overdrawn_by_one_frame_at_most() -> None:
    host = Host(credit=1000)
    before = len(host.written)
    for number in range(200):
        host.link.send(notice(number))
    longest = len(FrameEncoder().encode(*encode_host(notice(199))))
    assert 1000 <= len(host.written) - before <= 1000 + longest


def test_what_waits_comes_in_order_once_there_is_credit_again() -> None:
    host = Host(credit=0)
    for number in range(50):
        host.link.send(notice(number))
    host.grant(WINDOW_BYTES)
    assert host.heard() == [notice(number) for number in range(50)]


@pytest.mark.parametrize("message", [VIEW, PROGRESS])
def test_what_is_for_display_is_dropped_when_it_would_wait(message: HostMessage) -> None:
    host = Host(credit=0)
    host.link.send(message)
    host.link.send(notice(1))
    host.link.send(message)
    host.grant(WINDOW_BYTES)
    assert host.heard() == [notice(1)]
    host.link.send(message)
    assert host.heard() == [message]


def test_notices_beyond_what_may_wait_are_left_out_and_that_is_told() -> None:
    host = Host(credit=0)
    for number in range(MOST_WAITING + 7):
        host.link.send(notice(number))
    host.grant(WINDOW_BYTES)
    *told, last = host.heard()
    assert told == [notice(number) for number in range(MOST_WAITING)]
    assert isinstance(last, Notice)
    assert (last.code, last.text[:9]) == ("notices-left-out", "7 notices")


def test_host_that_asks_and_never_listens_is_lost() -> None:
    host = Host(credit=0)
    for number in range(MOST_WAITING):
        host.link.send(Refused(request_id=str(number), reason="busy"))
    assert not host.link.is_lost
    host.link.send(Finished(request_id="r", reason="complete"))
    assert host.link.is_lost


def test_transfer_waits_once_and_is_made_only_when_its_turn_comes() -> None:
    host, made = Host(credit=0), []

    def transfer() -> list[Notice]:
        made.append(1)
        return [notice(1), notice(2)]

    for _ in range(5):
        host.link.send_transfer("SC-1-1-1", transfer)
    assert made == []
    host.grant(WINDOW_BYTES)
    assert host.heard() == [notice(1), notice(2)]
    assert made == [1]
    host.link.send_transfer("SC-1-1-1", transfer)
    assert host.heard() == [notice(1), notice(2)]


def test_operating_system_that_takes_nothing_holds_the_rest_back() -> None:
    host = Host()
    host.full = True
    host.link.send(notice(1))
    assert host.heard() == []
    assert host.link.is_behind
    assert host.link.has_work
    host.full = False
    host.link.pump()
    assert host.heard() == [notice(1)]
    assert not host.link.is_behind


def test_blob_of_any_length_passes_a_host_that_grants_as_it_takes() -> None:
    host, grants = Host(credit=0), CreditGrants(100_000)
    blob = bytes(range(256)) * 20_000
    chunks = split_blob(blob, 1000)
    host.link.send_transfer("blob", lambda: chunks)
    taken: list[object] = []
    most, before = 0, len(host.written)
    while len(taken) < len(chunks):
        total = grants.due()
        assert total is not None
        host.grant(total)
        most = max(most, len(host.written) - before)
        grants.take(len(host.written) - before)
        before = len(host.written)
        taken += host.heard()
    assert taken == chunks
    assert most <= 102_000


def test_message_that_no_frame_holds_is_told() -> None:
    host = Host()
    host.link.send(Notice(code="n", text="x" * 70_000, sample=None))
    (answer,) = host.heard()
    assert isinstance(answer, Notice)
    assert answer.code == "message-not-sent"
