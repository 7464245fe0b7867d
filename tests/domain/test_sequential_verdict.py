"""The sequential verdict: never against the guarded decision, and right as often as it says."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from spotcheck.errors import EvidenceError
from spotcheck.guard_band import Look, StoppingPlan, Tally, stamp_noise_percent, tick_bound_percent
from spotcheck.load import Conditions, PhaseQuantities
from spotcheck.meter import AccuracyClass, Meter, MeterConstant
from spotcheck.rule import load_rule
from spotcheck.sequential_verdict import Step, decide
from spotcheck.verdict import CombinedError, Judgement, judge

Array = NDArray[np.float64]
PERCENT = st.floats(0, 0.5)
LOOKS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict, pulses=st.integers(3, 60), error_percent=st.floats(-3, 3), type_a_percent=PERCENT,
    type_a_floor_percent=PERCENT, tick_bound_percent=PERCENT, type_b_percent=PERCENT,
)  # fmt: skip


def plan(**changes: Any) -> StoppingPlan:
    values: dict[str, Any] = {
        "limit_percent": 1.0, "minimum_pulses": 3, "minimum_duration_s": 0.0,
        "maximum_duration_s": 200.0,
    }  # fmt: skip
    return StoppingPlan(**(values | changes))


def look(pulses: int = 10, interval_s: float = 1.0, **changes: Any) -> Look:
    """Perfect stamps at even intervals, an instrument of 0.1 %."""
    duration_s = interval_s * (pulses - 1)
    values: dict[str, Any] = {
        "elapsed_s": duration_s, "duration_s": duration_s, "pulses": pulses, "error_percent": 0.0,
        "type_a_percent": 0.0, "degrees_of_freedom": pulses - 2, "type_a_floor_percent": 0.0,
        "tick_bound_percent": 0.0, "type_b_percent": 0.1,
    }  # fmt: skip
    return Look(**(values | changes))


def first(chosen: StoppingPlan, seen: Look) -> Step:
    return decide(chosen, seen, Tally())


def test_without_scatter_the_first_look_decides_by_the_instrument_alone() -> None:
    u = 0.1 * float(stats.norm.isf(0.02))
    for error, judgement in (
        (1 - u - 1e-6, Judgement.PASS), (1 - u + 1e-6, None),
        (1 + u - 1e-6, None), (1 + u + 1e-6, Judgement.FAIL),
    ):  # fmt: skip
        for sign in (-1, 1):
            assert first(plan(), look(3, error_percent=sign * error)).judgement is judgement


def welch_satterthwaite_u95(seen: Look) -> float:
    """U of the guarded decision: k at the effective degrees of freedom (GUM G.4)."""
    variance = seen.type_a_percent**2 + seen.type_b_percent**2
    spread = seen.type_a_percent**4 / seen.degrees_of_freedom
    freedom = variance**2 / spread if spread else math.inf
    return float(stats.t.isf(0.025, min(freedom, 1e9))) * math.sqrt(variance)


def guarded_decision(error_percent: float, u_percent: float) -> Judgement:
    """By the rule profile: class 1 has an MPE of 1.0 % and an acceptance limit of 1.05 %."""
    phase = PhaseQuantities(
        u_v=220.0, i_a=5.0, p_w=1100.0, q1_var=0.0, u_phase_deg=0.0, i_phase_deg=0.0,
        thd_u_percent=1.0, thd_i_percent=1.0,
    )  # fmt: skip
    constant = MeterConstant.parse("1200")
    meter = Meter(serial="1", accuracy_class=AccuracyClass.CLASS_1, constant=constant)
    error = CombinedError(
        error_percent=error_percent, expanded_uncertainty_percent=u_percent, coverage_factor=2.0,
        degrees_of_freedom=50.0, reading_ids=("a",),
    )  # fmt: skip
    there = Conditions(phases=(phase,), frequency_hz=50.0, power_instability_percent=0.1)
    return judge(load_rule("jjg596-2012"), meter, error, there).judgement


@given(LOOKS, st.integers(0, 20))
def test_verdict_is_always_that_of_the_guarded_decision(values: dict[str, Any], looks: int) -> None:
    chosen = plan(limit_percent=1.05, largest_pass_guard_percent=1 / 3)
    seen = look(**values)
    step = decide(chosen, seen, Tally(looks=looks, pulses=0))
    assume(step.judgement is not None)
    u = welch_satterthwaite_u95(seen)
    # The profile takes values to nine decimals of a percent.
    assert guarded_decision(seen.error_percent, u) is step.judgement


def test_guarded_decision_is_reached_up_to_what_repeated_looks_cost() -> None:
    chosen = plan(limit_percent=1.05, largest_pass_guard_percent=1 / 3)
    u = 0.1 * 1.96
    assert guarded_decision(1.05 - 1.05 * u, u) is Judgement.PASS
    assert first(chosen, look(error_percent=1.05 - 1.05 * u)).judgement is Judgement.PASS


@given(LOOKS)
def test_either_sign_of_the_error_is_judged_alike(values: dict[str, Any]) -> None:
    mirrored = values | {"error_percent": -values["error_percent"]}
    assert first(plan(), look(**values)).judgement is first(plan(), look(**mirrored)).judgement


@given(LOOKS, st.floats(0, 1))
def test_error_farther_from_the_limit_keeps_the_verdict(values: dict[str, Any], way: float) -> None:
    judgement = first(plan(), look(**values)).judgement
    assume(judgement is not None)
    error = values["error_percent"]
    farther = error * way if judgement is Judgement.PASS else error * (1 + way)
    assert first(plan(), look(**(values | {"error_percent": farther}))).judgement is judgement


@given(
    LOOKS,
    st.sampled_from(["type_a_percent", "type_a_floor_percent", "tick_bound_percent",
                     "type_b_percent"]),
    PERCENT,
)  # fmt: skip
def test_more_uncertainty_never_makes_a_verdict(
    values: dict[str, Any], name: str, more: float
) -> None:
    assume(first(plan(), look(**values)).judgement is None)
    wider = look(**(values | {name: values[name] + more}))
    assert first(plan(), wider).judgement is None


@given(LOOKS, st.integers(1, 30))
def test_later_look_wants_a_wider_guard_band(values: dict[str, Any], number: int) -> None:
    earlier = decide(plan(), look(**values), Tally(looks=number - 1)).guard
    later = decide(plan(), look(**values), Tally(looks=number)).guard
    assert earlier is not None
    assert later is not None
    assert earlier.total_percent <= later.total_percent


def test_nothing_is_judged_below_the_minimum_of_pulses_and_time() -> None:
    chosen = plan(minimum_pulses=10, minimum_duration_s=30.0)
    for pulses, interval_s in ((9, 10.0), (30, 1.0), (31, 0.999)):
        step = first(chosen, look(pulses, interval_s))
        assert (step.judgement, step.guard, step.tally) == (None, None, Tally())
        assert step.risk_spent == 0
    assert first(chosen, look(31, 1.0)).judgement is Judgement.PASS
    assert first(chosen, look(10, 4.0)).judgement is Judgement.PASS


def test_maximum_time_ends_undecided_with_the_whole_risk_spent() -> None:
    step = first(plan(maximum_duration_s=9.0), look(10, error_percent=0.95))
    assert step.judgement is Judgement.UNDECIDED
    assert step.risk_spent == 0.025
    assert step.explanation == (
        "+0.950 % ± 0.205 % (guard band of the scatter 0.000 %, of the instrument 0.205 %) "
        "still straddles ±1 % after 10 pulses"
    )


def test_maximum_time_below_the_minimum_says_what_was_missing() -> None:
    step = first(plan(minimum_pulses=11, maximum_duration_s=9.0), look(10))
    assert step.judgement is Judgement.UNDECIDED
    assert step.risk_spent == 0
    assert step.explanation == (
        "10 pulses in 9 s when the time was up; the rule wants 11 pulses and 0 s"
    )


def test_no_further_pulse_gives_the_last_look_its_larger_share() -> None:
    chosen, noisy = plan(), look(10, error_percent=0.7, type_a_percent=0.02)
    before = decide(chosen, noisy, Tally(looks=4, pulses=9))
    last = decide(chosen, replace(noisy, elapsed_s=200.0), before.tally)
    assert before.guard is not None
    assert last.guard is not None
    assert last.guard.type_a_percent == pytest.approx(0.02 * stats.t.isf(0.025 * 0.2 / 6 / 2, 8))
    assert last.guard.type_a_percent < before.guard.type_a_percent


def test_pulse_between_two_looks_costs_no_risk() -> None:
    before = Tally(looks=9, pulses=40)
    for pulses in (41, 42, 43):
        step = decide(plan(), look(pulses), before)
        assert (step.judgement, step.tally) == (None, before)
    step = decide(plan(), look(44, error_percent=1.0), before)
    assert step.tally == Tally(looks=10, pulses=44)


def test_pass_with_too_wide_a_guard_band_waits_and_a_fail_does_not() -> None:
    chosen = plan(largest_pass_guard_percent=0.2)
    assert first(chosen, look()).judgement is None
    assert first(chosen, look(error_percent=1.3)).judgement is Judgement.FAIL
    ended = first(replace(chosen, maximum_duration_s=9.0), look())
    assert ended.judgement is Judgement.UNDECIDED
    assert "is wider than the ±0.200 % of a pass within ±1 %" in ended.explanation


def test_looking_on_after_a_judgement_is_refused() -> None:
    step = first(plan(), look())
    assert step.tally.is_over
    with pytest.raises(EvidenceError, match="tally is over"):
        decide(plan(), look(11), step.tally)


def test_fewer_pulses_than_before_are_refused() -> None:
    with pytest.raises(EvidenceError, match="pulses is 10, but the look before had 11"):
        decide(plan(), look(10), Tally(looks=1, pulses=11))


def lines(errors_s: Array, interval_s: float) -> tuple[Array, Array]:
    """Errors of the slopes through each row's stamps and their standard uncertainties, in %."""
    k = np.arange(errors_s.shape[1])
    slope, middle = np.polyfit(k, errors_s.T, 1)
    residual = errors_s - np.outer(slope, k) - middle[:, None]
    u = np.sqrt((residual**2).sum(axis=1) / (len(k) - 2) / ((k - k.mean()) ** 2).sum())
    return 100 * slope / interval_s, 100 * u / interval_s


