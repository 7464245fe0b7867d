"""Nameplate data: constants to the last digit, and what a nameplate cannot say."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spotcheck.errors import InvalidInputError, MeterDataError
from spotcheck.meter import (
    AccuracyClass,
    Meter,
    MeterConstant,
    MeteredQuantity,
)

ACTIVE = MeteredQuantity.ACTIVE_ENERGY
REACTIVE = MeteredQuantity.REACTIVE_ENERGY
VOLUME = MeteredQuantity.VOLUME


@pytest.mark.parametrize(
    ("text", "pulses_per_unit", "quantity"),
    [
        ("0.3125 Wh/imp", Fraction(3200), ACTIVE),
        ("1200", Fraction(1200), ACTIVE),
        ("1200 imp/kWh", Fraction(1200), ACTIVE),
        (" 6400imp / kWh ", Fraction(6400), ACTIVE),
        ("1.6 imp/Wh", Fraction(1600), ACTIVE),
        ("0.3 Wh/imp", Fraction(10_000, 3), ACTIVE),
        ("0.01 kWh/imp", Fraction(100), ACTIVE),
        ("375 r/kWh", Fraction(375), ACTIVE),
        ("8/3 r/kWh", Fraction(8, 3), ACTIVE),
        ("1000 pulse/kWh", Fraction(1000), ACTIVE),
        ("400 imp/kvarh", Fraction(400), REACTIVE),
        ("2.5 varh/imp", Fraction(400), REACTIVE),
        ("0.01 m³/imp", Fraction(100), VOLUME),
        ("0.01 m3/imp", Fraction(100), VOLUME),
        ("10 L/imp", Fraction(100), VOLUME),
        ("100 imp/m³", Fraction(100), VOLUME),
    ],
)
def test_constant_is_exact(text: str, pulses_per_unit: Fraction, quantity: MeteredQuantity) -> None:
    constant = MeterConstant.parse(text)
    assert constant.pulses_per_unit == pulses_per_unit
    assert constant.quantity is quantity


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_energy_of_a_pulse_times_constant_is_a_kilowatt_hour(pulses: int, per: int) -> None:
    constant = MeterConstant.parse(f"{pulses}/{per} imp/kWh")
    assert constant.energy_per_pulse_j * Fraction(pulses, per) == 3_600_000


def test_constant_and_its_inverse_unit_agree() -> None:
    assert MeterConstant.parse("0.8 Wh/imp") == MeterConstant.parse("1250 imp/kWh")
    assert MeterConstant.parse("0.8 Wh/imp").energy_per_pulse_j == 2880


@pytest.mark.parametrize(
    "text", ["", "imp/kWh", "0 imp/kWh", "0.0", "-5 imp/kWh", "1.2.3", ".", "1/0 imp/kWh", "abc"]
)
def test_constant_without_positive_number_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(MeterDataError, match="has no positive number; try '1200 imp/kWh'"):
        MeterConstant.parse(text)


@pytest.mark.parametrize(
    "text", ["1200 imp/kW", "1,200 imp/kWh", "1200 /kWh", "1e3 imp/kWh", "5 %"]
)
def test_constant_of_unknown_unit_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(MeterDataError, match="is not known; use imp/kWh, imp/kvarh, Wh/imp"):
        MeterConstant.parse(text)


@pytest.mark.parametrize("number", [Fraction(0), Fraction(-1)])
def test_constant_must_be_positive(number: Fraction) -> None:
    with pytest.raises(MeterDataError, match="must be positive"):
        MeterConstant(pulses_per_unit=number)


def test_volume_has_no_energy() -> None:
    with pytest.raises(MeterDataError, match="volume"):
        _ = MeterConstant.parse("0.01 m³/imp").energy_per_pulse_j


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("0.3125 Wh/imp", "3200 imp/kWh"),
        ("400 imp/kvarh", "400 imp/kvarh"),
        ("10 L/imp", "100 imp/m³"),
    ],
)
def test_constant_is_printed_in_its_usual_unit(text: str, printed: str) -> None:
    assert str(MeterConstant.parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1", "1"), ("1.0", "1"), ("B", "1"), ("b", "1"), ("2", "2"), ("2.0", "2"), ("A", "2"),
        ("0.5S", "0.5S"), ("0.5s", "0.5S"), (" C ", "0.5S"), ("0.2S", "0.2S"), ("D", "0.2S"),
    ],
)  # fmt: skip
def test_accuracy_class_by_any_of_its_names(text: str, name: str) -> None:
    assert AccuracyClass.of(text).value == name


@pytest.mark.parametrize("text", ["", "3", "E", "0.5", "class 1"])
def test_unknown_accuracy_class_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(MeterDataError, match=r"one of 0\.2S, 0\.5S, 1, 2"):
        AccuracyClass.of(text)


def meter(**changes: Any) -> Meter:
    values: dict[str, Any] = {
        "serial": "1",
        "accuracy_class": AccuracyClass.CLASS_1,
        "constant": MeterConstant.parse("1200"),
    }
    return Meter(**(values | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"phases": 2}, "phases is 2"),
        ({"phases": 0}, "phases is 0"),
        ({"nominal_voltage_v": Decimal(0)}, "nominal voltage is 0 V"),
        ({"nominal_voltage_v": Decimal(-220)}, "nominal voltage is -220 V"),
        ({"basic_current_a": Decimal(0)}, "basic current 0 A"),
        ({"basic_current_a": Decimal(60), "max_current_a": Decimal(5)}, "write 5\\(60\\) A"),
    ],
)
def test_impossible_nameplate_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(MeterDataError, match=message):
        meter(**changes)


def test_basic_and_maximum_current_may_be_equal() -> None:
    assert meter(basic_current_a=Decimal(5), max_current_a=Decimal(5)).max_current_a == 5


def test_bad_nameplate_is_a_value_error_and_an_input_error() -> None:
    with pytest.raises(ValueError, match="phases") as caught:
        meter(phases=4)
    assert isinstance(caught.value, InvalidInputError)
