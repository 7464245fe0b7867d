"""The budget against root sums of squares, Welch–Satterthwaite and Student's t by SciPy."""

import json
import math
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import GTC
import numpy as np
import pytest
from scipy import stats

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.reading import ErrorReading, UncertaintyComponent
from spotcheck_calibration.budget import (
    TYPE_A,
    Budget,
    combine_readings,
    instrument_parts,
    reading_budget,
)
from spotcheck_calibration.correction_set import CorrectionSet, UncertainValue
from spotcheck_calibration.evaluation import evaluate
from spotcheck_dsp.pulses.pulse_line import PulseLine

CASES = Path(__file__).parents[3] / "shared" / "data" / "uncertainty_cases.json"


def published(name: str) -> dict[str, Any]:
    if not CASES.exists():
        pytest.skip(f"{CASES} is not there")
    case: dict[str, Any] = json.loads(CASES.read_text("utf-8"))[name]
    return case


def test_gtc_gives_gum_h1() -> None:
    """The end gauge of JCGM 100:2008, H.1: the library that the budget stands on."""
    expected = published("GUM_H1")["expected"]
    root3 = math.sqrt(3)
    ls = GTC.ureal(50_000_623, 25, 18)
    d = GTC.ureal(215, 5.8, 24) + GTC.ureal(0, 3.9, 5) + GTC.ureal(0, 6.7, 8)
    alpha = GTC.ureal(11.5e-6, 2e-6 / root3)
    theta = GTC.ureal(-0.1, 0.2) + GTC.ureal(0, 0.5 / math.sqrt(2))
    d_alpha, d_theta = GTC.ureal(0, 1e-6 / root3, 50), GTC.ureal(0, 0.05 / root3, 2)
    length = ls + d - ls * (d_alpha * theta + alpha * d_theta)
    assert round(GTC.value(length)) == expected["l_nm"]
    assert round(GTC.uncertainty(length)) == expected["u"]
    assert int(GTC.dof(length)) == expected["veff"]
    k99 = GTC.reporting.k_factor(int(GTC.dof(length)), 99)
    assert round(k99, 2) == expected["k99"]
    # The Guide rounds u to 32 before it multiplies.
    assert round(k99 * expected["u"]) == expected["U99"]


def test_gtc_gives_gum_h2() -> None:
    """Simultaneous resistance and reactance, JCGM 100:2008, H.2: correlated inputs."""
    case = published("GUM_H2")
    v, i, phi = GTC.type_a.multi_estimate_real((case["V"], case["I"], case["phi"]))
    found = {"R": v / i * GTC.cos(phi), "X": v / i * GTC.sin(phi), "Z": v / i}
    for name, result in found.items():
        value, u = case["expected"][name]
        assert GTC.value(result) == pytest.approx(value, abs=6e-4)
        assert GTC.uncertainty(result) == pytest.approx(u, abs=6e-4)
    correlation = GTC.get_correlation(found["R"], found["X"])
    assert correlation == pytest.approx(case["expected"]["rRX"], abs=6e-4)


def steady(*powers: tuple[float, float, float, float]) -> Conditions:
    """Conditions of phases given as (U, I, P, Q1)."""
    return Conditions(
        phases=tuple(
            PhaseQuantities(
                u_v=u, i_a=i, p_w=p, q1_var=q, u_phase_deg=0.0, i_phase_deg=0.0,
                thd_u_percent=0.0, thd_i_percent=0.0,
            )
            for u, i, p, q in powers
        ),
        frequency_hz=49.5,
        power_instability_percent=0.0,
    )  # fmt: skip


LINE = PulseLine(
    energy_per_pulse=1140.0, standard_uncertainty=0.2, residual=1.0, degrees_of_freedom=7
)
CLAIMED_J, DURATION_S = 1125.0, 30.0


def budget(synthesis: ModuleType, conditions: Conditions, **changes: Any) -> Budget:
    values: dict[str, Any] = {
        "meter_energy_per_pulse_j": CLAIMED_J,
        "line": LINE,
        "ambiguity_j": 0.3,
    }
    stream = synthesis.Plant(phases=len(conditions.phases)).stream
    correction = changes.pop("correction", synthesis.correction_set())
    parts = instrument_parts(conditions, stream, correction, changes.pop("duration_s", DURATION_S))
    return reading_budget(**(values | changes), instrument=parts)


