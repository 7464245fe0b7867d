"""Outcomes go to disk, then to the hosts, and again until one of them has stored them."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass

from spotcheck_device.event_log import log_event
from spotcheck_device.host_link import HostLink
from spotcheck_device.host_links import HostLinks
from spotcheck_device.journal import Journal, PendingOutcome
from spotcheck_device.outcome_signer import OutcomeSigner
from spotcheck_device.session_messages import SessionFinished, SessionOutcome
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.errors import MessageError

RESEND_S = 3.0
MOST_UNKEPT = 16
"""Outcomes that are held in memory while the disk takes none; the oldest is then given up."""


@dataclass(frozen=True, slots=True)
class _RequestBegun:
    """A request whose beginning goes to the journal."""

    request_id: str


class OutcomeDelivery:
    """Tells what must not be lost; notices keep their place among the outcomes.

    Disk syncs run in a thread and never hold the stream.
    """

    def __init__(self, journal: Journal, hosts: HostLinks, signer: OutcomeSigner) -> None:
        """Take over what an earlier boot left unacknowledged; nothing is sent before `deliver`."""
        self._journal = journal
        self._hosts = hosts
        self._signer = signer
        self._pending = dict.fromkeys(journal.pending())
        """By name in order; what lies on the disk stays there until a host has room for it."""
        self._unkept: dict[str, PendingOutcome] = {}
        self._queue: asyncio.Queue[
            _RequestBegun | SessionOutcome | SessionFinished | wire.Notice
        ] = asyncio.Queue()

    def put(self, event: SessionOutcome | SessionFinished | wire.Notice) -> None:
        """Deliver an event behind those before it."""
        self._queue.put_nowait(event)

    def begin(self, request_id: str) -> None:
        """Note in the journal, in its turn, that a request is being worked on."""
        self._queue.put_nowait(_RequestBegun(request_id))

    def acknowledged(self, outcome_id: str) -> None:
        """A host has stored an outcome."""
        self._pending.pop(outcome_id, None)
        self._unkept.pop(outcome_id, None)
        self._journal.acknowledged(outcome_id)

    def send_pending(self, link: HostLink) -> None:
        """Send a host what none has acknowledged."""
        for outcome_id in self._pending:
            self._send(outcome_id, link)

    async def deliver(self) -> None:
        """Deliver what comes, until cancelled."""
        while True:
            event = await self._queue.get()
            if isinstance(event, SessionOutcome):
                await self._deliver_outcome(self._signer.signed(event))
            elif isinstance(event, _RequestBegun):
                with contextlib.suppress(OSError):  # a full disk is told with the outcome
                    await asyncio.to_thread(self._journal.begin, event.request_id)
            elif isinstance(event, SessionFinished):
                await asyncio.to_thread(self._journal.end)
                self._hosts.send(wire.Finished(request_id=event.request_id, reason=event.reason))
            else:
                self._hosts.send(event)

    async def resend(self) -> None:
        """Send again what is not acknowledged in time, until cancelled; duplicates fall by id."""
        known: set[str] = set()
        while True:
            await asyncio.sleep(RESEND_S)
            for outcome_id in [name for name in self._pending if name in known]:
                self._send_to_all(outcome_id)
            known = set(self._pending)

    async def _deliver_outcome(self, pending: PendingOutcome) -> None:
        self._unkept[pending.outcome_id] = pending
        self._pending[pending.outcome_id] = None
        try:
            await asyncio.to_thread(self._journal.keep, pending)
            self._unkept.pop(pending.outcome_id, None)
        except OSError as error:
            # It is still sent, and kept in memory until a host has stored it.
            text = f"{pending.outcome_id} would not survive a restart: {error.strerror}"
            log_event("journal-full", logging.ERROR, text=text)
            self._hosts.send(wire.Notice(code="journal-full", text=text, sample=None))
            self._give_up_the_oldest()
        self._send_to_all(pending.outcome_id)

    def _give_up_the_oldest(self) -> None:
        while len(self._unkept) > MOST_UNKEPT:
            outcome_id = next(iter(self._unkept))
            del self._unkept[outcome_id], self._pending[outcome_id]
            text = f"{outcome_id} is lost: the disk takes nothing, and no host has stored it"
            self._hosts.send(wire.Notice(code="outcome-lost", text=text, sample=None))

    def _send_to_all(self, outcome_id: str) -> None:
        for link in self._hosts.links:
            self._send(outcome_id, link)

    def _send(self, outcome_id: str, link: HostLink) -> None:
        link.send_transfer(outcome_id, lambda: self._messages(outcome_id))

    def _messages(self, outcome_id: str) -> Iterator[wire.HostMessage]:
        """What tells an outcome; nothing when it was acknowledged meanwhile."""
        if outcome_id not in self._pending:
            return
        pending = self._unkept.get(outcome_id) or self._journal.load(outcome_id)
        if pending is None:
            text = f"{outcome_id} cannot be read from the disk any more"
            self._pending.pop(outcome_id, None)
            yield wire.Notice(code="outcome-lost", text=text, sample=None)
            return
        yield from _told(pending)


def _told(pending: PendingOutcome) -> Iterator[wire.HostMessage]:
    try:
        chunks = split_blob(pending.evidence) if pending.evidence is not None else []
    except MessageError as error:
        # What no link carries stays in the journal; it must not stop the daemon.
        text = f"{pending.outcome_id} cannot be sent: {error}"
        log_event("outcome-not-sent", logging.ERROR, text=text)
        yield wire.Notice(code="outcome-not-sent", text=text, sample=None)
        return
    yield from chunks
    yield wire.Outcome(
        request_id=pending.request_id,
        kind=pending.kind,
        outcome_id=pending.outcome_id,
        body=pending.body,
        evidence_sha256=pending.evidence_sha256,
        device_id=pending.device_id,
        boot=pending.boot,
        correction_set_sha256=pending.correction_set_sha256,
        signature=pending.signature,
    )
