"""Measures a recording of the device again: the same session, and so the same outcomes."""

import csv
import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import CorrectionSetError, InvalidInputError, RecordingError
from spotcheck.plain import from_plain
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading
from spotcheck.samples import SampleBlock
from spotcheck_calibration.correction_set import CorrectionSet, load_correction_set
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.recording_head import (
    BATCHES_FILE,
    BATCHES_HEADER,
    CORRECTION_FILE,
    HEAD_FILE,
    PULSES_FILE,
    PULSES_HEADER,
    RECORDING_FORMAT,
    WAVEFORM_FILES,
    RecordingHead,
    channel_scales,
    file_digest,
    outcome_plain,
)
from spotcheck_device.session_messages import SessionEvent, SessionOutcome
from spotcheck_recording.codes import read_codes

COPY_AGAIN = "copy the whole folder again"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """What a recording gives again."""

    head: RecordingHead
    """What was recorded."""
    outcomes: tuple[ErrorReading | CannotJudge, ...]
    """What the replay came to."""
    differences: tuple[str, ...]
    """Where that differs from what was found live; empty when not a byte does."""

    @property
    def is_same(self) -> bool:
        """Whether every outcome and its evidence is the live one, byte for byte."""
        return not self.differences


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRecording:
    """A recording whose files are what recording.json says."""

    folder: Path
    """Where it is."""
    head: RecordingHead
    """What was recorded."""
    outcomes: list[dict[str, Any]]
    """The live outcomes, plain."""
    correction: CorrectionSet
    """The correction set that was in use."""


def replay(folder: Path) -> ReplayResult:
    """Measure a recording again, and compare.

    Args:
        folder: A recording, as docs/formats/recording.md describes it.

    Raises:
        RecordingError: a file is missing, cut or altered; says which.
        EvidenceError: what was recorded cannot be measured at all.
    """
    opened = open_recording(folder)
    replayed = _measure_again(opened)
    live = [_flat(outcome) for outcome in opened.outcomes]
    again = [_flat(outcome_plain(event)) for event in replayed]
    return ReplayResult(
        head=opened.head,
        outcomes=tuple(event.outcome for event in replayed),
        differences=tuple(_differences(live, again)),
    )


def _measure_again(opened: OpenedRecording) -> list[SessionOutcome]:
    head = opened.head
    session = MeasuringSession(
        stream=head.stream,
        correction=opened.correction,
        outcome_prefix=head.outcome_prefix,
        outcomes_before=head.outcomes_before,
    )
    session.start(replace(head.request, start_sample=head.begin_sample))
    events: list[SessionEvent] = []
    batches = _batches(opened)
    # How samples and batches interleave makes no difference; this way little has to wait.
    batch = next(batches, None)
    for block in recorded_blocks(opened):
        if session.is_idle:
            continue  # to the end all the same: only there the codes can be checked
        events += session.add_block(block)
        while batch and batch.complete_to_stamp <= block.end_sample * STAMP_SUBDIVISION:
            events += session.add_pulses(batch)
            batch = next(batches, None)
    while batch and not session.is_idle:
        events += session.add_pulses(batch)
        batch = next(batches, None)
    if head.interruption is not None:
        events += session.abort(head.interruption.reason, head.interruption.detail)
    return [event for event in events if isinstance(event, SessionOutcome)]


def recorded_blocks(opened: OpenedRecording) -> Iterator[SampleBlock]:
    """The recorded codes; at their end they must have been the live ones to the bit.

    Raises:
        RecordingError: they are not, or cannot be read.
    """
    head = opened.head
    path = opened.folder / head.waveforms[0].name
    at, digest = head.first_sample, hashlib.sha256()
    for codes in read_codes(path, channel_scales(opened.correction, head.stream)):
        data = np.ascontiguousarray(codes, "<i4").tobytes()
        digest.update(data)
        block = SampleBlock(first_sample=at, channels=head.stream.channels, codes=data)
        at = block.end_sample
        yield block
    if at != head.end_sample or digest.hexdigest() != head.codes_sha256:
        raise RecordingError(
            f"{path}: holds other codes than were recorded, up to sample {at} instead of "
            f"{head.end_sample}; {COPY_AGAIN}"
        )


def _batches(opened: OpenedRecording) -> Iterator[PulseBatch]:
    pulses = _rows(opened.folder / PULSES_FILE, PULSES_HEADER)
    given = 0
    marks = deque(opened.head.pps_stamps)
    for complete_to, count in _rows(opened.folder / BATCHES_FILE, BATCHES_HEADER):
        rows = list(islice(pulses, _integer(opened, count) - given))
        given += len(rows)
        if given != _integer(opened, count):
            raise RecordingError(
                f"{opened.folder / PULSES_FILE}: holds {given} pulses, but {BATCHES_FILE} counts "
                f"{count}; {COPY_AGAIN}"
            )
        complete_to_stamp = _integer(opened, complete_to)
        pps_stamps = []
        while marks and marks[0] < complete_to_stamp:
            pps_stamps.append(marks.popleft())
        yield PulseBatch(
            pulses=tuple(
                Pulse(stamp=_integer(opened, stamp), index=_integer(opened, index))
                for _, stamp, index in rows
            ),
            complete_to_stamp=complete_to_stamp,
            input=opened.head.request.pulse_input,
            pps_stamps=tuple(pps_stamps),
        )


