"""The host's own key for its links, and the devices that it is paired with."""

from dataclasses import dataclass
from pathlib import Path

from spotcheck_trust.identity import Identity, load_or_make_identity
from spotcheck_trust.peers import Peers


@dataclass(frozen=True, slots=True, kw_only=True)
class HostTrust:
    """What makes a device trusted."""

    name: str
    """What the host calls itself when it is paired."""
    identity: Identity
    """Its key; other than the key of the acting person, who signs the record."""
    devices: Peers
    """The devices that it is paired with."""


def open_host_trust(folder: Path, name: str) -> HostTrust:
    """What a folder holds; the key is made when there is none.

    Args:
        folder: Folder of the record and all that goes with it.
        name: What the host calls itself when it is paired.

    Raises:
        ConfigurationError: the key or a pairing is damaged.
        KeyRefusedError: others than the owner can read the key.
        OSError: the folder cannot be written.
    """
    return HostTrust(
        name=name,
        identity=load_or_make_identity(folder / "host.pem", name),
        devices=paired_devices(folder),
    )


def paired_devices(folder: Path) -> Peers:
    """The devices that a host is paired with."""
    return Peers(folder / "devices")
