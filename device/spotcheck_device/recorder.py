"""Records what a measurement is made of: raw codes and pulses, beside it and never in its way.

Files are written in a thread: a disk may hang, and the stream must not. What waits for the disk is
bounded; past that the recording is given up, and the measurement goes on. What is written is
described in docs/formats/recording.md.
"""

import asyncio
import contextlib
import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TextIO
from urllib.parse import quote

import numpy as np

from spotcheck.canonical_json import canonical_bytes
from spotcheck.errors import ConfigurationError, RecordingError
from spotcheck.plain import to_plain
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.measuring_session import IDLE_MEMORY_S, MeasuringSession
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
)
from spotcheck_recording.code_scale import ChannelScale
from spotcheck_recording.codes import read_codes
from spotcheck_recording.writers import RecordingWriter, open_writer

RECORDING_FORMAT: Final = "spotcheck-recording-1"
HEAD_FILE: Final = "recording.json"
CORRECTION_FILE: Final = "correction-set.json"
PULSES_FILE: Final = "pulses.csv"
PULSES_HEADER: Final = "time_s,stamp,index"
BATCHES_FILE: Final = "batches.csv"
BATCHES_HEADER: Final = "complete_to_stamp,pulses"
WAVEFORM_FILES: Final = {
    "csv": ("waveforms.csv",),
    "parquet": ("waveforms.parquet",),
    "comtrade": ("waveforms.cfg", "waveforms.dat"),
    "wav": ("waveforms.wav",),
    "flac": ("waveforms.flac",),
}
"""Files by format; the first is the one that is opened."""
ON_STREAM_TIME: Final = ("csv", "parquet")
"""Formats whose times count from sample 0 of the stream; others begin at 0 s."""
WITHOUT_LAST_WORD: Final = ("wav", "flac")
"""libsndfile does not say when its last bytes found no room: these are read back once."""
FROM_OUTSIDE: Final = (
    Reason.STOPPED,
    Reason.SAMPLES_LOST,
    Reason.FRONT_END_LOST,
    Reason.DATA_LOST,
)
"""Ends of a measurement that samples and pulses alone do not tell."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A file of the folder."""

    name: str
    """Its name."""
    sha256: str
    """SHA-256 of its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """Why a measurement ended that would have gone on by its samples and pulses."""

    reason: Reason
    """The reason of the outcome."""
    detail: str
    """What was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingHead:
    """What was recorded, and what replaying it needs."""

    stream: StreamFormat
    """What the stream looked like."""
    first_sample: int
    """Index of the first recorded sample since the stream began."""
    end_sample: int
    """Index of the sample after the last recorded one."""
    epoch_utc_ns: int
    """UTC of sample 0, ns since 1970."""
    request: MeasurementRequest
    """What was asked for."""
    begin_sample: int
    """Sample at which the session began with it: its start_sample, or the oldest still kept."""
    correction_set_sha256: str
    """The correction set in use."""
    record_format: str
    """csv, parquet, comtrade, wav or flac."""
    codes_sha256: str
    """SHA-256 of all codes as little-endian int32, whatever the format."""
    waveforms: tuple[RecordedFile, ...]
    """The waveforms; the first file is the one to open."""
    pulses: RecordedFile
    """The pulses."""
    batches: RecordedFile
    """How far the pulses were complete, and when."""
    outcome_prefix: str
    """What the names of outcomes begin with."""
    outcomes_before: int
    """Outcomes of this boot and stream before the first one here; they number on."""
    interruption: Interruption | None
    """What ended the measurement from outside; None where samples and pulses tell the end."""


def channel_scales(correction: CorrectionSet, stream: StreamFormat) -> tuple[ChannelScale, ...]:
    """Scales of the channels of a stream, u1, i1[, u2, i2, u3, i3].

    Raises:
        CorrectionSetError: a range of the stream was not calibrated.
    """
    scales: list[ChannelScale] = []
    for phase in range(1, stream.phases + 1):
        u, i = correction.voltage(phase, stream), correction.current(phase, stream)
        lag_s = i.phase_lag_rad.value / (2 * np.pi * correction.nominal_frequency_hz)
        scales += [
            ChannelScale(
                name=f"u{phase}",
                unit="V",
                gain_per_code=u.gain_v_per_code.value,
                offset_codes=u.offset_codes.value,
                skew_s=0.0,
            ),
            ChannelScale(
                name=f"i{phase}",
                unit="A",
                gain_per_code=i.gain_a_per_code.value,
                offset_codes=i.offset_codes.value,
                # A current that appears late was, in truth, taken earlier.
                skew_s=-float(i.skew_s.value + lag_s),
            ),
        ]
    return tuple(scales)


