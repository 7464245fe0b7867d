"""Random verifications against the simulator's truth: does U hold what it says?

Every run draws a meter, a load and an instrument; the instrument's errors come from the very
distributions that its uncertainty budget states.
"""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing import get_context

import numpy as np

from spotcheck.errors import EvidenceError
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.reading import ErrorReading
from spotcheck_cli.demo_instrument import (
    clamp_for,
    demonstration_correction_set,
    drawn_front_end,
    stream_format,
)
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_device.session_messages import MeasurementRequest
from spotcheck_sim.bench import BenchConfig, SimulatedBench
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_under_test import MeterUnderTest, PulseKind
from spotcheck_sim.waveform import Harmonic

CURRENTS_A = (10.0, 0.5)
POWER_FACTORS = ((1.0, True, "1"), (0.5, True, "0.5L"), (0.8, False, "0.8C"))
CONSTANTS = (800, 1200, 1600, 3200, 6400)


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRun:
    """One verification and its truth."""

    current_a: float
    power_factor: str
    phases: int
    constant: int
    pulse_kind: str
    true_error_percent: float
    error_percent: float
    expanded_uncertainty_percent: float
    coverage_factor: float
    pulses: int
    stream_s: float

    @property
    def covered(self) -> bool:
        """Whether the truth lies within U."""
        off = abs(self.error_percent - self.true_error_percent)
        return off <= self.expanded_uncertainty_percent


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Runs that share something."""

    name: str
    """What they share."""
    runs: int
    """How many."""
    coverage: float
    """Part of them whose truth lies within U."""
    mean_u_percent: float
    """Mean U."""
    rms_error_percent: float
    """RMS of measured minus true error."""


def run_one(seed: int) -> CoverageRun:
    """One random verification, ending at 3 pulses or 20 s, whichever is later.

    Args:
        seed: Everything random follows from it.

    Raises:
        EvidenceError: the session gave no reading, which no drawn case deserves.
    """
    rng = np.random.default_rng(seed)
    config, label = _draw(rng)
    bench = SimulatedBench(config, seed)
    constant = int(config.meter.constant_imp_per_kwh)
    meter = Meter(
        serial=str(seed),
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(constant)),
        phases=bench.stream_format.phases,
    )
    request = MeasurementRequest(
        request_id=f"run-{seed}",
        start_sample=0,
        meter=meter,
        minimum_pulses=3,
        minimum_duration_s=20.0,
        maximum_duration_s=1800.0,
        readings=1,
    )
    outcomes = measure_in_process(bench, demonstration_correction_set(), request)
    reading = outcomes[0].outcome
    if not isinstance(reading, ErrorReading):
        raise EvidenceError(f"run {seed}: {reading.reason.value}, {reading.detail}")
    return CoverageRun(
        current_a=config.load.current_a,
        power_factor=label,
        phases=meter.phases,
        constant=constant,
        pulse_kind=config.meter.pulse_kind.name.lower(),
        true_error_percent=bench.truth.error_percent,
        error_percent=reading.error_percent,
        expanded_uncertainty_percent=reading.expanded_uncertainty_percent,
        coverage_factor=reading.coverage_factor,
        pulses=reading.pulses_used,
        stream_s=bench.next_sample / bench.stream_format.sample_rate_hz,
    )


def _draw(rng: np.random.Generator) -> tuple[BenchConfig, str]:
    current_a = float(rng.choice(CURRENTS_A))
    factor, lagging, label = POWER_FACTORS[rng.integers(len(POWER_FACTORS))]
    phases = int(rng.choice((1, 3)))
    correction = demonstration_correction_set()
    stream = stream_format(phases, clamp_for(current_a))

    def harmonics(third: float, fifth: float) -> tuple[Harmonic, ...]:
        sizes = ((3, third), (5, fifth))
        return tuple(
            Harmonic(
                order=order,
                fraction=float(rng.uniform(0, most)),
                phase_deg=float(rng.uniform(-180, 180)),
            )
            for order, most in sizes
        )

    config = BenchConfig(
        mains=Mains(frequency_hz=float(rng.uniform(49.5, 50.5)), harmonics=harmonics(0.05, 0.04)),
        load=Load(
            current_a=current_a,
            power_factor=factor,
            lagging=lagging,
            harmonics=harmonics(0.2, 0.1),
        ),
        meter=MeterUnderTest(
            constant_imp_per_kwh=int(rng.choice(CONSTANTS)),
            error_percent=float(rng.uniform(-2, 2)),
            pulse_kind=PulseKind(rng.choice(list(PulseKind))),
            filter_lag_deg=float(rng.uniform(5, 85)),
            tick_s=float(rng.choice((0.0, 1e-3))),
            jitter_s=float(rng.uniform(0, 50e-6)),
        ),
        front_end=drawn_front_end(correction, stream, rng),
    )
    return config, label


def run_many(
    count: int, *, first_seed: int = 1, workers: int | None = None
) -> Iterator[CoverageRun]:
    """Many runs on several cores, as they come.

    Args:
        count: How many.
        first_seed: Seed of the first; the others follow on.
        workers: Processes; as many as there are cores by default.
    """
    seeds = range(first_seed, first_seed + count)
    # Spawned, not forked: the caller may have threads.
    with ProcessPoolExecutor(workers or os.cpu_count(), get_context("spawn")) as pool:
        yield from pool.map(run_one, seeds, chunksize=4)


def cells(runs: Sequence[CoverageRun]) -> list[Cell]:
    """All runs, the margins of the grid, and the grid's cells."""
    found = [_cell("all", runs)]
    groups: dict[str, Callable[[CoverageRun], str]] = {
        "current": lambda r: f"{r.current_a:g} A",
        "power factor": lambda r: f"PF {r.power_factor}",
        "phases": lambda r: f"{r.phases} ph",
        "pulse output": lambda r: r.pulse_kind,
        "constant": lambda r: f"{r.constant} imp/kWh",
        "current × power factor": lambda r: f"{r.current_a:g} A, PF {r.power_factor}",
        "grid": lambda r: f"{r.current_a:g} A, PF {r.power_factor}, {r.phases} ph",
        "grid with pulse output": lambda r: (
            f"{r.current_a:g} A, PF {r.power_factor}, {r.phases} ph, {r.pulse_kind}"
        ),
    }
    for key in groups.values():
        names = sorted({key(run) for run in runs})
        found += [_cell(name, [run for run in runs if key(run) == name]) for name in names]
    return found


def _cell(name: str, runs: Sequence[CoverageRun]) -> Cell:
    off = [run.error_percent - run.true_error_percent for run in runs]
    return Cell(
        name=name,
        runs=len(runs),
        coverage=sum(run.covered for run in runs) / len(runs),
        mean_u_percent=sum(run.expanded_uncertainty_percent for run in runs) / len(runs),
        rms_error_percent=math.sqrt(sum(d * d for d in off) / len(off)),
    )


def markdown(found: Sequence[Cell]) -> str:
    """The cells as a table."""
    lines = ["| cell | runs | truth within U | mean U, % | RMS error, % |", "|---|---|---|---|---|"]
    lines += [
        f"| {c.name} | {c.runs} | {100 * c.coverage:.1f} % | {c.mean_u_percent:.4f} | "
        f"{c.rms_error_percent:.4f} |"
        for c in found
    ]
    return "\n".join(lines) + "\n"
