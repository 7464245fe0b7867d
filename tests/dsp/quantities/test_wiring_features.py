"""Features of the wiring for every way of connecting it wrong."""

import cmath
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.quantities.wiring_features import (
    PhaseSequence,
    Sign,
    WiringThresholds,
    wiring_features,
)

ABC_DEG = (0.0, -120.0, 120.0)


def polar(level: float, angle_deg: float) -> complex:
    return cmath.rect(level, math.radians(angle_deg))


def four_wire(
    lags_deg: tuple[float, float, float] = (25.0, 25.0, 25.0),
    order: tuple[int, ...] = (0, 1, 2),
    flipped: tuple[bool, ...] = (False, False, False),
    angles_deg: tuple[float, ...] = ABC_DEG,
) -> np.ndarray:
    """Input p carries the current of the true phase order[p], turned round where flipped."""
    u = [polar(230, angle) for angle in angles_deg]
    i = [polar(5, angle - lag) for angle, lag in zip(angles_deg, lags_deg, strict=True)]
    connected = [(-1 if back else 1) * i[p] for p, back in zip(order, flipped, strict=True)]
    return np.array([value for pair in zip(u, connected, strict=True) for value in pair])


def test_right_wiring_has_all_features_of_right_wiring() -> None:
    found = wiring_features(four_wire())
    assert found.sequence is PhaseSequence.ABC
    assert found.voltage_angles_deg == pytest.approx(ABC_DEG)
    assert found.own_angles_deg == pytest.approx((-25, -25, -25))
    assert found.current_angles_deg[0] == pytest.approx((-25, 95, -145))
    assert found.active_signs == found.reactive_signs == (Sign.POSITIVE,) * 3
    assert [(m.voltage, m.reversed) for m in found.matches if m] == [(0, False), (1, False),
                                                                     (2, False)]  # fmt: skip
    assert found.missing_voltages == found.missing_currents == (False,) * 3
    assert found.voltage_ratios == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flipped", list(itertools.product((False, True), repeat=3)))
def test_every_exchange_and_reversal_of_currents_is_found(
    order: tuple[int, ...], flipped: tuple[bool, ...]
) -> None:
    found = wiring_features(four_wire((20.0, 10.0, 30.0), order, flipped))
    assert [(m.voltage, m.reversed) for m in found.matches if m] == list(
        zip(order, flipped, strict=True)
    )
    lags = (20.0, 10.0, 30.0)
    angles = [m.angle_deg for m in found.matches if m]
    assert angles == pytest.approx([-lags[p] for p in order])


def test_reversed_current_has_negative_power_of_both_kinds() -> None:
    found = wiring_features(four_wire(flipped=(False, True, False)))
    assert found.active_signs == (Sign.POSITIVE, Sign.NEGATIVE, Sign.POSITIVE)
    assert found.reactive_signs == (Sign.POSITIVE, Sign.NEGATIVE, Sign.POSITIVE)
    assert found.own_angles_deg[1] == pytest.approx(155)


def test_sequence_acb() -> None:
    found = wiring_features(four_wire(angles_deg=(0.0, 120.0, -120.0)))
    assert found.sequence is PhaseSequence.ACB


def test_one_reversed_voltage_is_no_sequence() -> None:
    # Its negative sequence is twice the positive one: the stronger component would say acb.
    phasors = four_wire()
    phasors[4] *= -1
    assert wiring_features(phasors).sequence is PhaseSequence.UNDETERMINED


def test_two_inputs_on_one_phase_are_no_sequence() -> None:
    found = wiring_features(four_wire(angles_deg=(0.0, 0.0, 120.0)))
    assert found.sequence is PhaseSequence.UNDETERMINED


def test_missing_voltage_leaves_what_rests_on_it_undetermined() -> None:
    phasors = four_wire()
    phasors[2] = 3.0
    found = wiring_features(phasors)
    assert found.missing_voltages == (False, True, False)
    assert found.sequence is PhaseSequence.UNDETERMINED
    assert found.voltage_angles_deg[1] is None
    assert found.active_signs[1] is Sign.UNDETERMINED
    assert found.current_angles_deg[0][1] is None
    assert found.matches == (None, None, None)
    assert found.match_margin_deg is None


def test_missing_current_is_left_out_of_the_assignment() -> None:
    phasors = four_wire(order=(1, 0, 2))
    phasors[5] = 0.001
    found = wiring_features(phasors)
    assert found.missing_currents == (False, False, True)
    assert [None if m is None else m.voltage for m in found.matches] == [1, 0, None]
    assert found.own_angles_deg[2] is None
    assert found.reactive_signs[2] is Sign.UNDETERMINED


def test_current_between_two_voltages_matches_none() -> None:
    # At −45° to U1, and turned round at 15° to U3: both are 30° off the expected −15°.
    found = wiring_features(np.array([polar(230, 0), polar(5, -45), polar(230, -120),
                                      0.0, polar(230, 120), 0.0]))  # fmt: skip
    assert found.matches == (None, None, None)
    assert found.match_margin_deg == pytest.approx(0, abs=1e-9)