def verdicts_at_the_limit(
    stamp_errors_s: Array, *, interval_s: float, type_b: float,
    jitter_s: float, tick_s: float, rng: np.random.Generator,
) -> list[Judgement]:  # fmt: skip
    """One for each row of errors; half of the meters are at +1 %, half at −1 %."""
    count, longest = stamp_errors_s.shape
    chosen = plan(maximum_duration_s=(longest - 1) * interval_s)
    truths = np.where(np.arange(count) % 2, 1.0, -1.0) + rng.normal(0, type_b, count)
    tallies, ended = [Tally()] * count, []
    for pulses in range(3, longest + 1):
        slopes, us = lines(stamp_errors_s[:, :pulses], interval_s)
        known: dict[str, Any] = {"interval_s": interval_s, "pulses": pulses}
        floor = stamp_noise_percent(stamp_noise_s=jitter_s, **known)
        bound = tick_bound_percent(tick_s=tick_s, **known)
        for row in (row for row in range(count) if not tallies[row].is_over):
            seen = look(
                pulses, interval_s, error_percent=float(truths[row] - slopes[row]),
                type_a_percent=float(us[row]), type_a_floor_percent=floor,
                tick_bound_percent=bound, type_b_percent=type_b,
            )  # fmt: skip
            step = decide(chosen, seen, tallies[row])
            tallies[row] = step.tally
            if step.judgement is not None:
                ended.append(step.judgement)
    assert len(ended) == len(stamp_errors_s)
    return ended


