"""Known meter error in, reading out; and a named reason wherever there is none."""

from dataclasses import replace
from decimal import Decimal
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spotcheck.evidence import Evidence, parse_evidence
from spotcheck.meter import Direction, MeterConstant, MeteredQuantity, PulseOutput
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Method, Reason, TimeBase
from spotcheck_calibration.evaluation import SOFTWARE, evaluate, slots_of

FAST = "12800 imp/kWh"


def read(synthesis: ModuleType, evidence: Evidence) -> ErrorReading:
    outcome = evaluate(evidence, synthesis.correction_set(), "id-1")
    assert isinstance(outcome, ErrorReading), outcome
    return outcome


def refused(synthesis: ModuleType, evidence: Evidence) -> CannotJudge:
    outcome = evaluate(evidence, synthesis.correction_set(), "id-1")
    assert isinstance(outcome, CannotJudge), outcome
    assert outcome.outcome_id == "id-1"
    return outcome


def with_meter(evidence: Evidence, **changes: Any) -> Evidence:
    meter = replace(evidence.head.meter, **changes)
    return replace(evidence, head=replace(evidence.head, meter=meter))


LOADS: dict[str, dict[str, Any]] = {
    "PF 1": {},
    "PF 0.5L": {"i": {1: (10.0, -np.pi / 3)}},
    "PF 0.8C, three phases": {"i": {1: (4.0, np.arccos(0.8))}, "phases": 3},
    "50.4 Hz": {"frequency_hz": 50.4},
    "harmonics": {
        "u": {1: (220.0, 0.0), 3: (8.0, 0.4), 5: (5.0, -1.0)},
        "i": {1: (10.0, -0.6), 3: (2.0, 0.5), 5: (1.0, 1.0)},
    },
}


@pytest.mark.parametrize("error_percent", [-2.0, 0.0, 1.3])
@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_error_of_a_smoothing_meter_is_found(
    synthesis: ModuleType, load: dict[str, Any], error_percent: float
) -> None:
    plant = synthesis.Plant(**load)
    found = read(synthesis, plant.evidence(error_percent=error_percent, constant=FAST))
    # Stamps are exact to 1 ns, energies to a few 1e-8; harmonics leave 3 ppm.
    bound = 1e-3 if "u" in load else 1e-5
    assert abs(found.error_percent - error_percent) < bound
    assert abs(found.gate_error_percent - error_percent) < bound
    assert found.residual_s < 1e-6
    assert 0.015 < found.expanded_uncertainty_percent < 0.06


@pytest.mark.parametrize("lag", [0.0, np.pi / 3])
def test_error_of_a_pulsating_meter_is_found(synthesis: ModuleType, lag: float) -> None:
    plant = synthesis.Plant(i={1: (10.0, -lag)}, frequency_hz=50.03)
    found = read(synthesis, plant.evidence(error_percent=0.7, constant=FAST, pulsating=True))
    # What the phase of the ripple keeps of the lag, 17 mJ (see corrected load), over 4 s.
    assert abs(found.error_percent - 0.7) < 1e-3
    assert found.pulse_output is PulseOutput.PULSATING


@pytest.mark.parametrize("pulsating", [False, True])
def test_kind_of_pulse_output_is_decided_by_the_residuals(
    synthesis: ModuleType, pulsating: bool
) -> None:
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    found = read(synthesis, plant.evidence(constant=FAST, pulsating=pulsating))
    kind = PulseOutput.PULSATING if pulsating else PulseOutput.SMOOTHED
    assert found.pulse_output is kind
    assert "kind of pulse output" not in {line.name for line in found.budget}


@pytest.mark.parametrize("declared", [PulseOutput.SMOOTHED, PulseOutput.PULSATING])
def test_declared_kind_of_pulse_output_is_kept(
    synthesis: ModuleType, declared: PulseOutput
) -> None:
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    evidence = plant.evidence(constant=FAST, declared=declared, pulsating=False)
    found = read(synthesis, evidence)
    assert found.pulse_output is declared
    wrong = declared is PulseOutput.PULSATING
    assert (found.residual_s > 1e-4) is wrong


@pytest.mark.parametrize("pulsating", [False, True])
def test_undecided_kind_of_pulse_output_is_in_the_budget(
    synthesis: ModuleType, pulsating: bool
) -> None:
    # Pulses jitter by 2 ms, more than the ripple moves them: the residuals cannot tell.
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    evidence = plant.evidence(
        error_percent=0.5, constant="3200 imp/kWh", seconds=6.0, pulsating=pulsating
    )
    rng = np.random.default_rng(3)
    jitter = rng.normal(0, 2e-3 * 8000 * STAMP_SUBDIVISION, 99).astype(int)
    pulses = tuple(
        Pulse(stamp=p.stamp + int(jitter[n]), index=p.index)
        for n, p in enumerate(evidence.head.pulses.pulses)
    )
    found = read(synthesis, synthesis.with_pulses(evidence, pulses))
    assert found.pulse_output is PulseOutput.UNKNOWN
    lines = {line.name: line.standard_uncertainty_percent for line in found.budget}
    assert lines["kind of pulse output"] > 0
    assert abs(found.error_percent - 0.5) < found.expanded_uncertainty_percent


