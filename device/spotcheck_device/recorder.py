"""Records what a measurement is made of: raw codes and pulses, beside it and never in its way.

Files are written in a thread: a disk may hang, and the stream must not. What waits for the disk is
bounded; past that the recording is given up, and the measurement goes on. What is written is
described in docs/formats/recording.md.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from spotcheck.errors import ConfigurationError
from spotcheck.ports import PulseBatch
from spotcheck.samples import SampleBlock
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.raw_memory import RawMemory
from spotcheck_device.recording_folder import RecordingFolder, RecordingOrder
from spotcheck_device.recording_ring import forget_oldest
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
)

ABANDONED: Final = "recording-abandoned"
"""Code of the notice."""
LONGEST_QUEUE_S: Final = 15.0
"""Samples that may wait for the disk; the idle memory is among them when a measurement begins."""
BEHIND_S: Final = 2.0
"""From here on a source that can wait is not asked for more."""
STALL_S: Final = 3.0
"""A disk that takes so long for a second of samples hangs; less than the silence after which a
source counts as gone, because a source may be waiting for the disk."""
_WRITE_AT_ONCE_S: Final = 1.0


def folder_name(request_id: str) -> str:
    """A request's name as a folder's: no separators, and no dot, so that suffixes are ours."""
    # A lone % is no quoted name, and so is free for the empty one.
    return quote(request_id, safe="").replace(".", "%2E") or "%"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Something to write."""

    recording: RecordingFolder
    """Recording that it belongs to."""
    work: Callable[[], None]
    """Writes it, in the thread."""
    samples: int
    """Samples per channel that it holds in memory."""


def _do(jobs: list[_Job]) -> Exception | None:
    try:
        for job in jobs:
            job.work()
    except Exception as error:  # noqa: BLE001 - whatever it is, the measurement must go on
        return error
    return None


