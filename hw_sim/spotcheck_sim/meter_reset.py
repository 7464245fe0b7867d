"""A meter that restarts in the midst of its work, as after a dip of its own supply."""

import math
from dataclasses import dataclass

from spotcheck.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReset:
    """From `at_s` on the meter counts nothing for `blind_s`; then its pulse counter begins at 0.

    What had been counted towards the next pulse is lost; the registers keep what they hold.
    """

    at_s: float
    """Begin, in s of true time."""
    blind_s: float = 0.5
    """Time until it counts again, in s."""

    def __post_init__(self) -> None:
        if not (self.at_s > 0 and self.blind_s > 0 and math.isfinite(self.at_s + self.blind_s)):
            raise ConfigurationError(
                f"a reset at {self.at_s} s that lasts {self.blind_s} s; both are positive"
            )

    @property
    def end_s(self) -> float:
        """Instant from which it counts again, in s of true time."""
        return self.at_s + self.blind_s
