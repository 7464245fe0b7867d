"""Verdicts against intervals computed here in exact fractions."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.plain import from_plain
from spotcheck.reading import ErrorReading, Reason
from spotcheck.rule import Rule, load_rule
from spotcheck.verdict import CombinedError, Judgement, Verdict, cannot_judge, judge, judge_readings

JJG, HEBEI = load_rule("jjg596-2012"), load_rule("jjf-hebei-174-2020")
STEP = {"0.2S": "1/50", "0.5S": "1/20", "1": "1/10", "2": "1/5"}
MPE_JJG = {"0.2S": "1/5", "0.5S": "1/2", "1": "1", "2": "2"}
MPE_HEBEI = {"1": "7/4", "2": "7/2"}


def meter(name: str) -> Meter:
    return Meter(
        serial="1",
        accuracy_class=AccuracyClass(name),
        constant=MeterConstant.parse("1200"),
    )


def phase(**changes: float) -> PhaseQuantities:
    values: dict[str, Any] = {
        "u_v": 220.0, "i_a": 5.0, "p_w": 1100.0, "q1_var": 0.0, "u_phase_deg": 0.0,
        "i_phase_deg": 0.0, "thd_u_percent": 1.0, "thd_i_percent": 1.0,
    }  # fmt: skip
    return PhaseQuantities(**(values | changes))


def conditions(*phases: PhaseQuantities, frequency_hz: float = 50.0) -> Conditions:
    return Conditions(
        phases=phases or (phase(),), frequency_hz=frequency_hz, power_instability_percent=0.1
    )


def combined(error: float, u: float) -> CombinedError:
    return CombinedError(
        error_percent=error,
        expanded_uncertainty_percent=u,
        coverage_factor=1.96,
        degrees_of_freedom=100.0,
        reading_ids=("a", "b"),
    )


def verdict(error: float, u: float, name: str = "1", rule: Rule = JJG) -> Verdict:
    return judge(rule, meter(name), combined(error, u), conditions())


def expected_judgement(error: Fraction, u: Fraction, mpe: Fraction, step: Fraction) -> str:
    """By brute force: the interval against everything that rounds to within the MPE."""
    largest_multiple = max(n for n in range(1000) if n * step <= mpe)
    edge = (largest_multiple + Fraction(1, 2)) * step
    low, high = error - u, error + u
    if low > edge or high < -edge:
        return "fail"  # a meter that is clearly wrong is not saved by a wide U
    if u > mpe / 3:
        return "cannot judge"
    if -edge <= low and high <= edge:
        return "pass"
    return "undecided"


@given(
    st.sampled_from([(JJG, n, m) for n, m in MPE_JJG.items()]
                    + [(HEBEI, n, m) for n, m in MPE_HEBEI.items()]),
    st.integers(-6000, 6000),
    st.integers(1, 1300),
)  # fmt: skip
def test_guarded_verdict_is_that_of_the_whole_interval(
    case: tuple[Rule, str, str], error_thousandths: int, u_thousandths: int
) -> None:
    rule, name, mpe = case
    found = verdict(error_thousandths / 1000, u_thousandths / 1000, name, rule)
    wanted = expected_judgement(
        Fraction(error_thousandths, 1000),
        Fraction(u_thousandths, 1000),
        Fraction(mpe),
        Fraction(STEP[name]),
    )
    assert found.judgement.value == wanted
    assert found.reason is (Reason.UNCERTAINTY_TOO_LARGE if wanted == "cannot judge" else None)


@pytest.mark.parametrize(
    ("error", "u", "judgement", "rounded"),
    [
        (1.0499, 0.0001, Judgement.PASS, "1.0"),
        (1.0499, 0.0002, Judgement.UNDECIDED, "1.0"),
        (1.05, 0.0001, Judgement.UNDECIDED, "1.0"),
        (1.0501, 0.0001, Judgement.UNDECIDED, "1.1"),
        (1.0502, 0.0001, Judgement.FAIL, "1.1"),
        (-1.0499, 0.0001, Judgement.PASS, "-1.0"),
        (-1.0502, 0.0001, Judgement.FAIL, "-1.1"),
        (0.0, 0.3333, Judgement.PASS, "0.0"),
        (0.9, 0.15, Judgement.PASS, "0.9"),
        (0.9, 0.1501, Judgement.UNDECIDED, "0.9"),
        (-0.04, 0.01, Judgement.PASS, "0.0"),
    ],
)
def test_verdict_near_half_a_step_past_the_limit(
    error: float, u: float, judgement: Judgement, rounded: str
) -> None:
    found = verdict(error, u)
    assert found.judgement is judgement
    assert str(found.rounded_error_percent) == rounded
    assert found.acceptance_limit_percent == Decimal("1.05")
    assert (found.mpe_percent, found.rounding_step_percent) == (1, Decimal("0.1"))


def test_limit_that_is_no_multiple_of_the_step_accepts_what_rounds_below_it() -> None:
    # 1.75 at step 0.1: 1.7 is the last that passes, and 1.75 is where rounding leaves it.
    assert verdict(1.7, 0.04, "1", HEBEI).acceptance_limit_percent == Decimal("1.75")
    assert verdict(3.4, 0.04, "2", HEBEI).acceptance_limit_percent == Decimal("3.5")
    assert verdict(1.7, 0.04, "1", HEBEI).judgement is Judgement.PASS
    assert verdict(1.8, 0.04, "1", HEBEI).judgement is Judgement.FAIL


def decided(judged_value: str, rule: str) -> Rule:
    return replace(JJG, decision=replace(JJG.decision, judged_value=judged_value, rule=rule))


@pytest.mark.parametrize(
    ("judged_value", "rule", "error", "judgement"),
    [
        ("rounded", "simple", 1.05, Judgement.PASS),
        ("rounded", "simple", 1.0501, Judgement.FAIL),
        ("rounded", "simple", -1.0499, Judgement.PASS),
        ("unrounded", "simple", 1.0, Judgement.PASS),
        ("unrounded", "simple", 1.001, Judgement.FAIL),
        ("unrounded", "simple", -1.001, Judgement.FAIL),
        ("unrounded", "guarded", 0.89, Judgement.PASS),
        ("unrounded", "guarded", 0.95, Judgement.UNDECIDED),
        ("unrounded", "guarded", 1.11, Judgement.FAIL),
    ],
)
def test_decision_rule_of_the_profile(
    judged_value: str, rule: str, error: float, judgement: Judgement
) -> None:
    found = verdict(error, 0.1, rule=decided(judged_value, rule))
    assert found.judgement is judgement
    assert found.acceptance_limit_percent == (Decimal("1.05") if judged_value == "rounded" else 1)
    assert ("whatever its U" in found.explanation) == (rule == "simple")


def test_uncertainty_of_a_third_of_the_limit_is_the_most() -> None:
    assert verdict(0.0, 0.666, "2").judgement is Judgement.PASS
    found = verdict(0.0, 0.667, "2")
    assert (found.judgement, found.reason) == (
        Judgement.CANNOT_JUDGE,
        Reason.UNCERTAINTY_TOO_LARGE,
    )
    assert "0.667 % is too large against the MPE of ±2.0 %" in found.explanation


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (conditions(frequency_hz=44.99), Reason.FREQUENCY_OUT_OF_RANGE),
        (conditions(frequency_hz=65.01), Reason.FREQUENCY_OUT_OF_RANGE),
        (conditions(frequency_hz=float("nan")), Reason.FREQUENCY_OUT_OF_RANGE),
        (conditions(phase(u_v=242.1)), Reason.VOLTAGE_ABNORMAL),
        (conditions(phase(u_v=197.9)), Reason.VOLTAGE_ABNORMAL),
        (conditions(phase(), phase(u_v=197.0), phase()), Reason.VOLTAGE_ABNORMAL),
        (conditions(phase(thd_u_percent=5.01)), Reason.DISTORTION),
        (conditions(phase(), phase(), phase(thd_u_percent=6)), Reason.DISTORTION),
        (conditions(phase(p_w=1100 * 0.245)), Reason.POWER_FACTOR_TOO_LOW),
        (conditions(phase(i_a=0.2, p_w=44.0)), Reason.LOAD_TOO_SMALL),
        (conditions(phase(i_a=61.0, p_w=13420.0)), Reason.NO_LIMIT_AT_THIS_LOAD),
    ],
)
def test_condition_that_forbids_a_verdict_is_named(changed: Conditions, reason: Reason) -> None:
    found = judge(JJG, meter("1"), combined(0.0, 0.01), changed)
    assert (found.judgement, found.reason) == (Judgement.CANNOT_JUDGE, reason)
    assert found.acceptance_limit_percent is found.mpe_percent is None
    assert found.rounded_error_percent is None
    assert found.clause == ""
    assert found.explanation


@pytest.mark.parametrize(
    "changed",
    [
        conditions(frequency_hz=45.0),
        conditions(frequency_hz=65.0),
        conditions(phase(u_v=241.9, p_w=1209.0)),
        conditions(phase(u_v=198.1, p_w=990.0)),
        conditions(phase(thd_u_percent=5.0)),
        # The power factor of a load set to 0.25 may read a percent less.
        conditions(phase(p_w=1100 * 0.2485, q1_var=1000.0)),
    ],
)
def test_condition_at_its_limit_is_judged(changed: Conditions) -> None:
    assert judge(JJG, meter("1"), combined(0.0, 0.01), changed).judgement is Judgement.PASS


def test_power_factor_of_half_is_too_low_below_it_for_the_on_site_rule() -> None:
    found = judge(HEBEI, meter("1"), combined(0.0, 0.01), conditions(phase(p_w=1100 * 0.49)))
    assert found.reason is Reason.POWER_FACTOR_TOO_LOW
    assert "the power factor is 0.49; the rule wants 0.5 or more" in found.explanation


def test_class_without_limit_in_the_rule_cannot_be_judged() -> None:
    found = verdict(0.0, 0.01, "0.5S", HEBEI)
    assert found.reason is Reason.NO_LIMIT_AT_THIS_LOAD
    assert "class 0.5S" in found.explanation


@pytest.mark.parametrize(("rule", "indicative"), [(JJG, True), (HEBEI, False)])
def test_laboratory_rule_on_site_is_indicative(rule: Rule, indicative: bool) -> None:
    for found in (verdict(0.0, 0.01, rule=rule), cannot_judge(rule, Reason.NO_PULSES, "none")):
        assert found.indicative is indicative
        assert not found.rule_verified
        assert found.rule_id == rule.id


def test_verdict_names_the_clause_that_gave_its_limit() -> None:
    inductive = conditions(phase(p_w=550.0, q1_var=952.6))
    found = judge(JJG, meter("1"), combined(0.2, 0.01), inductive)
    assert found.clause == "JJG 596-2012, table of basic error, 0.2Ib…Imax, PF 0.5L"


LOADS: list[tuple[Callable[[], PhaseQuantities], str]] = [
    (lambda: phase(p_w=550.0, q1_var=952.6), "5 A, PF 0.50L"),
    (lambda: phase(p_w=880.0, q1_var=-660.0), "5 A, PF 0.80C"),
    (lambda: phase(p_w=-550.0, q1_var=-952.6), "5 A, PF 0.50L"),
    (phase, "5 A, PF 1.00"),
]


@pytest.mark.parametrize(("make", "text"), LOADS)
def test_load_point_in_the_regulations_words(
    make: Callable[[], PhaseQuantities], text: str
) -> None:
    assert str(conditions(make()).load_point) == text


def test_load_point_of_three_phases() -> None:
    three = conditions(phase(i_a=4.0, p_w=880.0), phase(i_a=5.0), phase(i_a=6.0, p_w=660.0))
    assert three.load_point.current_a == 5.0
    assert (three.p_w, three.s_va) == (2640.0, 3300.0)
    assert three.power_factor == 0.8
    assert conditions(phase(i_a=0.0, p_w=0.0)).power_factor == 0.0


def test_simple_acceptance_judges_the_rounded_value_ties_to_even() -> None:
    # 0.31 at step 0.02 is a tie: 15.5 steps go to 16, 0.32, beyond 0.3.
    strict = decided("rounded", "simple")
    lagging = conditions(phase(p_w=550.0, q1_var=900.0))
    found = judge(strict, meter("0.2S"), combined(0.31, 0.01), lagging)
    assert (found.rounded_error_percent, found.judgement) == (Decimal("0.32"), Judgement.FAIL)


def three_phases(*currents_a: float) -> Conditions:
    return conditions(*(phase(i_a=current, p_w=220 * current) for current in currents_a))


def test_unbalanced_load_has_no_limit_in_a_rule_for_balanced_loads() -> None:
    three = replace(meter("1"), phases=3)
    assert judge(JJG, three, combined(0.1, 0.02), three_phases(5, 5.4, 4.7)).judgement is (
        Judgement.PASS
    )
    found = judge(JJG, three, combined(1.5, 0.02), three_phases(10, 0, 0))
    assert found.reason is Reason.NO_LIMIT_AT_THIS_LOAD
    assert "balanced" in found.explanation


def reading(conditions: Conditions, **changes: Any) -> ErrorReading:
    plain = json.loads((Path(__file__).parent / "golden" / "error_reading_v1.json").read_bytes())
    golden = from_plain(ErrorReading, plain.get("reading", plain))
    long_enough = {"pulses_used": 25, "duration_s": 30.0}
    return replace(golden, conditions=conditions, **(long_enough | changes))


def test_reading_below_the_minimum_of_the_rule_gives_no_verdict() -> None:
    good = reading(conditions())
    assert judge_readings(JJG, meter("1"), combined(0, 0.02), (good, good)).judgement is (
        Judgement.PASS
    )
    for short in ({"pulses_used": 24}, {"duration_s": 29.9}):
        found = judge_readings(
            JJG, meter("1"), combined(0, 0.02), (reading(conditions(), **short), good)
        )
        assert found.reason is Reason.TOO_FEW_PULSES


def test_every_reading_must_have_been_taken_under_the_rules_conditions() -> None:
    bad = reading(conditions(phase(u_v=180.0, p_w=900.0)))
    found = judge_readings(JJG, meter("1"), combined(0, 0.02), (bad, reading(conditions())))
    assert found.reason is Reason.VOLTAGE_ABNORMAL


def test_load_that_moves_from_one_limit_to_another_is_unstable() -> None:
    lagging = reading(conditions(phase(p_w=550.0, q1_var=900.0)))
    found = judge_readings(JJG, meter("1"), combined(0, 0.02), (reading(conditions()), lagging))
    assert found.reason is Reason.UNSTABLE_LOAD
