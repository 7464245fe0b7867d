"""What goes wrong in the field, as changes to a bench."""

import math
from dataclasses import replace
from enum import StrEnum

from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.front_end import Channel, FrontEnd
from spotcheck_sim.mains import VoltageDip


class BenchFault(StrEnum):
    """A fault that a person meets at a meter cupboard."""

    NO_PULSES = "no-pulses"
    """The meter's LED stays dark."""
    ONE_PULSE = "one-pulse"
    """The LED lights once and never again."""
    MISSED_PULSE = "missed-pulse"
    """The optical head does not see the sixth pulse."""
    DOUBLE_PULSE = "double-pulse"
    """The optical head sees the sixth pulse twice."""
    NO_VOLTAGE = "no-voltage"
    """The instrument's voltage leads are not connected; the meter runs."""
    NO_CLAMP = "no-clamp"
    """The clamps hang free; the meter runs."""
    NO_LOAD = "no-load"
    """The customer has everything switched off."""
    REVERSED_CLAMP = "reversed-clamp"
    """The clamp of phase 1 sits the wrong way round."""
    VOLTAGE_DIP = "voltage-dip"
    """From 5 s on the voltage falls to 40 % for a second."""
    VOLTAGE_LOST = "voltage-lost"
    """From 5 s on the mains are gone, and the meter with them."""
    OVERLOAD = "overload"
    """The current is forty times as large, beyond the range of a usual load."""


def with_fault(config: BenchConfig, fault: BenchFault) -> BenchConfig:
    """The bench with one fault."""
    if fault in (BenchFault.NO_PULSES, BenchFault.ONE_PULSE):
        at_most = 1 if fault is BenchFault.ONE_PULSE else 0
        return replace(config, meter=replace(config.meter, pulses_at_most=at_most))
    if fault is BenchFault.MISSED_PULSE:
        head = replace(config.optical_head, missed_pulses=frozenset({5}))
        return replace(config, optical_head=head)
    if fault is BenchFault.DOUBLE_PULSE:
        head = replace(config.optical_head, doubled_pulses=frozenset({5}))
        return replace(config, optical_head=head)
    if fault in (BenchFault.REVERSED_CLAMP, BenchFault.NO_VOLTAGE, BenchFault.NO_CLAMP):
        return replace(config, front_end=_with_sensor_fault(config.front_end, fault))
    if fault in (BenchFault.NO_LOAD, BenchFault.OVERLOAD):
        factor = 0.0 if fault is BenchFault.NO_LOAD else 40.0
        load = replace(config.load, current_a=factor * config.load.current_a)
        return replace(config, load=load)
    return _with_voltage_fault(config, fault)


def _with_sensor_fault(front_end: FrontEnd, fault: BenchFault) -> FrontEnd:
    if fault is BenchFault.NO_VOLTAGE:
        return replace(front_end, voltage=_disconnected(front_end.voltage))
    if fault is BenchFault.NO_CLAMP:
        return replace(front_end, current=_disconnected(front_end.current))
    first, *others = front_end.current
    turned = replace(first, gain_per_code=-first.gain_per_code)
    return replace(front_end, current=(turned, *others))


def _disconnected(channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
    return tuple(replace(channel, is_connected=False) for channel in channels)


def _with_voltage_fault(config: BenchConfig, fault: BenchFault) -> BenchConfig:
    if fault is BenchFault.VOLTAGE_LOST:
        dip = VoltageDip(start_s=5.0, duration_s=math.inf, residual_fraction=0.0)
    else:
        dip = VoltageDip(start_s=5.0, duration_s=1.0, residual_fraction=0.4)
    return replace(config, mains=replace(config.mains, dips=(dip,)))
