"""Whether a hung disk or a host that does not read holds up the reading of samples.

The daemon runs in a process of its own on a converter in real time: eight channels at 32 kS/s over
libiio's protocol on loopback, six of them wanted, behind it a buffer as the kernel has
one; what nobody fetches in time is dropped there and counted. A front end on a pty counts the same
frames. One host orders readings; another asks for live pictures and never reads them. From a
moment on, writing a recording takes for ever.

Needs libiio0 (apt). Run: nice .venv/bin/python benchmarks/back_pressure.py --seconds 180
"""

import argparse
import asyncio
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import tty
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import numpy as np
from sustained_signal import (
    CHANNELS,
    RATE_HZ,
    STREAM,
    meter,
    pulse_interval_samples,
    template_codes,
)

from spotcheck.rule import ReadingPlan
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.rehearsal import HOST_FOLDER, connect, pair_rehearsal
from spotcheck_device.config import load_config
from spotcheck_device.daemon import Daemon
from spotcheck_device.recording_folder import RecordingFolder
from spotcheck_device.sources.iio_converter import BUFFER_S, KERNEL_BUFFERS
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient
from spotcheck_wire import frontend_messages as table
from spotcheck_wire.frames import FRONT_END_MAX_FRAME, FrameEncoder
from spotcheck_wire.host_messages import Notice

KERNEL_BUFFER_FRAMES = round(KERNEL_BUFFERS * BUFFER_S * RATE_HZ)
COUNTER_HZ = 24_000_000
MARKED = 1024
READING_S = 10


