"""The meter under test as its nameplate states it."""

import enum
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from spotcheck.errors import MeterDataError

LARGEST_RATING = Decimal(10) ** 6
"""Volts or amperes that no meter is rated for."""


class MeteredQuantity(enum.Enum):
    """What the meter's pulses count."""

    ACTIVE_ENERGY = "active energy"
    REACTIVE_ENERGY = "reactive energy"
    VOLUME = "volume"


class Direction(enum.Enum):
    """Direction of the energy."""

    IMPORT = "import"
    EXPORT = "export"


class AccuracyClass(enum.Enum):
    """Accuracy class as JJG 596 names it; R46 letters in brackets."""

    CLASS_0_2S = "0.2S"
    CLASS_0_5S = "0.5S"
    CLASS_1 = "1"
    CLASS_2 = "2"

    @property
    def index_percent(self) -> Decimal:
        """The class index: the number that the class is named for."""
        return Decimal(self.value.removesuffix("S"))

    @classmethod
    def of(cls, text: str) -> "AccuracyClass":
        """The class that a nameplate states as `1`, `1.0`, `B`, `0.5S` or `C`.

        Raises:
            MeterDataError: the text names no class that this software knows.
        """
        name = text.strip().upper()
        aliases = {"1.0": "1", "2.0": "2", "A": "2", "B": "1", "C": "0.5S", "D": "0.2S"}
        try:
            return cls(aliases.get(name, name))
        except ValueError:
            known = ", ".join([*(member.value for member in cls), *aliases])
            raise MeterDataError(f"accuracy class {text!r} is not known; one of {known}") from None


class Connection(enum.Enum):
    """How the meter is connected to its current."""

    DIRECT = "direct"
    TRANSFORMER = "transformer"


class PulseOutput(enum.Enum):
    """Whether pulses follow the mean power or the instantaneous power with its ripple.

    The ripple is at twice the mains frequency; it matters when a reading holds few pulses.
    """

    UNKNOWN = "unknown"
    SMOOTHED = "smoothed"
    PULSATING = "pulsating"


_KILO = {"k": 1000, "": 1}
_PER_PULSE = re.compile(r"^(k?)(wh|varh)/(imp|r|pulse)$")
_PULSES_PER = re.compile(r"^(imp|r|pulse)/(k?)(wh|varh)$")
_VOLUME = {"imp/m3": (1, 1), "m3/imp": (-1, 1), "l/imp": (-1, 1000)}


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterConstant:
    """The meter constant, exact: 0.3125 Wh/imp is 3200 imp/kWh to the last digit."""

    pulses_per_unit: Fraction
    """Pulses (or disc revolutions) per kWh, kvarh or m³."""
    quantity: MeteredQuantity = MeteredQuantity.ACTIVE_ENERGY
    """What is counted."""

    def __post_init__(self) -> None:
        if self.pulses_per_unit <= 0:
            raise MeterDataError(f"meter constant is {self.pulses_per_unit}; it must be positive")

    @classmethod
    def parse(cls, text: str) -> "MeterConstant":
        """Read `1200`, `1200 imp/kWh`, `0.8 Wh/imp`, `375 r/kWh`, `400 imp/kvarh`, `0.01 m³/imp`.

        A bare number is imp/kWh.

        Raises:
            MeterDataError: no number, no known unit, or not positive.
        """
        match = re.fullmatch(r"\s*([0-9.]+(?:/[0-9]+)?)\s*(\S.*)?", text)
        try:
            number = _exact(match[1]) if match else None
        except (InvalidOperation, ZeroDivisionError, ValueError):
            number = None
        if match is None or number is None or number <= 0:
            raise MeterDataError(
                f"meter constant {text!r} has no positive number; try '1200 imp/kWh'"
            )
        unit = (match[2] or "imp/kWh").strip().lower().replace("³", "3").replace(" ", "")
        return cls._in_unit(number, unit, text)

    @classmethod
    def _in_unit(cls, number: Fraction, unit: str, text: str) -> "MeterConstant":
        if match := _PULSES_PER.match(unit):
            per_kilo = number * 1000 / _KILO[match[2]]
            return cls(pulses_per_unit=per_kilo, quantity=_energy(match[3]))
        if match := _PER_PULSE.match(unit):
            per_kilo = 1000 / (number * _KILO[match[1]])
            return cls(pulses_per_unit=per_kilo, quantity=_energy(match[2]))
        if unit in _VOLUME:
            power, per_m3 = _VOLUME[unit]
            pulses = number**power * per_m3
            return cls(pulses_per_unit=pulses, quantity=MeteredQuantity.VOLUME)
        raise MeterDataError(
            f"meter constant {text!r}: unit {unit!r} is not known; "
            "use imp/kWh, imp/kvarh, Wh/imp, r/kWh, m³/imp or L/imp"
        )

    @property
    def energy_per_pulse_j(self) -> Fraction:
        """Energy of one pulse in joules (active or reactive).

        Raises:
            MeterDataError: the pulses count a volume.
        """
        if self.quantity is MeteredQuantity.VOLUME:
            raise MeterDataError("the pulses of this meter count a volume, not energy")
        return Fraction(3_600_000) / self.pulses_per_unit

    def __str__(self) -> str:
        unit = {
            MeteredQuantity.ACTIVE_ENERGY: "imp/kWh",
            MeteredQuantity.REACTIVE_ENERGY: "imp/kvarh",
            MeteredQuantity.VOLUME: "imp/m³",
        }[self.quantity]
        exact = self.pulses_per_unit
        number = str(exact) if exact.denominator == 1 else f"{float(exact):.10g}"
        return f"{number} {unit}"


def _exact(number: str) -> Fraction:
    numerator, _, denominator = number.partition("/")
    return Fraction(Decimal(numerator)) / (int(denominator) if denominator else 1)


def _energy(unit: str) -> MeteredQuantity:
    return MeteredQuantity.ACTIVE_ENERGY if unit == "wh" else MeteredQuantity.REACTIVE_ENERGY


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Nameplate data of the meter under test."""

    serial: str
    """The meter's number."""
    accuracy_class: AccuracyClass
    """Accuracy class."""
    constant: MeterConstant
    """Pulses per unit."""
    phases: int = 1
    """1 or 3 (three-phase four-wire)."""
    connection: Connection = Connection.DIRECT
    """Direct or by current transformer."""
    nominal_voltage_v: Decimal = Decimal(220)
    """Phase voltage."""
    basic_current_a: Decimal = Decimal(5)
    """Ib (direct) or In (transformer)."""
    max_current_a: Decimal = Decimal(60)
    """Imax."""
    pulse_output: PulseOutput = PulseOutput.UNKNOWN
    """Declared kind of pulse output."""

    def __post_init__(self) -> None:
        if self.phases not in (1, 3):
            raise MeterDataError(f"phases is {self.phases}; 1 or 3 expected")
        ratings = (self.nominal_voltage_v, self.basic_current_a, self.max_current_a)
        if not all(rating.is_finite() and rating < LARGEST_RATING for rating in ratings):
            raise MeterDataError(f"ratings {', '.join(map(str, ratings))} are no sizes of a meter")
        if self.nominal_voltage_v <= 0:
            raise MeterDataError(
                f"nominal voltage is {self.nominal_voltage_v} V; it must be positive"
            )
        if not 0 < self.basic_current_a <= self.max_current_a:
            raise MeterDataError(
                f"basic current {self.basic_current_a} A and maximum {self.max_current_a} A "
                "must be positive and rising; write 5(60) A as 5 and 60"
            )
