"""Outcomes go to disk, then to the hosts, and again until one of them has stored them."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass

from spotcheck.plain import to_plain
from spotcheck.reading import ErrorReading
from spotcheck_device.event_log import log_event
from spotcheck_device.host_links import HostLink, HostLinks
from spotcheck_device.journal import Journal, PendingOutcome
from spotcheck_device.session_messages import SessionFinished, SessionOutcome
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.errors import MessageError

RESEND_S = 3.0


@dataclass(frozen=True, slots=True)
class _RequestBegun:
    """A request whose beginning goes to the journal."""

    request_id: str


class OutcomeDelivery:
    """Tells what must not be lost; notices keep their place among the outcomes.

    Disk syncs run in a thread and never hold the stream.
    """

    def __init__(self, journal: Journal, hosts: HostLinks) -> None:
        """Take over what an earlier boot left unacknowledged; nothing is sent before `deliver`."""
        self._journal = journal
        self._hosts = hosts
        self._pending = {outcome.outcome_id: outcome for outcome in journal.pending()}
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
        self._journal.acknowledged(outcome_id)

    def send_pending(self, link: HostLink) -> None:
        """Send a host what none has acknowledged."""
        for pending in self._pending.values():
            _send(pending, link)

    async def deliver(self) -> None:
        """Deliver what comes, until cancelled."""
        while True:
            event = await self._queue.get()
            if isinstance(event, SessionOutcome):
                await self._deliver_outcome(_pending(event))
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
            for outcome_id in known & set(self._pending):
                _send(self._pending[outcome_id], self._hosts)
            known = set(self._pending)

    async def _deliver_outcome(self, pending: PendingOutcome) -> None:
        self._pending[pending.outcome_id] = pending
        try:
            await asyncio.to_thread(self._journal.keep, pending)
        except OSError as error:
            # It is still sent, and kept in memory until a host has stored it.
            text = f"{pending.outcome_id} would not survive a restart: {error.strerror}"
            log_event("journal-full", logging.ERROR, text=text)
            self._hosts.send(wire.Notice(code="journal-full", text=text, sample=None))
        _send(pending, self._hosts)


def _send(pending: PendingOutcome, to: HostLinks | HostLink) -> None:
    try:
        chunks = split_blob(pending.evidence) if pending.evidence is not None else []
    except MessageError as error:
        # What no link carries stays in the journal; it must not stop the daemon.
        text = f"{pending.outcome_id} cannot be sent: {error}"
        log_event("outcome-not-sent", logging.ERROR, text=text)
        to.send(wire.Notice(code="outcome-not-sent", text=text, sample=None))
        return
    for chunk in chunks:
        to.send(chunk)
    to.send(
        wire.Outcome(
            request_id=pending.request_id,
            kind=pending.kind,
            outcome_id=pending.outcome_id,
            body=pending.body,
            evidence_sha256=pending.evidence_sha256,
        )
    )


def _pending(event: SessionOutcome) -> PendingOutcome:
    outcome, evidence = event.outcome, event.evidence
    reading = isinstance(outcome, ErrorReading)
    return PendingOutcome(
        request_id=event.request_id,
        kind=wire.OUTCOME_READING if reading else wire.OUTCOME_CANNOT_JUDGE,
        outcome_id=outcome.reading_id if isinstance(outcome, ErrorReading) else outcome.outcome_id,
        body=to_plain(outcome),
        evidence_sha256=evidence.sha256 if evidence else None,
        evidence=evidence.to_bytes() if evidence else None,
    )