class Recorder:
    """Keeps the newest raw samples and pulses, and writes those of each measurement."""

    def __init__(
        self,
        folder: Path,
        record_format: str,
        correction: CorrectionSet,
        *,
        limit_mb: int = 0,
        on_notice: Callable[[str, str], None],
        on_room: Callable[[], None],
    ) -> None:
        """Make the folder; nothing is recorded before `attach` and `begin`.

        Args:
            folder: Where each measurement gets its folder.
            record_format: One of `WAVEFORM_FILES`.
            correction: The instrument's correction set.
            limit_mb: Megabytes that all recordings may hold; 0: no limit.
            on_notice: Takes what a person should know (code, text).
            on_room: Told when the recorder is no longer behind.

        Raises:
            ConfigurationError: the folder cannot be made.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"record_folder {folder}: {error.strerror}") from error
        self._folder = folder
        self._format = record_format
        self._correction = correction
        self._limit_bytes = 1_000_000 * limit_mb
        self._on_notice = on_notice
        self._on_room = on_room
        self._session: MeasuringSession | None = None
        self._prefix = ""
        self._memory = RawMemory(1, 1)
        self._running: RecordingFolder | None = None
        self._jobs: deque[_Job] = deque()
        self._waiting_samples = 0
        self._work = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def is_behind(self) -> bool:
        """Whether so much waits for the disk that a source that can wait should."""
        return self._running is not None and self._waiting_samples > BEHIND_S * self._rate_hz

    @property
    def _rate_hz(self) -> int:
        return self._session.stream.sample_rate_hz if self._session else 1

    def attach(self, session: MeasuringSession, outcome_prefix: str) -> None:
        """Record the measurements of this session from now on.

        Args:
            session: A session that has seen nothing yet.
            outcome_prefix: What the names of its outcomes begin with.
        """
        self._give_up("the stream of samples has another format")
        self._session, self._prefix = session, outcome_prefix
        self._memory = RawMemory(session.stream.sample_rate_hz, session.slot_length)

    def begin(self, request: MeasurementRequest, epoch_utc_ns: int) -> None:
        """Record a request that the session has just begun, from what it still remembers on.

        Args:
            request: The request.
            epoch_utc_ns: UTC of sample 0.
        """
        if self._session is None:
            return
        self._give_up("another measurement has begun")
        if len(self._session.requests) > 1:
            text = "several meters are measured at once"
            self._on_notice(ABANDONED, f"{request.request_id} is not recorded: {text}")
            return
        whole_stream_s = self._session.end_sample / self._rate_hz
        oldest_slot, _ = self._session.recent_slots(whole_stream_s)
        begin_sample = max(request.start_sample, oldest_slot * self._session.slot_length)
        self._running = RecordingFolder(
            RecordingOrder(
                folder=self._folder / folder_name(request.request_id),
                record_format=self._format,
                stream=self._session.stream,
                correction=self._correction,
                epoch_utc_ns=epoch_utc_ns,
                request=request,
                begin_sample=begin_sample,
                outcome_prefix=self._prefix,
                outcomes_before=self._session.outcomes_given,
                pps_before=self._session.pps_stamps,
            )
        )
        for batch in self._memory.batches:
            self._put_batch(self._running, replace(batch, pps_stamps=()))
        for block in self._memory.blocks:
            self._put_block(self._running, block)

    def add_block(self, block: SampleBlock) -> None:
        """Take a block that the session has taken; its events come after it."""
        kept = SampleBlock(
            first_sample=block.first_sample, channels=block.channels, codes=bytes(block.codes)
        )
        # A block that does not follow has ended the measurement, and is no part of it.
        if self._memory.add_block(kept) and self._running is not None:
            self._put_block(self._running, kept)

    def add_pulses(self, batch: PulseBatch) -> None:
        """Take a batch that the session has taken; its events come after it."""
        self._memory.add_batch(batch)
        if self._running is not None:
            self._put_batch(self._running, batch)

    def take_events(self, events: list[SessionEvent]) -> None:
        """Take what the session tells: outcomes, and the end of a measurement."""
        for event in events:
            recording = self._running
            if recording is None:
                return
            if isinstance(event, SessionOutcome):
                self._put(recording, partial(recording.add_outcome, event))
            elif isinstance(event, SessionFinished):
                self._put(recording, partial(self._finish, recording))
                self._running = None

    async def run(self) -> None:
        """Write what waits, until cancelled."""
        while True:
            await self._work.wait()
            self._work.clear()
            while self._jobs:
                await self._write(self._next_jobs())
            self._settled.set()

    async def settle(self, within_s: float) -> None:
        """Drop a recording whose measurement runs, and wait until the others are written.

        Args:
            within_s: Time after which what is not written stays unwritten.
        """
        self._drop_running()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._settled.wait(), within_s)

    def _put_block(self, recording: RecordingFolder, block: SampleBlock) -> None:
        self._put(recording, partial(recording.add_block, block), block.sample_count)
        if self._waiting_samples > LONGEST_QUEUE_S * self._rate_hz:
            self._give_up("the disk is too slow")

    def _put_batch(self, recording: RecordingFolder, batch: PulseBatch) -> None:
        self._put(recording, partial(recording.add_batch, batch))

    def _put(self, recording: RecordingFolder, work: Callable[[], None], samples: int = 0) -> None:
        self._jobs.append(_Job(recording=recording, work=work, samples=samples))
        self._waiting_samples += samples
        self._settled.clear()
        self._work.set()

    def _finish(self, recording: RecordingFolder) -> None:
        """Give a recording its name, and make room; in the thread, as all writing."""
        recording.finish()
        if self._limit_bytes:
            forget_oldest(self._folder, self._limit_bytes)

    def _next_jobs(self) -> list[_Job]:
        """The next jobs of one recording, about a second of samples."""
        jobs, samples = [self._jobs.popleft()], 0
        while self._jobs and self._jobs[0].recording is jobs[0].recording:
            samples += self._jobs[0].samples
            if samples > _WRITE_AT_ONCE_S * self._rate_hz:
                break
            jobs.append(self._jobs.popleft())
        return jobs

    async def _write(self, jobs: list[_Job]) -> None:
        recording = jobs[0].recording
        writing = asyncio.ensure_future(asyncio.to_thread(_do, jobs))
        while not (await asyncio.wait({writing}, timeout=STALL_S))[0]:
            # To finish a long recording takes its time; to take samples does not, and no source
            # must wait for long.
            if recording is self._running or self.is_behind:
                self._give_up(f"the disk has hung for {STALL_S:g} s")
        failure = await writing
        with self._telling_room():
            self._waiting_samples -= sum(job.samples for job in jobs)
        if failure is not None:
            self._fail(recording, failure)

    def _fail(self, recording: RecordingFolder, failure: Exception) -> None:
        text = (failure.strerror or str(failure)) if isinstance(failure, OSError) else str(failure)
        if recording is self._running:
            self._give_up(text)
        else:
            self._drop(recording)
            self._on_notice(ABANDONED, f"{recording.request_id} is not recorded: {text}")

    def _give_up(self, why: str) -> None:
        if self._running is not None:
            request_id = self._running.request_id
            self._drop_running()
            self._on_notice(ABANDONED, f"{request_id} is not recorded: {why}")

    def _drop_running(self) -> None:
        if self._running is not None:
            with self._telling_room():
                recording, self._running = self._running, None
                self._drop(recording)

    def _drop(self, recording: RecordingFolder) -> None:
        dropped = [job for job in self._jobs if job.recording is recording]
        self._jobs = deque(job for job in self._jobs if job.recording is not recording)
        self._waiting_samples -= sum(job.samples for job in dropped)
        self._put(recording, recording.discard)

    @contextlib.contextmanager
    def _telling_room(self) -> Iterator[None]:
        was_behind = self.is_behind
        yield
        if was_behind and not self.is_behind:
            self._on_room()
