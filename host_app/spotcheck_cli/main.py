"""The `spotcheck` command.

Each command imports what it needs: the daemon should not load a typesetter to start.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

import spotcheck
from spotcheck.canonical_json import parse_canonical
from spotcheck.errors import ConfigurationError
from spotcheck.meter import Connection
from spotcheck.plain import from_plain
from spotcheck.rule import load_rule, rule_ids
from spotcheck_cli.campaign import campaign
from spotcheck_cli.device_commands import device_commands
from spotcheck_cli.named_errors import named_errors
from spotcheck_cli.pairing_commands import add_pairing_commands
from spotcheck_cli.scenario import EPOCH_UTC_NS, Fault, Scenario, SimulatedPulseOutput

app = typer.Typer(
    name="spotcheck",
    help="Verifies an installed electricity meter: its error, with its uncertainty.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(campaign, name="campaign")
app.add_typer(device_commands, name="device")
add_pairing_commands(app)

EXIT_DIFFERENT = 1


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
    record: Annotated[
        str, typer.Option(help="Record it as csv, parquet, comtrade, wav or flac.")
    ] = "",
    out: Annotated[Path, typer.Option(help="Folder for all that is left.")] = Path("demo-output"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Rehearse a verification: simulated mains to signed report."""
    from spotcheck_cli.demo import run_demo
    from spotcheck_cli.display import Display
    from spotcheck_recording.writers import WRITABLE

    if lang not in ("zh", "en"):
        raise typer.BadParameter(f"{lang!r} is neither zh nor en", param_hint="--lang")
    if record and record not in WRITABLE:
        raise typer.BadParameter(
            f"{record!r} is none of {', '.join(WRITABLE)}", param_hint="--record"
        )
    console = Console(stderr=as_json)
    with named_errors():
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
    with named_errors(), Display(console) as display:
        output = run_demo(
            scenario,
            rule_id=rule,
            out=out,
            language="zh" if lang == "zh" else "en",
            real_time=real_time,
            observe=display.show,
            ask=display.ask if console.is_terminal and sys.stdin.isatty() else lambda _: None,
            tell=lambda text: console.print(f"[yellow]{text}[/]", highlight=False),
            record=record,
        )
    if as_json:
        typer.echo(json.dumps(output.summary, ensure_ascii=False, indent=2, allow_nan=False))
        return
    for name in ("report", "report_zh", "bundle", "plot"):
        if output.summary[name]:
            console.print(f"  {name:10} {output.summary[name]}", highlight=False, soft_wrap=True)
    for path in output.summary["recordings"]:
        console.print(f"  recording  {path}", highlight=False, soft_wrap=True)
    console.print(f"[bold]{output.sentence}[/]", highlight=False, soft_wrap=True)


@app.command("app")
def window(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    rehearse: Annotated[
        bool, typer.Option("--demo", help="With a simulated meter and instrument.")
    ] = False,
    connect: Annotated[
        str | None, typer.Option(help="Instrument: host:port, or the path of a serial port.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of record, reports and bundles.")] = Path(
        "spotcheck-records"
    ),
    operator: Annotated[str, typer.Option(help="The acting person.")] = "operator",
    key: Annotated[
        Path | None, typer.Option(help="The acting person's key; without, one is made.")
    ] = None,
    lang: Annotated[str, typer.Option(help="zh or en; changed in the window.")] = "zh",
    theme: Annotated[str, typer.Option(help="dark, light or sunlight.")] = "dark",
    meter_error: Annotated[float, typer.Option(help="--demo: true error, %.")] = -0.83,
    phases: Annotated[int, typer.Option(help="--demo: 1 or 3.")] = 3,
    current: Annotated[float, typer.Option(help="--demo: current of each phase, A.")] = 10.0,
    power_factor: Annotated[str, typer.Option(help="--demo: 1, 0.5L, 0.8C …")] = "0.8L",
    fault: Annotated[Fault, typer.Option(help="--demo: what goes wrong.")] = Fault.NONE,
    rule: Annotated[str, typer.Option(help="Rule profile, changed in the form.")] = "jjg596-2012",
    seed: Annotated[int, typer.Option(min=0, help="--demo: seed of everything random.")] = 7,
    virtual_time: Annotated[
        bool, typer.Option("--virtual-time", help="--demo: as fast as the machine allows.")
    ] = False,
) -> None:
    """Open the window of a verification."""
    from spotcheck_cli.window import (
        connected_workplace,
        demonstration_workplace,
        require_a_screen,
    )

    if rehearse == (connect is not None):
        raise typer.BadParameter("say one of --demo and --connect ADDRESS")
    if lang not in ("zh", "en"):
        raise typer.BadParameter(f"{lang!r} is neither zh nor en", param_hint="--lang")
    if theme not in ("dark", "light", "sunlight"):
        raise typer.BadParameter(f"{theme!r} is no theme", param_hint="--theme")
    with named_errors():
        load_rule(rule)
        require_a_screen()
        try:
            from spotcheck_host.app.application import run_app
            from spotcheck_host.app.meter_entry import MeterEntry, entry_of
        except ImportError as error:
            raise ConfigurationError(f"the window needs Qt's libraries: {error}") from error
        entry = MeterEntry(rule_id=rule)
        if connect is None:
            scenario = Scenario(
                meter_error_percent=meter_error,
                phases=phases,
                current_a=current,
                power_factor=power_factor,
                fault=fault,
                seed=seed,
            )
            workplace = demonstration_workplace(scenario, out, real_time=not virtual_time)
            entry = entry_of(scenario.meter(), rule)
        else:
            workplace = connected_workplace(connect, out, key, operator)
        code = run_app(
            workplace,
            entry=entry,
            language="zh" if lang == "zh" else "en",
            theme="dark" if theme == "dark" else "light" if theme == "light" else "sunlight",
        )
    raise typer.Exit(code)


