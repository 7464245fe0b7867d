"""Which input of a converter carries which voltage and current."""

from dataclasses import dataclass

from spotcheck.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMap:
    """Inputs of the stream's channels; the converter's other inputs are read and dropped."""

    phases: int
    """1 or 3."""
    inputs: tuple[int, ...]
    """Input of u1, i1[, u2, i2, u3, i3], counted from 0."""
    available: int
    """Inputs that the converter has."""

    def __post_init__(self) -> None:
        wanted = 2 * self.phases
        if len(self.inputs) != wanted or len(set(self.inputs)) != wanted:
            raise ConfigurationError(
                f"inputs are {self.inputs}; {self.phases} phases need {wanted} different ones"
            )
        if not all(0 <= number < self.available for number in self.inputs):
            raise ConfigurationError(
                f"inputs are {self.inputs}; the converter has 0 to {self.available - 1}"
            )

    @property
    def dropped(self) -> tuple[int, ...]:
        """Inputs that are converted and read, and belong to no phase."""
        return tuple(n for n in range(self.available) if n not in self.inputs)
