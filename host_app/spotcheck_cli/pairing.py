"""Pairing with an instrument, and connecting to one that was paired."""

from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_cli.rehearsal import secured
from spotcheck_host.device_client import DeviceClient
from spotcheck_host.device_pairing import pair_by_code, pair_over_cable
from spotcheck_host.host_trust import HostTrust
from spotcheck_host.transports import SerialTransport, TcpTransport, Transport
from spotcheck_trust.peers import PairedBy, Peer

Address = tuple[str, int] | Path


def pair(address: Address, trust: HostTrust, code: str) -> Peer:
    """Pair with the instrument at an address.

    Args:
        address: Host and port, or a serial port.
        trust: The host's key; the instrument is stored there.
        code: What the instrument shows; empty over a serial port, whose cable is enough.

    Raises:
        ConfigurationError: a code is missing, or one too many.
        PairingError: the instrument does not pair.
        DeviceLostError: it does not answer.
    """
    if isinstance(address, Path):
        if code:
            raise ConfigurationError(
                "over a serial port the cable is the pairing; leave out --code"
            )
        return pair_over_cable(_transport(address), trust)
    if not code:
        raise ConfigurationError(
            "--code is missing; `spotcheck device pair CONFIG` shows it on the instrument"
        )
    return pair_by_code(_transport(address), trust, code)


def connected_device(address: Address, trust: HostTrust) -> DeviceClient:
    """The instrument at an address; the first one over a cable is paired, which is announced.

    Raises:
        NotPairedError: it is not a device that was paired.
        PairingError: over its cable it is paired with another computer.
        DeviceLostError: it does not answer.
    """
    by_cable = any(peer.paired_by is PairedBy.CABLE for peer in trust.devices.all())
    if not isinstance(address, Path) or by_cable:
        return secured(_transport(address), trust)
    peer = pair_over_cable(_transport(address), trust)
    client = secured(_transport(address), trust)
    client.announce("paired", f"paired over the cable with {peer.name} ({peer.key_id})")
    return client


def _transport(address: Address) -> Transport:
    return SerialTransport(str(address)) if isinstance(address, Path) else TcpTransport(*address)