def assert_risk_is_kept(ended: list[Judgement], risk: float) -> None:
    margin = 3 * math.sqrt(risk * (1 - risk) / len(ended))
    for wrong in (Judgement.PASS, Judgement.FAIL):
        assert ended.count(wrong) / len(ended) <= risk + margin


@pytest.mark.parametrize(("interval_s", "type_b"), [(0.05, 0.0125), (1.0, 0.1)])
def test_meters_at_the_limit_with_white_jitter_are_wronged_no_more_often_than_stated(
    interval_s: float, type_b: float
) -> None:
    rng = np.random.default_rng(1)
    errors_s = rng.normal(0, 20e-6, (4000, 12))
    ended = verdicts_at_the_limit(
        errors_s, interval_s=interval_s, type_b=type_b, jitter_s=0.0, tick_s=0.0, rng=rng
    )
    assert_risk_is_kept(ended, 0.025)


def test_meters_with_a_tick_and_a_steady_load_are_wronged_no_more_often_than_stated() -> None:
    rng = np.random.default_rng(2)
    interval_s = 0.05 * rng.uniform(0.98, 1.02, (2000, 1))
    instants_s = rng.uniform(0, 1e-3, (2000, 1)) + interval_s * np.arange(14)
    errors_s = np.ceil(instants_s / 1e-3) * 1e-3 - instants_s
    # The shortest interval is 2 % below the 0.05 s told, so the tick told is 2 % above its own.
    ended = verdicts_at_the_limit(
        errors_s, interval_s=0.05, type_b=0.0, jitter_s=0.0, tick_s=1e-3 / 0.98, rng=rng
    )
    assert_risk_is_kept(ended, 0.005)
