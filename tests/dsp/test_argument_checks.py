"""Refusals name the argument, what was wrong and why."""

from typing import Any

import numpy as np
import pytest

from spotcheck_dsp.argument_checks import (
    refuse_negative,
    refuse_no_probability,
    refuse_not_positive,
    refuse_unusable,
    refuse_wrong_codes,
)


def test_finite_arrays_of_real_and_complex_numbers_pass() -> None:
    refuse_unusable("values", np.zeros((2, 3)), 2)
    refuse_unusable("values", np.zeros(0, complex), 1)
    refuse_wrong_codes("codes", np.zeros((4, 2), np.int32), 2)
    refuse_not_positive("rate", 1e-9)
    refuse_negative("noise", 0.0)
    refuse_no_probability("chance", 0.4999)


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        ([1.0, 2.0], TypeError, "values is list"),
        (np.zeros(3, np.int32), TypeError, "values is int32"),
        (np.zeros((3, 1)), ValueError, r"values has the shape \(3, 1\); 1 dimensions"),
        (np.array([0, 1, np.nan]), ValueError, r"values is not finite at index \(2,\)"),
        (np.array([0, np.inf * 1j]), ValueError, r"values is not finite at index \(1,\)"),
    ],
)
def test_arrays_that_cannot_be_measured_are_refused(
    values: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        refuse_unusable("values", values, 1)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_what_must_be_positive_is_refused_otherwise(value: float) -> None:
    with pytest.raises(ValueError, match="rate is"):
        refuse_not_positive("rate", value)


@pytest.mark.parametrize("value", [-1e-9, float("nan"), float("inf")])
def test_what_must_not_be_negative_is_refused_otherwise(value: float) -> None:
    with pytest.raises(ValueError, match="noise is"):
        refuse_negative("noise", value)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0, -0.1, float("nan")])
def test_what_must_be_a_small_probability_is_refused_otherwise(value: float) -> None:
    with pytest.raises(ValueError, match="chance is"):
        refuse_no_probability("chance", value)


@pytest.mark.parametrize(
    ("codes", "error", "words"),
    [
        ([[1, 2]], TypeError, "codes is list"),
        (np.zeros((4, 2), np.int16), TypeError, "codes is int16"),
        (np.zeros((4, 3), np.int32), ValueError, r"\(n, 2\) is expected"),
        (np.zeros(4, np.int32), ValueError, r"\(4,\)"),
    ],
)
def test_codes_of_another_type_or_shape_are_refused(
    codes: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        refuse_wrong_codes("codes", codes, 2)
