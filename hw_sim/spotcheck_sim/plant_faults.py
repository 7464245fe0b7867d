"""Faults of meter, load, head and front end: each a change to the bench at an instant."""

import math
import random
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from spotcheck_sim.bench import BenchConfig
from spotcheck_sim.front_end import Channel, FrontEnd
from spotcheck_sim.front_end_change import FrontEndChange
from spotcheck_sim.head_light import HeadLight
from spotcheck_sim.load import LoadStep
from spotcheck_sim.mains import VoltageDip
from spotcheck_sim.meter_reset import MeterReset
from spotcheck_sim.waveform import Harmonic


class PlantFault(StrEnum):
    """What goes wrong before anything reaches a wire."""

    PULSE_MISSED = "pulse missed"
    PULSES_MISSED = "three pulses missed"
    PULSE_DOUBLE = "double pulse"
    PULSE_BOUNCE = "pulse bounce"
    STRAY_LIGHT = "stray flashes"
    AMBIENT_FLICKER = "ambient flicker"
    AMBIENT_BLINDS = "ambient light blinds the head"
    HEAD_FALLS_OFF = "head falls off"
    HEAD_MISALIGNED = "misaligned head"
    LED_DIES = "LED dies"
    PULSE_JITTER = "pulse jitter of 5 ms"
    METER_RESET = "meter reset"
    METER_TICK = "meter tick of 10 ms"
    WRONG_CONSTANT = "constant entered ten times too small"
    LOAD_OFF = "load switched off"
    LOAD_OFF_CREEP = "load off, meter creeps"
    LOAD_STEP = "load halves"
    LOAD_BELOW_START = "load below the starting current"
    EXPORT_BEGINS = "export begins"
    SATURATION = "saturation"
    OVERLOAD_BURST = "inrush of 50 ms beyond the range"
    VOLTAGE_DIP = "voltage dip"
    VOLTAGE_GONE = "mains fail"
    VOLTAGE_LEAD_OFF = "voltage lead off"
    CLAMP_OFF = "clamp off"
    CLAMP_REVERSED = "clamp reversed"
    PHASE_SWAP = "phase swap"
    WRONG_CLAMP = "clamp of another range than its memory says"
    CHANNEL_STUCK = "converter channel stuck"
    CHANNEL_NOISE = "noise of the converter ×300"
    FREQUENCY_OFF = "mains of 40 Hz"
    DISTORTION = "voltage distorted by 8 %"
    LOW_POWER_FACTOR = "power factor 0.05"


EVERYWHERE = frozenset(
    {
        PlantFault.HEAD_MISALIGNED,
        PlantFault.PULSE_JITTER,
        PlantFault.METER_TICK,
        PlantFault.WRONG_CONSTANT,
        PlantFault.FREQUENCY_OFF,
        PlantFault.DISTORTION,
        PlantFault.LOW_POWER_FACTOR,
    }
)
"""Faults that are there from the beginning on: they have no step."""
THREE_PHASE = frozenset({PlantFault.PHASE_SWAP})
"""Faults that need three phases."""

Change = Callable[[BenchConfig, float, random.Random], BenchConfig]


def with_plant_fault(
    config: BenchConfig, fault: PlantFault, *, at_s: float, seed: int
) -> BenchConfig:
    """The bench with one fault.

    Args:
        config: The bench.
        fault: What goes wrong.
        at_s: When, in s of true time; without meaning for what is there from the beginning on.
        seed: Seed of what the fault leaves open: gaps, bounces, lengths.
    """
    return _CHANGES[fault](config, at_s, random.Random(seed))  # noqa: S311 -- a draw, no secret


def _changed(config: BenchConfig, at_s: float, front_end: FrontEnd) -> BenchConfig:
    change = FrontEndChange(
        at_sample=round(at_s * front_end.true_sample_rate_hz), front_end=front_end
    )
    return replace(config, front_end_changes=(change,))


def _currents(config: BenchConfig, at_s: float, of: Callable[[Channel], Channel]) -> BenchConfig:
    current = tuple(of(channel) for channel in config.front_end.current)
    return _changed(config, at_s, replace(config.front_end, current=current))