def _integer(opened: OpenedRecording, text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise RecordingError(f"{opened.folder}: {text!r:.40} is no count; {COPY_AGAIN}")
    return int(text)


def _rows(path: Path, header: str) -> Iterator[list[str]]:
    columns = header.split(",")
    try:
        with path.open(encoding="ascii", newline="") as file:
            rows = csv.reader(file)
            for number, row in enumerate(rows):
                if len(row) != len(columns) or (not number and row != columns):
                    raise RecordingError(
                        f"{path}, line {number + 1}: has not the columns {header}; {COPY_AGAIN}"
                    )
                if number:
                    yield row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RecordingError(f"{path}: cannot be read: {error}; {COPY_AGAIN}") from error


def open_recording(folder: Path) -> OpenedRecording:
    """A recording whose files are what its recording.json says.

    Args:
        folder: A recording, as docs/formats/recording.md describes it.

    Raises:
        RecordingError: a file is missing, cut or altered; says which.
    """
    head, outcomes = _read_head(folder / HEAD_FILE)
    for file in (*head.waveforms, head.pulses, head.batches):
        _check(folder / file.name, file.sha256)
    _check(folder / CORRECTION_FILE, head.correction_set_sha256)
    try:
        correction = load_correction_set(folder / CORRECTION_FILE)
    except CorrectionSetError as error:
        raise RecordingError(f"{error}; {COPY_AGAIN}") from error
    return OpenedRecording(folder=folder, head=head, outcomes=outcomes, correction=correction)


def _read_head(path: Path) -> tuple[RecordingHead, list[dict[str, Any]]]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RecordingError(
            f"{path}: {error.strerror}; give the folder of a finished recording"
        ) from error
    try:
        plain: Any = parse_canonical(data)
        if not isinstance(plain, dict) or plain.get("format") != RECORDING_FORMAT:
            raise RecordingError(f"it is no recording of the format {RECORDING_FORMAT}")
        stated = plain.pop("sha256", None)
        if hashlib.sha256(canonical_bytes(plain)).hexdigest() != stated:
            raise RecordingError("it was altered after it was written")
        head = from_plain(RecordingHead, plain.get("recording"), "$.recording")
        outcomes: list[dict[str, Any]] = plain["outcomes"]
    except (InvalidInputError, KeyError) as error:
        raise RecordingError(f"{path}: {error}; {COPY_AGAIN}") from error
    names = tuple(file.name for file in (*head.waveforms, head.pulses, head.batches))
    if names != (*WAVEFORM_FILES.get(head.record_format, ()), PULSES_FILE, BATCHES_FILE):
        raise RecordingError(f"{path}: {head.record_format} has no such files; {COPY_AGAIN}")
    return head, outcomes


def _check(path: Path, sha256: str) -> None:
    try:
        found = file_digest(path)
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}; {COPY_AGAIN}") from error
    if found != sha256:
        raise RecordingError(
            f"{path}: is not the file that was recorded (SHA-256 {found[:12]}…, recorded "
            f"{sha256[:12]}…): it was altered, cut or exchanged; {COPY_AGAIN}"
        )


def _flat(plain: Any, path: str = "") -> dict[str, Any]:
    """Every value of a plain form by its path."""
    if isinstance(plain, dict):
        items = [(f"{path}.{key}" if path else key, item) for key, item in plain.items()]
    elif isinstance(plain, list):
        items = [(f"{path}[{number}]", item) for number, item in enumerate(plain)]
    else:
        return {path: plain}
    flat = {path: len(items)} if not items or isinstance(plain, list) else {}
    for at, item in items:
        flat |= _flat(item, at)
    return flat


def _differences(live: list[dict[str, Any]], again: list[dict[str, Any]]) -> Iterator[str]:
    if len(live) != len(again):
        yield f"outcomes: live {len(live)}, now {len(again)}"
    for number, (before, now) in enumerate(zip(live, again, strict=False), 1):
        for path in sorted(before.keys() | now.keys()):
            was, found = before.get(path, "nothing"), now.get(path, "nothing")
            if was != found or type(was) is not type(found):
                yield f"outcome {number}, {path}: live {_readable(was)}, now {_readable(found)}"


def _readable(value: Any) -> str:
    """Floats are kept as hexadecimal text."""
    if isinstance(value, str) and "0x" in value and "p" in value:
        try:
            return repr(float.fromhex(value))
        except ValueError:
            return value
    return str(value)
