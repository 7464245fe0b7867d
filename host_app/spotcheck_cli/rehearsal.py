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
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient, DeviceEvent, TcpTransport
from spotcheck_wire.host_messages import OUTCOME_READING


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
    """The device daemon as a process of its own.

    Args:
        folder: Where its state and files go.
        correction: The instrument's correction set.
        sources: Addresses of samples and pulses.
        host_serial: Serial port of a host; empty for none.
        record: Folder and format of recordings; None for no recordings.
    """
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


def connect(address: str) -> DeviceClient:
    """The device at `host:port`."""
    host, _, port = address.rpartition(":")
    return DeviceClient(TcpTransport(host, int(port)))