def _voltages(config: BenchConfig, at_s: float, of: Callable[[Channel], Channel]) -> BenchConfig:
    voltage = tuple(of(channel) for channel in config.front_end.voltage)
    return _changed(config, at_s, replace(config.front_end, voltage=voltage))


def _number_after(config: BenchConfig, at_s: float) -> int:
    """Number of the meter's first pulse after an instant."""
    counted_w = config.mains.voltage_v * config.load.current_a * len(config.front_end.current)
    counted_w *= 1 + config.meter.error_percent / 100
    begun = config.meter.start_energy_fraction or 0.0
    return math.floor(at_s * counted_w / config.meter.pulse_energy_j + begun)


def _missed(count: int) -> Change:
    def change(config: BenchConfig, at_s: float, _: random.Random) -> BenchConfig:
        first = _number_after(config, at_s)
        numbers = frozenset(range(first, first + count))
        return replace(config, optical_head=replace(config.optical_head, missed_pulses=numbers))

    return change


def _doubled(config: BenchConfig, at_s: float, drawn: random.Random) -> BenchConfig:
    head = replace(
        config.optical_head,
        doubled_pulses=frozenset({_number_after(config, at_s)}),
        double_gap_s=drawn.uniform(0.01, 0.25),
    )
    return replace(config, optical_head=head)


def _bounced(config: BenchConfig, at_s: float, drawn: random.Random) -> BenchConfig:
    head = replace(
        config.optical_head,
        bounced_pulses=frozenset({_number_after(config, at_s)}),
        bounces=drawn.randint(1, 5),
        bounce_gap_s=drawn.uniform(5e-5, 2e-3),
    )
    return replace(config, optical_head=head)


def _light(make: Callable[[float], HeadLight]) -> Change:
    return lambda config, at_s, _: replace(config, head_light=make(at_s))


def _meter(**changes: object) -> Change:
    return lambda config, _, __: replace(config, meter=replace(config.meter, **changes))  # type: ignore[arg-type]


def _stops(config: BenchConfig, at_s: float, _: random.Random) -> BenchConfig:
    return replace(config, meter=replace(config.meter, pulses_stop_at_s=at_s))


def _resets(config: BenchConfig, at_s: float, drawn: random.Random) -> BenchConfig:
    reset = MeterReset(at_s=at_s, blind_s=drawn.uniform(0.1, 3.0))
    return replace(config, meter=replace(config.meter, reset=reset))


def _wrong_constant(config: BenchConfig, _: float, __: random.Random) -> BenchConfig:
    meter = replace(config.meter, constant_imp_per_kwh=10 * config.meter.constant_imp_per_kwh)
    return replace(config, meter=meter)


def _load(*steps: tuple[float, float]) -> Change:
    """Load steps: (seconds after the instant, factor on the current)."""

    def change(config: BenchConfig, at_s: float, _: random.Random) -> BenchConfig:
        made = tuple(LoadStep(at_s=at_s + after, current_factor=f) for after, f in steps)
        return replace(config, load=replace(config.load, steps=made))

    return change


def _creeping(config: BenchConfig, at_s: float, drawn: random.Random) -> BenchConfig:
    off = _load((0.0, 0.0))(config, at_s, drawn)
    return replace(off, meter=replace(off.meter, creep_power_w=4000.0))


def _below_start(config: BenchConfig, at_s: float, drawn: random.Random) -> BenchConfig:
    small = _load((0.0, 0.02 / config.load.current_a))(config, at_s, drawn)
    return replace(small, meter=replace(small.meter, starting_current_a=0.025))


def _dip(duration_s: float, residual: float) -> Change:
    def change(config: BenchConfig, at_s: float, _: random.Random) -> BenchConfig:
        dip = VoltageDip(start_s=at_s, duration_s=duration_s, residual_fraction=residual)
        return replace(config, mains=replace(config.mains, dips=(dip,)))

    return change


