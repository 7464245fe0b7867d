"""What one look at the machine found."""

import enum
from dataclasses import dataclass, field

Fact = str | int | float


class Outcome(enum.Enum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """The daemon runs, but something is not as it should be, or could not be seen."""
    FAILED = "failed"
    """The daemon cannot run so, or its results could be lost or barred."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding; its words and its cure, in each language, belong to `code`."""

    code: str
    """`check.what`, for example `disk.slow`."""
    outcome: Outcome
    """How bad it is."""
    facts: dict[str, Fact] = field(default_factory=dict)
    """What was found; names of quantities end with their unit."""

    @property
    def check(self) -> str:
        """The check that found it."""
        return self.code.partition(".")[0]


def ok(code: str, **facts: Fact) -> Finding:
    """All is well."""
    return Finding(code=code, outcome=Outcome.OK, facts=facts)


def warning(code: str, **facts: Fact) -> Finding:
    """Not as it should be, or not seen."""
    return Finding(code=code, outcome=Outcome.WARNING, facts=facts)


def failed(code: str, **facts: Fact) -> Finding:
    """The daemon cannot run so, or its results could be lost or barred."""
    return Finding(code=code, outcome=Outcome.FAILED, facts=facts)