@app.command()
def measure(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    recording: Annotated[Path, typer.Argument(help="COMTRADE, CSV, Parquet, WAV or FLAC.")],
    channel: Annotated[
        list[str] | None, typer.Option("--map", help="Channel, as in u1=NAME or i1=12.")
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(help="V or A per unit (WAV: at full scale): u1=325.27.")
    ] = None,
    side: Annotated[
        str, typer.Option(help="COMTRADE: recorded, primary or secondary values.")
    ] = "recorded",
    sample_rate: Annotated[float | None, typer.Option(help="The exact sampling rate, S/s.")] = None,
    rate_from: Annotated[
        str, typer.Option(help="COMTRADE: sampling rate by its header or by its stamps.")
    ] = "header",
    start: Annotated[float | None, typer.Option(help="Begin of the window, s.")] = None,
    duration: Annotated[float | None, typer.Option(help="Length of the window, s.")] = None,
    pulses: Annotated[
        Path | None, typer.Option(help="The meter's pulses: CSV with a column time_s.")
    ] = None,
    constant: Annotated[str | None, typer.Option(help="Meter constant, imp/kWh.")] = None,
    export: Annotated[
        bool, typer.Option("--export", help="The pulses count exported energy.")
    ] = False,
    correction: Annotated[
        Path | None, typer.Option(help="Correction set of the instrument that recorded.")
    ] = None,
    voltage_range: Annotated[str | None, typer.Option(help="Voltage range in that set.")] = None,
    current_range: Annotated[str | None, typer.Option(help="Current range or clamp in it.")] = None,
    reference_uncertainty_percent: Annotated[
        float | None, typer.Option(help="Expanded uncertainty (k = 2) of the reference, %.")
    ] = None,
    meter_class: Annotated[
        str | None, typer.Option("--class", help="Accuracy class; asks for a verdict.")
    ] = None,
    basic_current: Annotated[str, typer.Option(help="Ib, A, for a verdict.")] = "5",
    max_current: Annotated[str, typer.Option(help="Imax, A, for a verdict.")] = "60",
    nominal_voltage: Annotated[str, typer.Option(help="Un, V, for a verdict.")] = "220",
    rule: Annotated[str, typer.Option(help="Rule profile, for a verdict.")] = "jjg596-2012",
    as_json: Annotated[bool, typer.Option("--json", help="Full double precision.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Write a plot (.png, .svg, .pdf).")] = None,
    channels: Annotated[bool, typer.Option("--channels", help="Only list the channels.")] = False,
) -> None:
    """Measure a recording: quantities over a window, and a meter's error from its pulses."""
    from spotcheck_cli.measure import MeasureOptions, print_channels, run_measure
    from spotcheck_cli.measurement_table import print_table

    if rate_from not in ("header", "stamps"):
        raise typer.BadParameter(f"{rate_from!r} is neither header nor stamps")
    with named_errors():
        if channels:
            print_channels(Console(), recording)
            return
        summary = run_measure(
            MeasureOptions(
                path=recording,
                maps=tuple(channel or ()),
                scales=tuple(scale or ()),
                side=side,
                sample_rate_hz=sample_rate,
                rate_from=rate_from,
                start_s=start,
                duration_s=duration,
                pulses=pulses,
                constant=constant,
                export=export,
                correction=correction,
                voltage_range=voltage_range,
                current_range=current_range,
                reference_uncertainty_percent=reference_uncertainty_percent,
                meter_class=meter_class,
                basic_current=basic_current,
                max_current=max_current,
                nominal_voltage=nominal_voltage,
                rule_id=rule,
                plot=plot,
            ),
            Console(stderr=True),
        )
    if as_json:
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_table(Console(), summary)


@app.command("replay")
def measure_again(
    recording: Annotated[Path, typer.Argument(help="Folder that the device recorded.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Measure a recording of the device again: is it the same as live? If not, ends with 1."""
    from spotcheck_cli.replay import print_replay, replay_summary
    from spotcheck_device.replay import replay

    with named_errors():
        result = replay(recording)
    if as_json:
        summary = replay_summary(recording, result)
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_replay(Console(), result)
    if not result.is_same:
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle of a case (.zip).")],
    trusted_key: Annotated[list[str] | None, typer.Option(help="Public key, hex.")] = None,
    device_key: Annotated[
        list[str] | None,
        typer.Option(help="Public key of an instrument, hex; `spotcheck device key` prints it."),
    ] = None,
) -> None:
    """Check a bundle: unchanged, signed by whom and which instrument, recomputed."""
    from spotcheck_host.bundle import check_bundle
    from spotcheck_host.recompute import recompute_bundle

    console = Console()
    with named_errors():
        report = check_bundle(bundle, trusted_key or (), device_key or ())
        console.print(report.statement, highlight=False, soft_wrap=True)
        console.print(report.device_statement, highlight=False, soft_wrap=True)
        for line in recompute_bundle(bundle):
            console.print(f"  {line}", highlight=False, soft_wrap=True)


@app.command()
def records(
    out: Annotated[Path, typer.Argument(help="Folder of a demonstration.")] = Path("demo-output"),
) -> None:
    """List the cases of a record and what each came to."""
    from spotcheck_host.case_list import list_cases

    console = Console()
    with named_errors():
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

    with named_errors():
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
