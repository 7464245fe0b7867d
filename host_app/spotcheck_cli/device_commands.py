"""`spotcheck device`: run the instrument's daemon, examine its machine, pair it with hosts."""

import asyncio
import contextlib
import faulthandler
import json
import logging
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from spotcheck_cli.named_errors import named_errors

EXIT_FAILED = 1
LOOK_S = 0.5
EXIT_NOT_PAIRED = 1


class _RunsByDefault(TyperGroup):
    """`spotcheck device CONFIG` is `spotcheck device run CONFIG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["run", *args]
        parsed: list[str] = super().parse_args(ctx, args)
        return parsed


device_commands = typer.Typer(
    cls=_RunsByDefault,
    help="Run the instrument's daemon by its configuration (TOML); examine its machine, pair it.",
    no_args_is_help=True,
)
_Config = Annotated[Path, typer.Argument(help="Configuration (TOML).")]


@device_commands.command()
def run(
    config: _Config,
    until_input_closes: Annotated[
        bool, typer.Option("--until-input-closes", help="End with the program that started it.")
    ] = False,
) -> None:
    """Run the instrument's daemon by its configuration (TOML); the log goes to standard error."""
    from spotcheck_device.config import load_config
    from spotcheck_device.daemon import Daemon
    from spotcheck_device.running_lock import only_daemon_of

    with named_errors(), _logged():
        settings = load_config(config)
        with only_daemon_of(Path(settings.state_folder)):
            asyncio.run(Daemon(settings).run(until_input_closes=until_input_closes))


@device_commands.command()
def doctor(
    config: _Config,
    lang: Annotated[str, typer.Option(help="zh or en.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Examine the machine on which the daemon runs; ends with 1 if something failed."""
    from spotcheck_cli.doctor_table import findings_summary, print_findings, worst
    from spotcheck_device.doctor.examination import examine
    from spotcheck_device.doctor.finding import Outcome

    if lang not in ("zh", "en"):
        raise typer.BadParameter(f"{lang!r} is neither zh nor en", param_hint="--lang")
    findings = examine(config)
    if as_json:
        summary = findings_summary(findings, lang)
        typer.echo(json.dumps(summary, ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print_findings(Console(), findings, lang)
    if worst(findings) is Outcome.FAILED:
        raise typer.Exit(EXIT_FAILED)


@device_commands.command()
def pair(config: _Config) -> None:
    """Show a code by which one host can be paired with the running daemon, and wait for it."""
    from spotcheck_device.config import load_config
    from spotcheck_device.device_trust import pairing_desk
    from spotcheck_trust.pairing_desk import LASTS_S, MOST_WRONG_TRIES

    with named_errors():
        desk = pairing_desk(Path(load_config(config).state_folder))
        opened = desk.open()
        typer.echo(
            f"{opened.code}  (for {LASTS_S} s; on the host: spotcheck pair HOST:PORT --code)"
        )
        try:
            while desk.current() is not None:
                time.sleep(LOOK_S)
            ended = desk.last() or opened
        finally:
            desk.close()
    if ended.paired_with:
        typer.echo(f"paired with {ended.paired_with}")
        return
    wrong = ended.wrong_tries >= MOST_WRONG_TRIES
    typer.echo("closed after three wrong codes" if wrong else "the code has expired", err=True)
    raise typer.Exit(EXIT_NOT_PAIRED)


@device_commands.command()
def hosts(config: _Config) -> None:
    """List the hosts that the device is paired with."""
    from spotcheck_device.config import load_config
    from spotcheck_device.device_trust import device_hosts

    with named_errors():
        for peer in device_hosts(Path(load_config(config).state_folder)).all():
            typer.echo(f"{peer.key_id}  {peer.name}  by {peer.paired_by.value}")


@device_commands.command()
def forget(
    config: _Config, host: Annotated[str, typer.Argument(help="Key id or name of the host.")]
) -> None:
    """Take back the pairing with a host; a connection that stands is cut."""
    from spotcheck_device.config import load_config
    from spotcheck_device.device_trust import device_hosts

    with named_errors():
        peer = device_hosts(Path(load_config(config).state_folder)).remove(host)
        typer.echo(f"no longer paired with {peer.name} ({peer.key_id})")


@device_commands.command()
def key(config: _Config) -> None:
    """Print the public key by which the device signs its results."""
    from spotcheck_device.config import load_config
    from spotcheck_trust.identity import load_identity
    from spotcheck_trust.key_names import key_id

    with named_errors():
        identity = load_identity(Path(load_config(config).state_folder) / "device.pem")
        typer.echo(f"{key_id(identity.public)}  {identity.public.hex()}")


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    """The log of a run, and why it ended if it failed."""
    from spotcheck_device.event_log import close_event_log, log_event, open_event_log

    # A watchdog that is not fed aborts the process: where it hung is then told, as plain text.
    faulthandler.enable()
    handler = open_event_log()
    try:
        yield
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        log_event(
            "device-failed",
            logging.ERROR,
            text=str(error),
            kind=type(error).__name__,
            where=f"{Path(last.filename).name}:{last.lineno}",
        )
        raise
    finally:
        close_event_log(handler)