def iiod_stub() -> ModuleType:
    path = Path(__file__).parents[1] / "tests/device/sources/iiod_stub.py"
    spec = importlib.util.spec_from_file_location("iiod_stub", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["iiod_stub"] = module
    spec.loader.exec_module(module)
    return module


class Clock:
    """Frames of the converter by the monotonic clock."""

    def __init__(self) -> None:
        self.begin_ns = time.monotonic_ns()

    def made(self) -> int:
        return (time.monotonic_ns() - self.begin_ns) * RATE_HZ // 1_000_000_000


class KernelBuffer:
    """Scans that wait to be fetched; the oldest fall out when more wait than it holds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next: int | None = None
        self.dropped = 0
        self._longest_wait_frames = 0
        self._second = np.zeros(RATE_HZ, [("codes", "<i4", 6), ("stamp_ns", "<i8")])
        self._second["codes"] = template_codes()[:RATE_HZ, :6] << 8

    def longest_wait_ms(self) -> int:
        """Of a scan, since the last call."""
        longest, self._longest_wait_frames = self._longest_wait_frames, 0
        return round(1000 * longest / RATE_HZ)

    def read(self, mask: int, length: int) -> bytes:
        assert mask == 0b1_0011_1111
        count = length // self._second.itemsize
        if self._next is None:
            self._next = self._clock.made()
        while (waiting := self._clock.made() - self._next) < count:
            time.sleep(0.002)
        self._longest_wait_frames = max(self._longest_wait_frames, waiting)
        surplus = max(0, waiting - KERNEL_BUFFER_FRAMES)
        self.dropped += surplus
        frames = np.arange(count) + self._next + surplus
        self._next += surplus + count
        scans = self._second[frames % RATE_HZ]
        scans["stamp_ns"] = self._clock.begin_ns + frames * 1_000_000_000 // RATE_HZ
        return scans.tobytes()


def front_end(port: int, clock: Clock) -> None:
    """Markers, pulses and promises, as the firmware sends them."""
    encoder = FrameEncoder(max_frame=FRONT_END_MAX_FRAME)

    def send(message: table.FrontEndMessage) -> None:
        os.write(port, encoder.encode(*table.encode_front_end(message)))

    def counter(frame: float) -> int:
        return round(frame * COUNTER_HZ / RATE_HZ)

    send(
        table.FrontEndHello(
            counter_hz=COUNTER_HZ, boot_id=1, firmware_major=1, firmware_minor=0,
            firmware_patch=0, inputs=5, marker_interval=1024, boot_reason=0, self_test=0,
        )
    )  # fmt: skip
    marked, index, interval = 0, 0, pulse_interval_samples()
    while True:
        time.sleep(0.01)
        made = clock.made()
        while marked <= made:
            send(table.Marker(sample_index=marked, counter=counter(marked)))
            marked += MARKED
        while index * interval <= made:
            at = counter(index * interval)
            send(table.Pulse(input=0, index=index, counter=at, width_counts=0))
            index += 1
        send(
            table.Complete(
                counter=counter(made), pulses_so_far=(index, 0, 0, 0, 0), dropped_edges=0,
                records_lost=0,
            )
        )  # fmt: skip


def board(config: Path, disk_hangs_at_s: float) -> None:
    """The daemon, on a disk that hangs from a moment on."""
    add_block = RecordingFolder.add_block
    begun_s = time.monotonic()

    def hang(self: RecordingFolder, block: object) -> None:
        if time.monotonic() - begun_s > disk_hangs_at_s:
            time.sleep(3600)
        add_block(self, block)  # type: ignore[arg-type]

    RecordingFolder.add_block = hang  # type: ignore[method-assign, assignment]
    asyncio.run(Daemon(load_config(config)).run(until_input_closes=True))
    os._exit(0)  # the thread that hangs in the disk would be waited for


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def run(seconds: float, disk_hangs_at_s: float, folder: Path) -> None:
    stub = iiod_stub()
    clock = Clock()
    buffer = KernelBuffer(clock)

    class RealTimeBench(stub.Bench):  # type: ignore[misc, name-defined]
        def read(self, mask: int, length: int) -> bytes:
            return buffer.read(mask, length)

    master, slave = os.openpty()
    tty.setraw(slave)
    threading.Thread(target=front_end, args=(master, clock), daemon=True).start()
    bench = RealTimeBench(frames=iter(()), channels=CHANNELS, rate=str(RATE_HZ))
    with stub.serving(bench) as uri:
        keys = f"device=ads131m08&phases=3&inputs=0,1,2,3,4,5&voltage={STREAM.voltage_range}"
        (folder / "set.json").write_bytes(demonstration_correction_set().to_bytes())
        (folder / "device.toml").write_text(
            f'device_id = "SC-1"\nstate_folder = "{folder}/state"\n'
            f'correction_set = "{folder}/set.json"\npulses = "{os.ttyname(slave)}"\n'
            f'samples = "iio:{uri}?{keys}&current={STREAM.current_range}"\n'
            f'record_folder = "{folder}/recordings"\nrecord_format = "flac"\n'
        )
        pair_rehearsal(folder, "SC-1", folder / HOST_FOLDER)
        command = [sys.executable, __file__, "--board", str(folder / "device.toml")]
        with subprocess.Popen(
            [*command, "--disk-hangs-at", str(disk_hangs_at_s)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as daemon:  # fmt: skip
            assert daemon.stdout is not None
            assert daemon.stdin is not None
            try:
                address = json.loads(daemon.stdout.readline())["host"]
                with connect(folder, address) as silent, connect(folder, address) as client:
                    measure(daemon.pid, client, silent, buffer, seconds)
            finally:
                daemon.stdin.close()
                daemon.wait(10)


def measure(
    pid: int, client: DeviceClient, silent: DeviceClient, buffer: KernelBuffer, seconds: float
) -> None:
    """Order readings, let the other host be silent, and print what comes of it."""
    silent.watch_live(50, 2048)
    plan = ReadingPlan(
        minimum=1, maximum=1, largest_difference_to_class=Decimal(1), minimum_pulses=10,
        minimum_duration_s=READING_S, clause="benchmark",
    )  # fmt: skip
    client.start(
        "r/1", meter(), plan, readings=10**6, start_sample=0, maximum_duration_s=3 * READING_S
    )
    outcomes: list[ArrivedOutcome] = []
    told: list[str] = []
    print("| s | CPU s per s | resident, MiB | outcomes | longest wait, ms | dropped there |")
    print("|---|---:|---:|---:|---:|---:|")
    for second in ten_seconds(seconds):
        before_s, begun_s = cpu_s(pid), time.monotonic()
        for event in events(client, until_s=begun_s + 10):
            if isinstance(event, ArrivedOutcome):
                outcomes.append(event)
                client.acknowledge(event.message.outcome_id)
            elif isinstance(event, Notice):
                told.append(f"{event.code}: {event.text}")
        spent = (cpu_s(pid) - before_s) / (time.monotonic() - begun_s)
        print(f"| {second} to {second + 10} | {spent:.3f} | {resident_mib(pid):.0f} "
              f"| {len(outcomes)} | {buffer.longest_wait_ms()} | {buffer.dropped} |",
              flush=True)  # fmt: skip
    kinds = {outcome.message.kind for outcome in outcomes}
    print(f"\noutcomes {len(outcomes)}, of the kinds {', '.join(kinds)};", end=" ")
    print(f"frames dropped for want of being fetched: {buffer.dropped}.")
    print("Told:", *(told or ["nothing"]), sep="\n- ")


def ten_seconds(seconds: float) -> range:
    return range(0, round(seconds), 10)


def events(client: DeviceClient, *, until_s: float) -> Iterator[object]:
    while (left_s := until_s - time.monotonic()) > 0:
        if (event := client.next_event(left_s)) is not None:
            yield event


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--disk-hangs-at", type=float, default=60.0)
    parser.add_argument("--board", type=Path)
    options = parser.parse_args()
    if options.board:
        board(options.board, options.disk_hangs_at)
    else:
        with tempfile.TemporaryDirectory() as folder:
            run(options.seconds, options.disk_hangs_at, Path(folder))


if __name__ == "__main__":
    main()
