"""The guard band: its risk summed by SciPy, its noise and its tick by brute force."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spotcheck.errors import EvidenceError, RuleError
from spotcheck.guard_band import (
    Look,
    StoppingPlan,
    Tally,
    guard_band,
    next_look_pulses,
    risk_spent,
    stamp_noise_percent,
    tick_bound_percent,
    type_b_guard,
)


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


@given(
    st.floats(0.001, 0.4), st.floats(0.05, 0.95), st.integers(1, 60), st.floats(1, 500),
    st.booleans(),
)  # fmt: skip
def test_risks_of_all_looks_and_the_instrument_sum_to_the_risk(
    risk: float, share: float, looks: int, freedom: float, is_floor: bool
) -> None:
    chosen = plan(risk=risk, type_a_share=share, limit_percent=100.0)
    spent = 0.0
    for number in range(1, looks + 1):
        noise: dict[str, Any] = {"type_a_floor_percent" if is_floor else "type_a_percent": 1.0}
        seen = look(type_b_percent=1.0, degrees_of_freedom=freedom, **noise)
        guard = guard_band(chosen, seen, number=number, is_last=number == looks)
        tail = stats.norm.sf if is_floor else stats.t(freedom).sf
        spent += 2 * float(tail(guard.type_a_percent))
    spent += float(stats.norm.sf(guard.type_b_percent))
    assert spent == pytest.approx(risk, rel=1e-6)


def test_risk_spent_is_what_the_looks_so_far_have_taken() -> None:
    chosen = plan()
    type_b = float(stats.norm.sf(type_b_guard(chosen, look()) / 0.1))
    for looks in (1, 2, 7):
        taken = [
            guard_band(chosen, look(type_a_percent=1.0), number=i, is_last=False).type_a_percent
            for i in range(1, looks + 1)
        ]
        type_a = sum(2 * float(stats.t.sf(t, 8)) for t in taken)
        assert risk_spent(chosen, Tally(looks=looks, pulses=9)) == pytest.approx(type_a + type_b)
    assert risk_spent(chosen, Tally()) == 0


def test_first_look_at_three_pulses_has_the_closed_form_of_one_degree() -> None:
    seen = look(3, type_a_percent=0.001)
    guard = guard_band(plan(), seen, number=1, is_last=False)
    assert guard.type_a_percent == pytest.approx(0.001 / math.tan(math.pi * 0.025 * 0.2 / 4))
    assert guard.type_b_percent == pytest.approx(0.1 * stats.norm.isf(0.02))
    assert guard.total_percent == guard.type_a_percent + guard.type_b_percent


def test_instrument_of_few_degrees_takes_students_quantile() -> None:
    seen = look(type_b_degrees_of_freedom=4.0)
    assert type_b_guard(plan(), seen) == pytest.approx(0.1 * stats.t.isf(0.02, 4), rel=1e-8)


def test_instrument_as_wide_as_the_limit_gets_half_the_risk_for_either_limit() -> None:
    seen = look(type_b_percent=0.5)
    assert type_b_guard(plan(), seen) == pytest.approx(0.5 * stats.norm.isf(0.01))


def test_tick_and_known_noise_add_and_are_not_added_to_the_scatter() -> None:
    chosen = plan()
    known: dict[str, Any] = {"type_a_floor_percent": 0.01, "tick_bound_percent": 0.03}
    z = stats.norm.isf(0.025 * 0.2 / 4)
    quiet = guard_band(chosen, look(**known), number=1, is_last=False)
    assert quiet.type_a_percent == pytest.approx(0.01 * z + 0.03)
    loud = guard_band(chosen, look(type_a_percent=1.0, **known), number=1, is_last=False)
    bare = guard_band(chosen, look(type_a_percent=1.0), number=1, is_last=False)
    assert loud.type_a_percent == bare.type_a_percent


@pytest.mark.parametrize("pulses", range(2, 12))
def test_tick_bound_is_the_worst_of_all_ways_to_be_half_a_tick_off(pulses: int) -> None:
    corners = np.array(list(itertools.product((-0.5e-3, 0.5e-3), repeat=pulses))).T
    slopes = np.polyfit(np.arange(pulses), corners, 1)[0]
    found = tick_bound_percent(tick_s=1e-3, interval_s=0.25, pulses=pulses)
    assert found == pytest.approx(100 * slopes.max() / 0.25, rel=1e-9)


@pytest.mark.parametrize("pulses", [2, 3, 25, 700])
def test_stamp_noise_is_the_standard_deviation_of_the_slope(pulses: int) -> None:
    design = np.stack((np.ones(pulses), np.arange(pulses)), axis=1)
    variance = np.linalg.inv(design.T @ design)[1, 1]
    found = stamp_noise_percent(stamp_noise_s=2e-5, interval_s=0.5, pulses=pulses)
    assert found == pytest.approx(100 * 2e-5 / 0.5 * math.sqrt(variance), rel=1e-9)


def test_looks_come_at_each_pulse_and_later_after_a_tenth_more() -> None:
    pulses = [3]
    while pulses[-1] < 40:
        pulses.append(next_look_pulses(Tally(looks=1, pulses=pulses[-1])))
    assert pulses == [*range(3, 21), 22, 24, 26, 28, 30, 33, 36, 39, 42]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit_percent", 0.0), ("limit_percent", math.nan), ("limit_percent", math.inf),
        ("minimum_pulses", 2), ("minimum_duration_s", -1.0), ("minimum_duration_s", math.nan),
        ("maximum_duration_s", math.inf), ("maximum_duration_s", 0.0), ("risk", 0.0),
        ("risk", 0.5), ("type_a_share", 0.0), ("type_a_share", 1.0), ("type_a_share", math.nan),
        ("largest_pass_guard_percent", 0.0), ("largest_pass_guard_percent", math.nan),
    ],
)  # fmt: skip
def test_impossible_plan_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(RuleError, match=f"^{name} is"):
        plan(**{name: value})


def test_maximum_before_the_minimum_is_refused() -> None:
    with pytest.raises(RuleError, match="maximum_duration_s is 20"):
        plan(minimum_duration_s=30.0, maximum_duration_s=20.0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("elapsed_s", 8.9), ("elapsed_s", math.nan), ("duration_s", 0.0), ("duration_s", math.nan),
        ("pulses", 2), ("error_percent", math.nan), ("error_percent", math.inf),
        ("type_a_percent", -1e-9), ("type_a_percent", math.nan), ("type_b_percent", math.inf),
        ("type_b_percent", -0.1), ("type_a_floor_percent", math.nan), ("degrees_of_freedom", 0),
        ("degrees_of_freedom", math.nan), ("type_b_degrees_of_freedom", 0.5),
        ("tick_bound_percent", -0.1),
    ],
)  # fmt: skip
def test_impossible_look_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(EvidenceError, match=f"^{name} is"):
        look(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [("size_s", -1e-6), ("size_s", math.nan), ("interval_s", 0.0), ("interval_s", math.inf),
     ("pulses", 1)],
)  # fmt: skip
def test_impossible_stamps_are_refused_by_name(name: str, value: Any) -> None:
    given_values: dict[str, Any] = {"size_s": 1e-3, "interval_s": 1.0, "pulses": 5, name: value}
    size_s = given_values.pop("size_s")
    with pytest.raises(EvidenceError, match=name.replace("size_s", "stamp_noise_s")):
        stamp_noise_percent(stamp_noise_s=size_s, **given_values)
    with pytest.raises(EvidenceError, match=name.replace("size_s", "tick_s")):
        tick_bound_percent(tick_s=size_s, **given_values)
