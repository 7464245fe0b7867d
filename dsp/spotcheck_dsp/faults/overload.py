"""Overload: codes at or beyond a fraction of full scale, over a stream of any cut."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spotcheck_dsp.argument_checks import refuse_wrong_codes

Codes = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelOverload:
    """What one channel showed since the begin."""

    largest_code: int
    """Largest magnitude; the statistic."""
    threshold_code: int
    """Smallest magnitude that counts as overload."""
    samples: int
    """Samples at or beyond the threshold."""
    first_sample: int | None
    """The first of them; None without."""
    last_sample: int | None
    """The last of them; None without."""

    @property
    def detected(self) -> bool:
        """Whether there was any."""
        return self.samples > 0


class OverloadDetector:
    """Looks at every code; depends on the stream alone, not on how it was cut.

    Nothing is left to chance: a code beyond the threshold is an overload, and none is missed.
    """

    def __init__(
        self, *, channels: int, threshold_code: int = (1 << 23) - 1, first_sample: int = 0
    ) -> None:
        """Start before a sample.

        Args:
            channels: Interleaved channels.
            threshold_code: Smallest magnitude that is overload: by default ±(2²³−1), the ends of
                24 bits; less where an amplifier saturates before the converter.
            first_sample: Number of the first sample that will come.

        Raises:
            ValueError: no channels, or a threshold that is not above 0.
        """
        if channels < 1:
            raise ValueError(f"channels is {channels}; at least one is needed")
        if threshold_code < 1:
            raise ValueError(f"threshold_code is {threshold_code}; a code above 0 is needed")
        self._threshold = threshold_code
        self._next_sample = first_sample
        self._largest = np.zeros(channels, np.int64)
        self._samples = np.zeros(channels, np.int64)
        self._first: list[int | None] = [None] * channels
        self._last: list[int | None] = [None] * channels

    def add(self, codes: Codes) -> None:
        """Look at the next codes.

        Args:
            codes: (n, channels) int32.

        Raises:
            TypeError: not int32.
            ValueError: another number of channels.
        """
        refuse_wrong_codes("codes", codes, len(self._first))
        if len(codes) == 0:
            return
        # In int64: the magnitude of the smallest int32 does not fit into int32.
        highest = codes.max(axis=0).astype(np.int64)
        lowest = codes.min(axis=0).astype(np.int64)
        largest = np.maximum(highest, -lowest)
        self._largest = np.maximum(self._largest, largest)
        for channel in np.flatnonzero(largest >= self._threshold):
            column = codes[:, channel].astype(np.int64)
            places = np.flatnonzero(np.abs(column) >= self._threshold) + self._next_sample
            self._samples[channel] += len(places)
            if self._first[channel] is None:
                self._first[channel] = int(places[0])
            self._last[channel] = int(places[-1])
        self._next_sample += len(codes)

    @property
    def channels(self) -> tuple[ChannelOverload, ...]:
        """What was found so far."""
        return tuple(
            ChannelOverload(
                largest_code=int(self._largest[k]),
                threshold_code=self._threshold,
                samples=int(self._samples[k]),
                first_sample=self._first[k],
                last_sample=self._last[k],
            )
            for k in range(len(self._first))
        )
