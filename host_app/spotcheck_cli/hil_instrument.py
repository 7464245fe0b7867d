"""pytest plugin: Spotcheck itself as the instrument of `spotcheck_sim.pytest_plugin`.

sim   the measuring session in this process
emu   the front end's firmware under MicroPython, the daemon as a process, the real links
hw    an instrument at its address
"""

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from spotcheck.errors import DeviceLostError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.rule import ReadingPlan, load_rule
from spotcheck_cli.demo_instrument import (
    SAMPLE_RATE_HZ,
    demonstration_correction_set,
    exact_front_end,
    stream_format,
)
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_cli.pairing import connected_device
from spotcheck_cli.processes import firmware, micropython, wire_folder
from spotcheck_cli.rehearsal import connect, start_device
from spotcheck_device.session_messages import MeasurementRequest
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient
from spotcheck_host.host_trust import open_host_trust
from spotcheck_sim.bench import BenchConfig, SimulatedBench
from spotcheck_sim.bench_process import BenchProcess, BenchProcessConfig
from spotcheck_sim.hil.bench import Backend
from spotcheck_sim.hil.instrument import (
    Instrument,
    MeasuredError,
    MeasurementOrder,
    NoMeasurement,
)
from spotcheck_sim.meter_under_test import MeterUnderTest
from spotcheck_sim.pytest_plugin import backend_of
from spotcheck_wire import host_messages as wire

REQUEST = "hil"
LONGEST_SILENCE_S = 30.0


@pytest.fixture
def clamp() -> str:
    """Clamp of the simulated instrument: C100, or C5 for currents up to 5 A."""
    return "C100"


@pytest.fixture
def bench_config(nameplate: Meter, simulated_meter: MeterUnderTest, clamp: str) -> BenchConfig:
    """The simulated bench with a front end that is what the correction set says."""
    stream = stream_format(nameplate.phases, clamp)
    front_end = exact_front_end(demonstration_correction_set(), stream)
    return BenchConfig(meter=simulated_meter, front_end=front_end)


@pytest.fixture
def instrument(request: pytest.FixtureRequest, tmp_path: Path) -> Instrument:
    """Spotcheck on the backend in use."""
    match backend_of(request.config):
        case Backend.SIM:
            return InProcessInstrument()
        case Backend.EMU:
            return EmulatedInstrument(tmp_path)
        case Backend.HW:
            return RealInstrument(
                request.config.getoption("--instrument"), _host_folder(request.config)
            )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Who this computer is to a real instrument."""
    parser.getgroup("bench").addoption(
        "--host-folder",
        default="",
        metavar="FOLDER",
        help="key and pairings of this computer, as `spotcheck pair` keeps them (hw)",
    )


def _host_folder(config: pytest.Config) -> Path:
    folder = config.getoption("--host-folder")
    if not folder:
        raise pytest.UsageError("--backend=hw needs --host-folder, as `spotcheck pair` keeps it")
    return Path(folder)


class InProcessInstrument:
    """The measuring session fed by the simulated bench."""

    def measure(self, order: MeasurementOrder) -> MeasuredError | NoMeasurement:
        """The meter's error, or the reason why there is none."""
        request = MeasurementRequest(
            request_id=REQUEST,
            start_sample=round(order.start_s * SAMPLE_RATE_HZ),
            meter=order.nameplate,
            minimum_pulses=order.minimum_pulses,
            minimum_duration_s=order.minimum_duration_s,
            maximum_duration_s=order.maximum_duration_s,
            readings=1,
        )
        bench = SimulatedBench(order.config, order.seed)
        (event,) = measure_in_process(bench, demonstration_correction_set(), request)
        return _answer(event.outcome, SAMPLE_RATE_HZ)