def test_reading_carries_its_why(synthesis: ModuleType) -> None:
    plant = synthesis.Plant()
    evidence = plant.evidence(error_percent=0.5, constant=FAST)
    found = read(synthesis, evidence)
    pulses = evidence.head.pulses.pulses
    assert found.reading_id == "id-1"
    assert (found.quantity, found.direction) == (MeteredQuantity.ACTIVE_ENERGY, Direction.IMPORT)
    assert (found.method, found.time_base) == (Method.LEAST_SQUARES_LINE, TimeBase.FREE_RUNNING)
    assert (found.first_stamp, found.last_stamp) == (pulses[0].stamp, pulses[-1].stamp)
    assert (found.pulses_used, found.pulses_rejected) == (len(pulses), 0)
    seconds = (pulses[-1].stamp - pulses[0].stamp) / STAMP_SUBDIVISION / 8000.96
    assert found.duration_s == pytest.approx(seconds, rel=1e-12)
    assert found.meter_energy_j == pytest.approx(281.25 * (len(pulses) - 1), rel=1e-12)
    assert found.reference_energy_j == pytest.approx(2200 * seconds, rel=1e-7)
    ratio = found.meter_energy_j / found.reference_energy_j
    assert found.error_percent == pytest.approx(100 * (ratio - 1), abs=1e-9)
    assert found.correction_set_sha256 == synthesis.correction_set().sha256
    assert found.evidence_sha256 == evidence.sha256
    assert found.software == SOFTWARE
    assert found.conditions.load_point.current_a == pytest.approx(10.0, rel=1e-7)
    assert found.expanded_uncertainty_percent == pytest.approx(
        found.coverage_factor * np.hypot(found.type_a_percent, found.type_b_percent), rel=1e-9
    )


