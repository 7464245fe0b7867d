"""One recording being written: a folder that gets its name once it is whole."""

import contextlib
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np

from spotcheck.errors import RecordingError
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.recording_head import (
    BATCHES_FILE,
    BATCHES_HEADER,
    CORRECTION_FILE,
    HEAD_FILE,
    PULSES_FILE,
    PULSES_HEADER,
    WAVEFORM_FILES,
    Interruption,
    RecordedFile,
    RecordingHead,
    channel_scales,
    file_digest,
    outcome_plain,
    recording_bytes,
)
from spotcheck_device.session_messages import MeasurementRequest, SessionOutcome
from spotcheck_recording.codes import read_codes
from spotcheck_recording.writers import RecordingWriter, open_writer

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOrder:
    """What is to be recorded, known before its first sample."""

    folder: Path
    """Where it will stand; a number follows where a recording of that name is there already."""
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
    pps_before: tuple[int, ...]
    """Marks of PPS that the session had already."""


class RecordingFolder:
    """One recording being written; its methods run in the thread, one after another."""

    def __init__(self, order: RecordingOrder) -> None:
        self._order = order
        self._partial = order.folder.with_name(f"{order.folder.name}.partial")
        self._waveforms: RecordingWriter | None = None
        self._pulses: TextIO | None = None
        self._batches: TextIO | None = None
        self._waiting: list[PulseBatch] = []
        self._codes_digest = hashlib.sha256()
        self._first_sample = self._end_sample = 0
        self._pulse_count = 0
        self._pps_stamps = list(order.pps_before)
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
        """Write pulses of the meter, and how far they are complete; keep all marks of PPS."""
        self._pps_stamps += batch.pps_stamps
        if batch.input == self._order.request.pulse_input:
            self._add_pulses(batch)

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
            pps_stamps=tuple(self._pps_stamps),
        )
        (self._partial / HEAD_FILE).write_bytes(recording_bytes(head, self._outcomes))
        for path in self._partial.iterdir():
            _sync(path)
        _sync(self._partial)
        self._partial.rename(self._free_name())
        _sync(order.folder.parent)

    def discard(self) -> None:
        """Remove what was written, which also gives room on a full disk."""
        for file in (self._waveforms, self._pulses, self._batches):
            # Each writer's library has errors of its own, and none matters any more.
            with contextlib.suppress(Exception):
                if file is not None:
                    file.close()
        shutil.rmtree(self._partial, ignore_errors=True)

    def _add_pulses(self, batch: PulseBatch) -> None:
        if self._pulses is None or self._batches is None:
            self._waiting.append(batch)  # where time begins is not known yet
            return
        self._pulses.writelines(self._pulse_row(pulse) for pulse in batch.pulses)
        self._pulse_count += len(batch.pulses)
        self._batches.write(f"{batch.complete_to_stamp},{self._pulse_count}\n")

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
            self._add_pulses(batch)
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
        wanted = found = self._order.folder
        number = 2
        while found.exists():
            found, number = wanted.with_name(f"{wanted.name}.{number}"), number + 1
        return found


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