class EmulatedInstrument:
    """Firmware, daemon and links as they run on a board, started anew for each measurement."""

    def __init__(self, folder: Path) -> None:
        """An instrument whose state lies in a folder."""
        self._folder = folder
        self._starts = 0

    def measure(self, order: MeasurementOrder) -> MeasuredError | NoMeasurement:
        """The meter's error, or the reason why there is none."""
        self._starts += 1
        folder = self._folder / f"instrument-{self._starts}"
        folder.mkdir()
        config = BenchProcessConfig(
            bench=order.config,
            seed=order.seed,
            micropython=micropython(),
            firmware=firmware(),
            wire_folder=wire_folder(),
        )
        with (
            _running_bench(config) as addresses,
            start_device(folder, demonstration_correction_set(), addresses) as device,
            connect(folder, device.addresses["host"]) as client,
        ):
            return _ordered(client, order)


class RealInstrument:
    """An instrument on the bench of a laboratory."""

    def __init__(self, address: str, host_folder: Path) -> None:
        """The instrument at `host:port`, paired with the computer of a folder."""
        host, _, port = address.rpartition(":")
        self._address = host, int(port)
        self._trust = open_host_trust(host_folder, "bench")

    def measure(self, order: MeasurementOrder) -> MeasuredError | NoMeasurement:
        """The meter's error, or the reason why there is none."""
        with connected_device(self._address, self._trust) as client:
            return _ordered(client, order)


def _ordered(client: DeviceClient, order: MeasurementOrder) -> MeasuredError | NoMeasurement:
    """Order one reading and wait for it."""
    client.start(
        REQUEST,
        order.nameplate,
        _plan(order),
        readings=1,
        start_sample=round(order.start_s * client.hello.sample_rate_hz),
        maximum_duration_s=order.maximum_duration_s,
    )
    while (event := client.next_event(LONGEST_SILENCE_S)) is not None:
        if isinstance(event, wire.Refused):
            return NoMeasurement(
                reason=Reason.REFUSED.value, detail=event.reason, end_s=order.start_s
            )
        if isinstance(event, ArrivedOutcome) and event.message.request_id == REQUEST:
            client.acknowledge(event.message.outcome_id)
            return _answer(_outcome(event.message), client.hello.sample_rate_hz)
    raise DeviceLostError(f"the device has said nothing for {LONGEST_SILENCE_S:.0f} s")


def _outcome(message: wire.Outcome) -> ErrorReading | CannotJudge:
    if message.kind == wire.OUTCOME_READING:
        return from_plain(ErrorReading, message.body)
    return from_plain(CannotJudge, message.body)


def _plan(order: MeasurementOrder) -> ReadingPlan:
    return replace(
        load_rule("jjg596-2012").readings,
        minimum_pulses=order.minimum_pulses,
        minimum_duration_s=math.ceil(order.minimum_duration_s),
    )


def _answer(
    outcome: ErrorReading | CannotJudge, sample_rate_hz: int
) -> MeasuredError | NoMeasurement:
    if isinstance(outcome, CannotJudge):
        return NoMeasurement(
            reason=outcome.reason.value,
            detail=outcome.detail,
            end_s=(outcome.at_sample or 0) / sample_rate_hz,
        )
    return MeasuredError(
        error_percent=outcome.error_percent,
        expanded_uncertainty_percent=outcome.expanded_uncertainty_percent,
        pulses=outcome.pulses_used,
        end_s=outcome.last_stamp / STAMP_SUBDIVISION / sample_rate_hz,
    )


@contextmanager
def _running_bench(config: BenchProcessConfig) -> Iterator[dict[str, str]]:
    """The bench and its firmware while somebody measures; its loop has a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    bench = BenchProcess(config)
    asyncio.run_coroutine_threadsafe(_entered(bench), loop).result()
    running = asyncio.run_coroutine_threadsafe(bench.run(), loop)
    try:
        yield bench.addresses
    finally:
        running.cancel()
        asyncio.run_coroutine_threadsafe(_left(bench), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _entered(bench: BenchProcess) -> None:
    await bench.__aenter__()


async def _left(bench: BenchProcess) -> None:
    await bench.__aexit__(None, None, None)
