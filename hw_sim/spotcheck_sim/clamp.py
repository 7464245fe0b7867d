"""A current clamp as it is, and what its memory says that it is."""

from dataclasses import dataclass

from spotcheck.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Clamp:
    """One clamp; the instrument believes the memory, the current believes the iron."""

    serial: str
    """Number on the clamp."""
    range_name: str
    """The range that its iron and burden make."""
    memory_range_name: str
    """The range that its memory names; another one is a wrong memory or a wrong plug."""

    def __post_init__(self) -> None:
        if not (self.serial and self.range_name and self.memory_range_name):
            raise ConfigurationError("a clamp has a serial number and the names of its ranges")

    @property
    def tells_the_truth(self) -> bool:
        """Whether the memory names the clamp's own range."""
        return self.range_name == self.memory_range_name
