"""Pulses of the meter under test, stamped in the sample clock."""

from dataclasses import dataclass

from spotcheck.errors import EvidenceError

STAMP_SUBDIVISION = 1 << 16
"""Stamps count 1/65536 of a sample (1.9 ns at 8 kS/s), so that they are integers."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Pulse:
    """One pulse of the meter under test."""

    stamp: int
    """Instant of the leading edge, in 1/65536 samples since sample 0."""
    index: int
    """Number of the pulse as the front end counts them, from 0; a jump means lost pulses."""

    @property
    def sample(self) -> float:
        """Instant in samples."""
        return self.stamp / STAMP_SUBDIVISION


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseTrain:
    """Pulses in order, all on one input."""

    pulses: tuple[Pulse, ...]
    """Pulses with rising stamps."""

    def __post_init__(self) -> None:
        for before, after in zip(self.pulses, self.pulses[1:], strict=False):
            if after.stamp <= before.stamp:
                raise EvidenceError(
                    f"pulse {after.index} is stamped {after.stamp}, not after pulse "
                    f"{before.index} at {before.stamp}"
                )

    @property
    def lost(self) -> int:
        """Pulses that the front end counted but that never arrived."""
        if not self.pulses:
            return 0
        return self.pulses[-1].index - self.pulses[0].index + 1 - len(self.pulses)