def _swapped(config: BenchConfig, at_s: float, _: random.Random) -> BenchConfig:
    return _changed(config, at_s, replace(config.front_end, clamp_phases=(1, 0, 2)))


def _mains(**changes: object) -> Change:
    return lambda config, _, __: replace(config, mains=replace(config.mains, **changes))  # type: ignore[arg-type]


def _power_factor(config: BenchConfig, _: float, __: random.Random) -> BenchConfig:
    return replace(config, load=replace(config.load, power_factor=0.05))


_CHANGES: dict[PlantFault, Change] = {
    PlantFault.PULSE_MISSED: _missed(1),
    PlantFault.PULSES_MISSED: _missed(3),
    PlantFault.PULSE_DOUBLE: _doubled,
    PlantFault.PULSE_BOUNCE: _bounced,
    PlantFault.STRAY_LIGHT: _light(
        lambda at_s: HeadLight(flicker=0.6, flicker_hz=7.3, begin_s=at_s, end_s=at_s + 0.5)
    ),
    PlantFault.AMBIENT_FLICKER: _light(lambda at_s: HeadLight(flicker=0.6, begin_s=at_s)),
    PlantFault.AMBIENT_BLINDS: _light(lambda at_s: HeadLight(ambient=0.7, begin_s=at_s)),
    PlantFault.HEAD_FALLS_OFF: _stops,
    PlantFault.HEAD_MISALIGNED: _light(lambda _: HeadLight(signal=0.56, signal_noise_rms=0.1)),
    PlantFault.LED_DIES: lambda config, at_s, _: replace(
        config, meter=replace(config.meter, pulses_at_most=_number_after(config, at_s))
    ),
    PlantFault.PULSE_JITTER: _meter(jitter_s=0.005),
    PlantFault.METER_RESET: _resets,
    PlantFault.METER_TICK: _meter(tick_s=0.01),
    PlantFault.WRONG_CONSTANT: _wrong_constant,
    PlantFault.LOAD_OFF: _load((0.0, 0.0)),
    PlantFault.LOAD_OFF_CREEP: _creeping,
    PlantFault.LOAD_STEP: _load((0.0, 0.5)),
    PlantFault.LOAD_BELOW_START: _below_start,
    PlantFault.EXPORT_BEGINS: _load((0.0, -1.0)),
    PlantFault.SATURATION: _load((0.0, 40.0)),
    PlantFault.OVERLOAD_BURST: _load((0.0, 15.0), (0.05, 1.0)),
    PlantFault.VOLTAGE_DIP: _dip(0.3, 0.4),
    PlantFault.VOLTAGE_GONE: _dip(math.inf, 0.0),
    PlantFault.VOLTAGE_LEAD_OFF: lambda config, at_s, _: _voltages(
        config, at_s, lambda channel: replace(channel, is_connected=False)
    ),
    PlantFault.CLAMP_OFF: lambda config, at_s, _: _currents(
        config, at_s, lambda channel: replace(channel, is_connected=False)
    ),
    PlantFault.CLAMP_REVERSED: lambda config, at_s, _: _currents(
        config, at_s, lambda channel: replace(channel, gain_per_code=-channel.gain_per_code)
    ),
    PlantFault.PHASE_SWAP: _swapped,
    PlantFault.WRONG_CLAMP: lambda config, at_s, _: _currents(
        config, at_s, lambda channel: replace(channel, gain_per_code=20 * channel.gain_per_code)
    ),
    PlantFault.CHANNEL_STUCK: lambda config, at_s, _: _currents(
        config,
        at_s,
        lambda channel: replace(
            channel, is_connected=False, noise_codes_rms=0.0, offset_codes=123_456.0
        ),
    ),
    PlantFault.CHANNEL_NOISE: lambda config, at_s, _: _currents(
        config, at_s, lambda channel: replace(channel, noise_codes_rms=12_000.0)
    ),
    PlantFault.FREQUENCY_OFF: _mains(frequency_hz=40.0),
    PlantFault.DISTORTION: _mains(harmonics=(Harmonic(order=5, fraction=0.08),)),
    PlantFault.LOW_POWER_FACTOR: _power_factor,
}
