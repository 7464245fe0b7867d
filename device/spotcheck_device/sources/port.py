"""The port through which samples reach the daemon, whatever they come from.

A source numbers its samples on the one clock of the stream. Where samples are missing the number
of the next block jumps, and nothing is put in their place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from spotcheck.samples import SampleBlock
from spotcheck_wire.sample_stream import StreamFormatMessage

FRONT_END_COUNTER_HZ = 24_000_000
"""What a source states that does not know the front end; its HELLO says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGap:
    """Samples that the converter took and that nobody will ever see."""

    first_sample: int
    """Number of the first missing sample."""
    samples: int
    """How many are missing, of every channel."""
    cause: str
    """What is known of how they were lost, for a person to read."""

    def __str__(self) -> str:
        """Say where, how many and why."""
        return f"samples missing from {self.first_sample} on: {self.samples} ({self.cause})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceListener:
    """Who takes what a source gives; all are called on the event loop, in stream order."""

    on_format: Callable[[StreamFormatMessage], None]
    """Told before the first block, and again whenever the stream begins anew."""
    on_block: Callable[[SampleBlock], None]
    """Takes consecutive samples; a jump of `first_sample` is a gap."""
    on_loss: Callable[[str], None]
    """Told why the stream has ended; the source goes on to look for it."""
    on_gap: Callable[[SampleGap], None]
    """Told the cause of a gap before the block behind it, where the source knows it."""


class LiveSource(Protocol):
    """A stream of samples that the daemon runs."""

    async def run(self) -> None:
        """Open, give, and open again after a loss, until cancelled."""

    def grant_up_to(self, sample: int) -> None:
        """Say that samples before `sample` are wanted; a source that cannot wait ignores it."""

    def add_marker(self, sample_index: int) -> None:
        """Say that the front end has counted the converter's frame `sample_index`.

        A source whose samples carry their number ignores it.
        """
