"""The forecast against looks that grow exactly as it supposes."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from spotcheck.guard_band import Look, StoppingPlan, Tally, stamp_noise_percent, tick_bound_percent
from spotcheck.sequential_verdict import Step, decide
from spotcheck.verdict import Judgement
from spotcheck.verdict_forecast import Outlook, forecast


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


def steps(chosen: StoppingPlan, error: float, jitter_s: float, tick_s: float) -> list[Step]:
    """A second from pulse to pulse, the noise known and the estimate still, up to the end."""
    given_steps: list[Step] = []
    tally = Tally()
    for pulses in range(3, 63):
        stamps: dict[str, Any] = {"interval_s": 1.0, "pulses": pulses}
        seen = look(
            pulses, error_percent=error,
            type_a_floor_percent=stamp_noise_percent(stamp_noise_s=jitter_s, **stamps),
            tick_bound_percent=tick_bound_percent(tick_s=tick_s, **stamps),
        )  # fmt: skip
        given_steps.append(decide(chosen, seen, tally))
        tally = given_steps[-1].tally
        if tally.is_over:
            return given_steps
    raise AssertionError("60 s were allowed and no step ended it")


@given(
    st.floats(-1.6, 1.6), st.floats(1e-4, 0.05), st.floats(0, 0.05), st.integers(3, 40),
    st.floats(0, 40), st.sampled_from([math.inf, 0.3]),
)  # fmt: skip
def test_verdict_comes_when_every_step_before_said(
    error: float, jitter_s: float, tick_s: float, fewest: int, shortest_s: float, widest: float
) -> None:
    chosen = plan(
        minimum_pulses=fewest, minimum_duration_s=shortest_s, maximum_duration_s=60.0,
        largest_pass_guard_percent=widest,
    )  # fmt: skip
    *before, last = steps(chosen, error, jitter_s, tick_s)
    ends_s = 2.0 + len(before)
    assume(abs(ends_s - 60) > 1)  # at the very end a rounding of the time decides
    for number, step in enumerate(before):
        if last.judgement is Judgement.UNDECIDED:
            assert step.outlook in {Outlook.TIME_TOO_SHORT, Outlook.INSTRUMENT_TOO_UNCERTAIN}
            assert step.time_left_s is None
        else:
            assert step.outlook is Outlook.VERDICT_EXPECTED
            assert step.time_left_s == pytest.approx(ends_s - 2.0 - number)


def test_instrument_that_reaches_the_limit_is_told_as_a_forecast_not_a_verdict() -> None:
    step = decide(plan(), look(error_percent=0.9), Tally())
    assert step.judgement is None
    assert step.outlook is Outlook.INSTRUMENT_TOO_UNCERTAIN
    assert step.time_left_s is None
    assert step.explanation == (
        "+0.900 % after 10 pulses: the instrument's own uncertainty of 0.100 % (standard) "
        "allows no verdict so near the limit"
    )


def test_scatter_that_will_not_shrink_in_time_is_told() -> None:
    noisy = look(error_percent=0.5, type_a_percent=5.0)
    step = decide(plan(maximum_duration_s=12.0), noisy, Tally())
    assert step.outlook is Outlook.TIME_TOO_SHORT
    assert step.explanation.endswith("no verdict is expected within the 12 s allowed")


def test_minimum_that_the_maximum_does_not_allow_is_told() -> None:
    chosen = plan(minimum_pulses=50, maximum_duration_s=30.0)
    assert forecast(chosen, look(), Tally()) == (Outlook.TIME_TOO_SHORT, None)


def test_time_to_the_minimum_is_forecast_when_that_alone_is_awaited() -> None:
    chosen = plan(minimum_pulses=25, minimum_duration_s=30.0)
    for seen, left_s in ((look(5), 26.0), (look(25, 0.1), 27.6)):
        outlook, found_s = forecast(chosen, seen, Tally())
        assert outlook is Outlook.VERDICT_EXPECTED
        assert found_s == pytest.approx(left_s)


def test_time_since_the_last_pulse_is_not_waited_again() -> None:
    chosen = plan(minimum_pulses=25)
    waited = look(5, elapsed_s=4.75)
    assert forecast(chosen, waited, Tally())[1] == pytest.approx(19.25)


def test_larger_share_of_the_last_look_is_foreseen() -> None:
    noisy = look(40, error_percent=0.5, type_a_floor_percent=0.0755)
    outlook, left_s = forecast(plan(maximum_duration_s=40.5), noisy, Tally(looks=20, pulses=40))
    assert outlook is Outlook.VERDICT_EXPECTED
    assert left_s == pytest.approx(1.5)


# Scatters for which the 1.7 % by which Wilson and Hilferty miss this median change no look.
@pytest.mark.parametrize("scatter_percent", [0.02, 0.05, 0.3])
def test_scatter_of_one_degree_is_taken_for_the_median_of_what_it_shows(
    scatter_percent: float,
) -> None:
    seen = look(3, error_percent=0.5, type_a_percent=scatter_percent)
    outlook, left_s = forecast(plan(), seen, Tally(looks=1, pulses=3))
    sigma_percent = scatter_percent / math.sqrt(stats.chi2.median(1))

    def guard_percent(pulses: int) -> float:
        number = pulses - 1  # a look at each pulse so far
        t = stats.t.isf(0.025 * 0.2 / (number * (number + 1)) / 2, pulses - 2)
        shrunk = sigma_percent * math.sqrt((3**3 - 3) / (pulses**3 - pulses))
        return float(t * shrunk + 0.1 * stats.norm.isf(0.02))

    pulses = next(n for n in range(4, 20) if guard_percent(n) <= 0.5)
    assert outlook is Outlook.VERDICT_EXPECTED
    assert left_s == pytest.approx(pulses - 3)
