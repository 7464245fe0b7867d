"""A recorded measurement on the terminal."""

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spotcheck_host.recorded_meter import SCOPE_ALGORITHM

LEAST_SHOWN_PERCENT = 0.2
"""Smaller harmonics above the 7th are in the JSON only."""


def print_table(console: Console, summary: dict[str, Any]) -> None:
    """The summary as tables."""
    end_s = summary["window_start_s"] + summary["window_s"]

    def say(text: str) -> None:
        console.print(text, highlight=False, soft_wrap=True)

    say(f"[bold]{escape(summary['file'])}[/]  {summary['format']}")
    say(
        f"  {summary['window_start_s']:.6g} s to {end_s:.6g} s, {summary['sample_rate_hz']:.9g} "
        f"S/s, {summary['kernel']}, f = {summary['frequency_hz']:.6f} Hz"
    )
    channels = ", ".join(f"{name} = {key}" for name, key in summary["channels"].items())
    say(f"  {escape(channels)}")
    for note in summary["notes"]:
        say(f"  [yellow]{escape(note)}[/]")
    console.print(_quantities(summary))
    if summary["sequence"] is not None:
        console.print(_sequence(summary["sequence"]))
    console.print(_harmonics(summary["phases"]))
    if "meter" in summary:
        for line in _meter_lines(summary["meter"]):
            say(line)


_ROWS = (
    ("U", "u_v", "V"),
    ("I", "i_a", "A"),
    ("P", "p_w", "W"),
    ("Q1", "q1_var", "var"),
    ("S (arithmetic)", "s_va", "VA"),
    ("PF", "pf", ""),
    ("U1", "u1_v", "V"),
    ("∠U1 / °", "u_phase_deg", "°"),
    ("I1", "i1_a", "A"),
    ("∠I1 / °", "i_phase_deg", "°"),
    ("THD U / %", "thd_u_percent", "%"),
    ("THD I / %", "thd_i_percent", "%"),
    ("U DC", "u_dc_v", "V"),
    ("I DC", "i_dc_a", "A"),
)
_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""), (1e-3, "m"))
_PLACES = {"": 5, "°": 4, "%": 3}


def _text(value: float | None, places: int) -> str:
    if value is None:
        return "–"
    text = f"{value:.{places}f}"
    # A zero has no sign.
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def _prefixed(values: list[float | None], unit: str) -> tuple[str, list[str]]:
    """The unit with the prefix that suits the largest value, and seven digits of each."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    factor, prefix = 1.0, ""
    if largest >= 1e4 or 1e-6 < largest < 0.1:
        factor, prefix = next((p for p in _PREFIXES if largest >= p[0]), _PREFIXES[-1])
    places = max(0, 7 - len(str(int(largest / factor))))
    texts = [_text(None if v is None else v / factor, places) for v in values]
    return f"{prefix}{unit}", texts


def _quantities(summary: dict[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    phases, total = summary["phases"], summary["total"]
    for number in range(1, len(phases) + 1):
        table.add_column(f"L{number}", justify="right")
    if len(phases) > 1:
        table.add_column("total", justify="right")
    for name, key, unit in _ROWS:
        values = [phase[key] for phase in phases]
        if len(phases) > 1 and key in total:
            values.append(total[key])
        if unit in _PLACES:
            title, cells = name, [_text(value, _PLACES[unit]) for value in values]
        else:
            shown, cells = _prefixed(values, unit)
            title = f"{name} / {shown}"
        table.add_row(title, *cells)
    return table


def _sequence(sequence: dict[str, float]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("symmetrical components", "positive", "negative", "zero"):
        table.add_column(name, justify="left" if " " in name else "right")
    for name, unit in (("u", "v"), ("i", "a")):
        shown, cells = _prefixed(
            [sequence[f"{name}_{part}_{unit}"] for part in ("positive", "negative", "zero")],
            unit.upper(),
        )
        table.add_row(f"{name.upper()} / {shown}", *cells)
    return table


def _harmonics(phases: list[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("order")
    for number in range(1, len(phases) + 1):
        table.add_column(f"U{number} / %", justify="right")
        table.add_column(f"I{number} / %", justify="right")
    for order in range(2, len(phases[0]["u_harmonics_v"]) + 1):
        levels = []
        for phase in phases:
            for name in ("u_harmonics_v", "i_harmonics_a"):
                first = phase[name][0]
                levels.append(100 * phase[name][order - 1] / first if first else None)
        # A table of fifty rows of zeros helps nobody.
        largest = max((level for level in levels if level is not None), default=0.0)
        if order <= 7 or largest >= LEAST_SHOWN_PERCENT:
            table.add_row(str(order), *(_text(level, 3) for level in levels))
    return table


def _meter_lines(meter: dict[str, Any]) -> list[str]:
    if "cannot_judge" in meter:
        return [f"[bold]meter:[/] {meter['cannot_judge']} ({meter['detail']}); {meter['cure']}"]
    error, u = meter["error_percent"], meter["expanded_uncertainty_percent"]
    lines = [
        f"[bold]meter:[/] error {error:+.5f} % ± {u:.2g} % (95 %, {meter['uncertainty_scope']}), "
        f"gate {meter['gate_error_percent']:+.5f} %, {meter['pulses_used']} pulses used, "
        f"{meter['pulses_rejected']} rejected, {meter['pulses_missing']} missing, "
        f"{meter['pulses_outside']} outside"
    ]
    if meter["hint"]:
        lines.append(f"  {meter['hint']}")
    if meter["uncertainty_scope"] == SCOPE_ALGORITHM:
        lines.append(
            "  the instrument's own uncertainty is not known and not in this figure; add "
            "--reference-uncertainty-percent or --correction"
        )
    if meter["verdict"]:
        verdict = meter["verdict"]
        lines.append(
            f"  {verdict['judgement']} by {verdict['clause'] or verdict['rule']}: "
            f"{verdict['explanation']}"
        )
    return lines
