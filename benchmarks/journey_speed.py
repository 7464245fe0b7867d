"""How fast the journey runs: kernel, one process, all processes; ratios, as machines are shared.

Run: .venv/bin/python benchmarks/journey_speed.py
"""

import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np

from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.rule import ReadingPlan
from spotcheck_cli.demo_instrument import (
    demonstration_correction_set,
    exact_front_end,
    stream_format,
)
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_cli.rehearsal import connect, start_bench, start_device
from spotcheck_cli.scenario import Scenario
from spotcheck_device.session_messages import MeasurementRequest
from spotcheck_dsp.slot_sums import SlotAccumulator, slot_sums_reference
from spotcheck_host.device_client import ArrivedOutcome
from spotcheck_sim.bench import steady_bench
from spotcheck_sim.waveform import Harmonic

REPEATS = 5
HARMONICS = (Harmonic(order=3, fraction=0.03), Harmonic(order=5, fraction=0.02))


def best_s(job: Callable[[], object]) -> float:
    """Shortest of several runs: the one that was disturbed least."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        job()
        times.append(time.perf_counter() - begun)
    return min(times)


def kernel() -> None:
    rng = np.random.default_rng(1)
    codes = rng.integers(-(2**22), 2**22, (800_000, 6), dtype=np.int32)

    def compiled() -> None:
        SlotAccumulator(phases=3, slot_length=8).add(codes)

    ours, numpy_s = best_s(compiled), best_s(lambda: slot_sums_reference(codes, 8))
    per_sample = 1e9 / codes.size
    print(
        f"slot sums, 6 channels: {ours * per_sample:.2f} ns per sample-channel, "
        f"{numpy_s / ours:.1f} × the NumPy twin ({numpy_s * per_sample:.2f} ns)"
    )


def meter(phases: int, constant: int = 1200) -> Meter:
    return Meter(
        serial="1",
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(constant)),
        phases=phases,
    )


def one_process(phases: int) -> None:
    correction = demonstration_correction_set()
    stream = stream_format(phases, "C100")
    streamed_s = 0.0

    def plant() -> None:
        bench = _bench(correction, stream, phases)
        while bench.next_sample < 120 * 8000:
            bench.next_block(8000)

    def journey() -> None:
        nonlocal streamed_s
        bench = _bench(correction, stream, phases)
        request = MeasurementRequest(
            request_id="speed", start_sample=0, meter=meter(phases), minimum_pulses=3,
            minimum_duration_s=60.0, maximum_duration_s=600.0, readings=2,
        )  # fmt: skip
        measure_in_process(bench, correction, request)
        streamed_s = bench.next_sample / 8000

    journey_s, plant_s = best_s(journey), best_s(plant)
    print(
        f"one process, {phases} phase(s): {streamed_s / journey_s:.0f} × real time, "
        f"the plant alone {120 / plant_s:.0f} ×"
    )


def _bench(correction, stream, phases):
    return steady_bench(
        phases=phases, current_a=10.0, voltage_harmonics=HARMONICS, current_harmonics=HARMONICS,
        front_end=exact_front_end(correction, stream), frequency_hz=50.02,
    )  # fmt: skip


def all_processes(phases: int) -> None:
    """Stream seconds a second, from the order to the last outcome, starts left out."""
    scenario = Scenario(phases=phases)
    plan = ReadingPlan(
        minimum=4, maximum=4, largest_difference_to_class=0, minimum_pulses=3,
        minimum_duration_s=60, clause="",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            start_bench(folder, scenario, real_time=False) as bench,
            start_device(folder, demonstration_correction_set(), bench.addresses) as device,
            connect(folder, device.addresses["host"]) as client,
        ):
            begun = time.perf_counter()
            client.start(
                "speed/1",
                scenario.meter(),
                plan,
                readings=4,
                start_sample=0,
                maximum_duration_s=600.0,
            )
            last_stamp = outcomes = 0
            while outcomes < 4:
                event = client.next_event(30.0)
                if isinstance(event, ArrivedOutcome):
                    client.acknowledge(event.message.outcome_id)
                    last_stamp = event.message.body["last_stamp"]
                    outcomes += 1
            took_s = time.perf_counter() - begun
    print(f"all processes, {phases} phase(s): {last_stamp / 65536 / 8000 / took_s:.0f} × real time")


if __name__ == "__main__":
    kernel()
    for phases in (1, 3):
        one_process(phases)
    for phases in (1, 3):
        all_processes(phases)
