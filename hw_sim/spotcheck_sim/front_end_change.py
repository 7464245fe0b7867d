"""A front end that becomes another one in mid-stream: a range, a turned clamp, a lost lead."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck.errors import ConfigurationError
from spotcheck.samples import StreamFormat
from spotcheck_sim.front_end import FrontEnd
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.sampler import BATCH_SAMPLES, Sampler


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEndChange:
    """From a sample on, the channels are others; the converter's clock runs on."""

    at_sample: int
    """First sample that the new front end delivers."""
    front_end: FrontEnd
    """What it is from then on. With other names of ranges the stream announces a new format; with
    the same ones nobody is told, as when somebody turns a clamp."""


class ChangingSampler:
    """Batches of codes over all changes; a batch ends where a change comes."""

    def __init__(
        self,
        mains: Mains,
        load: Load,
        front_end: FrontEnd,
        changes: tuple[FrontEndChange, ...],
        seed: np.random.SeedSequence,
    ) -> None:
        """Put the front ends in order.

        Args:
            mains: The supply.
            load: The load.
            front_end: The front end at sample 0.
            changes: What it becomes, rising in sample.
            seed: Seed of the noise; a change begins a stream of noise of its own.

        Raises:
            ConfigurationError: the changes do not rise, or change rate, phases or clock.
        """
        self._starts = [0, *(change.at_sample for change in changes)]
        front_ends = [front_end, *(change.front_end for change in changes)]
        if any(b <= a for a, b in zip(self._starts, self._starts[1:], strict=False)):
            raise ConfigurationError(f"changes of the front end rise from sample 1: {self._starts}")
        if len({(f.true_sample_rate_hz, f.stream_format.phases) for f in front_ends}) > 1:
            raise ConfigurationError("a change of the front end keeps its clock and its phases")
        self._formats = [f.stream_format for f in front_ends]
        seeds = [seed, *seed.spawn(len(changes))]
        self._samplers = [
            Sampler(mains, load, part, noise) for part, noise in zip(front_ends, seeds, strict=True)
        ]

    def format_at(self, sample: int) -> StreamFormat:
        """Format of the stream at a sample."""
        return self._formats[self._number_at(sample)]

    def batch_end(self, first_sample: int) -> int:
        """Sample before which the batch that begins at `first_sample` ends."""
        later = [start for start in self._starts if start > first_sample]
        return min([first_sample + BATCH_SAMPLES, *later])

    def batch(self, first_sample: int) -> NDArray[np.int32]:
        """The next batch; batches must be made in order, for the sake of the noise.

        Args:
            first_sample: Index of the batch's first sample.

        Returns:
            Little-endian int32 codes of shape (samples, channels).
        """
        samples = self.batch_end(first_sample) - first_sample
        return self._samplers[self._number_at(first_sample)].batch(first_sample)[:samples]

    def _number_at(self, sample: int) -> int:
        return sum(start <= sample for start in self._starts) - 1
