"""A plan of sixty load points, about an hour of stream, measured in one process.

Currents, power factors and influences are those at which IEC 62053-21 and JJG 596 look at a
directly connected meter (from secondary sources); single-phase and three-phase.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from spotcheck.evidence import Evidence
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.reading import CannotJudge, ErrorReading
from spotcheck.rule import Rule, load_rule
from spotcheck.verdict import judge_readings
from spotcheck_calibration.budget import combine_readings
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
from spotcheck_sim.meter_under_test import ErrorPoint, MeterUnderTest
from spotcheck_sim.waveform import Harmonic

BASIC_CURRENT_A = 5.0
CONSTANT = 12_800
UNITY_MULTIPLES = (0.05, 0.1, 0.2, 0.5, 1, 2, 4, 8, 12)
OTHER_MULTIPLES = (0.1, 0.2, 0.5, 1, 2, 4, 8, 12)
ERROR_CURVE = (
    ErrorPoint(current_a=0.25, error_percent=-0.45),
    ErrorPoint(current_a=1.0, error_percent=0.10),
    ErrorPoint(current_a=10.0, error_percent=0.25),
    ErrorPoint(current_a=60.0, error_percent=-0.15),
)
"""Error of the simulated meter of class 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedLoad:
    """One load point of the plan."""

    name: str
    """What is special about it; empty for a plain load."""
    phases: int
    """1 or 3."""
    current_a: float
    """RMS current of each phase."""
    power_factor: float
    """Displacement factor."""
    lagging: bool = True
    """Side of the power factor."""
    voltage_v: float = 220.0
    """RMS phase voltage."""
    frequency_hz: float = 50.0
    """Mains frequency."""
    voltage_fifth: float = 0.0
    """Fifth harmonic of the voltage, as a fraction of the fundamental."""
    current_fifth: float = 0.0
    """Fifth harmonic of the current, as a fraction of the fundamental."""

    @property
    def label(self) -> str:
        """The point in a table's words."""
        side = "" if self.power_factor == 1 else "L" if self.lagging else "C"
        words = f"{self.phases} ph, {self.current_a:g} A, PF {self.power_factor:g}{side}"
        return f"{words}, {self.name}" if self.name else words


@dataclass(frozen=True, slots=True, kw_only=True)
class PointResult:
    """What came of one load point."""

    load: PlannedLoad
    """The point."""
    true_error_percent: float
    """Error of the simulated meter there."""
    error_percent: float | None
    """Measured error, the mean of the readings; None without."""
    expanded_uncertainty_percent: float | None
    """U of that mean."""
    verdict: str
    """The verdict by JJG 596-2012, or the reason why there is none."""
    stream_s: float
    """Stream time that it took."""
    digest: str
    """SHA-256 over the integers of its evidence: slot sums and stamps."""

    @property
    def covered(self) -> bool:
        """Whether the truth lies within U; false without a reading."""
        if self.error_percent is None or self.expanded_uncertainty_percent is None:
            return False
        off = abs(self.error_percent - self.true_error_percent)
        return off <= self.expanded_uncertainty_percent


def sixty_points() -> list[PlannedLoad]:
    """The plan: 25 plain points and 5 influences, on one phase and on three."""
    return [point for phases in (1, 3) for point in (*_plain(phases), *_influences(phases))]


def _plain(phases: int) -> list[PlannedLoad]:
    factors = ((1.0, True, UNITY_MULTIPLES), (0.5, True, OTHER_MULTIPLES),
               (0.8, False, OTHER_MULTIPLES))  # fmt: skip
    return [
        PlannedLoad(
            name="",
            phases=phases,
            current_a=multiple * BASIC_CURRENT_A,
            power_factor=factor,
            lagging=lagging,
        )
        for factor, lagging, multiples in factors
        for multiple in multiples
    ]


def _influences(phases: int) -> list[PlannedLoad]:
    def at(name: str, **changes: float) -> PlannedLoad:
        values = {"current_a": BASIC_CURRENT_A, "power_factor": 1.0, **changes}
        return PlannedLoad(name=name, phases=phases, **values)  # type: ignore[arg-type]

    return [
        at("U −10 %", voltage_v=0.901 * 220),
        at("U +10 %", voltage_v=1.099 * 220),
        at("f −2 %", frequency_hz=49.0),
        at("f +2 %", frequency_hz=51.0),
        at("5th harmonic", current_a=30.0, voltage_fifth=0.04, current_fifth=0.4),
    ]


