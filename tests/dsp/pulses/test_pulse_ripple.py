"""Ripple of the energy against numerical integration and an exactly filtered power."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.pulses.pulse_ripple import (
    PULSATING_RAD,
    SMOOTHED_RAD,
    RippleAtPulses,
    first_order_coefficients,
    power_components,
    ripple_at_pulses,
)

OMEGA = 2 * np.pi * 50.3
VOLTAGES = np.array([[220, 0, 9 * np.exp(0.3j)], [215 * np.exp(-2.1j), 3, 0]])
CURRENTS = np.array([[7 * np.exp(-0.9j), 0.4j, 2], [3 * np.exp(-2j), 0, 0.5j]])


def instantaneous_w(t: np.ndarray) -> np.ndarray:
    turns = np.exp(1j * np.outer([1, 2, 3], OMEGA * t))
    u, i = (np.sqrt(2) * (phasors @ turns).real for phasors in (VOLTAGES, CURRENTS))
    power: np.ndarray = np.sum(u * i, axis=0)
    return power


def test_components_give_the_instantaneous_power() -> None:
    t = np.linspace(0, 0.04, 301)
    components = power_components(VOLTAGES, CURRENTS)
    turns = np.exp(1j * np.outer(np.arange(len(components)), OMEGA * t))
    assert (components @ turns).real == pytest.approx(instantaneous_w(t), rel=1e-12, abs=1e-9)


def test_mean_power_is_the_sum_over_phases_and_orders() -> None:
    mean = power_components(VOLTAGES, CURRENTS)[0]
    assert mean == pytest.approx(np.sum(VOLTAGES * np.conj(CURRENTS)).real, rel=1e-14)


def test_ripple_in_phase_is_the_integral_of_the_alternating_power() -> None:
    t = np.linspace(0, 0.05, 50_001)
    components = power_components(VOLTAGES, CURRENTS)
    ripple = ripple_at_pulses(components, OMEGA * t, OMEGA / 2 / np.pi)
    power = instantaneous_w(t) - components[0].real
    energy = np.concatenate([[0], np.cumsum((power[1:] + power[:-1]) / 2)]) * t[1]
    found = ripple.in_phase_j.sum(axis=1)
    assert found - found[0] == pytest.approx(energy, abs=1e-6 * np.ptp(energy))


@given(st.floats(1e-6, 10))
def test_coefficients_are_a_filter_of_that_time_constant(time_constant_s: float) -> None:
    orders = np.array([1.0, 2.0, 4.0, 6.0])
    angle = np.array([np.arctan(2 * OMEGA * time_constant_s)])
    found = first_order_coefficients(orders, angle)[0]
    passed = np.conj(1 / (1 + 1j * orders * OMEGA * time_constant_s))
    assert found[:4] == pytest.approx(passed.real, rel=1e-9, abs=1e-12)
    assert found[4:] == pytest.approx(passed.imag, rel=1e-9, abs=1e-12)


def test_filtered_ripple_obeys_the_differential_equation_of_its_filter() -> None:
    time_constant_s, t, step = 3e-3, np.linspace(0, 0.02, 400), 1e-7
    components = power_components(VOLTAGES, CURRENTS)
    angle = np.array([np.arctan(2 * OMEGA * time_constant_s)])

    def counted(times: np.ndarray) -> np.ndarray:
        ripple = ripple_at_pulses(components, OMEGA * times, OMEGA / 2 / np.pi)
        energy: np.ndarray = ripple.columns() @ first_order_coefficients(ripple.orders, angle)[0]
        return energy

    rate = (counted(t + step) - counted(t - step)) / (2 * step)
    unfiltered = ripple_at_pulses(components, OMEGA * t, OMEGA / 2 / np.pi)
    driven = unfiltered.in_phase_j.sum(axis=1)
    assert time_constant_s * rate + counted(t) == pytest.approx(driven, abs=1e-6 * np.ptp(driven))


def test_power_columns_are_the_rates_of_the_columns() -> None:
    t, step = np.linspace(0, 0.02, 50), 1e-7
    components = power_components(VOLTAGES, CURRENTS)
    before, here, after = (
        ripple_at_pulses(components, OMEGA * (t + shift), OMEGA / 2 / np.pi)
        for shift in (-step, 0.0, step)
    )
    rate = (after.columns() - before.columns()) / (2 * step)
    second = (after.power_columns() - before.power_columns()) / (2 * step)
    assert here.power_columns() == pytest.approx(rate, abs=1e-5 * np.abs(rate).max())
    assert here.power_rate_columns() == pytest.approx(second, abs=1e-5 * np.abs(second).max())


def test_ends_of_the_family_pulsate_and_smooth() -> None:
    ends = first_order_coefficients(np.array([2.0]), np.array([PULSATING_RAD, SMOOTHED_RAD]))
    assert ends == pytest.approx(np.array([[1.0, 0.0], [0.0, 0.0]]), abs=1e-15)


def test_balanced_load_has_ripple_of_rounding_only() -> None:
    turns = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None]
    components = power_components(220 * turns, 5 * np.exp(-0.5j) * turns)
    ripple = ripple_at_pulses(components, np.linspace(0, 6, 9), 50.0)
    assert ripple.largest_j < 1e-12 * components[0].real


def test_bad_arguments_are_refused() -> None:
    good = RippleAtPulses(
        in_phase_j=np.zeros((3, 1)),
        quadrature_j=np.zeros((3, 1)),
        orders=np.array([2.0]),
        angular_frequency_rad_s=OMEGA,
    )
    changes: list[tuple[dict[str, Any], str]] = [
        ({"in_phase_j": np.zeros(3)}, "must both be"),
        ({"quadrature_j": np.zeros((2, 1))}, "must both be"),
        ({"quadrature_j": np.full((3, 1), np.nan)}, "not finite"),
        ({"orders": np.array([0.0])}, "positive multiple"),
        ({"orders": np.array([2.0, 4.0])}, "positive multiple"),
        ({"angular_frequency_rad_s": 0.0}, "must be positive"),
    ]
    for change, words in changes:
        with pytest.raises(ValueError, match=words):
            replace(good, **change)
    with pytest.raises(ValueError, match="frequency_hz is 0"):
        ripple_at_pulses(np.ones(3, np.complex128), np.zeros(2), 0.0)
    with pytest.raises(ValueError, match="must both be"):
        power_components(VOLTAGES, CURRENTS[:1])
