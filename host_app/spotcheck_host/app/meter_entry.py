"""Meter data as a person types them, and the meter that they make."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from spotcheck.errors import MeterDataError
from spotcheck.meter import AccuracyClass, Connection, Meter, MeterConstant

_CURRENTS = re.compile(r"\s*(?:[0-9.]+\s*-\s*)?([0-9.]+)\s*[(（]\s*([0-9.]+)\s*[)）]\s*A?\s*")
FIELDS = ("serial", "class", "constant", "currents", "voltage")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterEntry:
    """What stands in the form."""

    serial: str = ""
    """The meter's number; may be attached later."""
    accuracy_class: str = "2"
    """Class as the nameplate says it."""
    constant: str = "1200 imp/kWh"
    """Meter constant with its unit."""
    currents: str = "5(60) A"
    """Ib(Imax)."""
    voltage: str = "220"
    """Rated phase voltage in V."""
    connection: Connection = Connection.DIRECT
    """Direct or by current transformer."""
    rule_id: str = "jjg596-2012"
    """Rule to judge by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedEntry:
    """The meter, or what is wrong with each field."""

    meter: Meter | None
    """None while something is wrong."""
    faults: dict[str, str]
    """Key of the text that says what is wrong, by field."""


def parse_entry(entry: MeterEntry, phases: int) -> ParsedEntry:
    """The meter that the form describes; every wrong field is named, not only the first.

    Args:
        entry: What was typed.
        phases: Phases that the instrument is connected to.
    """
    faults: dict[str, str] = {}
    accuracy_class = constant = None
    try:
        accuracy_class = AccuracyClass.of(entry.accuracy_class)
    except MeterDataError:
        faults["class"] = "bad_class"
    try:
        constant = MeterConstant.parse(entry.constant)
    except MeterDataError:
        faults["constant"] = "bad_constant"
    currents = _currents(entry.currents)
    if currents is None:
        faults["currents"] = "bad_currents"
    voltage = _positive(entry.voltage)
    if voltage is None:
        faults["voltage"] = "bad_voltage"
    if accuracy_class is None or constant is None or currents is None or voltage is None:
        return ParsedEntry(meter=None, faults=faults)
    try:
        meter = Meter(
            serial=entry.serial.strip(),
            accuracy_class=accuracy_class,
            constant=constant,
            phases=phases,
            connection=entry.connection,
            nominal_voltage_v=voltage,
            basic_current_a=currents[0],
            max_current_a=currents[1],
        )
    except MeterDataError:
        return ParsedEntry(meter=None, faults={"currents": "bad_meter"})
    return ParsedEntry(meter=meter, faults={})


def entry_of(meter: Meter, rule_id: str) -> MeterEntry:
    """The form filled with a meter's data."""
    return MeterEntry(
        serial=meter.serial,
        accuracy_class=meter.accuracy_class.value,
        constant=str(meter.constant),
        currents=f"{meter.basic_current_a}({meter.max_current_a}) A",
        voltage=str(meter.nominal_voltage_v),
        connection=meter.connection,
        rule_id=rule_id,
    )


def _currents(text: str) -> tuple[Decimal, Decimal] | None:
    match = _CURRENTS.fullmatch(text)
    if match is None:
        return None
    basic, largest = _positive(match[1]), _positive(match[2])
    return (basic, largest) if basic is not None and largest is not None else None


def _positive(text: str) -> Decimal | None:
    try:
        value = Decimal(text.strip().upper().removesuffix("V").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and value > 0 else None
