"""`spotcheck campaign`: long trials whose short forms are in the tests."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import track

EXIT_FOUND = 1

campaign = typer.Typer(
    help="Long trials: coverage of U, kills, faults, attacks on links.", no_args_is_help=True
)


@campaign.command()
def coverage(
    runs: Annotated[int, typer.Option(help="Random verifications.")] = 200,
    first_seed: Annotated[int, typer.Option(help="Seed of the first run.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File for the table (Markdown).")] = None,
) -> None:
    """Random verifications against the simulator: does the truth lie within U?"""
    from spotcheck_cli.coverage_campaign import cells, markdown, run_many

    done = list(
        track(run_many(runs, first_seed=first_seed), total=runs, console=Console(stderr=True))
    )
    table = markdown(cells(done))
    stream_s = sum(run.stream_s for run in done)
    typer.echo(f"{table}\n{stream_s:.0f} s of stream")
    if out is not None:
        out.write_text(table, "utf-8")


@campaign.command()
def kill(
    out: Annotated[Path, typer.Option(help="Folder of the demonstration's record.")],
    runs: Annotated[int, typer.Option(help="Kills.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the moments.")] = 1,
) -> None:
    """Kill the daemon or the host at random moments: is every acknowledged reading found?"""
    from spotcheck_cli.kill_campaign import kill_and_look

    lost = 0
    for number, trial in enumerate(kill_and_look(out, runs, seed), 1):
        lost += len(trial.lost)
        typer.echo(f"{number}: {trial}")
    typer.echo(f"{runs} kills, {lost} acknowledged outcomes lost")
    raise typer.Exit(1 if lost else 0)


@campaign.command()
def faults(
    seeds: Annotated[int, typer.Option(help="Seeds that every cell is tried with.")] = 1,
    first_seed: Annotated[int, typer.Option(help="The first of them.")] = 1,
    protocol: Annotated[str, typer.Option(help="Only protocols with this in their name.")] = "",
    out: Annotated[Path | None, typer.Option(help="File for the tables (Markdown).")] = None,
) -> None:
    """Every kind of fault at every step of every protocol: what does each end in?"""
    from spotcheck_cli.fault_matrix.cells import all_cells
    from spotcheck_cli.fault_matrix.finding import Ending
    from spotcheck_cli.fault_matrix.matrix import counts, page, run_cells

    cells = [cell for cell in all_cells() if protocol.lower() in cell.protocol.lower()]
    tried = run_cells(cells, range(first_seed, first_seed + seeds))
    for one in tried:
        if one.finding.ending is Ending.WRONG:
            place = f"{one.cell.protocol}: {one.cell.kind}, {one.cell.step}, seed {one.seed}"
            typer.echo(f"WRONG {place}: {one.finding.words}")
    ends = counts(tried)
    typer.echo(", ".join(f"{ends[ending]} {ending.value}" for ending in Ending))
    if out is not None:
        out.write_text(page(tried), "utf-8")
    raise typer.Exit(1 if ends[Ending.WRONG] else 0)


@campaign.command()
def plan(
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 1,
    points: Annotated[int, typer.Option(help="So many of the sixty points.", min=1, max=60)] = 60,
    out: Annotated[Path | None, typer.Option(help="File for the table (Markdown).")] = None,
) -> None:
    """Sixty load points, about an hour of stream, in one process."""
    from spotcheck_cli.load_plan import markdown, run_plan, sixty_points

    planned = sixty_points()[:points]
    results = list(track(run_plan(planned, seed), total=points, console=Console(stderr=True)))
    table = markdown(results)
    typer.echo(table)
    if out is not None:
        out.write_text(table, "utf-8")


def links(
    attacks: Annotated[int, typer.Option(help="Records to attack.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the attacks.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
) -> None:
    """Replay, reorder, truncate, change records of secure sessions: is any of it accepted?"""
    from spotcheck_cli.link_campaign import AttackCounts, attack_many

    counts = AttackCounts()
    for part in attack_many(attacks, seed, workers):
        counts.add(part)
        typer.echo(str(counts), err=True)
    typer.echo(str(counts))
    raise typer.Exit(EXIT_FOUND if any(counts.accepted.values()) else 0)


@campaign.command()
def wire(
    inputs: Annotated[int, typer.Option(help="Damaged frames and bodies.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Seed of the damages.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes.")] = 1,
) -> None:
    """Damage frames and bodies: is one ever taken for what nobody sent?"""
    from spotcheck_cli.wire_campaign import FuzzCounts, fuzz_many

    counts = FuzzCounts()
    for part in fuzz_many(inputs, seed, workers):
        counts.add(part)
        typer.echo(str(counts), err=True)
    for wrong in counts.wrong:
        typer.echo(wrong)
    typer.echo(str(counts))
    raise typer.Exit(EXIT_FOUND if counts.wrong else 0)
