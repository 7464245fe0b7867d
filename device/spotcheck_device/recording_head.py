"""What stands in a recording, format `spotcheck-recording-1` (docs/formats/recording.md)."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from spotcheck.canonical_json import canonical_bytes
from spotcheck.plain import LATER, to_plain
from spotcheck.reading import ErrorReading, Reason
from spotcheck.samples import StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.session_messages import MeasurementRequest, SessionOutcome
from spotcheck_recording.code_scale import ChannelScale

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
    """Outcomes of this boot before the first one here; they number on."""
    interruption: Interruption | None
    """What ended the measurement from outside; None where samples and pulses tell the end."""
    pps_stamps: tuple[int, ...] = field(default=(), metadata={LATER: True})
    """Marks of PPS, those before the first sample as far as they were kept included."""


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