def outcome_plain(event: SessionOutcome) -> dict[str, Any]:
    """What of an outcome must come again when it is replayed."""
    return {
        "kind": "reading" if isinstance(event.outcome, ErrorReading) else "cannot judge",
        "body": to_plain(event.outcome),
        "evidence_sha256": event.evidence.sha256 if event.evidence else None,
    }


def recording_bytes(head: RecordingHead, outcomes: list[dict[str, Any]]) -> bytes:
    """The bytes of recording.json."""
    plain = {"format": RECORDING_FORMAT, "recording": to_plain(head), "outcomes": outcomes}
    digest = hashlib.sha256(canonical_bytes(plain)).hexdigest()
    return canonical_bytes({**plain, "sha256": digest})


def file_digest(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_name(request_id: str) -> str:
    """A request's name as a folder's: no separators, and no dot, so that suffixes are ours."""
    # A lone % is no quoted name, and so is free for the empty one.
    return quote(request_id, safe="").replace(".", "%2E") or "%"


class Recorder:
    """Keeps the newest raw samples and pulses, and writes those of each measurement."""

    def __init__(
        self,
        folder: Path,
        record_format: str,
        correction: CorrectionSet,
        *,
        on_notice: Callable[[str, str], None],
        on_room: Callable[[], None],
    ) -> None:
        """Make the folder; nothing is recorded before `attach` and `begin`.

        Args:
            folder: Where each measurement gets its folder.
            record_format: One of `WAVEFORM_FILES`.
            correction: The instrument's correction set.
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
        self._on_notice = on_notice
        self._on_room = on_room
        self._session: MeasuringSession | None = None
        self._prefix = ""
        self._outcomes = 0
        self._memory = _Memory(1, 1)
        self._running: _RecordingFolder | None = None
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
        self._session, self._prefix, self._outcomes = session, outcome_prefix, 0
        self._memory = _Memory(session.stream.sample_rate_hz, session.slot_length)

    def begin(self, request: MeasurementRequest, epoch_utc_ns: int) -> None:
        """Record a request that the session has just begun, from what it still remembers on.

        Args:
            request: The request.
            epoch_utc_ns: UTC of sample 0.
        """
        if self._session is None:
            return
        self._give_up("another measurement has begun")
        whole_stream_s = self._session.end_sample / self._rate_hz
        oldest_slot, _ = self._session.recent_slots(whole_stream_s)
        begin_sample = max(request.start_sample, oldest_slot * self._session.slot_length)
        if not self._memory.covers(begin_sample):
            text = f"it reaches back to sample {begin_sample}, further than raw samples are kept"
            self._on_notice(ABANDONED, f"{request.request_id} is not recorded: {text}")
            return
        self._running = _RecordingFolder(
            _Order(
                folder=self._folder,
                record_format=self._format,
                stream=self._session.stream,
                correction=self._correction,
                epoch_utc_ns=epoch_utc_ns,
                request=request,
                begin_sample=begin_sample,
                outcome_prefix=self._prefix,
                outcomes_before=self._outcomes,
            )
        )
        for batch in self._memory.batches:
            self._put_batch(self._running, batch)
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
            if isinstance(event, SessionOutcome):
                self._outcomes += 1
                if recording is not None:
                    self._put(recording, partial(recording.add_outcome, event))
            elif isinstance(event, SessionFinished) and recording is not None:
                self._put(recording, recording.finish)
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

    def _put_block(self, recording: "_RecordingFolder", block: SampleBlock) -> None:
        self._put(recording, partial(recording.add_block, block), block.sample_count)
        if self._waiting_samples > LONGEST_QUEUE_S * self._rate_hz:
            self._give_up("the disk is too slow")

    def _put_batch(self, recording: "_RecordingFolder", batch: PulseBatch) -> None:
        self._put(recording, partial(recording.add_batch, batch))

    def _put(
        self, recording: "_RecordingFolder", work: Callable[[], None], samples: int = 0
    ) -> None:
        self._jobs.append(_Job(recording=recording, work=work, samples=samples))
        self._waiting_samples += samples
        self._settled.clear()
        self._work.set()

    def _next_jobs(self) -> list["_Job"]:
        """The next jobs of one recording, about a second of samples."""
        jobs, samples = [self._jobs.popleft()], 0
        while self._jobs and self._jobs[0].recording is jobs[0].recording:
            samples += self._jobs[0].samples
            if samples > _WRITE_AT_ONCE_S * self._rate_hz:
                break
            jobs.append(self._jobs.popleft())
        return jobs

    async def _write(self, jobs: list["_Job"]) -> None:
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

    def _fail(self, recording: "_RecordingFolder", failure: Exception) -> None:
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

    def _drop(self, recording: "_RecordingFolder") -> None:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Something to write."""

    recording: "_RecordingFolder"
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


class _Memory:
    """The newest raw blocks and batches, a little longer than an idle session remembers."""

    def __init__(self, sample_rate_hz: int, slot_length: int) -> None:
        # A slot's sums reach back to the sample before it, and slots begin at whole indexes.
        self._samples = round(IDLE_MEMORY_S * sample_rate_hz) + 2 * slot_length
        self._slot_length = slot_length
        self._is_whole = True
        self.blocks: deque[SampleBlock] = deque()
        self.batches: deque[PulseBatch] = deque()

    def add_block(self, block: SampleBlock) -> bool:
        """Add a block; false when it does not follow the last one, and the memory begins anew."""
        behind = self.blocks[-1].end_sample - block.first_sample if self.blocks else 0
        if behind:
            self.blocks.clear()
            self._is_whole = True
        if behind > 0:
            self.batches.clear()  # the stream has started anew, and its stamps with it
        self.blocks.append(block)
        while self.blocks[0].end_sample <= block.end_sample - self._samples:
            self.blocks.popleft()
            self._is_whole = False
        self._forget_batches()
        return not behind

    def add_batch(self, batch: PulseBatch) -> None:
        """Add a batch."""
        self.batches.append(batch)
        self._forget_batches()

    def covers(self, begin_sample: int) -> bool:
        """Whether a session fed from here on sees the same slots from a sample on."""
        if self._is_whole:
            return True
        slot = begin_sample // self._slot_length
        return self.blocks[0].first_sample <= (slot - 1) * self._slot_length

    def _forget_batches(self) -> None:
        newest = self.batches[-1].complete_to_stamp if self.batches else 0
        oldest = newest - self._samples * STAMP_SUBDIVISION
        if self.blocks:
            oldest = self.blocks[0].first_sample * STAMP_SUBDIVISION
        while self.batches and self.batches[0].complete_to_stamp < oldest:
            self.batches.popleft()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What is to be recorded, known before its first sample."""

    folder: Path
    """Folder of all recordings."""
    record_format: str
    """One of `WAVEFORM_FILES`."""
    stream: StreamFormat
    """What the stream looks like."""
    correction: CorrectionSet
    """The instrument's correction set."""
    epoch_utc_ns: int
    """UTC of sample 0."""
    request: MeasurementRequest
    """What was asked for."""
    begin_sample: int
    """Sample at which the session begins."""
    outcome_prefix: str
    """What the names of outcomes begin with."""
    outcomes_before: int
    """Outcomes that the session has given before."""


class _RecordingFolder:
    """One recording being written; its methods run in the thread, one after another."""

    def __init__(self, order: _Order) -> None:
        self._order = order
        self._partial = order.folder / f"{folder_name(order.request.request_id)}.partial"
        self._waveforms: RecordingWriter | None = None
        self._pulses: TextIO | None = None
        self._batches: TextIO | None = None
        self._waiting: list[PulseBatch] = []
        self._codes_digest = hashlib.sha256()
        self._first_sample = self._end_sample = 0
        self._pulse_count = 0
        self._outcomes: list[dict[str, Any]] = []
        self._last_outcome: ErrorReading | CannotJudge | None = None

    @property
    def request_id(self) -> str:
        """The request that is recorded."""
        return self._order.request.request_id

    def add_block(self, block: SampleBlock) -> None:
        """Write samples; the first ones set where the recording begins."""
        if self._waveforms is None:
            self._waveforms = self._open(block.first_sample)
        codes = np.frombuffer(block.codes, "<i4").astype(np.int32, copy=False)
        self._waveforms.append(codes.reshape(-1, block.channels))
        self._codes_digest.update(block.codes)
        self._end_sample = block.end_sample

    def add_batch(self, batch: PulseBatch) -> None:
        """Write pulses, and how far they are complete."""
        if self._pulses is None or self._batches is None:
            self._waiting.append(batch)  # where time begins is not known yet
            return
        self._pulses.writelines(self._pulse_row(pulse) for pulse in batch.pulses)
        self._pulse_count += len(batch.pulses)
        self._batches.write(f"{batch.complete_to_stamp},{self._pulse_count}\n")

    def add_outcome(self, event: SessionOutcome) -> None:
        """Keep an outcome, without its evidence."""
        self._outcomes.append(outcome_plain(event))
        self._last_outcome = event.outcome

    def finish(self) -> None:
        """Write what is missing, and give the folder its name.

        Raises:
            RecordingError: there is nothing to record, or it does not read back.
            OSError: the disk did not take it.
        """
        if self._waveforms is None or self._pulses is None or self._batches is None:
            raise RecordingError("no samples came")
        for file in (self._waveforms, self._pulses, self._batches):
            file.close()
        self._read_back()
        order = self._order
        (self._partial / CORRECTION_FILE).write_bytes(order.correction.to_bytes())
        head = RecordingHead(
            stream=order.stream,
            first_sample=self._first_sample,
            end_sample=self._end_sample,
            epoch_utc_ns=order.epoch_utc_ns,
            request=order.request,
            begin_sample=order.begin_sample,
            correction_set_sha256=order.correction.sha256,
            record_format=order.record_format,
            codes_sha256=self._codes_digest.hexdigest(),
            waveforms=tuple(map(self._file, WAVEFORM_FILES[order.record_format])),
            pulses=self._file(PULSES_FILE),
            batches=self._file(BATCHES_FILE),
            outcome_prefix=order.outcome_prefix,
            outcomes_before=order.outcomes_before,
            interruption=self._interruption(),
        )
        (self._partial / HEAD_FILE).write_bytes(recording_bytes(head, self._outcomes))
        for path in self._partial.iterdir():
            _sync(path)
        _sync(self._partial)
        self._partial.rename(self._free_name())
        _sync(order.folder)

    def discard(self) -> None:
        """Remove what was written, which also gives room on a full disk."""
        for file in (self._waveforms, self._pulses, self._batches):
            # Each writer's library has errors of its own, and none matters any more.
            with contextlib.suppress(Exception):
                if file is not None:
                    file.close()
        shutil.rmtree(self._partial, ignore_errors=True)

    def _open(self, first_sample: int) -> RecordingWriter:
        order = self._order
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir()
        self._first_sample = first_sample
        self._pulses = (self._partial / PULSES_FILE).open("w", encoding="ascii", newline="\n")
        self._pulses.write(PULSES_HEADER + "\n")
        self._batches = (self._partial / BATCHES_FILE).open("w", encoding="ascii", newline="\n")
        self._batches.write(BATCHES_HEADER + "\n")
        waiting, self._waiting = self._waiting, []
        for batch in waiting:
            self.add_batch(batch)
        rate_hz = order.stream.sample_rate_hz
        return open_writer(
            self._partial / WAVEFORM_FILES[order.record_format][0],
            format=order.record_format,
            sample_rate_hz=rate_hz,
            scales=channel_scales(order.correction, order.stream),
            first_sample=first_sample,
            # COMTRADE separates by commas and line ends.
            station=" ".join(order.correction.instrument.replace(",", " ").split()),
            start_utc_ns=order.epoch_utc_ns + first_sample * 1_000_000_000 // rate_hz,
        )

    def _pulse_row(self, pulse: Pulse) -> str:
        origin = 0 if self._order.record_format in ON_STREAM_TIME else self._first_sample
        stamp = pulse.stamp - origin * STAMP_SUBDIVISION
        time_s = stamp / (STAMP_SUBDIVISION * self._order.stream.sample_rate_hz)
        return f"{time_s!r},{pulse.stamp},{pulse.index}\n"

    def _read_back(self) -> None:
        order = self._order
        if order.record_format not in WITHOUT_LAST_WORD:
            return
        path = self._partial / WAVEFORM_FILES[order.record_format][0]
        read = hashlib.sha256()
        for codes in read_codes(path, channel_scales(order.correction, order.stream)):
            read.update(np.ascontiguousarray(codes, "<i4").tobytes())
        if read.digest() != self._codes_digest.digest():
            raise RecordingError(f"{path.name} does not read back; is the disk full?")

    def _interruption(self) -> Interruption | None:
        last = self._last_outcome
        if not isinstance(last, CannotJudge) or last.reason not in FROM_OUTSIDE:
            return None
        return Interruption(reason=last.reason, detail=last.detail)

    def _file(self, name: str) -> RecordedFile:
        return RecordedFile(name=name, sha256=file_digest(self._partial / name))

    def _free_name(self) -> Path:
        """The request's folder; numbered where a request of an earlier boot had the same name."""
        wanted = self._partial.with_suffix("")
        number = 2
        found = wanted
        while found.exists():
            found, number = wanted.with_name(f"{wanted.name}.{number}"), number + 1
        return found


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
