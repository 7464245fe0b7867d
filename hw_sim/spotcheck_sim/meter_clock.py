"""The clock of a meter, and the tariff that it selects."""

from dataclasses import dataclass

from spotcheck.errors import ConfigurationError

DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterClock:
    """A clock that was set wrong by an offset and runs wrong by a drift."""

    start_s: float = 0.0
    """Right time of day at true time 0, in s since midnight."""
    offset_s: float = 0.0
    """How far the clock is ahead at true time 0, in s."""
    drift_ppm: float = 0.0
    """How much too fast it runs, in 1e-6 (1 ppm is 0.0864 s a day)."""

    def __post_init__(self) -> None:
        if abs(self.drift_ppm) >= 1e6:
            raise ConfigurationError(f"drift_ppm is {self.drift_ppm}; such a clock does not run")

    def reading_s(self, time_s: float) -> float:
        """What it shows at a true time, in s since the first day's midnight."""
        return self.start_s + self.offset_s + (1 + self.drift_ppm * 1e-6) * time_s

    def error_s(self, time_s: float) -> float:
        """How far it is ahead at a true time, in s."""
        return self.reading_s(time_s) - self.start_s - time_s

    def true_time_of_s(self, reading_s: float) -> float:
        """True time at which it shows a reading, in s."""
        return (reading_s - self.start_s - self.offset_s) / (1 + self.drift_ppm * 1e-6)


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSwitch:
    """From a time of day on another tariff counts."""

    time_of_day_s: float
    """By the meter's own clock, in s since midnight."""
    tariff: int
    """Number of the tariff, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffPeriod:
    """A stretch of true time under one tariff."""

    start_s: float
    """Begin, in s of true time."""
    end_s: float
    """End, in s of true time."""
    tariff: int
    """Number of the tariff, from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffSchedule:
    """The day's tariffs; the last of a day holds over midnight. Without a switch: tariff 1."""

    switches: tuple[TariffSwitch, ...] = ()
    """Rising in time of day."""

    def __post_init__(self) -> None:
        times = [switch.time_of_day_s for switch in self.switches]
        if times != sorted(set(times)) or any(not 0 <= time < DAY_S for time in times):
            raise ConfigurationError(f"tariff switches rise within a day of 86400 s: {times}")
        if any(switch.tariff < 1 for switch in self.switches):
            raise ConfigurationError("tariffs are numbered from 1")

    @property
    def tariffs(self) -> tuple[int, ...]:
        """Numbers of the tariffs that occur, rising."""
        return tuple(sorted({switch.tariff for switch in self.switches} or {1}))

    def periods(self, clock: MeterClock, from_s: float, to_s: float) -> tuple[TariffPeriod, ...]:
        """The tariffs that a meter with this clock counts under, over a stretch of true time.

        Args:
            clock: The meter's clock, which decides.
            from_s: Begin, in s of true time.
            to_s: End, in s of true time.
        """
        if not self.switches:
            return (TariffPeriod(start_s=from_s, end_s=to_s, tariff=1),)
        days = range(
            int(clock.reading_s(from_s) // DAY_S) - 1, int(clock.reading_s(to_s) // DAY_S) + 1
        )
        begins = [
            (clock.true_time_of_s(day * DAY_S + switch.time_of_day_s), switch.tariff)
            for day in days
            for switch in self.switches
        ]
        ends = [begin_s for begin_s, _ in begins[1:]] + [to_s]
        periods = [
            TariffPeriod(start_s=max(begin_s, from_s), end_s=min(end_s, to_s), tariff=tariff)
            for (begin_s, tariff), end_s in zip(begins, ends, strict=True)
        ]
        return tuple(period for period in periods if period.start_s < period.end_s)
