"""How the case that runs stands: the error as it went, and the time that is left."""

from spotcheck.meter import Meter
from spotcheck.reading import ErrorReading
from spotcheck.rule import ReadingPlan
from spotcheck.verdict import CombinedError
from spotcheck_host.app.live_values import ErrorPoint
from spotcheck_host.app.reader_values import CaseFinished, ReadingTaken
from spotcheck_wire.host_messages import Progress

MOST_POINTS = 2000


class CaseProgress:
    """Collects what the reader says of one case."""

    def __init__(self, meter: Meter | None = None) -> None:
        """A case of which nothing is known yet but its meter."""
        self.meter = meter
        self.points: tuple[ErrorPoint, ...] = ()
        self.latest: Progress | None = None
        self.readings: tuple[ErrorReading, ...] = ()
        self.combined: CombinedError | None = None
        self.finished: CaseFinished | None = None
        self._first_sample: int | None = None
        self._readings_taken = 0

    def take_reading(self, taken: ReadingTaken) -> None:
        """A reading is in the record."""
        self.readings = taken.readings
        self.combined = taken.combined
        self._readings_taken += 1

    def take_end(self, finished: CaseFinished) -> None:
        """The case is closed."""
        self.finished = finished
        if finished.points:
            self.points = finished.points

    def take_progress(self, progress: Progress, sample_rate_hz: int) -> None:
        """The device says how the reading stands."""
        self.latest = progress
        if self._first_sample is None and progress.pulses:
            self._first_sample = progress.sample
        error, u = progress.error_percent, progress.expanded_uncertainty_percent
        if error is None or u is None or self._first_sample is None:
            return
        if self.combined is not None:
            error, u = self._with_earlier(self.combined, error, u, progress.pulses)
        time_s = (progress.sample - self._first_sample) / sample_rate_hz
        point = ErrorPoint(time_s=time_s, error_percent=error, expanded_uncertainty_percent=u)
        # A long case keeps its beginning: every second point goes.
        kept = self.points if len(self.points) < MOST_POINTS else self.points[::2]
        self.points = (*kept, point)

    def _with_earlier(
        self, earlier: CombinedError, error: float, u: float, pulses: int
    ) -> tuple[float, float]:
        """The error so far with the readings before it, weighted by pulses.

        Their U add up linearly: at worst they err together, so the sum is never too small.
        """
        before = sum(reading.pulses_used for reading in self.readings)
        weight = before / (before + pulses)
        return (
            weight * earlier.error_percent + (1 - weight) * error,
            weight * earlier.expanded_uncertainty_percent + (1 - weight) * u,
        )

    def reading_number(self, plan: ReadingPlan) -> tuple[int, int]:
        """Number of the reading that is being taken, and how many are wanted."""
        number = min(self._readings_taken + 1, plan.maximum)
        return number, max(plan.minimum, number)

    def time_left_s(self, plan: ReadingPlan, pulse_interval_s: float | None) -> float | None:
        """Time until the verdict: the rest of this reading and the readings still wanted."""
        if self.latest is None:
            return None
        left = max(0, plan.minimum - self._readings_taken - 1)
        by_pulses_s = plan.minimum_pulses * (pulse_interval_s or 0.0)
        whole_s = max(by_pulses_s, float(plan.minimum_duration_s))
        return (self.latest.expected_wait_s or 0.0) + left * whole_s