def by_hand(conditions: Conditions, nominal_hz: float = 50.0) -> dict[str, tuple[float, float]]:
    """Relative standard uncertainty and degrees of freedom of each line, from the set's numbers."""
    total = sum(phase.p_w for phase in conditions.phases)
    lines = {
        "pulse scatter (Type A)": (0.2 / 1140.0, 7.0),
        "kind of pulse output": (0.3 / 1140.0, math.inf),
        "sample clock": (3e-6, math.inf),
        "reference standard": (25e-6, math.inf),
    }
    noise = 0.0
    for n, phase in enumerate(conditions.phases, 1):
        share, reactive = phase.p_w / total, phase.q1_var / total
        lines[f"voltage gain {n}"] = (abs(share) * 40e-6, math.inf)
        lines[f"current gain {n}"] = (abs(share) * 120e-6, math.inf)
        lag = abs(reactive) * 80e-6 * conditions.frequency_hz / nominal_hz
        lines[f"phase lag {n}"] = (lag, math.inf)
        skew = abs(reactive) * 2 * math.pi * conditions.frequency_hz * 20e-9
        lines[f"channel skew {n}"] = (skew, math.inf)
        noise += (30.0 * 60e-6 * (1 + 0.01 * n) * phase.i_a) ** 2
        noise += (40.0 * 5e-6 * (1 - 0.02 * n) * phase.u_v) ** 2
    noise_u = math.sqrt(1.2 * noise / (DURATION_S * 8000)) / abs(total)
    lines["front-end noise"] = (noise_u, math.inf)
    return {name: line for name, line in lines.items() if line[0]}


LOADS = {
    "one phase, 0.5L": steady((220.0, 10.0, 1100.0, 1905.0)),
    "three unequal phases": steady(
        (220.0, 10.0, 2200.0, 0.0), (221.0, 5.0, 552.0, 957.0), (219.0, 2.0, 350.0, -263.0)
    ),
}


