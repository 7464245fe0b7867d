"""The `spotcheck` command.

Each command imports what it needs: the daemon should not load a typesetter to start.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import spotcheck
from spotcheck.canonical_json import parse_canonical
from spotcheck.errors import SpotcheckError
from spotcheck.meter import Connection
from spotcheck.plain import from_plain
from spotcheck.rule import load_rule, rule_ids
from spotcheck_cli.campaign import campaign
from spotcheck_cli.scenario import EPOCH_UTC_NS, Fault, Scenario, SimulatedPulseOutput

app = typer.Typer(
    name="spotcheck",
    help="Verifies an installed electricity meter: its error, with its uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(campaign, name="campaign")

EXIT_INPUT = 2


@contextmanager
def _named_errors() -> Iterator[None]:
    """What went wrong, in one sentence and without a traceback."""
    try:
        yield
    except (SpotcheckError, OSError) as error:
        Console(stderr=True).print(
            f"[bold red]spotcheck:[/] {error}", highlight=False, soft_wrap=True
        )
        raise typer.Exit(EXIT_INPUT) from error


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    meter_error: Annotated[float, typer.Option(help="True error of the meter, %.")] = -0.83,
    meter_class: Annotated[str, typer.Option(help="Accuracy class: 0.2S, 0.5S, 1, 2.")] = "1",
    phases: Annotated[int, typer.Option(help="1 or 3.")] = 1,
    current: Annotated[float, typer.Option(help="Current of each phase, A.")] = 10.0,
    power_factor: Annotated[str, typer.Option(help="1, 0.5L, 0.8C …")] = "1",
    basic_current: Annotated[str, typer.Option(help="Ib, A.")] = "5",
    max_current: Annotated[str, typer.Option(help="Imax, A.")] = "60",
    connection: Annotated[
        Connection, typer.Option(help="Direct, or by current transformer (Ib is then In).")
    ] = Connection.DIRECT,
    constant: Annotated[str, typer.Option(help="Meter constant as entered, imp/kWh.")] = "1200",
    pulse_output: Annotated[
        SimulatedPulseOutput, typer.Option(help="What the simulated meter's pulses follow.")
    ] = SimulatedPulseOutput.SMOOTHED,
    fault: Annotated[Fault, typer.Option(help="What goes wrong.")] = Fault.NONE,
    rule: Annotated[str, typer.Option(help="Rule profile, see `spotcheck rules`.")] = "jjg596-2012",
    seed: Annotated[int, typer.Option(min=0, help="Seed of everything random.")] = 7,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
    real_time: Annotated[
        bool, typer.Option("--real-time", help="At the wall clock's pace.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for all that is left.")] = Path("demo-output"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Rehearse a verification: simulated mains to signed report."""
    from spotcheck_cli.demo import run_demo
    from spotcheck_cli.display import Display

    if lang not in ("zh", "en"):
        raise typer.BadParameter(f"{lang!r} is neither zh nor en", param_hint="--lang")
    console = Console(stderr=as_json)
    with _named_errors():
        scenario = Scenario(
            meter_error_percent=meter_error,
            meter_class=meter_class,
            phases=phases,
            current_a=current,
            power_factor=power_factor,
            basic_current_a=basic_current,
            max_current_a=max_current,
            connection=connection,
            constant=constant,
            pulse_output=pulse_output,
            fault=fault,
            seed=seed,
        )
    with _named_errors(), Display(console) as display:
        output = run_demo(
            scenario,
            rule_id=rule,
            out=out,
            language="zh" if lang == "zh" else "en",
            real_time=real_time,
            observe=display.show,
            ask=display.ask if console.is_terminal and sys.stdin.isatty() else lambda _: None,
            tell=lambda text: console.print(f"[yellow]{text}[/]", highlight=False),
        )
    if as_json:
        typer.echo(json.dumps(output.summary, ensure_ascii=False, indent=2, allow_nan=False))
        return
    for name in ("report", "report_zh", "bundle", "plot"):
        if output.summary[name]:
            console.print(f"  {name:10} {output.summary[name]}", highlight=False, soft_wrap=True)
    console.print(f"[bold]{output.sentence}[/]", highlight=False, soft_wrap=True)


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a case (.zip).")],
    trusted_key: Annotated[list[str] | None, typer.Option(help="Public key, hex.")] = None,
) -> None:
    """Check a bundle: unchanged, signed by whom, recomputed."""
    from spotcheck_host.bundle import check_bundle
    from spotcheck_host.recompute import recompute_bundle

    console = Console()
    with _named_errors():
        report = check_bundle(bundle, trusted_key or ())
        console.print(report.statement, highlight=False, soft_wrap=True)
        for line in recompute_bundle(bundle):
            console.print(f"  {line}", highlight=False, soft_wrap=True)


@app.command()
def records(
    out: Annotated[Path, typer.Argument(help="Folder of a demonstration.")] = Path("demo-output"),
) -> None:
    """List the cases of a record and what each came to."""
    from spotcheck_host.case_list import list_cases

    console = Console()
    with _named_errors():
        for case_id, lines in list_cases(out / "records.sqlite"):
            console.print(f"[bold]{case_id}[/]", highlight=False, soft_wrap=True)
            for line in lines:
                console.print(f"  {line}", highlight=False, soft_wrap=True)


@app.command()
def rules() -> None:
    """List the rule profiles."""
    console = Console()
    for rule_id in rule_ids():
        rule = load_rule(rule_id)
        checked = "read in the text" if rule.verified else "from a secondary source"
        console.print(
            f"[bold]{rule_id}[/]  {rule.title_zh} / {rule.title_en}",
            highlight=False,
            soft_wrap=True,
        )
        console.print(
            f"  {rule.place} rule, {len(rule.limits)} limits, {checked}",
            highlight=False,
            soft_wrap=True,
        )


@app.command()
def device(
    config: Annotated[Path, typer.Argument(help="Configuration (TOML).")],
    until_input_closes: Annotated[
        bool, typer.Option("--until-input-closes", help="End with the program that started it.")
    ] = False,
) -> None:
    """Run the instrument's daemon by its configuration (TOML)."""
    from spotcheck_device.config import load_config
    from spotcheck_device.daemon import Daemon

    with _named_errors():
        daemon = Daemon(load_config(config))
        asyncio.run(daemon.run(until_input_closes=until_input_closes))


@app.command()
def bench(
    scenario: Annotated[Path, typer.Argument(help="Scenario (JSON), as the demo writes it.")],
    real_time: Annotated[
        bool, typer.Option("--real-time", help="At the wall clock's pace.")
    ] = False,
) -> None:
    """Run the simulated bench: samples on TCP, pulses on a pty."""
    from spotcheck_cli.demo_instrument import demonstration_correction_set
    from spotcheck_cli.processes import firmware, micropython, wire_folder
    from spotcheck_sim.bench_process import BenchProcessConfig, serve

    with _named_errors():
        plain: Any = parse_canonical(scenario.read_bytes())
        rehearsal = from_plain(Scenario, plain)
        asyncio.run(
            serve(
                BenchProcessConfig(
                    bench=rehearsal.bench(demonstration_correction_set()),
                    seed=rehearsal.seed,
                    micropython=micropython(),
                    firmware=firmware(),
                    wire_folder=wire_folder(),
                    real_time=real_time,
                    epoch_utc_ns=EPOCH_UTC_NS,
                    line_faults=rehearsal.line_faults(),
                )
            )
        )


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(f"spotcheck {spotcheck.__version__}")
