"""The board's daemon: one asyncio loop that joins sources, session, journal and hosts.

Disk syncs run in a thread of their own and never hold the stream; no measuring decision reads
wall time. Wall time only tells when a source has gone silent, and how often to show what there is.
"""

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from spotcheck.errors import CorrectionSetError, EvidenceError, InvalidInputError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain, to_plain
from spotcheck.ports import PulseBatch
from spotcheck.reading import ErrorReading, Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.correction_set import load_correction_set
from spotcheck_calibration.evaluation import SOFTWARE
from spotcheck_device.config import DeviceConfig, split_address
from spotcheck_device.host_links import HostLink, HostLinks, LiveWatchers
from spotcheck_device.journal import Journal, PendingOutcome
from spotcheck_device.live_view import NO_STREAM, LiveViewer, view_without_stream
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.pulse_link import PulseLink
from spotcheck_device.recorder import Recorder
from spotcheck_device.sample_link import SampleLink
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
    SessionProgress,
)
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.errors import MessageError
from spotcheck_wire.sample_stream import StreamFormatMessage

SILENT_LOOKS = 8
"""A source is gone when so many looks, a second apart, find nothing new. Looks are counted, not
time, so that a daemon that was itself held up does not take its own pause for silence."""
RESEND_S = 3.0
SETTLE_S = 4.0
"""At its end the daemon waits so long for recordings; who started it waits five seconds for it."""
PROGRESS_S = 0.25
PROGRESS_SHARE = 0.1
"""Largest part of the time that may go into showing the error as it stands."""
WATCHED_CREDIT_S = 0.25
"""While somebody watches, an idle stream gets credit this often, a second at most each time: a
source that keeps real time never waits, and one that does not is four times as fast at most."""


@dataclass(frozen=True, slots=True)
class _RequestBegun:
    """A request whose beginning goes to the journal."""

    request_id: str


