"""Student's t against SciPy, closed forms and the table of the GUM."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spotcheck.errors import InvalidInputError
from spotcheck.student_distribution import student_quantile, student_tail

DEGREES = st.one_of(st.floats(1, 40), st.floats(40, 9999), st.floats(10_001, 1e7))


@given(st.floats(-8, math.log10(0.49)).map(lambda power: 10**power), DEGREES)
def test_quantile_is_that_of_scipy(tail: float, freedom: float) -> None:
    assert student_quantile(tail, freedom) == pytest.approx(stats.t.isf(tail, freedom), rel=1e-8)


@given(st.floats(0, 1000), st.floats(1, 10_000))
def test_tail_is_that_of_scipy(t: float, freedom: float) -> None:
    wanted = stats.t.sf(t, freedom)
    assert student_tail(t, freedom) == pytest.approx(wanted, rel=1e-8, abs=1e-280)


@pytest.mark.parametrize("tail", [0.25, 0.025, 0.00125, 1e-7])
def test_one_and_two_degrees_have_closed_forms(tail: float) -> None:
    assert student_quantile(tail, 1) == pytest.approx(1 / math.tan(math.pi * tail), rel=1e-10)
    two = (1 - 2 * tail) * math.sqrt(2 / (4 * tail * (1 - tail)))
    assert student_quantile(tail, 2) == pytest.approx(two, rel=1e-10)


@pytest.mark.parametrize(
    ("freedom", "k"),
    [(1, 12.71), (2, 4.30), (3, 3.18), (5, 2.57), (10, 2.23), (20, 2.09), (50, 2.01),
     (math.inf, 1.960)],
)  # fmt: skip
def test_gum_table_g2_for_95_percent(freedom: float, k: float) -> None:
    assert student_quantile(0.025, freedom) == pytest.approx(k, abs=0.005)


def test_infinite_degrees_are_the_normal_distribution() -> None:
    assert student_quantile(0.02, math.inf) == pytest.approx(stats.norm.isf(0.02), rel=1e-12)


@pytest.mark.parametrize("tail", [0.0, -0.1, 0.5, 1.0, math.nan])
def test_tail_that_is_no_one_sided_risk_is_refused(tail: float) -> None:
    with pytest.raises(InvalidInputError, match="tail is"):
        student_quantile(tail, 5)


@pytest.mark.parametrize("freedom", [0, 0.99, -3, math.nan])
def test_less_than_one_degree_is_refused(freedom: float) -> None:
    with pytest.raises(InvalidInputError, match="degrees_of_freedom is"):
        student_quantile(0.025, freedom)
    with pytest.raises(InvalidInputError, match="degrees_of_freedom is"):
        student_tail(1.0, freedom)


@pytest.mark.parametrize("t", [-1.0, math.inf, math.nan])
def test_deviation_that_is_no_number_is_refused(t: float) -> None:
    with pytest.raises(InvalidInputError, match="t is"):
        student_tail(t, 5)
