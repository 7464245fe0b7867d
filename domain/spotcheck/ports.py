"""What the measuring session takes from its surroundings.

The simulated bench provides both ports as iterators; the daemon's links push the same values.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from spotcheck.pulses import Pulse
from spotcheck.samples import SampleBlock, StreamFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseBatch:
    """Pulses since the last batch, and how far the source vouches for completeness."""

    pulses: tuple[Pulse, ...]
    """New pulses in order."""
    complete_to_stamp: int
    """No pulse of the input before this stamp is still to come (1/65536 samples)."""
    input: int = 0
    """Pulse input that they came in on; 0 is the first optical head."""
    pps_stamps: tuple[int, ...] = ()
    """New marks of PPS in order. They come no later than the promise of any input that covers
    them."""


class SampleSource(Protocol):
    """Delivers the sample stream."""

    @property
    def stream_format(self) -> StreamFormat:
        """Rate, phases and ranges of the stream."""

    def blocks(self) -> Iterator[SampleBlock]:
        """Consecutive blocks from sample 0 on, of any sizes."""


class PulseSource(Protocol):
    """Delivers the pulses of the meter under test in the sample clock."""

    def batch_up_to(self, sample: int) -> PulseBatch:
        """Pulses before `sample` that were not delivered yet."""
