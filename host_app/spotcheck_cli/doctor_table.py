"""The doctor's findings as a table for a terminal, or as JSON."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spotcheck_cli.doctor_text import HEADINGS, outcome_word, title_of, words_of
from spotcheck_device.doctor.finding import Finding, Outcome

_STYLE = {Outcome.OK: "green", Outcome.WARNING: "yellow", Outcome.FAILED: "bold red"}


def print_findings(console: Console, findings: list[Finding], language: str) -> None:
    """A row for each finding, and a line with how many of each there are."""
    number = ("en", "zh").index(language)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in HEADINGS:
        table.add_column(heading[number], overflow="fold")
    for finding in findings:
        found, cure = words_of(finding, language)
        word = outcome_word(finding.outcome, language)
        style = _STYLE[finding.outcome]
        table.add_row(
            title_of(finding, language), f"[{style}]{word}[/]", escape(found), escape(cure)
        )
    console.print(table, highlight=False)
    counts = [
        f"{sum(f.outcome is outcome for f in findings)} {outcome_word(outcome, language)}"
        for outcome in Outcome
    ]
    console.print(f"[bold]{', '.join(counts)}[/]", highlight=False)


def findings_summary(findings: list[Finding], language: str) -> dict[str, Any]:
    """The findings for a program: codes and facts last, words may change."""
    return {
        "outcome": worst(findings).value,
        "findings": [
            {
                "check": finding.check,
                "code": finding.code,
                "outcome": finding.outcome.value,
                "facts": finding.facts,
                "found": words_of(finding, language)[0],
                "cure": words_of(finding, language)[1],
            }
            for finding in findings
        ],
    }


def worst(findings: list[Finding]) -> Outcome:
    """The worst outcome of all."""
    order = list(Outcome)
    return max((finding.outcome for finding in findings), key=order.index, default=Outcome.OK)
