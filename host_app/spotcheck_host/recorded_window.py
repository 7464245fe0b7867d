"""What of a recording is measured: samples of one run, without a gap or a change of rate."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck_dsp.mains_fit import LOWEST_HZ
from spotcheck_recording.recording import Recording, Segment

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What of a recording is measured."""

    segment: Segment
    """The run of equidistant samples that it lies in."""
    first_sample: int
    """Its first sample."""
    end_sample: int
    """The sample after its last."""

    @property
    def start_s(self) -> float:
        """Recording's time of its first sample."""
        rate = self.segment.sample_rate_hz
        return self.segment.start_s + (self.first_sample - self.segment.first_sample) / rate

    @property
    def duration_s(self) -> float:
        """Its length."""
        return (self.end_sample - self.first_sample) / self.segment.sample_rate_hz

    @property
    def times(self) -> str:
        """From when to when, in words."""
        return f"{self.start_s:.6g} s to {self.start_s + self.duration_s:.6g} s"

    def sample_at(self, time_s: Array) -> Array:
        """Instants in samples of times of the recording."""
        samples: Array = (
            self.segment.first_sample
            + (time_s - self.segment.start_s) * self.segment.sample_rate_hz
        )
        return samples


def choose_window(recording: Recording, start_s: float | None, duration_s: float | None) -> Window:
    """The window that a person asks for; without, the longest run that resolves the mains.

    Raises:
        RecordingError: it lies outside the recording, or spans a gap or a change of rate.
    """
    for option, value in (("--start", start_s), ("--duration", duration_s)):
        if value is not None and not np.isfinite(value):
            raise RecordingError(f"{option} {value} is no time; give seconds")
    segment = _segment(recording, start_s)
    rate = segment.sample_rate_hz
    offset = 0 if start_s is None else int(np.ceil((start_s - segment.start_s) * rate - 1e-6))
    left = segment.sample_count - offset
    wanted = left if duration_s is None else float(np.rint(duration_s * rate))
    if wanted > left:
        begin, end = segment.start_s, segment.start_s + segment.sample_count / rate
        raise RecordingError(
            f"{recording.path}: the window leaves the run of equidistant samples from "
            f"{begin:.6g} s to {end:.6g} s at {rate:g} S/s; nothing is measured across a gap or a "
            f"change of rate. Give --start and --duration within it"
        )
    count = int(wanted)
    if count < 1:
        raise RecordingError(f"{recording.path}: the window has no samples; give a --duration")
    first = segment.first_sample + offset
    return Window(segment=segment, first_sample=first, end_sample=first + count)


def _segment(recording: Recording, start_s: float | None) -> Segment:
    if start_s is None:
        usable = [s for s in recording.segments if s.sample_rate_hz >= 10 * LOWEST_HZ]
        return max(usable or recording.segments, key=lambda s: s.sample_count)
    for segment in recording.segments:
        step = 1 / segment.sample_rate_hz
        end_s = segment.start_s + segment.sample_count * step
        if segment.start_s - step / 2 <= start_s < end_s:
            return segment
    runs = ", ".join(
        f"{s.start_s:.6g} to {s.start_s + s.sample_count / s.sample_rate_hz:.6g} s"
        for s in recording.segments[:8]
    )
    raise RecordingError(
        f"{recording.path}: there are no samples at {start_s:g} s; the recording has {runs}"
    )