class Daemon:
    """The instrument."""

    def __init__(self, config: DeviceConfig) -> None:
        """Open state and correction set; nothing is connected before `run`.

        Raises:
            SpotcheckError: the state folder or the correction set cannot be used.
        """
        self._config = config
        self._correction = load_correction_set(Path(config.correction_set))
        self._journal = Journal(Path(config.state_folder))
        self._pending = {outcome.outcome_id: outcome for outcome in self._journal.pending()}
        self._session: MeasuringSession | None = None
        self._format: StreamFormatMessage | None = None
        self._to_disk_and_host: asyncio.Queue[
            _RequestBegun | SessionOutcome | SessionFinished | wire.Notice
        ] = asyncio.Queue()
        self._samples = SampleLink(
            split_address("samples", config.samples),
            on_format=self._take_format,
            on_block=self._take_block,
            on_loss=self._lose_samples,
        )
        self._pulses = PulseLink(
            config.pulses,
            config.pulses_baud,
            on_open=self._grant,
            on_pulses=self._take_pulses,
            on_loss=self._abort,
            on_notice=self._notice,
        )
        self._viewer: LiveViewer | None = None
        self._watchers = LiveWatchers()
        self._hosts = HostLinks(
            on_connect=self._greet,
            on_message=self._take_message,
            on_disconnect=self._watchers.leave,
        )
        self._recorder: Recorder | None = None
        if config.record_folder:
            self._recorder = Recorder(
                Path(config.record_folder),
                config.record_format,
                self._correction,
                on_notice=self._notice,
                on_room=self._grant,
            )
        self._samples_since_look = self._pulses_since_look = True
        self._next_progress_s = self._next_watched_credit_s = 0.0

    async def run(self, *, until_input_closes: bool) -> None:
        """Serve until cancelled, or until standard input closes.

        Prints one line of JSON with the address for hosts: `{"host": "127.0.0.1:PORT"}`.

        Raises:
            OSError: the address for hosts cannot be used.
        """
        server = await self._hosts.serve_tcp(
            *split_address("host_listen", self._config.host_listen)
        )
        host, port = server.sockets[0].getsockname()[:2]
        print(json.dumps({"host": f"{host}:{port}"}), flush=True)
        jobs = [
            self._samples.run(),
            self._pulses.run(),
            self._deliver(),
            self._resend(),
            self._listen(),
            self._show_live(),
        ]
        if self._config.host_serial:
            jobs.append(self._hosts.serve_serial(self._config.host_serial))
        if self._recorder is not None:
            jobs.append(self._recorder.run())
        if until_input_closes:
            jobs.append(_input_closed())
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            # Every job runs for ever but the one that waits for the end of standard input.
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._recorder is not None:
                await self._recorder.settle(SETTLE_S)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            server.close()

    # Sources

    def _take_format(self, message: StreamFormatMessage) -> None:
        self._format = message
        try:
            stream = StreamFormat(
                sample_rate_hz=message.sample_rate_hz,
                phases=message.phases,
                voltage_range=message.voltage_range,
                current_range=message.current_range,
            )
            if self._session is None or self._session.stream != stream:
                prefix = f"{self._config.device_id}-{self._journal.boot}"
                self._session = MeasuringSession(
                    stream=stream, correction=self._correction, outcome_prefix=prefix
                )
                self._viewer = LiveViewer(stream, self._correction)
                if self._recorder is not None:
                    self._recorder.attach(self._session, prefix)
        except (CorrectionSetError, EvidenceError) as error:
            self._session = None
            self._notice("stream-not-usable", str(error))
        self._hosts.send(self._hello())

    def _take_block(self, block: SampleBlock) -> None:
        self._samples_since_look = True
        if self._session is None:
            return
        try:
            events = self._session.add_block(block)
            if self._recorder is not None:
                self._recorder.add_block(block)
            self._handle(events)
        except EvidenceError as error:
            self._abort(Reason.DATA_LOST, str(error))
        if self._viewer is not None:
            self._viewer.add_block(block)
        self._grant()

    def _take_pulses(self, batch: PulseBatch) -> None:
        self._pulses_since_look = True
        if self._session is not None:
            events = self._session.add_pulses(batch)
            if self._recorder is not None:
                self._recorder.add_pulses(batch)
            self._handle(events)
            self._grant()

    def _grant(self) -> None:
        # An idle session lets the source wait: a request then finds the stream where it left it.
        # Without the pulse front end the stream must not begin: its first pulses would be missed.
        # A source that can wait also waits for the disk; one that cannot costs the recording.
        if self._recorder is not None and self._recorder.is_behind:
            return
        if self._session is not None and not self._session.is_idle and self._pulses.is_open:
            self._samples.grant_up_to(self._session.end_sample)

    def _grant_to_watchers(self) -> None:
        """An idle session takes samples as well while somebody watches, at a bounded pace."""
        now_s = _now_s()
        if self._session is None or not self._pulses.is_open or now_s < self._next_watched_credit_s:
            return
        self._next_watched_credit_s = now_s + WATCHED_CREDIT_S
        self._samples.grant_up_to(self._session.end_sample)

    def _lose_samples(self, reason: str) -> None:
        if self._viewer is not None:
            self._viewer.lose_source()
        self._abort(Reason.SAMPLES_LOST, reason)

    def _abort(self, reason: Reason, detail: str) -> None:
        if self._session is not None:
            self._handle(self._session.abort(reason, detail))
        self._notice(reason.value, detail)

    async def _listen(self) -> None:
        """A source that is silent for long while a measurement waits for it has gone."""
        silent_samples = silent_pulses = 0
        while True:
            await asyncio.sleep(1.0)
            waiting = self._session is not None and not self._session.is_idle
            silent_samples = 0 if self._samples_since_look or not waiting else silent_samples + 1
            silent_pulses = 0 if self._pulses_since_look or not waiting else silent_pulses + 1
            self._samples_since_look = self._pulses_since_look = False
            if silent_pulses >= SILENT_LOOKS:
                self._abort(Reason.FRONT_END_LOST, "the pulse front end says nothing any more")
            elif silent_samples >= SILENT_LOOKS:
                self._abort(Reason.SAMPLES_LOST, "no samples come any more")

    # Session

    def _handle(self, events: list[SessionEvent]) -> None:
        if self._recorder is not None:
            self._recorder.take_events(events)
        for event in events:
            if isinstance(event, SessionProgress):
                self._show(event)
            else:
                self._to_disk_and_host.put_nowait(event)

    def _show(self, event: SessionProgress) -> None:
        begun_s = _now_s()
        if self._session is None or begun_s < self._next_progress_s:
            return
        reading = self._session.reading_so_far()
        took_s = _now_s() - begun_s
        self._next_progress_s = begun_s + max(PROGRESS_S, took_s / PROGRESS_SHARE)
        self._hosts.send(
            wire.Progress(
                request_id=event.request_id,
                sample=event.sample,
                state=event.state.value,
                pulses=event.pulses,
                power_w=event.power_w,
                error_percent=reading.error_percent if reading else None,
                expanded_uncertainty_percent=(
                    reading.expanded_uncertainty_percent if reading else None
                ),
                expected_wait_s=event.expected_wait_s,
            )
        )

    async def _show_live(self) -> None:
        """Each host that watches gets its picture when it is due."""
        while True:
            begun_s = _now_s()
            if self._watchers:
                self._grant_to_watchers()
            if due := self._watchers.due(begun_s):
                views = {points: self._live_view(points) for _, points in due}
                for link, points in due:
                    link.send(views[points])
                self._watchers.rest_after(begun_s, _now_s())
            await asyncio.sleep(self._watchers.pause_s(_now_s()))

    def _live_view(self, points: int) -> wire.LiveView:
        if self._session is None or self._viewer is None:
            return view_without_stream()
        return self._viewer.picture(self._session, points)

    async def _deliver(self) -> None:
        """Outcomes go to disk, then to the host; notices keep their place among them."""
        while True:
            event = await self._to_disk_and_host.get()
            if isinstance(event, SessionOutcome):
                pending = _pending(event)
                self._pending[pending.outcome_id] = pending
                try:
                    await asyncio.to_thread(self._journal.keep, pending)
                except OSError as error:
                    # It is still sent, and kept in memory until a host has stored it.
                    text = f"{pending.outcome_id} would not survive a restart: {error.strerror}"
                    self._hosts.send(wire.Notice(code="journal-full", text=text, sample=None))
                self._send_outcome(pending, self._hosts)
            elif isinstance(event, _RequestBegun):
                with contextlib.suppress(OSError):  # a full disk is told with the outcome
                    await asyncio.to_thread(self._journal.begin, event.request_id)
            elif isinstance(event, SessionFinished):
                await asyncio.to_thread(self._journal.end)
                self._hosts.send(wire.Finished(request_id=event.request_id, reason=event.reason))
            else:
                self._hosts.send(event)

    async def _resend(self) -> None:
        """What a host has not acknowledged in time is sent again; duplicates fall by their id."""
        known: set[str] = set()
        while True:
            await asyncio.sleep(RESEND_S)
            for outcome_id in known & set(self._pending):
                self._send_outcome(self._pending[outcome_id], self._hosts)
            known = set(self._pending)

    @staticmethod
    def _send_outcome(pending: PendingOutcome, to: HostLinks | HostLink) -> None:
        try:
            chunks = split_blob(pending.evidence) if pending.evidence is not None else []
        except MessageError as error:
            # What no link carries stays in the journal; it must not stop the daemon.
            text = f"{pending.outcome_id} cannot be sent: {error}"
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

    # Hosts

    def _hello(self) -> wire.DeviceHello:
        stream = self._format
        interrupted = self._journal.interrupted_request
        return wire.DeviceHello(
            protocol=wire.PROTOCOL,
            software=SOFTWARE,
            device_id=self._config.device_id,
            boot=self._journal.boot,
            epoch_utc_ns=stream.epoch_utc_ns if stream else 0,
            sample_rate_hz=stream.sample_rate_hz if stream else 0,
            phases=stream.phases if stream else 0,
            voltage_range=stream.voltage_range if stream else "",
            current_range=stream.current_range if stream else "",
            correction_set_sha256=self._correction.sha256,
            state=self._session.state.value if self._session else NO_STREAM,
            note=f"the measurement {interrupted} was cut off when the device stopped"
            if interrupted
            else "",
        )

    def _greet(self, link: HostLink) -> None:
        link.send(self._hello())
        for chunk in split_blob(self._correction.to_bytes()):
            link.send(chunk)
        for pending in self._pending.values():
            self._send_outcome(pending, link)

    def _take_message(self, link: HostLink, message: wire.HostMessage) -> None:
        match message:
            case wire.HostHello(protocol=protocol) if protocol != wire.PROTOCOL:
                text = f"the device speaks protocol {wire.PROTOCOL}, the host {protocol}"
                link.send(wire.Notice(code="protocol-version", text=text, sample=None))
            case wire.HostHello():
                self._journal.told()
            case wire.StartMeasurement():
                self._start(link, message)
            case wire.StopMeasurement():
                if self._session is not None:
                    self._handle(self._session.stop())
            case wire.WatchLive():
                self._watchers.watch(link, message, _now_s())
            case wire.Acknowledge():
                self._pending.pop(message.outcome_id, None)
                self._journal.acknowledged(message.outcome_id)

    def _start(self, link: HostLink, message: wire.StartMeasurement) -> None:
        try:
            if self._session is None:
                raise EvidenceError("there are no samples yet, or they cannot be used")
            request = MeasurementRequest(
                request_id=message.request_id,
                start_sample=message.start_sample,
                meter=from_plain(Meter, message.meter),
                minimum_pulses=message.minimum_pulses,
                minimum_duration_s=message.minimum_duration_ms / 1000,
                maximum_duration_s=message.maximum_duration_ms / 1000,
                readings=message.readings,
            )
            self._session.start(request)
        except InvalidInputError as error:
            link.send(wire.Refused(request_id=message.request_id, reason=str(error)))
            return
        if self._recorder is not None:
            self._recorder.begin(request, self._format.epoch_utc_ns if self._format else 0)
        self._to_disk_and_host.put_nowait(_RequestBegun(message.request_id))
        self._grant()

    def _notice(self, code: str, text: str) -> None:
        sample = self._session.end_sample if self._session else None
        self._to_disk_and_host.put_nowait(wire.Notice(code=code, text=text, sample=sample))


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


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _input_closed() -> None:
    """Return when standard input, a pipe or terminal, is closed at its other end."""
    loop = asyncio.get_running_loop()
    closed = asyncio.Event()

    def readable() -> None:
        if not os.read(sys.stdin.fileno(), 4096):
            closed.set()

    loop.add_reader(sys.stdin.fileno(), readable)
    try:
        await closed.wait()
    finally:
        with contextlib.suppress(ValueError):
            loop.remove_reader(sys.stdin.fileno())
