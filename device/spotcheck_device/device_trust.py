"""The device's own key, the hosts that it is paired with, and the code that it shows."""

import time
from dataclasses import dataclass
from pathlib import Path

from spotcheck.errors import ConfigurationError
from spotcheck_trust.identity import Identity, load_or_make_identity
from spotcheck_trust.pairing_desk import PairingDesk
from spotcheck_trust.peers import Peers


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTrust:
    """What makes a host trusted, and a result the device's."""

    device_id: str
    """Serial number of the instrument."""
    identity: Identity
    """Its key: signs results and shows hosts whom they speak to."""
    hosts: Peers
    """The hosts that it is paired with."""
    desk: PairingDesk
    """The code that it shows while it may be paired."""


def open_device_trust(state_folder: Path, device_id: str) -> DeviceTrust:
    """What the state folder holds; the key is made at the first start.

    Raises:
        ConfigurationError: the key or a pairing is damaged, or the folder cannot be written.
        KeyRefusedError: others than the owner can read the key.
    """
    try:
        identity = load_or_make_identity(state_folder / "device.pem", device_id)
    except PermissionError as error:
        if error.errno is None:
            raise
        raise ConfigurationError(f"state_folder {state_folder}: {error.strerror}") from error
    except OSError as error:
        raise ConfigurationError(f"state_folder {state_folder}: {error.strerror}") from error
    return DeviceTrust(
        device_id=device_id,
        identity=identity,
        hosts=device_hosts(state_folder),
        desk=pairing_desk(state_folder),
    )


def device_hosts(state_folder: Path) -> Peers:
    """The hosts that a device is paired with."""
    return Peers(state_folder / "hosts")


def pairing_desk(state_folder: Path) -> PairingDesk:
    """The code that a device shows."""
    return PairingDesk(state_folder / "pairing", time.monotonic)
