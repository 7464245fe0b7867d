"""The board's daemon: one asyncio loop that joins sources, session, journal and hosts.

Disk syncs run in a thread of their own and never hold the stream; no measuring decision reads
wall time. Wall time only tells when a source has gone silent, and how often to show what there is.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from pathlib import Path

from spotcheck.errors import CorrectionSetError, EvidenceError, InvalidInputError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain
from spotcheck.ports import PulseBatch
from spotcheck.reading import Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.correction_set import load_correction_set
from spotcheck_calibration.evaluation import SOFTWARE
from spotcheck_device.clamp_watch import ClampWatch
from spotcheck_device.config import DeviceConfig, split_address
from spotcheck_device.daemon_log import log_boot, log_request, log_session_event, log_stream
from spotcheck_device.device_trust import open_device_trust
from spotcheck_device.event_log import log_event
from spotcheck_device.host_link import HostLink
from spotcheck_device.host_links import HostLinks
from spotcheck_device.journal import Journal
from spotcheck_device.light_watch import LightWatch
from spotcheck_device.live_pictures import LivePictures
from spotcheck_device.live_view import NO_STREAM, LiveViewer
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.outcome_delivery import OutcomeDelivery
from spotcheck_device.outcome_signer import OutcomeSigner
from spotcheck_device.progress_display import ProgressDisplay
from spotcheck_device.pulse_link import PulseLink, PulseSinks
from spotcheck_device.recorder import Recorder
from spotcheck_device.service_manager import ServiceManager
from spotcheck_device.session_messages import (
    MeasurementRequest,
    RangesChanged,
    SessionEvent,
    SessionProgress,
)
from spotcheck_device.silence_watch import SilenceWatch
from spotcheck_device.sources.opening import open_source
from spotcheck_device.sources.port import SampleGap, SourceListener
from spotcheck_wire import host_messages as wire
from spotcheck_wire.blobs import split_blob
from spotcheck_wire.frontend_codec import INPUTS
from spotcheck_wire.sample_stream import StreamFormatMessage

SETTLE_S = 4.0
"""At its end the daemon waits so long for recordings; who started it waits five seconds for it."""


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
        log_boot(config, self._journal, self._correction)
        trust = open_device_trust(Path(config.state_folder), config.device_id)
        self._session: MeasuringSession | None = None
        self._outcomes_given = 0
        self._format: StreamFormatMessage | None = None
        self._samples = open_source(
            config.samples,
            SourceListener(
                on_format=self._take_format,
                on_block=self._take_block,
                on_loss=self._lose_samples,
                on_gap=self._name_gap,
            ),
        )
        self._pulses = PulseLink(
            config.pulses,
            config.pulses_baud,
            PulseSinks(
                on_open=self._grant,
                on_pulses=self._take_pulses,
                on_pulses_lost=self._lose_pulses,
                on_loss=self._abort,
                on_notice=self._notice,
                on_marker=self._samples.add_marker,
                on_signal=LightWatch(self._notice).take,
            ),
        )
        self._clamps = ClampWatch(
            self._pulses.commands,
            self._correction.sha256,
            on_obstacle=lambda text: self._abort(Reason.REFERENCE_NOT_CALIBRATED, text),
            on_notice=self._notice,
        )
        self._pictures = LivePictures(on_credit_due=self._let_stream_on)
        self._hosts = HostLinks(
            trust,
            on_connect=self._greet,
            on_message=self._take_message,
            on_disconnect=self._part,
            on_notice=self._notice,
        )
        signer = OutcomeSigner(
            identity=trust.identity,
            device_id=config.device_id,
            boot=self._journal.boot,
            correction_set_sha256=self._correction.sha256,
        )
        self._delivery = OutcomeDelivery(self._journal, self._hosts, signer)
        self._progress = ProgressDisplay(self._hosts)
        self._silence = SilenceWatch(is_waited_for=self._is_measuring, on_silence=self._abort)
        self._recorder: Recorder | None = None
        if config.record_folder:
            self._recorder = Recorder(
                Path(config.record_folder),
                config.record_format,
                self._correction,
                limit_mb=config.record_limit_mb,
                on_notice=self._notice,
                on_room=self._grant,
            )

    async def run(self, *, until_input_closes: bool) -> None:
        """Serve until cancelled or terminated, or until standard input closes.

        Prints one line of JSON with the address for hosts: `{"host": "127.0.0.1:PORT"}`.

        Raises:
            OSError: the address for hosts cannot be used.
        """
        server = await self._hosts.serve_tcp(
            *split_address("host_listen", self._config.host_listen)
        )
        host, port = server.sockets[0].getsockname()[:2]
        print(json.dumps({"host": f"{host}:{port}"}), flush=True)
        log_event("device-serves", host=f"{host}:{port}")
        jobs = [
            self._samples.run(),
            self._pulses.run(),
            self._clamps.run(),
            self._delivery.deliver(),
            self._delivery.resend(),
            self._silence.run(),
            self._pictures.run(),
        ]
        if self._config.host_serial:
            jobs.append(self._hosts.serve_serial(self._config.host_serial))
        if self._recorder is not None:
            jobs.append(self._recorder.run())
        if until_input_closes:
            jobs.append(_input_closed())
        jobs.append(_terminated())
        # Whatever else ends ends the daemon, so serving hosts is what remains to be asked.
        jobs.append(ServiceManager().run(serves=server.is_serving, status=self._status))
        tasks = [asyncio.ensure_future(job) for job in jobs]
        try:
            # Every job runs for ever but those that wait for the end.
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
            log_event("device-stops")

    def _status(self) -> str:
        state = self._session.state.value if self._session else NO_STREAM
        front_end = "there" if self._pulses.is_open else "missing"
        return f"boot {self._journal.boot}, {state}, pulse front end {front_end}"

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
            if self._session is None or not _differ_in_ranges_only(self._session.stream, stream):
                self._begin_stream(stream)
            elif self._session.stream != stream:
                self._change_ranges(self._session, stream)
        except (CorrectionSetError, EvidenceError) as error:
            self._end_stream()
            self._notice("stream-not-usable", str(error))
        self._hosts.send(self._hello())
        self._grant()

    def _begin_stream(self, stream: StreamFormat) -> None:
        self._end_stream()
        prefix = f"{self._config.device_id}-{self._journal.boot}"
        session = MeasuringSession(
            stream=stream,
            correction=self._correction,
            outcome_prefix=prefix,
            outcomes_before=self._outcomes_given,
        )
        self._pictures.attach(session, LiveViewer(stream, self._correction))
        if self._recorder is not None:
            self._recorder.attach(session, prefix)
        self._session = session
        log_stream(stream)

    def _change_ranges(self, session: MeasuringSession, stream: StreamFormat) -> None:
        self._handle(session.change_ranges(stream))
        log_stream(stream)
        prefix = f"{self._config.device_id}-{self._journal.boot}"
        self._pictures.attach(session, LiveViewer(stream, self._correction))
        if self._recorder is not None:
            self._recorder.attach(session, prefix)

    def _end_stream(self) -> None:
        if self._session is not None:
            # A measurement does not go on in another format; the names of outcomes do.
            restarted = "the stream of samples has started anew"
            self._handle(self._session.abort(Reason.SAMPLES_LOST, restarted))
            self._outcomes_given = self._session.outcomes_given
        self._pictures.detach()
        self._session = None

    def _take_block(self, block: SampleBlock) -> None:
        self._silence.hear_samples()
        if self._session is None:
            return
        try:
            events = self._session.add_block(block)
            if self._recorder is not None:
                self._recorder.add_block(block)
            self._handle(events)
        except EvidenceError as error:
            self._abort(Reason.DATA_LOST, str(error))
        self._pictures.add_block(block)
        self._grant()

    def _take_pulses(self, batch: PulseBatch) -> None:
        self._silence.hear_pulses()
        if self._session is not None:
            events = self._session.add_pulses(batch)
            if self._recorder is not None:
                self._recorder.add_pulses(batch)
            self._handle(events)
            self._grant()

    def _lose_pulses(self, number: int, detail: str) -> None:
        # A measurement needs its own meter's pulses only; of the others a person should know.
        if self._session is not None:
            self._handle(self._session.abort(Reason.DATA_LOST, detail, number))
        self._notice(Reason.DATA_LOST.value, f"input {number}: {detail}")

    def _grant(self) -> None:
        # An idle session lets the source wait: a request then finds the stream where it left it.
        if self._is_measuring():
            self._let_stream_on()

    def _let_stream_on(self) -> None:
        """Give credit from where the session stands; also to an idle one that is watched."""
        # Without the pulse front end the stream must not begin: its first pulses would be missed.
        # A source that can wait also waits for the disk; one that cannot costs the recording.
        waits_for_disk = self._recorder is not None and self._recorder.is_behind
        if self._session is not None and self._pulses.is_open and not waits_for_disk:
            self._samples.grant_up_to(self._session.end_sample)

    def _is_measuring(self) -> bool:
        return self._session is not None and not self._session.is_idle

    def _lose_samples(self, reason: str) -> None:
        self._pictures.lose_source()
        self._abort(Reason.SAMPLES_LOST, reason)

    def _name_gap(self, gap: SampleGap) -> None:
        # The block behind it ends a running measurement; this says why.
        self._notice("samples-missing", str(gap))

    def _abort(self, reason: Reason, detail: str) -> None:
        if self._session is not None:
            self._handle(self._session.abort(reason, detail))
        self._notice(reason.value, detail)

    # Session

    def _handle(self, events: list[SessionEvent]) -> None:
        if self._recorder is not None:
            self._recorder.take_events(events)
        for event in events:
            log_session_event(event)
            if isinstance(event, RangesChanged):
                ranges = f"{event.stream.voltage_range} and {event.stream.current_range}"
                self._notice("ranges-changed", f"{event.request_id} goes on in {ranges}")
            elif not isinstance(event, SessionProgress):
                self._delivery.put(event)
            elif self._session is not None:
                self._progress.show(event, self._session)

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
        log_event("host-connects")
        link.send(self._hello())
        link.send_transfer("correction set", lambda: split_blob(self._correction.to_bytes()))
        self._delivery.send_pending(link)

    def _part(self, link: HostLink) -> None:
        log_event("host-leaves")
        self._pictures.leave(link)

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
                    self._handle(self._session.stop(message.request_id))
            case wire.WatchLive():
                self._pictures.watch(link, message)
            case wire.Acknowledge():
                self._delivery.acknowledged(message.outcome_id)

    def _start(self, link: HostLink, message: wire.StartMeasurement) -> None:
        try:
            if self._session is None:
                raise EvidenceError("there are no samples yet, or they cannot be used")
            if self._clamps.obstacle is not None:
                raise EvidenceError(self._clamps.obstacle)
            if message.pulse_input not in range(INPUTS):
                raise EvidenceError(
                    f"there is no pulse input {message.pulse_input}; they are 0 to {INPUTS - 1}"
                )
            request = MeasurementRequest(
                request_id=message.request_id,
                start_sample=message.start_sample,
                meter=from_plain(Meter, message.meter),
                minimum_pulses=message.minimum_pulses,
                minimum_duration_s=message.minimum_duration_ms / 1000,
                maximum_duration_s=message.maximum_duration_ms / 1000,
                readings=message.readings,
                pulse_input=message.pulse_input,
            )
            self._session.start(request)
        except InvalidInputError as error:
            link.send(wire.Refused(request_id=message.request_id, reason=str(error)))
            log_event("measurement-refused", request_id=message.request_id, reason=str(error))
            return
        log_request(request)
        if self._recorder is not None:
            self._recorder.begin(request, self._format.epoch_utc_ns if self._format else 0)
        self._delivery.begin(message.request_id)
        self._grant()

    def _notice(self, code: str, text: str) -> None:
        sample = self._session.end_sample if self._session else None
        log_event(code.replace(" ", "-"), logging.WARNING, text=text, sample=sample)
        self._delivery.put(wire.Notice(code=code, text=text, sample=sample))


def _differ_in_ranges_only(one: StreamFormat, other: StreamFormat) -> bool:
    return (one.sample_rate_hz, one.phases) == (other.sample_rate_hz, other.phases)


async def _terminated() -> None:
    """Return when the service manager asks for the end."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, asked.set)
    try:
        await asked.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


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
