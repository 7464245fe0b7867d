"""Checks of a test run: truth, measured value and limit of each, as a table and as a file."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_sim.hil.instrument import MeasuredError


class CheckVerdict(StrEnum):
    """What a check says of the meter."""

    PASS = "pass"  # noqa: S105 -- a word of the field, no password
    """The whole 95 % interval lies within the limit."""
    FAIL = "fail"
    """The whole 95 % interval lies beyond the limit."""
    UNDECIDED = "undecided"
    """The interval straddles the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A measured error against a limit."""

    test: str
    """Name of the test."""
    name: str
    """What was checked."""
    truth_percent: float | None
    """True error, in %; None where only the hardware knows it."""
    measured_percent: float
    """Measured error, in %."""
    expanded_uncertainty_percent: float
    """U, in %."""
    limit_percent: float
    """Limit, ±, in %."""
    verdict: CheckVerdict
    """Pass, fail or undecided."""

    @property
    def holds_truth(self) -> bool | None:
        """Whether the truth lies within U; None where the truth is not known."""
        if self.truth_percent is None:
            return None
        off = abs(self.measured_percent - self.truth_percent)
        return off <= self.expanded_uncertainty_percent


def check_of(
    measured: MeasuredError, *, test: str, name: str, truth_percent: float | None,
    limit_percent: float,
) -> Check:  # fmt: skip
    """Judge a measured error by a limit, guarded by its whole interval.

    Args:
        measured: The error.
        test: Name of the test.
        name: What is checked.
        truth_percent: True error, in %, if it is known.
        limit_percent: Limit, ±, in %.

    Raises:
        ConfigurationError: the limit is not positive.
    """
    if not limit_percent > 0:
        raise ConfigurationError(f"limit_percent is {limit_percent}; a limit is positive")
    off, u = abs(measured.error_percent), measured.expanded_uncertainty_percent
    beyond = CheckVerdict.FAIL if off - u > limit_percent else CheckVerdict.UNDECIDED
    return Check(
        test=test,
        name=name,
        truth_percent=truth_percent,
        measured_percent=measured.error_percent,
        expanded_uncertainty_percent=u,
        limit_percent=limit_percent,
        verdict=CheckVerdict.PASS if off + u <= limit_percent else beyond,
    )


def table(checks: Sequence[Check]) -> list[str]:
    """Lines of a table for a terminal."""
    width = max([len("check"), *(len(check.name) for check in checks)])
    head = f"{'check':<{width}}  {'truth, %':>9}  {'measured, %':>11}  {'U, %':>7}  "
    lines = [head + f"{'limit, %':>8}  verdict"]
    for check in checks:
        truth = "–" if check.truth_percent is None else f"{check.truth_percent:+.4f}"
        note = "  TRUTH OUTSIDE U" if check.holds_truth is False else ""
        lines.append(
            f"{check.name:<{width}}  {truth:>9}  {check.measured_percent:>+11.4f}  "
            f"{check.expanded_uncertainty_percent:>7.4f}  {check.limit_percent:>8g}  "
            f"{check.verdict.value}{note}"
        )
    return lines


def write_report(checks: Sequence[Check], path: Path) -> None:
    """Write the checks to a file: `.json` or `.csv` by its name.

    Raises:
        ConfigurationError: the name ends in neither.
    """
    rows = [{**asdict(check), "holds_truth": check.holds_truth} for check in checks]
    require_report_name(path)
    if path.suffix == ".json":
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", "utf-8")
        return
    text = io.StringIO()
    names = [field.name for field in fields(Check)]
    writer = csv.DictWriter(text, [*names, "holds_truth"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), "utf-8")


def require_report_name(path: Path) -> None:
    """Check that a report can be written under a name.

    Raises:
        ConfigurationError: the name ends in neither `.json` nor `.csv`.
    """
    if path.suffix not in (".json", ".csv"):
        raise ConfigurationError(f"{path}: a report ends in .json or .csv")