def run_plan(points: Sequence[PlannedLoad], seed: int) -> Iterator[PointResult]:
    """Measure load points one after another, as they come.

    Args:
        points: The plan.
        seed: Seed of the instrument's errors, the noise and the pulses' phases.
    """
    rule = load_rule("jjg596-2012")
    for number, point in enumerate(points):
        yield _run_point(point, rule, 1000 * seed + number)


def plan_digest(results: Sequence[PointResult]) -> str:
    """SHA-256 over the integers of all points; equal for equal seeds, whatever the process."""
    joined = "\n".join(result.digest for result in results)
    return hashlib.sha256(joined.encode()).hexdigest()


def _run_point(point: PlannedLoad, rule: Rule, seed: int) -> PointResult:
    bench = SimulatedBench(_bench(point, np.random.default_rng(seed)), seed)
    meter = Meter(
        serial="1",
        accuracy_class=AccuracyClass.CLASS_1,
        constant=MeterConstant(pulses_per_unit=Fraction(CONSTANT)),
        phases=point.phases,
    )
    request = MeasurementRequest(
        request_id="plan",
        start_sample=0,
        meter=meter,
        minimum_pulses=rule.readings.minimum_pulses,
        minimum_duration_s=rule.readings.minimum_duration_s,
        maximum_duration_s=1200.0,
        readings=rule.readings.minimum,
    )
    outcomes = measure_in_process(bench, demonstration_correction_set(), request)
    readings = tuple(o.outcome for o in outcomes if isinstance(o.outcome, ErrorReading))
    obstacles = [o.outcome for o in outcomes if isinstance(o.outcome, CannotJudge)]
    combined = combine_readings(readings) if readings else None
    if combined is None or obstacles:
        words = obstacles[0].reason.value
    else:
        verdict = judge_readings(rule, meter, combined, readings)
        words = verdict.reason.value if verdict.reason else verdict.judgement.value
    return PointResult(
        load=point,
        true_error_percent=bench.truth.error_percent,
        error_percent=combined.error_percent if combined else None,
        expanded_uncertainty_percent=combined.expanded_uncertainty_percent if combined else None,
        verdict=words,
        stream_s=bench.next_sample / bench.stream_format.sample_rate_hz,
        digest=_digest([o.evidence for o in outcomes if o.evidence is not None]),
    )


def _bench(point: PlannedLoad, rng: np.random.Generator) -> BenchConfig:
    stream = stream_format(point.phases, clamp_for(point.current_a))
    return BenchConfig(
        mains=Mains(
            frequency_hz=point.frequency_hz,
            voltage_v=point.voltage_v,
            harmonics=_fifth(point.voltage_fifth),
        ),
        load=Load(
            current_a=point.current_a,
            power_factor=point.power_factor,
            lagging=point.lagging,
            harmonics=_fifth(point.current_fifth),
        ),
        meter=MeterUnderTest(
            constant_imp_per_kwh=CONSTANT, error_curve=ERROR_CURVE, jitter_s=20e-6
        ),
        front_end=drawn_front_end(demonstration_correction_set(), stream, rng),
    )


def _fifth(fraction: float) -> tuple[Harmonic, ...]:
    return (Harmonic(order=5, fraction=fraction),) if fraction else ()


def _digest(evidence: Sequence[Evidence]) -> str:
    total = hashlib.sha256()
    for part in evidence:
        total.update(part.slot_sums)
        stamps = [pulse.stamp for pulse in part.head.pulses.pulses]
        total.update(np.array(stamps, "<i8").tobytes())
    return total.hexdigest()


def markdown(results: Sequence[PointResult]) -> str:
    """The plan as a table."""
    lines = ["| load | truth, % | measured, % | U, % | verdict |", "|---|---|---|---|---|"]
    for r in results:
        measured = "–" if r.error_percent is None else f"{r.error_percent:+.4f}"
        u = r.expanded_uncertainty_percent
        lines.append(
            f"| {r.load.label} | {r.true_error_percent:+.4f} | {measured} | "
            f"{'–' if u is None else f'{u:.4f}'} | {r.verdict} |"
        )
    covered = sum(r.covered for r in results)
    stream_s = sum(r.stream_s for r in results)
    lines += [
        "",
        f"{len(results)} points, {stream_s:.0f} s of stream; truth within U at {covered}; "
        f"digest of the integers {plan_digest(results)}",
    ]
    return "\n".join(lines) + "\n"
