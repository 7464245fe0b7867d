"""How fast the DSP core runs, in CPU time of one core, beside its peers in the same run.

Run: make bench-speed (installs the peers: pqopen-lib, numba)
"""

import ctypes
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numba
import numpy as np
from daqopen.channelbuffer import AcqBuffer
from pqopen.powersystem import PowerSystem

from spotcheck_dsp.energy_register import EnergyRegister
from spotcheck_dsp.harmonics.harmonic_groups import harmonic_groups
from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS, MainsStream
from spotcheck_dsp.slot_sums import KERNELS, UI, SlotAccumulator, slot_sums_reference

PHASES, CHANNELS = 3, 6
RATES_HZ = (10_000, 50_000, 200_000)
BLOCK_S = 0.2
QUICK = "--quick" in sys.argv
REPEATS = 15 if QUICK else 60
STEPS = 5_000 if QUICK else 100_000


def best_ns(job: Callable[[], object], repeats: int = REPEATS) -> float:
    """Shortest CPU time of several runs: the one that was disturbed least."""
    times = []
    for _ in range(repeats):
        begun = time.process_time_ns()
        job()
        times.append(time.process_time_ns() - begun)
    return float(min(times))


def signal(rate_hz: int, seconds: float) -> np.ndarray:
    """Interleaved codes of six channels with harmonics and noise at 95 dB."""
    rng = np.random.default_rng(20261124)
    t = np.arange(round(rate_hz * seconds))[:, None] / rate_hz
    phase = np.arange(CHANNELS)
    values = np.cos(2 * np.pi * 50.02 * t + phase) + 0.1 * np.cos(2 * np.pi * 250.1 * t + 2 * phase)
    values += rng.normal(0, 1.8e-5, values.shape)
    return np.rint(values * (1 << 22)).astype(np.int32)


def at_line(codes: np.ndarray, bytes_beside: int = 0) -> np.ndarray:
    """A copy that begins where a line of the cache does, as a driver's buffers do, or beside."""
    room = np.empty(codes.size + 32, np.int32)
    first = (-room.ctypes.data % 64 + bytes_beside) // room.itemsize
    copy = room[first : first + codes.size].reshape(codes.shape)
    copy[:] = codes
    return copy


def read_limit() -> Callable[[np.ndarray], None]:
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "read_limit.so"
        source = Path(__file__).with_name("read_limit.c")
        options = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run(["gcc", *options, str(source), "-o", str(library)], check=True)
        read_all = ctypes.CDLL(str(library)).read_all
    read_all.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return lambda codes: read_all(codes.ctypes.data, codes.size)


@numba.njit(cache=False)
def numba_sums(codes, slot_length, out):
    """The sums as one would write them with numba."""
    for slot in range(out.shape[0]):
        for phase in range(out.shape[1]):
            ui = uu = ii = u_sum = i_sum = np.int64(0)
            for n in range(slot * slot_length, (slot + 1) * slot_length):
                u, i = np.int64(codes[n, 2 * phase]), np.int64(codes[n, 2 * phase + 1])
                ui += u * i
                uu += u * u
                ii += i * i
                u_sum += u
                i_sum += i
            out[slot, phase, 0], out[slot, phase, 2], out[slot, phase, 3] = ui, uu, ii
            out[slot, phase, 4], out[slot, phase, 5] = u_sum, i_sum


