"""A rehearsal: the meter, the load and the fault that the simulated bench is to show."""

import enum
import hashlib
import math
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

import numpy as np

from spotcheck.errors import MeterDataError
from spotcheck.load import Lead
from spotcheck.meter import AccuracyClass, Connection, Meter, MeterConstant, PulseOutput
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_cli.demo_instrument import clamp_for, drawn_front_end, stream_format
from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.faults import BenchFault, with_fault
from spotcheck_sim.line_relay import LineFaults
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_under_test import MeterUnderTest, PulseKind
from spotcheck_sim.waveform import Harmonic

EPOCH_UTC_NS = 1_767_225_600_000_000_000
"""UTC of sample 0 in every rehearsal: 2026-01-01, so that runs repeat to the byte."""
WRONG_CONSTANT_FACTOR = 10
FAULT_AT_S = 12.0


class Fault(enum.Enum):
    """What goes wrong in the rehearsal."""

    NONE = "none"
    NO_PULSES = "no-pulses"
    ONE_PULSE = "one-pulse"
    MISSED_PULSE = "missed-pulse"
    DOUBLE_PULSE = "double-pulse"
    NO_VOLTAGE = "no-voltage"
    VOLTAGE_LOST = "voltage-lost"
    NO_LOAD = "no-load"
    NO_CLAMP = "no-clamp"
    REVERSED_CLAMP = "reversed-clamp"
    OVERLOAD = "overload"
    WRONG_CONSTANT = "wrong-constant"
    UNPLUGGED_FRONT_END = "unplugged-front-end"
    CORRUPTED_FRAMES = "corrupted-frames"
    FULL_DISK = "full-disk"


class SimulatedPulseOutput(enum.Enum):
    """Kind of pulse output of the simulated meter."""

    SMOOTHED = "smoothed"
    PULSATING = "pulsating"
    FILTERED = "filtered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything that defines a rehearsal; the same scenario gives the same events."""

    meter_error_percent: float = -0.83
    """True error of the meter under test."""
    meter_class: str = "1"
    """Its accuracy class."""
    phases: int = 1
    """1 or 3."""
    voltage_v: float = 220.0
    """Phase voltage."""
    current_a: float = 10.0
    """Current of each phase."""
    power_factor: str = "1"
    """As regulations write it: 1, 0.5L, 0.8C."""
    basic_current_a: str = "5"
    """Ib."""
    max_current_a: str = "60"
    """Imax."""
    connection: Connection = Connection.DIRECT
    """Direct or by current transformer."""
    constant: str = "1200"
    """Meter constant as entered."""
    frequency_hz: float = 50.02
    """Mains frequency."""
    pulse_output: SimulatedPulseOutput = SimulatedPulseOutput.SMOOTHED
    """Kind of pulse output; it is not declared to the instrument."""
    fault: Fault = Fault.NONE
    """What goes wrong."""
    seed: int = 7
    """Seed of everything random."""

    def __post_init__(self) -> None:
        for name in ("meter_error_percent", "voltage_v", "current_a", "frequency_hz"):
            if not math.isfinite(getattr(self, name)):
                raise MeterDataError(f"{name} is {getattr(self, name)}; it must be a number")
        if self.meter_error_percent <= -100:
            raise MeterDataError("a meter with an error of -100 % or less counts nothing")

    def meter(self) -> Meter:
        """The meter as the operator enters it.

        Raises:
            MeterDataError: class, constant or currents make no meter.
        """
        serial = hashlib.sha256(f"meter {self.seed}".encode()).hexdigest()
        return Meter(
            serial=f"{int(serial[:12], 16) % 10**12:012d}",
            accuracy_class=AccuracyClass.of(self.meter_class),
            constant=MeterConstant.parse(self.constant),
            phases=self.phases,
            connection=self.connection,
            nominal_voltage_v=Decimal(220),
            basic_current_a=_amperes("basic current", self.basic_current_a),
            max_current_a=_amperes("maximum current", self.max_current_a),
            pulse_output=PulseOutput.UNKNOWN,
        )

    def bench(self, correction: CorrectionSet) -> BenchConfig:
        """The simulated bench, with an instrument drawn from its correction set.

        Args:
            correction: The instrument's correction set.

        Raises:
            SpotcheckError: a value is out of range.
        """
        factor, lead = parse_power_factor(self.power_factor)
        true_constant: Fraction = self.meter().constant.pulses_per_unit
        if self.fault is Fault.WRONG_CONSTANT:
            true_constant *= WRONG_CONSTANT_FACTOR
        rng = np.random.default_rng(self.seed)
        stream = stream_format(self.phases, clamp_for(self.current_a))
        config = BenchConfig(
            mains=Mains(
                frequency_hz=self.frequency_hz,
                voltage_v=self.voltage_v,
                harmonics=(
                    Harmonic(order=3, fraction=0.02, phase_deg=40.0),
                    Harmonic(order=5, fraction=0.015, phase_deg=-70.0),
                ),
            ),
            load=Load(
                current_a=self.current_a,
                power_factor=factor,
                lagging=lead is Lead.LAGGING,
                harmonics=(
                    Harmonic(order=3, fraction=0.05, phase_deg=10.0),
                    Harmonic(order=5, fraction=0.03, phase_deg=25.0),
                ),
            ),
            meter=MeterUnderTest(
                constant_imp_per_kwh=float(true_constant),
                error_percent=self.meter_error_percent,
                pulse_kind=PulseKind[self.pulse_output.name],
                jitter_s=20e-6,
            ),
            front_end=drawn_front_end(correction, stream, rng),
        )
        names = {fault.value for fault in BenchFault}
        return (
            with_fault(config, BenchFault(self.fault.value))
            if self.fault.value in names
            else config
        )

    def line_faults(self) -> LineFaults:
        """Damage on the line of the pulse front end."""
        if self.fault is Fault.UNPLUGGED_FRONT_END:
            return LineFaults(unplug_at_s=FAULT_AT_S)
        if self.fault is Fault.CORRUPTED_FRAMES:
            return LineFaults(damage_from_s=FAULT_AT_S, damage_every=3)
        return LineFaults()


def parse_power_factor(text: str) -> tuple[float, Lead]:
    """`1`, `0.5L` or `0.8C` as a factor and its side.

    Raises:
        MeterDataError: no power factor.
    """
    match = re.fullmatch(r"\s*(0?\.\d+|[01](?:\.\d*)?)\s*([LC]?)\s*", text.upper())
    if match is None or not 0 < float(match[1]) <= 1:
        raise MeterDataError(f"power factor {text!r} is none; write 1, 0.5L or 0.8C")
    if not match[2] and float(match[1]) < 1:
        raise MeterDataError(f"power factor {text!r} needs its side: {text}L or {text}C")
    return float(match[1]), Lead(match[2] or "L")


def _amperes(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise MeterDataError(f"{name} {text!r} is no number of amperes")
    return value
