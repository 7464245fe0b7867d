"""A trial through the real daemon, its real links and the host's own procedure, in one process."""

import asyncio
import contextlib
import socket
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from spotcheck.errors import DeviceLostError, SpotcheckError
from spotcheck_cli.fault_matrix.faulty_transport import FaultyTransport
from spotcheck_cli.fault_matrix.finding import Finding, named, of_verdict, wrong
from spotcheck_cli.fault_matrix.trial import SAMPLE_RATE_HZ, STREAM_S, Trial
from spotcheck_cli.rehearsal import HOST_FOLDER, pair_rehearsal, secured
from spotcheck_device.config import DeviceConfig
from spotcheck_device.daemon import Daemon
from spotcheck_host.device_client import DeviceClient
from spotcheck_host.host_trust import open_host_trust
from spotcheck_host.keys import SigningKey, demonstration_key
from spotcheck_host.procedure import Attendance, Case, PresentLoadProcedure
from spotcheck_host.records import RecordStore
from spotcheck_host.transports import TcpTransport
from spotcheck_sim.bench import BenchConfig, SimulatedBench
from spotcheck_sim.link_faults import LinkFault
from spotcheck_sim.wired_bench import WiredBench, WiredFaults

CONNECT_S = 5.0
DEVICE_ID = "SC-FAULT"
AT_ONCE = 24
"""Trials that may run at once: most of their time they wait."""
_HOSTS = ThreadPoolExecutor(AT_ONCE)
"""Threads of the hosts, apart from those in which the daemons write to their disks."""
NOT_STRUCK = "the step did not come"
"""Words of a trial in which nothing went wrong, because it had ended before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WiredTrial:
    """A trial with what goes wrong on its wires."""

    trial: Trial
    """The trial."""
    config: BenchConfig
    """Its bench, with a fault or without."""
    seed: int
    """Seed of everything random."""
    wires: WiredFaults = field(default_factory=WiredFaults)
    """What goes wrong between bench and device."""
    host: LinkFault | None = None
    """What goes wrong between device and host."""


async def run_wired(wired: WiredTrial) -> Finding:
    """Measure and judge through all links.

    Args:
        wired: The trial and its faults.
    """
    bench = SimulatedBench(wired.config, wired.seed)
    end_sample = round(STREAM_S * SAMPLE_RATE_HZ)
    # A daemon that is told to end may still be writing its journal.
    with tempfile.TemporaryDirectory(prefix="spotcheck-fault-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with WiredBench(bench, wired.wires, folder, wired.seed, end_sample) as source:
            config = _device_config(folder, wired.trial, source.addresses)
            daemon = asyncio.ensure_future(Daemon(config).run(until_input_closes=False))
            try:
                loop = asyncio.get_running_loop()
                link = await loop.run_in_executor(_HOSTS, _connected, config.host_listen)
                transport = FaultyTransport(link, wired.host, wired.seed)
                work = loop.run_in_executor(_HOSTS, _host_work, wired, transport, folder)
                ends: set[asyncio.Future[Any]] = {work, daemon}
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if daemon.done():
                    transport.close()
                finding = await work
                if daemon.done():
                    return wrong(f"the daemon ended: {daemon.exception()!r}")
            finally:
                daemon.cancel()
                await asyncio.gather(daemon, return_exceptions=True)
        has_fault = wired.host or wired.wires.line or wired.wires.stream
        if has_fault and not transport.has_struck and not source.has_struck:
            return named(NOT_STRUCK)
        return finding


def _device_config(folder: Path, trial: Trial, sources: dict[str, str]) -> DeviceConfig:
    correction = folder / "correction-set.json"
    correction.write_bytes(trial.correction.to_bytes())
    pair_rehearsal(folder, DEVICE_ID, folder / HOST_FOLDER)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return DeviceConfig(
        device_id=DEVICE_ID,
        state_folder=str(folder / "state"),
        correction_set=str(correction),
        samples=sources["samples"],
        pulses=sources["pulses"],
        host_listen=f"127.0.0.1:{port}",
    )


def _host_work(wired: WiredTrial, transport: FaultyTransport, folder: Path) -> Finding:
    """What the host, in a thread of its own, came to."""
    with contextlib.closing(transport):
        try:
            trust = open_host_trust(folder / HOST_FOLDER, "rehearsal")
            with secured(transport, trust) as client:
                transport.open_session()
                return _judged(wired, client, folder)
        except SpotcheckError as error:
            return named(_words(error))
        except Exception as error:  # noqa: BLE001 -- an error without a name is the finding
            return wrong(f"unnamed: {error!r}")


def _judged(wired: WiredTrial, client: DeviceClient, folder: Path) -> Finding:
    trial = wired.trial
    case = Case(case_id="trial", meter=trial.meter, rule=trial.rule, operator="bench")
    with RecordStore(folder / "records.sqlite", _key(), time.time_ns, True) as store:
        procedure = PresentLoadProcedure(case, client=client, store=store, attendance=Attendance())
        result = procedure.run()
    return of_verdict(result.verdict, result.readings, trial.true_error_percent)


def _words(error: SpotcheckError) -> str:
    return "device lost" if isinstance(error, DeviceLostError) else type(error).__name__


@cache
def _key() -> SigningKey:
    return demonstration_key(1, "bench")


def _connected(address: str) -> TcpTransport:
    """The daemon may still be starting."""
    host, _, port = address.rpartition(":")
    deadline_s = time.monotonic() + CONNECT_S
    while True:
        try:
            return TcpTransport(host, int(port))
        except DeviceLostError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
