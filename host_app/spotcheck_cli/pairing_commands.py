"""`spotcheck pair`, `pairings` and `unpair`: with which instruments this computer is paired."""

import getpass
import platform
from pathlib import Path
from typing import Annotated

import typer

from spotcheck_cli.named_errors import named_errors

_Out = Annotated[Path, typer.Option(help="Folder of record, keys and pairings.")]
_OUT = Path("spotcheck-records")


def add_pairing_commands(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(pair)
    app.command()(pairings)
    app.command()(unpair)


def pair(
    address: Annotated[str, typer.Argument(help="Instrument: host:port, or a serial port.")],
    code: Annotated[str, typer.Option(help="What the instrument shows; none by cable.")] = "",
    out: _Out = _OUT,
) -> None:
    """Pair this computer with an instrument."""
    from spotcheck_cli import pairing
    from spotcheck_cli.window import checked_address
    from spotcheck_host.host_trust import open_host_trust

    with named_errors():
        out.mkdir(parents=True, exist_ok=True)
        trust = open_host_trust(out, f"{getpass.getuser()}@{platform.node()}"[:64])
        peer = pairing.pair(checked_address(address), trust, code)
        typer.echo(f"paired with {peer.name} ({peer.key_id})")


def pairings(out: _Out = _OUT) -> None:
    """List the instruments that this computer is paired with."""
    from spotcheck_host.host_trust import paired_devices

    with named_errors():
        for peer in paired_devices(out).all():
            typer.echo(
                f"{peer.key_id}  {peer.name}  by {peer.paired_by.value}  {peer.public.hex()}"
            )


def unpair(
    device: Annotated[str, typer.Argument(help="Key id or serial number of the instrument.")],
    out: _Out = _OUT,
) -> None:
    """Take back the pairing with an instrument."""
    from spotcheck_host.host_trust import paired_devices

    with named_errors():
        peer = paired_devices(out).remove(device)
        typer.echo(f"no longer paired with {peer.name} ({peer.key_id})")
