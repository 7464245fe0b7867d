"""What a trial of the fault matrix ends in, held against the simulator's truth."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from spotcheck.reading import ErrorReading, Reason
from spotcheck.verdict import Judgement, Verdict
from spotcheck_calibration.budget import combine_readings


class Ending(enum.Enum):
    """How a trial ended."""

    CORRECT = "correct result"
    NAMED_ERROR = "named error"
    WRONG = "WRONG"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The end of one trial."""

    ending: Ending
    """Whether it may end so."""
    words: str
    """The verdict, the error's name, or what is wrong."""


def named(words: str) -> Finding:
    """A trial that ended in an error with a name."""
    return Finding(ending=Ending.NAMED_ERROR, words=words)


def wrong(words: str) -> Finding:
    """A trial that ended as none may."""
    return Finding(ending=Ending.WRONG, words=words)


def correct(words: str) -> Finding:
    """A trial that ended in what is true."""
    return Finding(ending=Ending.CORRECT, words=words)


def of_reason(reason: Reason | None) -> Finding:
    """A trial without a verdict; one without a reason either is wrong."""
    return named(reason.value) if reason is not None else wrong("no verdict and no reason")


def of_verdict(
    verdict: Verdict, readings: Sequence[ErrorReading], true_error_percent: float
) -> Finding:
    """A verdict, and every reading that it rests on, against the truth.

    Args:
        verdict: What was said of the meter.
        readings: The readings that were averaged.
        true_error_percent: Error of the simulated meter.
    """
    if verdict.judgement is Judgement.CANNOT_JUDGE:
        return of_reason(verdict.reason)
    for reading in readings:
        off = abs(reading.error_percent - true_error_percent)
        if off > reading.expanded_uncertainty_percent:
            return wrong(
                f"{verdict.judgement.value} by {reading.error_percent:+.3f} % ± "
                f"{reading.expanded_uncertainty_percent:.3f} %, where {true_error_percent:+.3f} % "
                "is true"
            )
    limit = verdict.acceptance_limit_percent
    if limit is None or not readings:
        return wrong(f"{verdict.judgement.value} without a limit or a reading")
    guard = combine_readings(tuple(readings)).expanded_uncertainty_percent
    demanded = Judgement.PASS if abs(true_error_percent) <= limit else Judgement.FAIL
    if verdict.judgement is demanded:
        return correct(demanded.value)
    if verdict.judgement is Judgement.UNDECIDED:
        is_near = abs(abs(true_error_percent) - float(limit)) <= 2 * guard
        return correct("undecided") if is_near else wrong("undecided far from the limit")
    return wrong(f"{verdict.judgement.value} where {demanded.value} is true")
