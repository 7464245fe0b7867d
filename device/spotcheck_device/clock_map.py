"""Maps the pulse front end's counter to the sample clock, by the ADC's frame markers.

Integers only, and only the two markers before a count decide its stamp, so the stamp does not
depend on when anybody asked.
"""

from spotcheck.pulses import STAMP_SUBDIVISION


class ClockMap:
    """Counter to stamp (1/65536 samples)."""

    def __init__(self) -> None:
        self._before: tuple[int, int] | None = None
        self._latest: tuple[int, int] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether two markers were seen."""
        return self._before is not None

    def add_marker(self, sample: int, counter: int) -> int:
        """Sample `sample` was taken at `counter`.

        A marker that does not rise in both starts the map anew: the front end has restarted. So
        does one that comes half a sample or more off: counter and converter run from one
        oscillator, so the front end has missed a frame of the converter, or counted one too many.

        Returns:
            Samples by which the marker came late; 0 where it came in time, or nothing is known.
        """
        late = self._samples_late(sample, counter)
        if not late and self._latest and sample > self._latest[0] and counter > self._latest[1]:
            self._before = self._latest
        else:
            self._before = None
        self._latest = (sample, counter)
        return late

    def _samples_late(self, sample: int, counter: int) -> int:
        if self._before is None or self._latest is None or counter <= self._latest[1]:
            return 0
        (sample_a, counter_a), (sample_b, counter_b) = self._before, self._latest
        took = (counter - counter_b) * (sample_b - sample_a) / (counter_b - counter_a)
        return round(took - (sample - sample_b)) if sample > sample_b else 0

    def stamp(self, counter: int) -> int:
        """The stamp of a count.

        Raises:
            ValueError: two markers have not come yet.
        """
        if self._before is None or self._latest is None:
            raise ValueError("the counter cannot be mapped before two frame markers have come")
        (sample_a, counter_a), (sample_b, counter_b) = self._before, self._latest
        numerator = (counter - counter_a) * (sample_b - sample_a) * STAMP_SUBDIVISION
        span = counter_b - counter_a
        return sample_a * STAMP_SUBDIVISION + (2 * numerator + span) // (2 * span)
