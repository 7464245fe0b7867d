"""Definitions of reactive power against their closed forms on sets of harmonics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck_dsp.quantities.reactive_power import (
    budeanu_power,
    fundamental_reactive_power,
    quarter_period_products,
)

RATE = 10_000.0
# order, U, I, lag of the current against the voltage
HARMONICS = ((1, 230.0, 10.0, 0.5), (2, 4.0, 1.0, 0.7), (3, 10.0, 3.0, 1.0), (5, 23.0, 4.0, -0.3),
             (7, 6.0, 2.0, 2.0))  # fmt: skip


def phasors() -> tuple[np.ndarray, np.ndarray]:
    u, i = np.zeros(9, complex), np.zeros(9, complex)
    for order, level_u, level_i, lag in HARMONICS:
        u[order - 1] = level_u * np.exp(0.2j * order)
        i[order - 1] = level_i * np.exp(1j * (0.2 * order - lag))
    return u, i


def waves(count: int, frequency: float) -> tuple[np.ndarray, np.ndarray]:
    turn = 2 * np.pi * frequency * np.arange(count) / RATE
    u, i = np.zeros(count), np.zeros(count)
    for order, level_u, level_i, lag in HARMONICS:
        u += np.sqrt(2) * level_u * np.cos(order * turn + 0.2 * order)
        i += np.sqrt(2) * level_i * np.cos(order * turn + 0.2 * order - lag)
    return u, i


def test_lagging_current_has_positive_fundamental_reactive_power() -> None:
    found = fundamental_reactive_power(
        np.array([230.0 + 0j, 230j]), np.array([5 * np.exp(-1j * np.pi / 6), 5 * np.exp(2j)])
    )
    assert found == pytest.approx([230 * 5 * 0.5, 230 * 5 * np.sin(np.pi / 2 - 2)])


def test_budeanu_of_a_known_set_of_harmonics() -> None:
    found = budeanu_power(*phasors())
    reactive = sum(u * i * np.sin(lag) for _, u, i, lag in HARMONICS)
    active = sum(u * i * np.cos(lag) for _, u, i, lag in HARMONICS)
    apparent = np.sqrt(sum(u * u for _, u, _, _ in HARMONICS)) * np.sqrt(
        sum(i * i for _, _, i, _ in HARMONICS)
    )
    assert found.reactive_var == pytest.approx(reactive, rel=1e-12)
    distortion = np.sqrt(apparent**2 - active**2 - reactive**2)
    assert found.distortion_va == pytest.approx(distortion, rel=1e-12)


def test_czarnecki_reactive_powers_of_two_harmonics_cancel_in_budeanus() -> None:
    # The known absurdity (Czarnecki 1987, from memory): with +Q at one order and −Q at another
    # Q_B is 0 although reactive currents flow.
    u = np.array([100.0, 0, 20.0], np.complex128)
    i = np.array([-1j * 1.0, 0, 1j * 5.0])
    found = budeanu_power(u, i)
    assert found.reactive_var == pytest.approx(0, abs=1e-12)
    assert found.distortion_va == pytest.approx(np.hypot(100, 20) * np.hypot(1, 5))


@given(st.lists(st.complex_numbers(max_magnitude=100), min_size=1, max_size=20), st.floats(0.01, 3))
def test_proportional_current_has_no_distortion_power(orders: list[complex], ratio: float) -> None:
    u = np.array(orders, complex)
    found = budeanu_power(u, np.asarray(ratio * u, np.complex128))
    apparent = ratio * float(np.sum(np.abs(u) ** 2))
    assert found.distortion_va <= 1e-12 * apparent + 1e-12
    assert abs(found.reactive_var) <= 1e-12 * apparent + 1e-12


@pytest.mark.parametrize("frequency", [45.3, 50.0, 53.1])
def test_quarter_period_delay_weighs_harmonics_as_its_closed_form(frequency: float) -> None:
    delay = RATE / frequency / 4
    u, i = waves(20_000, frequency)
    products, first = quarter_period_products(u[:, None], i[:, None], delay)
    truth = sum(
        level_u * level_i * np.cos(lag - order * np.pi / 2)
        for order, level_u, level_i, lag in HARMONICS
    )
    assert len(products) == 20_000 - first
    # Mean by a Kaiser window, which leaves 1e-12 of the ripple.
    window = np.kaiser(len(products), 30)
    assert (window @ products)[0] / window.sum() == pytest.approx(truth, abs=2e-6)
    # And this is not Budeanu's value: the even and the third order count the other way round.
    assert abs(truth - budeanu_power(*phasors()).reactive_var) > 50


def test_fixed_delay_off_its_frequency_adds_a_share_of_the_active_power() -> None:
    turn = 2 * np.pi * 51 * np.arange(20_000) / RATE
    u, i = 325 * np.cos(turn), 14 * np.cos(turn - 0.3)
    products, _ = quarter_period_products(u[:, None], i[:, None], RATE / 50 / 4)
    window = np.kaiser(len(products), 30)
    s = 325 * 14 / 2
    # Delay of ω·T/4 = π/2·51/50: Q = S·cos(φ − π/2·51/50).
    truth = s * np.cos(0.3 - np.pi / 2 * 51 / 50)
    assert (window @ products)[0] / window.sum() == pytest.approx(truth, rel=1e-9)


def test_delay_of_many_samples_is_possible_at_high_rates() -> None:
    rate = 200_000.0
    turn = 2 * np.pi * 45 * np.arange(40_000) / rate
    products, first = quarter_period_products(
        np.cos(turn)[:, None], np.cos(turn - 1)[:, None], rate / 45 / 4
    )
    window = np.kaiser(len(products), 30)
    assert first == 1111 + 32
    assert (window @ products)[0] / window.sum() == pytest.approx(np.sin(1) / 2, rel=1e-6)


@pytest.mark.parametrize(
    ("u", "i", "delay", "words"),
    [
        (np.zeros((9, 1)), np.zeros((9, 2)), 5.0, "must pair"),
        (np.zeros((50, 1)), np.zeros((50, 1)), 20.0, "takes 52 away"),
        (np.zeros((50, 1)), np.zeros((50, 1)), 0.0, "delay_samples is 0"),
        (np.full((500, 1), np.nan), np.zeros((500, 1)), 5.0, "voltage is not finite"),
    ],
)
def test_what_cannot_be_delayed_is_refused(
    u: np.ndarray, i: np.ndarray, delay: float, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        quarter_period_products(u, i, delay)


def test_phasors_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="must pair"):
        budeanu_power(np.zeros(3, complex), np.zeros(4, complex))
    with pytest.raises(ValueError, match="must pair"):
        fundamental_reactive_power(np.zeros(3, complex), np.zeros(1, complex))
