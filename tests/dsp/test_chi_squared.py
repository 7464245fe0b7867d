"""Chi-squared against SciPy."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from spotcheck_dsp.chi_squared import chi_squared_quantile, chi_squared_tail


@given(st.floats(0.5, 70_000), st.floats(0.01, 3))
def test_tail_is_scipys(freedom: float, ratio: float) -> None:
    expected = stats.chi2.sf(ratio * freedom, freedom)
    assert chi_squared_tail(ratio * freedom, freedom) == pytest.approx(
        expected, rel=1e-8, abs=1e-12
    )


@given(st.floats(0.5, 70_000), st.floats(1e-9, 0.999))
def test_quantile_is_scipys(freedom: float, tail: float) -> None:
    expected = stats.chi2.isf(tail, freedom)
    assert chi_squared_quantile(tail, freedom) == pytest.approx(expected, rel=1e-8)


def test_nothing_exceeds_more_surely_than_zero() -> None:
    assert chi_squared_tail(0.0, 3) == 1.0


@pytest.mark.parametrize(
    ("tail", "freedom", "words"), [(0, 3, "tail"), (1, 3, "tail"), (0.5, 0, "degrees_of_freedom")]
)
def test_quantile_of_no_distribution_is_refused(tail: float, freedom: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chi_squared_quantile(tail, freedom)


@pytest.mark.parametrize(
    ("value", "freedom", "words"),
    [(-1, 3, "value"), (float("nan"), 3, "value"), (1, float("inf"), "degrees_of_freedom")],
)
def test_tail_of_no_distribution_is_refused(value: float, freedom: float, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        chi_squared_tail(value, freedom)
