"""Samples as the analogue front end delivers them, on the one clock of a measurement."""

from dataclasses import dataclass

from spotcheck.errors import EvidenceError

FULL_SCALE_CODE = 1 << 23
"""Codes of ±(2²³−1) and more are overload; beyond ±2²³ they are refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamFormat:
    """What a stream of samples looks like; constant over a stream."""

    sample_rate_hz: int
    """Nominal rate of every channel; its true value is the correction set's business."""
    phases: int
    """1 or 3; channels are interleaved u1, i1, u2, i2, u3, i3."""
    voltage_range: str
    """Name of the voltage range in use, as the correction set names it."""
    current_range: str
    """Name of the current range or clamp in use, as the correction set names it."""

    def __post_init__(self) -> None:
        if self.phases not in (1, 3):
            raise EvidenceError(f"phases is {self.phases}; only 1 and 3 are supported")
        if not 4_000 <= self.sample_rate_hz <= 200_000:
            raise EvidenceError(
                f"sample_rate_hz is {self.sample_rate_hz}; 4000 to 200000 is supported"
            )

    @property
    def channels(self) -> int:
        """Interleaved channels: voltage and current of each phase."""
        return 2 * self.phases


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBlock:
    """Consecutive samples of all channels, interleaved as ADCs deliver them."""

    first_sample: int
    """Index of the first sample since the stream began."""
    channels: int
    """Interleaved channels."""
    codes: memoryview | bytes
    """Little-endian int32 codes, sample after sample, channel after channel."""

    def __post_init__(self) -> None:
        if memoryview(self.codes).nbytes % (4 * self.channels):
            raise EvidenceError(
                f"block at sample {self.first_sample}: {memoryview(self.codes).nbytes} bytes "
                f"are no whole number of {self.channels}-channel int32 samples"
            )

    @property
    def sample_count(self) -> int:
        """Samples per channel."""
        return memoryview(self.codes).nbytes // (4 * self.channels)

    @property
    def end_sample(self) -> int:
        """Index of the sample after the last one."""
        return self.first_sample + self.sample_count
