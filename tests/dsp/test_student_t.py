"""Coverage factors against the GUM's table and SciPy."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spotcheck_dsp.student_t import coverage_factor, two_sided_tail


@pytest.mark.parametrize(
    ("freedom", "factor"),
    [(1, 12.71), (2, 4.30), (3, 3.18), (4, 2.78), (5, 2.57), (10, 2.23), (50, 2.01)],
)
def test_factors_are_those_of_the_guide_table_g2(freedom: int, factor: float) -> None:
    assert round(coverage_factor(freedom), 2) == factor


@given(st.floats(1, 1e5), st.floats(0.5, 0.9999))
def test_factor_is_that_of_scipy(freedom: float, probability: float) -> None:
    expected = stats.t.ppf(0.5 + probability / 2, freedom)
    assert coverage_factor(freedom, probability) == pytest.approx(expected, rel=1e-8)


# Below 1e-4 SciPy's own tail is 1/2 to 2e-9 only.
@given(st.floats(1e-4, 50), st.floats(1, 200))
def test_tail_is_that_of_scipy(t: float, freedom: float) -> None:
    assert two_sided_tail(t, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9)


@given(st.floats(0, 50))
def test_tail_of_one_degree_of_freedom_is_cauchys(t: float) -> None:
    expected = 1 - 2 / math.pi * math.atan(t)
    assert two_sided_tail(t, 1.0) == pytest.approx(expected, rel=1e-12)


def test_infinite_degrees_of_freedom_are_normal() -> None:
    assert coverage_factor(math.inf) == pytest.approx(stats.norm.ppf(0.975), rel=1e-12)


@pytest.mark.parametrize("freedom", [0.0, 0.99, -1.0, math.nan])
def test_too_few_degrees_of_freedom_are_refused(freedom: float) -> None:
    with pytest.raises(ValueError, match="degrees_of_freedom is"):
        coverage_factor(freedom)


@pytest.mark.parametrize("probability", [0.4, 1.0, math.nan])
def test_probability_outside_its_range_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match="probability is"):
        coverage_factor(5, probability)
