"""Runs cells of the fault matrix, several at once where they wait, and writes its table."""

import asyncio
import contextlib
import io
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from spotcheck_cli.fault_matrix.cells import Cell
from spotcheck_cli.fault_matrix.finding import Ending, Finding, wrong
from spotcheck_cli.fault_matrix.wired_run import AT_ONCE

LONGEST_TRIAL_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A cell and what it ended in."""

    cell: Cell
    """The cell."""
    seed: int
    """The seed that it was tried with."""
    finding: Finding
    """What it ended in."""


def one_of_each_kind(cells: Sequence[Cell], seed: int) -> list[Cell]:
    """Each kind of fault once, in a protocol and at a step that the seed draws.

    Cells that only wait for somebody's patience to end are left to the whole matrix.
    """
    drawn = random.Random(seed)  # noqa: S311 -- a draw, no secret
    by_kind: dict[str, list[Cell]] = {}
    for cell in cells:
        if not cell.waits:
            by_kind.setdefault(cell.kind, []).append(cell)
    return [drawn.choice(steps) for steps in by_kind.values()]


def run_cells(
    cells: Sequence[Cell],
    seeds: Iterable[int],
    told: Callable[[Tried], None] = lambda _: None,
) -> list[Tried]:
    """Try every cell with every seed.

    Args:
        cells: The cells.
        seeds: Seeds of meters, steps' details and damage.
        told: Sees each as it ends.
    """
    # The daemons announce their addresses on standard output, each to whoever started it.
    with contextlib.redirect_stdout(io.StringIO()):
        return asyncio.run(_run_cells(cells, list(seeds), told))


async def _run_cells(
    cells: Sequence[Cell], seeds: Sequence[int], told: Callable[[Tried], None]
) -> list[Tried]:
    places = asyncio.Semaphore(AT_ONCE)

    async def attempt(cell: Cell, seed: int) -> Tried:
        async with places:
            try:
                finding = await asyncio.wait_for(cell.run(seed), LONGEST_TRIAL_S)
            except TimeoutError:
                finding = wrong(f"no end within {LONGEST_TRIAL_S:.0f} s")
            except Exception as error:  # noqa: BLE001 -- an error without a name is the finding
                finding = wrong(f"unnamed: {error!r}")
        tried = Tried(cell=cell, seed=seed, finding=finding)
        told(tried)
        return tried

    return await asyncio.gather(*(attempt(cell, seed) for cell in cells for seed in seeds))


def kinds_of(tried: Sequence[Tried]) -> list[str]:
    """Kinds of faults that were tried, each once."""
    return sorted({one.cell.kind for one in tried})


def counts(tried: Sequence[Tried]) -> Counter[Ending]:
    """How many trials ended how."""
    return Counter(one.finding.ending for one in tried)


_HEAD = (
    "# The fault matrix",
    "",
    "Written by `make campaign-faults`; nothing here is typed by hand. Each cell is one trial: a "
    "meter of class 1 with a known error, two short readings, and one fault at one step. What it "
    "ends in is held against the simulator's truth: ✓ is a reading whose truth lies within U and "
    "a verdict that the truth demands; other words are the name of the error that was told; – is "
    "no cell. **WRONG** is everything else, an error without a name included. "
    "How it works: [hil.md](hil.md).",
    "",
    "Plant faults go straight into the measuring session. Faults of the links go through the real "
    "daemon, its real links and the host's own procedure, with the bench's twin of the front end. "
    'Faults of the journal strike a process of its own. "The step did not come" is a trial '
    "that had ended before its fault.",
    "",
    "",
)


def page(tried: Sequence[Tried]) -> str:
    """The whole page of `docs/fault-matrix.md`."""
    return "\n".join(_HEAD) + markdown(tried)


def markdown(tried: Sequence[Tried]) -> str:
    """The matrix as tables, one for each protocol: kinds down, steps across."""
    ends = counts(tried)
    seeds = {one.seed for one in tried}
    cells = {(one.cell.protocol, one.cell.kind, one.cell.step) for one in tried}
    lines = [
        f"{len(kinds_of(tried))} kinds of fault, {len(cells)} cells, {len(seeds)} seeds: "
        f"{len(tried)} trials, of which {ends[Ending.CORRECT]} ended in a correct result, "
        f"{ends[Ending.NAMED_ERROR]} in a named error and {ends[Ending.WRONG]} otherwise.",
        "",
    ]
    for protocol in dict.fromkeys(one.cell.protocol for one in tried):
        mine = [one for one in tried if one.cell.protocol == protocol]
        lines += [f"## {protocol}", "", *_table(mine), ""]
    return "\n".join(lines)


def _table(tried: Sequence[Tried]) -> list[str]:
    steps = list(dict.fromkeys(one.cell.step for one in tried))
    kinds = list(dict.fromkeys(one.cell.kind for one in tried))
    by_place: dict[tuple[str, str], list[Finding]] = {}
    for one in tried:
        by_place.setdefault((one.cell.kind, one.cell.step), []).append(one.finding)
    if len(steps) > 2 * len(kinds):
        rows = [(f"{kind}, {step}", by_place.get((kind, step), [])) for kind in kinds
                for step in steps if (kind, step) in by_place]  # fmt: skip
        body = [f"| {name} | {_words(found)} |" for name, found in rows]
        return ["| fault | ends in |", "|---|---|", *body]
    head = f"| fault | {' | '.join(steps)} |"
    body = [
        f"| {kind} | {' | '.join(_words(by_place.get((kind, step), [])) for step in steps)} |"
        for kind in kinds
    ]
    return [head, "|---" * (len(steps) + 1) + "|", *body]


def _words(findings: Sequence[Finding]) -> str:
    """What a cell ended in over all seeds: a verdict that is right is `✓`."""
    words = []
    for finding in findings:
        if finding.ending is Ending.CORRECT:
            words.append("✓")
        elif finding.ending is Ending.WRONG:
            words.append(f"**WRONG**: {finding.words}")
        else:
            words.append(finding.words)
    return "; ".join(sorted(set(words), key=lambda word: (word != "✓", word))) or "–"
