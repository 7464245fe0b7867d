"""What every rehearsal needs: its clock, and bench and device as processes of their own."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spotcheck.canonical_json import canonical_bytes
from spotcheck.errors import ConfigurationError
from spotcheck.plain import to_plain
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_cli.processes import ChildProcess
from spotcheck_cli.scenario import EPOCH_UTC_NS, Scenario
from spotcheck_device.device_trust import device_hosts
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient, DeviceEvent
from spotcheck_host.host_trust import HostTrust, open_host_trust, paired_devices
from spotcheck_host.keys import demonstration_key
from spotcheck_host.secure_transport import SecureTransport
from spotcheck_host.transports import TcpTransport, Transport
from spotcheck_trust.identity import Identity, load_identity, save_identity
from spotcheck_trust.peers import PairedBy, Peer
from spotcheck_wire.host_messages import OUTCOME_READING

HOST_FOLDER = "host"
"""Folder of a rehearsal's host within that of its instrument."""


class StreamClock:
    """The record's clock in a rehearsal: stream time, so that a seed gives the same events."""

    def __init__(self) -> None:
        """Stand at the stream's beginning."""
        self._now_ns = EPOCH_UTC_NS

    def __call__(self) -> int:
        """UTC in nanoseconds."""
        return self._now_ns

    def follow(self, event: DeviceEvent, sample_rate_hz: int) -> None:
        """Move on to the end of an outcome."""
        if isinstance(event, ArrivedOutcome):
            body: dict[str, Any] = event.message.body
            if event.message.kind == OUTCOME_READING:
                sample = body["last_stamp"] // STAMP_SUBDIVISION
            else:
                sample = body["at_sample"] or 0
            now_ns = EPOCH_UTC_NS + sample * 1_000_000_000 // sample_rate_hz
            self._now_ns = max(self._now_ns, now_ns)


@contextmanager
def only_one_in(out: Path) -> Iterator[None]:
    """Two programs in one folder would take each other's cases for cut off.

    Raises:
        ConfigurationError: another one runs in the folder.
    """
    with (out / "in-use").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"another Spotcheck is running in {out}; close it, or choose another --out"
            ) from error
        yield


def start_bench(folder: Path, scenario: Scenario, *, real_time: bool) -> ChildProcess:
    """The simulated bench as a process of its own.

    Args:
        folder: Where its files go.
        scenario: What it shows.
        real_time: Whether stream time keeps to the wall clock.
    """
    path = folder / "scenario.json"
    path.write_bytes(canonical_bytes(to_plain(scenario)))
    arguments = ["bench", str(path), *(["--real-time"] if real_time else [])]
    return ChildProcess("simulated bench", arguments, folder / "bench.log")


def start_device(
    folder: Path,
    correction: CorrectionSet,
    sources: dict[str, str],
    *,
    host_serial: str = "",
    record: tuple[Path, str] | None = None,
) -> ChildProcess:
    """The device daemon as a process of its own, paired with the host of the same folder.

    Args:
        folder: Where its state and files go.
        correction: The instrument's correction set.
        sources: Addresses of samples and pulses.
        host_serial: Serial port of a host; empty for none.
        record: Folder and format of recordings; None for no recordings.
    """
    pair_rehearsal(folder, correction.instrument, folder / HOST_FOLDER)
    corrections = folder / "correction-set.json"
    corrections.write_bytes(correction.to_bytes())
    values = {
        "device_id": correction.instrument,
        "state_folder": str(folder / "state"),
        "correction_set": str(corrections),
        "samples": sources["samples"],
        "pulses": sources["pulses"],
        "host_serial": host_serial,
    }
    if record is not None:
        values["record_folder"], values["record_format"] = str(record[0]), record[1]
    config = folder / "device.toml"
    # A JSON string is a TOML string, as long as it writes no character as two halves.
    config.write_text(
        "".join(f"{k} = {json.dumps(v, ensure_ascii=False)}\n" for k, v in values.items()), "utf-8"
    )
    arguments = ["device", str(config), "--until-input-closes"]
    return ChildProcess("device", arguments, folder / "device.log")


def pair_rehearsal(folder: Path, device_id: str, host_folder: Path) -> HostTrust:
    """Pair a rehearsal's device with a host, both on this machine; keys that are there are kept.

    The device's key is a demonstration key: everybody can tell that what it signs proves nothing.

    Args:
        folder: Folder of the device.
        device_id: Serial number of the device.
        host_folder: Folder of the host's key and pairings.
    """
    host = open_host_trust(host_folder, "rehearsal")
    device = _rehearsed_device(folder / "state" / "device.pem", device_id)
    by_hand = PairedBy.CABLE
    paired_devices(host_folder).add(
        Peer(name=device_id, certificate=device.certificate, paired_by=by_hand)
    )
    device_hosts(folder / "state").add(
        Peer(name=host.name, certificate=host.identity.certificate, paired_by=by_hand)
    )
    return host


def _rehearsed_device(path: Path, device_id: str) -> Identity:
    if path.exists():
        return load_identity(path)
    return save_identity(path, device_id, demonstration_key(0, device_id).private)


def connect(folder: Path, address: str) -> DeviceClient:
    """The device of that folder, at `host:port`, seen by the host of the same folder."""
    host, _, port = address.rpartition(":")
    return secured(
        TcpTransport(host, int(port)), open_host_trust(folder / HOST_FOLDER, "rehearsal")
    )


def secured(carrier: Transport, trust: HostTrust) -> DeviceClient:
    """The paired device at the other end of a transport.

    Raises:
        NotPairedError: it is not a device that was paired.
        DeviceLostError: it does not answer.
    """
    link = SecureTransport(carrier, trust)
    try:
        return DeviceClient(link, link.device)
    except BaseException:
        link.close()
        raise