def test_jitter_shows_as_residual_and_type_a(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(phases=3)
    evidence = plant.evidence(constant=FAST, seconds=5.0)
    rng = np.random.default_rng(5)
    pulses = evidence.head.pulses.pulses
    jitter_s = rng.normal(0, 1e-4, len(pulses))
    moved = tuple(
        Pulse(stamp=p.stamp + int(j * 8000 * STAMP_SUBDIVISION), index=p.index)
        for p, j in zip(pulses, jitter_s, strict=True)
    )
    found = read(synthesis, synthesis.with_pulses(evidence, moved))
    assert found.residual_s == pytest.approx(np.std(jitter_s, ddof=2), rel=0.05)
    n = len(pulses)
    slope_s = found.residual_s / np.sqrt(n * (n**2 - 1) / 12)
    assert found.type_a_percent == pytest.approx(100 * slope_s * 6600 / 281.25, rel=1e-3)


def test_same_evidence_gives_the_same_reading(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    again = parse_evidence(evidence.to_bytes())
    assert read(synthesis, again) == read(synthesis, evidence)


def test_slots_come_back_from_the_evidence(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(phases=3)
    slots = slots_of(plant.evidence(seconds=1.0))
    assert np.array_equal(slots, plant.slots(1.0, synthesis.correction_set()))


@pytest.mark.parametrize(
    ("count", "reason"),
    [(0, Reason.NO_PULSES), (1, Reason.TOO_FEW_PULSES), (2, Reason.TOO_FEW_PULSES)],
)
def test_too_few_pulses_are_named(synthesis: ModuleType, count: int, reason: Reason) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    few = synthesis.with_pulses(evidence, evidence.head.pulses.pulses[:count])
    found = refused(synthesis, few)
    assert found.reason is reason
    assert found.detail == f"pulses: {count}; at least 3 are needed"


def test_three_pulses_are_enough(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence(error_percent=1.0, constant=FAST)
    found = read(synthesis, synthesis.with_pulses(evidence, evidence.head.pulses.pulses[:3]))
    assert abs(found.error_percent - 1.0) < 1e-4


def test_lost_pulse_number_is_named(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    pulses = evidence.head.pulses.pulses
    found = refused(synthesis, synthesis.with_pulses(evidence, (*pulses[:4], *pulses[5:])))
    assert found.reason is Reason.DATA_LOST
    assert found.detail == "1 pulses were counted but never arrived"


@pytest.mark.parametrize(
    ("constant", "claims"), [("1280 imp/kWh", "10"), ("128000 imp/kWh", "0.1")]
)
def test_constant_wrong_by_ten_is_implausible(
    synthesis: ModuleType, constant: str, claims: str
) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    wrong = with_meter(evidence, constant=MeterConstant.parse(constant))
    found = refused(synthesis, wrong)
    assert found.reason is Reason.PULSES_IMPLAUSIBLE
    assert f"claim {claims} times" in found.detail
    assert "the constant would be 12800 imp/kWh" in found.detail
    assert found.conditions is not None


def renumbered(pulses: tuple[Pulse, ...]) -> tuple[Pulse, ...]:
    return tuple(Pulse(stamp=p.stamp, index=n) for n, p in enumerate(pulses))


def test_missed_pulses_are_found_without_their_numbers_and_leave_no_bias(
    synthesis: ModuleType,
) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST, error_percent=0.8, seconds=10.0)
    pulses = evidence.head.pulses.pulses
    kept = (*pulses[:4], *pulses[5:12], *pulses[14:])
    found = read(synthesis, synthesis.with_pulses(evidence, renumbered(kept)))
    assert (found.pulses_used, found.pulses_missing) == (len(kept), 3)
    assert found.pulses_rejected == 0
    assert abs(found.error_percent - 0.8) < found.expanded_uncertainty_percent
    claimed_j = float(evidence.head.meter.constant.energy_per_pulse_j)
    assert found.meter_energy_j == pytest.approx(claimed_j * (len(pulses) - 1))


def test_double_pulse_and_bounces_are_left_out(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST, error_percent=-0.4, seconds=10.0)
    pulses = list(evidence.head.pulses.pulses)
    stamps = [p.stamp for p in pulses]
    stamps.append((stamps[8] + stamps[9]) // 2)
    stamps += [stamps[15] + 8 * STAMP_SUBDIVISION, stamps[15] + 20 * STAMP_SUBDIVISION]
    doubled = tuple(Pulse(stamp=stamp, index=n) for n, stamp in enumerate(sorted(stamps)))
    found = read(synthesis, synthesis.with_pulses(evidence, doubled))
    assert (found.pulses_used, found.pulses_rejected) == (len(pulses), 3)
    assert found.pulses_missing == 0
    assert abs(found.error_percent + 0.4) < found.expanded_uncertainty_percent


def test_few_pulses_with_a_gap_cannot_be_numbered(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    pulses = evidence.head.pulses.pulses
    found = refused(
        synthesis, synthesis.with_pulses(evidence, renumbered((*pulses[:3], pulses[4])))
    )
    assert found.reason is Reason.PULSES_IRREGULAR
    assert "between pulses 2 and 3 is 2.00 times the median" in found.detail


def test_negative_power_is_named(synthesis: ModuleType) -> None:
    forward = synthesis.Plant().evidence(constant=FAST)
    backward = synthesis.Plant(i={1: (10.0, np.pi)})
    slots = backward.slots(4.0, synthesis.correction_set()).astype("<i8").tobytes()
    found = refused(synthesis, replace(forward, slot_sums=slots))
    assert found.reason is Reason.NEGATIVE_POWER
    assert "the power is -2200.0 W: export, or a clamp reversed" in found.detail


@pytest.mark.parametrize(("voltage_v", "reason"), [(21.0, Reason.OUTAGE), (0.0, Reason.OUTAGE)])
def test_missing_voltage_is_an_outage(
    synthesis: ModuleType, voltage_v: float, reason: Reason
) -> None:
    good = synthesis.Plant().evidence(constant=FAST)
    correction = synthesis.correction_set()
    # Without the offset: 1500 codes of it alone are 0.1 V.
    dead = synthesis.Plant(u={1: (voltage_v, 0.0)}).slots(4.0, correction)
    found = refused(synthesis, replace(good, slot_sums=dead.astype("<i8").tobytes()))
    assert found.reason is reason
    assert found.detail.startswith("U1 is ")


def test_one_missing_voltage_of_three_is_named(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(phases=3)
    evidence = plant.evidence(constant=FAST)
    slots = plant.slots(4.0, synthesis.correction_set())
    slots[:, 1, :] = 0
    found = refused(synthesis, replace(evidence, slot_sums=slots.astype("<i8").tobytes()))
    assert found.reason is Reason.OUTAGE
    assert found.detail == "U2 is 0.0 V"


def test_voltage_is_judged_by_the_nominal_one(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant(u={1: (57.7, 0.0)}).evidence(constant=FAST)
    read(synthesis, with_meter(evidence, nominal_voltage_v=Decimal("57.7")))
    high = with_meter(evidence, nominal_voltage_v=Decimal(600))
    assert refused(synthesis, high).reason is Reason.OUTAGE


@pytest.mark.parametrize("constant", ["400 imp/kvarh", "0.01 m³/imp"])
def test_pulses_of_another_quantity_need_another_reference(
    synthesis: ModuleType, constant: str
) -> None:
    evidence = synthesis.Plant().evidence(constant=FAST)
    other = with_meter(evidence, constant=MeterConstant.parse(constant))
    assert refused(synthesis, other).reason is Reason.QUANTITY_NOT_SUPPORTED
