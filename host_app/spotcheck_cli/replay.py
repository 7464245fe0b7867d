"""`spotcheck replay`: what a recording of the device gives again, as lines or as JSON."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from spotcheck.reading import CannotJudge, ErrorReading
from spotcheck_device.replay import ReplayResult


def replay_summary(folder: Path, result: ReplayResult) -> dict[str, Any]:
    """What `--json` prints."""
    return {
        "folder": str(folder),
        "request": result.head.request.request_id,
        "format": result.head.record_format,
        "current_range": result.head.stream.current_range,
        "same_as_live": result.is_same,
        "differences": list(result.differences),
        "outcomes": [_outcome(outcome) for outcome in result.outcomes],
    }


def _outcome(outcome: ErrorReading | CannotJudge) -> dict[str, Any]:
    if isinstance(outcome, CannotJudge):
        reason = {"reason": outcome.reason.value, "detail": outcome.detail}
        return {"outcome": outcome.outcome_id, **reason, "at_sample": outcome.at_sample}
    return {
        "outcome": outcome.reading_id,
        "error_percent": outcome.error_percent,
        "expanded_uncertainty_percent": outcome.expanded_uncertainty_percent,
        "pulses": outcome.pulses_used,
        "evidence_sha256": outcome.evidence_sha256,
    }


def print_replay(console: Console, result: ReplayResult) -> None:
    """Each outcome on a line, and whether they are the live ones."""
    for outcome in result.outcomes:
        console.print(_line(outcome), highlight=False, soft_wrap=True)
    if result.is_same:
        console.print("[bold green]the same as live[/]", highlight=False)
        return
    console.print("[bold red]not the same as live:[/]", highlight=False)
    for difference in result.differences:
        console.print(f"  {escape(difference)}", highlight=False, soft_wrap=True)


def _line(outcome: ErrorReading | CannotJudge) -> str:
    if isinstance(outcome, CannotJudge):
        return escape(f"{outcome.outcome_id}  {outcome.reason.value}: {outcome.detail}")
    error = f"{outcome.error_percent:+.5f}".replace("-", "−")
    return escape(
        f"{outcome.reading_id}  {error} % ± {outcome.expanded_uncertainty_percent:.2g} %, "
        f"{outcome.pulses_used} pulses"
    )
