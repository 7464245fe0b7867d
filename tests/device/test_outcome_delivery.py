"""Outcomes wait on the disk, are signed by the device, and reach each host once at a time."""

import asyncio
import errno
from contextlib import suppress
from pathlib import Path

import pytest

from spotcheck.reading import CannotJudge, Reason
from spotcheck_device import outcome_delivery
from spotcheck_device.device_trust import DeviceTrust, open_device_trust
from spotcheck_device.host_link import HostLink
from spotcheck_device.host_links import HostLinks
from spotcheck_device.journal import Journal, PendingOutcome
from spotcheck_device.outcome_delivery import MOST_UNKEPT, OutcomeDelivery
from spotcheck_device.outcome_signer import OutcomeSigner
from spotcheck_device.session_messages import SessionOutcome
from spotcheck_trust.result_signature import SignedResult
from spotcheck_wire import host_messages as wire
from spotcheck_wire.message_channel import MessageChannel


class Host:
    """A host that takes nothing until it is ready."""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self._channel = MessageChannel("a host")
        self.link = HostLink(self._written.append, lambda: 0)
        self._channel.feed(self._written.pop())
        self.link.receive(self._channel.opening())
        self._granted = 0

    def take(self) -> list[wire.HostMessage]:
        """Take whatever waits."""
        self._granted += 1 << 30
        self.link.receive(self._channel.encode(wire.Credit(total_bytes=self._granted)))
        data = b"".join(self._written)
        self._written.clear()
        return list(self._channel.feed(data))  # type: ignore[arg-type]


class OneHost(HostLinks):
    """Links with one host."""

    def __init__(self, trust: DeviceTrust, host: Host) -> None:
        def nobody(*_: object) -> None:
            return

        super().__init__(
            trust, on_connect=nobody, on_message=nobody, on_disconnect=nobody, on_notice=nobody
        )
        self._links.add(host.link)


class FullDisk(Journal):
    """A disk that takes nothing."""

    def keep(self, outcome: PendingOutcome) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


class Bench:
    """A delivery to one host."""

    def __init__(self, folder: Path, journal: Journal) -> None:
        self.trust = open_device_trust(folder / "state", "SC-1")
        self.host = Host()
        signer = OutcomeSigner(
            identity=self.trust.identity,
            device_id="SC-1",
            boot=journal.boot,
            correction_set_sha256="ab" * 32,
        )
        self.delivery = OutcomeDelivery(journal, OneHost(self.trust, self.host), signer)

    def deliver(self, *names: str) -> None:
        async def work() -> None:
            task = asyncio.ensure_future(self.delivery.deliver())
            for name in names:
                self.delivery.put(
                    SessionOutcome(request_id="c/1", outcome=outcome(name), evidence=None)
                )
            while self.delivery._queue.qsize():
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.05)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        asyncio.run(asyncio.wait_for(work(), 20))


def outcome(name: str) -> CannotJudge:
    return CannotJudge(
        outcome_id=name, reason=Reason.NO_LOAD, detail="", at_sample=8, conditions=None
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, Journal(tmp_path / "state"))


def test_outcome_is_signed_over_all_that_it_says(bench: Bench) -> None:
    bench.deliver("SC-1-1-1")
    (message,) = bench.host.take()
    assert isinstance(message, wire.Outcome)
    assert (message.device_id, message.boot) == ("SC-1", 1)
    signed = SignedResult(
        device_id="SC-1", boot=1, request_id="c/1", kind="cannot judge", outcome_id="SC-1-1-1",
        body=message.body, evidence_sha256=None, correction_set_sha256="ab" * 32,
    )  # fmt: skip
    assert signed.is_signed_by(bench.trust.identity.public, message.signature)


def test_outcome_that_waits_is_not_held_in_memory(bench: Bench) -> None:
    bench.deliver("SC-1-1-1", "SC-1-1-2")
    assert bench.delivery._unkept == {}
    names = [message.outcome_id for message in bench.host.take()]  # type: ignore[union-attr]
    assert names == ["SC-1-1-1", "SC-1-1-2"]


def test_outcome_of_an_earlier_boot_keeps_its_boot_and_signature(
    bench: Bench, tmp_path: Path
) -> None:
    bench.deliver("SC-1-1-1")
    (before,) = bench.host.take()
    later = Bench(tmp_path, Journal(tmp_path / "state"))
    later.delivery.send_pending(later.host.link)
    assert later.host.take() == [before]


def test_outcome_acknowledged_while_it_waited_is_not_sent(bench: Bench) -> None:
    bench.deliver("SC-1-1-1")
    bench.delivery.acknowledged("SC-1-1-1")
    assert bench.host.take() == []


def test_outcome_that_the_disk_has_lost_is_told(bench: Bench, tmp_path: Path) -> None:
    bench.deliver("SC-1-1-1")
    (tmp_path / "state" / "pending" / "SC-1-1-1.json").write_bytes(b"{")
    (notice,) = bench.host.take()
    assert isinstance(notice, wire.Notice)
    assert notice.code == "outcome-lost"
    assert (tmp_path / "state" / "pending" / "SC-1-1-1.broken").exists()


def test_full_disk_is_told_and_memory_stays_bounded(tmp_path: Path) -> None:
    bench = Bench(tmp_path, FullDisk(tmp_path / "state"))
    names = [f"SC-1-1-{n}" for n in range(MOST_UNKEPT + 2)]
    bench.deliver(*names)
    taken = bench.host.take()
    codes = [message.code for message in taken if isinstance(message, wire.Notice)]
    assert codes.count("journal-full") == MOST_UNKEPT + 2
    assert codes.count("outcome-lost") == 2
    assert list(bench.delivery._unkept) == names[2:]
    told = [message.outcome_id for message in taken if isinstance(message, wire.Outcome)]
    assert told == names[2:]


def test_what_is_not_acknowledged_is_offered_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_delivery, "RESEND_S", 0.02)
    bench.deliver("SC-1-1-1")
    (first,) = bench.host.take()

    async def resend() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.1):
                await bench.delivery.resend()

    asyncio.run(resend())
    again = bench.host.take()
    assert again
    assert all(message == first for message in again)


def test_outcome_waits_once_for_a_host_that_takes_nothing(
    bench: Bench,
) -> None:
    bench.deliver("SC-1-1-1")
    for _ in range(5):
        bench.delivery.send_pending(bench.host.link)
    assert len(bench.host.take()) == 1
