"""Symmetrical components against Fortescue's definition, textbook figures and IEC's closed form."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.quantities.symmetrical_components import (
    SymmetricalComponents,
    negative_unbalance_of_line_voltages_percent,
    phase_phasors,
    symmetrical_components,
)


def polar(level: float, angle_deg: float) -> complex:
    return cmath.rect(level, math.radians(angle_deg))


def phasors(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array([polar(*pair) for pair in pairs])


part = st.complex_numbers(max_magnitude=1e3, allow_nan=False, allow_infinity=False)


def test_textbook_example_of_one_open_conductor() -> None:
    # Grainger and Stevenson, Power System Analysis, example 11.1 (from memory): line currents of a
    # delta load with line c open, 10 A at 0° and 10 A at 180°.
    found = symmetrical_components(phasors((10, 0), (10, 180), (0, 0)))
    assert abs(found.zero) < 1e-14
    assert abs(found.positive) == pytest.approx(5.7735, abs=5e-5)
    assert math.degrees(cmath.phase(found.positive)) == pytest.approx(-30, abs=1e-9)
    assert abs(found.negative) == pytest.approx(5.7735, abs=5e-5)
    assert math.degrees(cmath.phase(found.negative)) == pytest.approx(30, abs=1e-9)


def test_balanced_abc_is_positive_sequence_alone_and_acb_negative_alone() -> None:
    abc = symmetrical_components(phasors((230, 10), (230, -110), (230, 130)))
    assert abc.positive == pytest.approx(polar(230, 10))
    assert abs(abc.negative) + abs(abc.zero) < 1e-12
    assert abc.negative_unbalance_percent < 1e-12
    acb = symmetrical_components(phasors((230, 10), (230, 130), (230, -110)))
    assert acb.negative == pytest.approx(polar(230, 10))


def test_missing_phase_gives_half_of_the_positive_sequence_as_unbalance() -> None:
    # U3 = 0: |U1| = 2/3 U, |U2| = |U0| = 1/3 U.
    found = symmetrical_components(phasors((230, 0), (230, -120), (0, 0)))
    assert found.negative_unbalance_percent == pytest.approx(50)
    assert found.zero_unbalance_percent == pytest.approx(50)


@given(part, part, part)
def test_components_and_phases_are_each_others_inverse(a: complex, b: complex, c: complex) -> None:
    components = symmetrical_components(np.array([a, b, c]))
    assert np.allclose(phase_phasors(components), [a, b, c], rtol=0, atol=1e-11)


@given(part, part, part, st.floats(-180, 180))
def test_turning_all_phases_turns_the_components(
    a: complex, b: complex, c: complex, angle_deg: float
) -> None:
    turn = polar(1, angle_deg)
    still = symmetrical_components(np.array([a, b, c]))
    turned = symmetrical_components(turn * np.array([a, b, c]))
    for name in ("zero", "positive", "negative"):
        assert getattr(turned, name) == pytest.approx(turn * getattr(still, name), abs=1e-10)


@given(part, part, part)
def test_rotating_the_phases_keeps_the_levels_and_exchanging_two_swaps_the_sequences(
    a: complex, b: complex, c: complex
) -> None:
    first = symmetrical_components(np.array([a, b, c]))
    rotated = symmetrical_components(np.array([b, c, a]))
    assert abs(rotated.positive) == pytest.approx(abs(first.positive), abs=1e-10)
    assert abs(rotated.negative) == pytest.approx(abs(first.negative), abs=1e-10)
    exchanged = symmetrical_components(np.array([a, c, b]))
    assert exchanged.positive == pytest.approx(first.negative, abs=1e-10)
    assert exchanged.zero == pytest.approx(first.zero, abs=1e-10)


@given(st.floats(0.0005, 0.9), st.floats(-180, 180), st.floats(0, 0.3), st.floats(-180, 180))
def test_unbalance_by_angles_is_that_of_the_line_voltages_without_angles(
    negative: float, negative_deg: float, zero: float, zero_deg: float
) -> None:
    # Two independent ways: Fortescue on phase voltages, IEC's formula on |U12|, |U23|, |U31|.
    components = SymmetricalComponents(
        zero=polar(230 * zero, zero_deg), positive=230, negative=polar(230 * negative, negative_deg)
    )
    one, two, three = phase_phasors(components)
    lines = np.abs(np.array([one - two, two - three, three - one]))
    found = symmetrical_components(np.array([one, two, three])).negative_unbalance_percent
    assert found == pytest.approx(100 * negative, rel=1e-12)
    assert negative_unbalance_of_line_voltages_percent(lines) == pytest.approx(found, rel=1e-8)


def test_balanced_line_voltages_have_no_unbalance_in_spite_of_rounding() -> None:
    for level in (1.0, 0.1, 399.99999, 1e-3):
        assert negative_unbalance_of_line_voltages_percent(np.full(3, level)) < 1e-5


@pytest.mark.parametrize(
    ("values", "error", "words"),
    [
        (np.zeros(2, complex), ValueError, "three phases"),
        (np.array([1, np.nan, 1j]), ValueError, r"not finite at index \(1,\)"),
        (np.zeros((3, 3), complex), ValueError, "dimensions"),
        (np.array([1, 2, 3]), TypeError, "floating-point"),
    ],
)
def test_what_is_no_set_of_three_phasors_is_refused(
    values: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        symmetrical_components(values)


def test_unbalance_without_a_positive_sequence_is_refused() -> None:
    with pytest.raises(ValueError, match="no positive sequence"):
        _ = SymmetricalComponents(zero=1, positive=0, negative=1).negative_unbalance_percent


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (np.array([100.0, 100.0, 201.0]), "more than the other two"),
        (np.zeros(3), "three RMS values"),
        (np.array([-400.0, 400.0, 400.0]), "three RMS values"),
    ],
)
def test_what_are_no_line_voltages_is_refused(lines: np.ndarray, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        negative_unbalance_of_line_voltages_percent(lines)