def sums() -> None:
    reading = read_limit()
    print("\n### Fused sums of six interleaved channels, slots of 200\n")
    print("| ns per sample-channel | L2 (480 kB) | DRAM (192 MB) |\n|---|---|---|")
    places = (at_line(signal(200_000, 0.1)), at_line(np.tile(signal(200_000, 1.0), (40, 1))))
    rows: dict[str, list[str]] = {}
    for codes in places:
        inner = max(1, 2_000_000 // codes.size)
        repeats = REPEATS if inner > 1 else 8

        def measure(job, codes=codes, inner=inner, repeats=repeats):
            return best_ns(lambda: [job() for _ in range(inner)], repeats) / inner / codes.size

        rows.setdefault("read limit", []).append(f"{measure(lambda c=codes: reading(c)):.3f}")
        for lagged in (False, True):
            for kernel in KERNELS:
                sums = SlotAccumulator(phases=PHASES, slot_length=200, lagged=lagged, kernel=kernel)
                name = f"{kernel}{', with lagged sums' if lagged else ''}"
                rows.setdefault(name, []).append(f"{measure(lambda s=sums, c=codes: s.add(c)):.3f}")
        beside, sums = (
            at_line(codes, 16),
            SlotAccumulator(phases=PHASES, slot_length=200, lagged=False),
        )
        name = f"{KERNELS[0]}, 16 bytes beside a line of the cache"
        rows.setdefault(name, []).append(f"{measure(lambda s=sums, c=beside: s.add(c)):.3f}")
        out = np.empty((len(codes) // 200, PHASES, 6), np.int64)
        numba_sums(codes, 200, out)
        rows.setdefault("numba, without lagged sums", []).append(
            f"{measure(lambda c=codes, o=out: numba_sums(c, 200, o)):.3f}"
        )
        if len(codes) < 1_000_000:
            found = measure(lambda c=codes: slot_sums_reference(c, 200))
            rows["NumPy, with lagged sums"] = [f"{found:.3f}", "–"]
    for name, cells in rows.items():
        print(f"| {name} | {' | '.join(cells)} |")


class Pipeline:
    """Everything that a reading needs, block by block."""

    def __init__(self, rate_hz: int, *, spectra: bool, pulses: bool) -> None:
        self._slot = rate_hz // 1000
        self._sums = SlotAccumulator(phases=PHASES, slot_length=self._slot, lagged=False)
        self._stream = MainsStream(phases=PHASES, sample_rate_hz=rate_hz, with_spectra=spectra)
        self._cycle = np.array([rate_hz / 50.02])
        self._pulses = pulses
        self._register = EnergyRegister(first_slot=0, slot_length=self._slot, columns=PHASES)
        self._slots = 0

    def add(self, codes: np.ndarray) -> None:
        slots, _ = self._sums.add(codes)
        step = self._stream.add_checked(codes)
        for found in step.spectra:
            harmonic_groups(found.spectrum)
        if self._pulses:
            self._register.extend(slots[:, :, UI].astype(np.float64))
            self._slots += len(slots)
            if self._slots % 1000 == 0:  # a pulse a second; the register begins anew
                centre = np.array([(self._slots - 100) * float(self._slot)])
                self._register.read(centre, self._cycle)
                self._register = EnergyRegister(
                    first_slot=self._slots, slot_length=self._slot, columns=PHASES
                )


def yardstick(blocks: list[np.ndarray], slot: int) -> Callable[[], None]:
    """Fused pass, and one batched real transform of 2048 values every 200 ms."""
    sums = SlotAccumulator(phases=PHASES, slot_length=slot, lagged=False)
    values = np.random.default_rng(1).normal(size=(CHANNELS, 2048))

    def run() -> None:
        for block in blocks:
            sums.add(block)
            np.fft.rfft(values, axis=1)

    return run


class Peer:
    """pqopen-lib with three phases and 50 harmonics."""

    def __init__(self, rate_hz: int) -> None:
        self._buffers = [AcqBuffer(size=4 * rate_hz) for _ in range(CHANNELS)]
        self._system = PowerSystem(
            zcd_channel=self._buffers[0], input_samplerate=rate_hz, zcd_threshold=0.1
        )
        for phase in range(PHASES):
            self._system.add_phase(
                u_channel=self._buffers[2 * phase], i_channel=self._buffers[2 * phase + 1]
            )
        self._system.enable_harmonic_calculation(50)

    def add(self, values: np.ndarray) -> None:
        for channel, buffer in enumerate(self._buffers):
            buffer.put_data(values[:, channel])
        self._system.process()

    @property
    def windows(self) -> int:
        return self._system.output_channels["U1_H_rms"].sample_count


def pipelines() -> None:
    print("\n### The whole way, blocks of 200 ms, ns per sample-channel\n")
    print(
        "| kS/s | sums | + phasors | + 50 harmonics, pulses | × real time "
        "| × fused pass and FFT | pqopen-lib | it / ours |\n|---|---|---|---|---|---|---|---|"
    )
    for rate_hz in RATES_HZ:
        codes = signal(rate_hz, 1.0)
        blocks = np.split(codes, round(1 / BLOCK_S))
        per = 1 / codes.size
        plain = SlotAccumulator(phases=PHASES, slot_length=rate_hz // 1000, lagged=False)
        tracked = Pipeline(rate_hz, spectra=False, pulses=False)
        whole = Pipeline(rate_hz, spectra=True, pulses=True)

        def run(target, blocks=blocks):
            for block in blocks:
                target.add(block)

        for target in (tracked, whole):
            run(target)
        sums_ns = best_ns(lambda p=plain: run(p))
        tracked_ns, whole_ns = best_ns(lambda t=tracked: run(t)), best_ns(lambda w=whole: run(w))
        yard_ns = best_ns(yardstick(blocks, rate_hz // 1000))
        peer, values = Peer(rate_hz), np.split(codes.astype(np.float64), len(blocks))
        run(peer, values)
        peer_ns = best_ns(lambda p=peer, v=values: run(p, v), 3 if QUICK else 8)
        assert peer.windows > 10, "the peer found no windows"
        print(
            f"| {rate_hz / 1000:g} | {sums_ns * per:.3f} | {tracked_ns * per:.3f} "
            f"| {whole_ns * per:.3f} | {1e9 / whole_ns:.0f} | {whole_ns / yard_ns:.2f} "
            f"| {peer_ns * per:.0f} | {peer_ns / whole_ns:.0f} |"
        )


def steps() -> None:
    print(f"\n### Steps of 10 ms without harmonics, {STEPS} of them, µs of CPU time\n")
    print("As they were, and the least of three runs of the same steps: what the machine did to a")
    print("step in one run it did not do to the same step in all three.\n")
    print(
        "| kS/s | median | p99 | p99.9 | p99.9 / median | of three: median | p99 | p99.9 "
        "| p99.9 / median |\n|---|---|---|---|---|---|---|---|---|"
    )
    for rate_hz in RATES_HZ[: 2 if QUICK else 3]:
        blocks = np.split(signal(rate_hz, 2.0), 200)
        runs = []
        for _ in range(3):
            target = Pipeline(rate_hz, spectra=False, pulses=False)
            runs.append(times_us(lambda k, t=target, b=blocks: t.add(b[k % len(b)])))
        print(row(f"{rate_hz / 1000:g}", runs))
    # What the machine does to work that is always the same, and takes as long.
    values, sums = np.ones(600), np.empty(600)
    alike = [times_us(lambda _: same_work(values, sums)) for _ in range(3)]
    print(row("only NumPy's additions", alike))


def times_us(job: Callable[[int], object]) -> np.ndarray:
    taken = np.empty(STEPS)
    for k in range(STEPS):
        begun = time.process_time_ns()
        job(k)
        taken[k] = (time.process_time_ns() - begun) / 1000
    return taken


def same_work(values: np.ndarray, sums: np.ndarray) -> None:
    for _ in range(9):
        np.add(values, 1.0, out=sums)


def row(name: str, runs: list[np.ndarray]) -> str:
    cells = []
    for taken_us in (runs[0], np.min(runs, axis=0)):
        median, p99, p999 = np.percentile(taken_us, (50, 99, 99.9))
        cells.append(f"{median:.1f} | {p99:.1f} | {p999:.1f} | {p999 / median:.2f}")
    return f"| {name} | {' | '.join(cells)} |"


def machine() -> None:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "numba", "pqopen-lib"))
    print(f"{model}; Python {platform.python_version()}; {packages}")
    print(f"kernels: sums {KERNELS[0]}, waveforms {WAVEFORM_KERNELS[0]}")


if __name__ == "__main__":
    machine()
    sums()
    pipelines()
    steps()