def test_unity_power_factor_has_no_reactive_sign() -> None:
    found = wiring_features(four_wire((0.5, -0.5, 5.0)))
    assert found.reactive_signs == (Sign.UNDETERMINED, Sign.UNDETERMINED, Sign.POSITIVE)


@pytest.mark.parametrize(
    ("second_deg", "sequence"),
    [(60.0, PhaseSequence.ABC), (-60.0, PhaseSequence.ACB), (180.0, PhaseSequence.UNDETERMINED)],
)
def test_two_elements_tell_the_sequence_by_their_line_voltages(
    second_deg: float, sequence: PhaseSequence
) -> None:
    # U12 at 30° and U32 at 90° in the order abc.
    found = wiring_features(
        np.array([polar(400, 30), polar(5, -20), polar(400, 30 + second_deg), polar(5, 100)])
    )
    assert found.sequence is sequence


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("flipped", list(itertools.product((False, True), repeat=2)))
def test_every_exchange_and_reversal_in_a_three_wire_system_is_found(
    sign: int, order: tuple[int, int], flipped: tuple[bool, bool]
) -> None:
    one, two, three = (polar(230, sign * angle) for angle in ABC_DEG)
    currents = [one / 50 * polar(1, -20), three / 50 * polar(1, -20)]
    i = [(-1 if back else 1) * currents[p] for p, back in zip(order, flipped, strict=True)]
    found = wiring_features(np.array([one - two, i[0], three - two, i[1]]))
    assert [(m.voltage, m.reversed) for m in found.matches if m] == list(
        zip(order, flipped, strict=True)
    )


def test_three_wire_system_without_a_sequence_matches_nothing() -> None:
    found = wiring_features(np.array([polar(400, 0), 5 + 0j, polar(400, 180), 5 + 0j]))
    assert found.sequence is PhaseSequence.UNDETERMINED
    assert found.matches == (None, None)


def test_one_phase_has_no_sequence_but_a_sign_and_a_match() -> None:
    found = wiring_features(np.array([230 + 0j, polar(5, 170)]))
    assert found.sequence is PhaseSequence.UNDETERMINED
    assert found.active_signs == (Sign.NEGATIVE,)
    (match,) = found.matches
    assert match is not None
    assert (match.voltage, match.reversed) == (0, True)
    assert match.angle_deg == pytest.approx(-10)


def test_ratios_are_to_the_largest() -> None:
    found = wiring_features(np.array([115 + 0j, 1 + 0j, -230, -4 + 0j, 230j, 2j]))
    assert found.voltage_ratios == pytest.approx((0.5, 1, 1))
    assert found.current_ratios == pytest.approx((0.25, 1, 0.5))


def test_nothing_there_is_told_as_nothing() -> None:
    found = wiring_features(np.zeros(6, complex))
    assert found.voltage_ratios == found.current_ratios == (None,) * 3
    assert found.voltage_angles_deg == (None,) * 3
    assert found.active_signs == (Sign.UNDETERMINED,) * 3


@given(st.floats(-180, 180), st.lists(st.floats(-60, 30), min_size=3, max_size=3))
def test_features_do_not_depend_on_the_frame(turn_deg: float, lags_deg: list[float]) -> None:
    still = four_wire((lags_deg[0], lags_deg[1], lags_deg[2]))
    first, second = wiring_features(still), wiring_features(still * polar(1, turn_deg))
    assert second.sequence is first.sequence
    assert second.own_angles_deg == pytest.approx(first.own_angles_deg, abs=1e-9)
    assert second.match_margin_deg == pytest.approx(first.match_margin_deg, abs=1e-9)


@pytest.mark.parametrize(
    ("phasors", "error", "words"),
    [
        (np.zeros(3, complex), ValueError, "3 channels"),
        (np.zeros(8, complex), ValueError, "8 channels"),
        (np.array([np.nan + 0j, 0]), ValueError, "not finite"),
        (np.zeros((2, 2), complex), ValueError, "dimensions"),
        ([230, 5], TypeError, "NumPy array"),
    ],
)
def test_what_are_no_fundamentals_is_refused(
    phasors: np.ndarray, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        wiring_features(phasors)


@pytest.mark.parametrize(
    ("thresholds", "words"),
    [
        (WiringThresholds(sequence_tolerance_deg=60), "both sequences"),
        (WiringThresholds(least_voltage_v=0), "least_voltage_v"),
        (WiringThresholds(least_current_a=-1), "least_current_a"),
        (WiringThresholds(least_power_share=-0.1), "least_power_share"),
        (WiringThresholds(least_margin_deg=float("nan")), "least_margin_deg"),
        (WiringThresholds(expected_current_angle_deg=90), "expected_current_angle_deg"),
    ],
)
def test_thresholds_without_sense_are_refused(thresholds: WiringThresholds, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wiring_features(four_wire(), thresholds)