@pytest.mark.parametrize("conditions", LOADS.values(), ids=LOADS)
def test_budget_is_that_of_a_hand_calculation(
    synthesis: ModuleType, conditions: Conditions
) -> None:
    found = budget(synthesis, conditions)
    # error = 100·(claimed/(slope·(1+r)) − 1): what is relative in r acts as 100·claimed/slope.
    weight = 100 * CLAIMED_J / 1140.0
    lines = {n: (weight * u, dof) for n, (u, dof) in by_hand(conditions).items()}
    assert {line.name for line in found.components} == set(lines)
    for line in found.components:
        assert line.standard_uncertainty_percent == pytest.approx(lines[line.name][0], rel=1e-9)
        assert line.degrees_of_freedom == lines[line.name][1]
    sizes = [line.standard_uncertainty_percent for line in found.components]
    assert sizes == sorted(sizes, reverse=True)

    variance = sum(u**2 for u, _ in lines.values())
    freedom = variance**2 / sum(u**4 / dof for u, dof in lines.values())
    k = stats.t.ppf(0.975, freedom)
    type_a = lines["pulse scatter (Type A)"][0]
    assert found.error_percent == pytest.approx(100 * (CLAIMED_J / 1140.0 - 1), rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(freedom, rel=1e-9)
    assert found.coverage_factor == pytest.approx(k, rel=1e-6)
    assert found.expanded_uncertainty_percent == pytest.approx(k * math.sqrt(variance), rel=1e-6)
    assert found.type_a_percent == pytest.approx(type_a, rel=1e-9)
    assert found.type_b_percent == pytest.approx(math.sqrt(variance - type_a**2), rel=1e-9)


def test_type_b_degrees_of_freedom_count(synthesis: ModuleType) -> None:
    correction: CorrectionSet = replace(
        synthesis.correction_set(),
        reference_standard_relative_error=UncertainValue(
            value=0.0, standard_uncertainty=2e-3, degrees_of_freedom=4.0
        ),
    )
    found = budget(synthesis, LOADS["one phase, 0.5L"], correction=correction)
    assert found.degrees_of_freedom == pytest.approx(4.0, rel=0.2)
    expected = stats.t.ppf(0.975, found.degrees_of_freedom)
    assert found.coverage_factor == pytest.approx(expected, rel=1e-6)


def test_pulses_without_scatter_leave_type_b_and_k_of_the_normal(synthesis: ModuleType) -> None:
    line = PulseLine(
        energy_per_pulse=1140.0, standard_uncertainty=0.0, residual=0.0, degrees_of_freedom=7
    )
    found = budget(synthesis, LOADS["one phase, 0.5L"], line=line)
    assert found.type_a_percent == 0.0
    assert math.isinf(found.degrees_of_freedom)
    assert found.coverage_factor == pytest.approx(stats.norm.ppf(0.975), rel=1e-6)


def test_reactive_load_weighs_the_phase_lag(synthesis: ModuleType) -> None:
    """80 µrad are tan φ · 80 ppm of the energy: 0.0139 % at PF 0.5L, nothing at PF 1."""

    def lag_percent(conditions: Conditions) -> float:
        found = budget(synthesis, conditions, ambiguity_j=0.0)
        lines = {c.name: c.standard_uncertainty_percent for c in found.components}
        return lines.get("phase lag 1", 0.0)

    at_half = replace(steady((220.0, 10.0, 1100.0, 1100.0 * math.sqrt(3))), frequency_hz=50.0)
    assert lag_percent(at_half) == pytest.approx(0.013856 * CLAIMED_J / 1140, rel=1e-4)
    assert lag_percent(steady((220.0, 10.0, 2200.0, 0.0))) == 0.0


def test_slope_of_a_line_through_a_random_walk_has_six_fifths_of_the_gates_variance() -> None:
    # Increments e_j of unit variance: slope = Σ_k w_k Σ_{j≤k} e_j, so each has Σ_{k≥j} w_k.
    count = 2000
    w = np.arange(count) - (count - 1) / 2
    w /= w @ w
    of_increments = np.cumsum(w[::-1])[:-1]
    gate = 1 / (count - 1)
    assert np.sum(of_increments**2) / gate == pytest.approx(6 / 5, rel=1e-3)


@pytest.fixture(scope="session")
def one_reading(synthesis: ModuleType) -> ErrorReading:
    evidence = synthesis.Plant().evidence(constant="12800 imp/kWh", seconds=2.0)
    outcome = evaluate(evidence, synthesis.correction_set(), "r")
    assert isinstance(outcome, ErrorReading)
    return outcome


def readings(
    one: ErrorReading, errors: list[float], a: float, b: float, freedom: float = 10
) -> tuple[ErrorReading, ...]:
    """Of so many degrees of freedom of the scatter: the pulses alone do not say how many."""
    scatter = UncertaintyComponent(
        name=TYPE_A, standard_uncertainty_percent=a, degrees_of_freedom=freedom
    )
    others = tuple(line for line in one.budget if line.name != TYPE_A)
    return tuple(
        replace(
            one, reading_id=f"r{n}", error_percent=error, type_a_percent=a, type_b_percent=b,
            budget=(scatter, *others),
        )
        for n, error in enumerate(errors)
    )  # fmt: skip


@pytest.mark.parametrize("count", [1, 2, 5])
def test_common_type_b_does_not_average_out(one_reading: ErrorReading, count: int) -> None:
    a, b = 0.02, 0.03
    errors = [0.5 + 0.1 * n for n in range(count)]
    found = combine_readings(readings(one_reading, errors, a, b))
    variance = b**2 + a**2 / count
    freedom = variance**2 / (count * (a / count) ** 4 / 10)
    assert found.error_percent == pytest.approx(sum(errors) / count, rel=1e-12)
    assert found.degrees_of_freedom == pytest.approx(freedom, rel=1e-9)
    k = stats.t.ppf(0.975, freedom)
    assert found.coverage_factor == pytest.approx(k, rel=1e-6)
    assert found.expanded_uncertainty_percent == pytest.approx(k * math.sqrt(variance), rel=1e-6)
    assert found.reading_ids == tuple(f"r{n}" for n in range(count))


def test_many_readings_leave_the_type_b_of_one(one_reading: ErrorReading) -> None:
    found = combine_readings(readings(one_reading, [1.0] * 400, 0.02, 0.03))
    assert found.expanded_uncertainty_percent == pytest.approx(1.96 * 0.03, rel=2e-3)


def test_type_a_alone_averages_with_its_degrees_of_freedom(one_reading: ErrorReading) -> None:
    found = combine_readings(readings(one_reading, [1.0, 2.0], 0.02, 0.0, freedom=3))
    assert found.degrees_of_freedom == pytest.approx(6.0)
    expected = stats.t.ppf(0.975, 6) * 0.02 / math.sqrt(2)
    assert found.expanded_uncertainty_percent == pytest.approx(expected, rel=1e-6)
