"""The simulated bench in one process: a twin of the sample source and of the pulse source."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from spotcheck.errors import ConfigurationError
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_sim.front_end import FrontEnd, typical_front_end
from spotcheck_sim.front_end_change import ChangingSampler, FrontEndChange
from spotcheck_sim.gps_receiver import GpsReceiver, PpsEdges
from spotcheck_sim.head_light import HeadLight, LedEdges, LitHeadEdges
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_energy import MeterEnergy
from spotcheck_sim.meter_pulses import MeterPulses
from spotcheck_sim.meter_registers import MeterRegisters
from spotcheck_sim.meter_under_test import MeterUnderTest, PulseKind
from spotcheck_sim.optics import OpticalEdges, OpticalHead
from spotcheck_sim.power_truth import PlantPower
from spotcheck_sim.waveform import Harmonic

COUNTS_PER_SAMPLE = 3000
"""Counts of the pulse front end's counter in one sample; both run from the same oscillator."""
MARKER_INTERVAL_SAMPLES = 1024
"""Samples from one ADC frame marker to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchConfig:
    """Everything on the bench."""

    mains: Mains = field(default_factory=Mains)
    """The supply."""
    load: Load = field(default_factory=lambda: Load(current_a=5.0))
    """The customer's load."""
    meter: MeterUnderTest = field(default_factory=MeterUnderTest)
    """The meter under test."""
    optical_head: OpticalHead = field(default_factory=OpticalHead)
    """The head on the meter's LED."""
    head_light: HeadLight | None = None
    """Light on the head; None: a well aligned head in the dark."""
    front_end: FrontEnd = field(default_factory=typical_front_end)
    """Divider, clamps, converter and clock."""
    front_end_changes: tuple[FrontEndChange, ...] = ()
    """What becomes of the front end in mid-stream, rising in sample."""
    gps: GpsReceiver | None = None
    """Receiver whose pulse per second goes to the pulse front end; None: none is connected."""


class EdgeKind(Enum):
    """What the pulse front end's counter catches; values are the emulated FIFO's record kinds."""

    FALLING = b"F"
    MARKER = b"M"
    PPS = b"P"
    RISING = b"R"


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterEdge:
    """One event on the pulse front end's counter."""

    count: int
    """Counter value, not wrapped, since sample 0."""
    kind: EdgeKind
    """Edge of the LED, ADC frame marker, or pulse per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchTruth:
    """What the instrument should find; from closed form only."""

    power: PlantPower
    """Power and energy through the meter as functions of true time."""
    meter_energy: MeterEnergy
    """Energy that the meter has counted."""
    registers: MeterRegisters
    """What the meter's registers and its clock show."""
    start_energy_fraction: float
    """Part of a pulse's energy in the meter at time 0."""
    frequency_hz: float
    """Mains frequency at true time 0, in Hz."""
    true_sample_rate_hz: float
    """Samples in a second of true time."""
    error_percent: float
    """Error of the meter at the load of time 0, in %."""

    @property
    def power_w(self) -> float:
        """Mean power of all phases at time 0, in W, export negative."""
        return self.power.power_w()

    @property
    def phase_power_w(self) -> tuple[float, ...]:
        """Mean power of each phase at time 0, in W, export negative."""
        return self.power.phase_power_w()

    def energy_j(self, from_s: float, to_s: float) -> float:
        """True energy of the mean power between two instants of true time, in J."""
        start, end = self.power.energy_j(np.array([from_s, to_s]))
        return float(end - start)

    def error_percent_between(self, from_s: float, to_s: float) -> float:
        """Error of the meter over an interval of true time, in %, load steps included.

        Raises:
            ConfigurationError: No energy flows in the interval.
        """
        true_j = abs(self.energy_j(from_s, to_s))
        if true_j == 0.0:
            raise ConfigurationError(f"no energy flows from {from_s} s to {to_s} s")
        return 100 * (self.meter_energy.counted_mean_j(from_s, to_s) - true_j) / true_j


class SimulatedBench:
    """Samples and pulses of one simulated meter; bit-identical for a seed.

    Blocks go forward only. Pulses and counter edges each have their own position in time.
    """

    def __init__(self, config: BenchConfig, seed: int) -> None:
        """Set up the bench at true time 0, which is sample 0."""
        noise, meter, head, light, gps = np.random.SeedSequence(seed).spawn(5)
        self.config = config
        power = PlantPower(config.mains, config.load, config.front_end.stream_format.phases)
        energy = MeterEnergy(config.meter, power)
        pulses = MeterPulses(config.meter, energy, meter)
        led = (config.meter.led_width_s, config.meter.jitter_s)
        self._edges: LedEdges = OpticalEdges(config.optical_head, pulses, led, head)
        if config.head_light is not None:
            self._edges = LitHeadEdges(config.head_light, self._edges, light)
        self._pps = PpsEdges(config.gps, gps) if config.gps is not None else None
        self._sampler = ChangingSampler(
            config.mains, config.load, config.front_end, config.front_end_changes, noise
        )
        self._true_rate_hz = config.front_end.true_sample_rate_hz
        self._made = memoryview(b"")
        self._next_sample = 0
        self._batch_end = 0
        self._last_stamp = -1
        self._pulses_given = 0
        self._rises_given = 0
        self._falls_given = 0
        self._pps_given = 0
        self._next_marker = 0
        self.truth = self._work_out_truth(power, energy, pulses.start_energy_fraction)

    def _work_out_truth(
        self, power: PlantPower, energy: MeterEnergy, start_energy_fraction: float
    ) -> BenchTruth:
        current_a = power.mean_phase_current_a(power.segments[0])
        return BenchTruth(
            power=power,
            meter_energy=energy,
            registers=MeterRegisters(self.config.meter, energy),
            start_energy_fraction=start_energy_fraction,
            frequency_hz=self.config.mains.frequency_hz,
            true_sample_rate_hz=self._true_rate_hz,
            error_percent=self.config.meter.error_percent_at(current_a),
        )

    @property
    def stream_format(self) -> StreamFormat:
        """Rate, phases and ranges of the stream from the next sample on."""
        return self._sampler.format_at(self._next_sample)

    @property
    def next_sample(self) -> int:
        """Index of the sample that the next block begins with."""
        return self._next_sample

    @property
    def counter_hz(self) -> int:
        """Nominal rate of the pulse front end's counter."""
        return COUNTS_PER_SAMPLE * self.stream_format.sample_rate_hz

    def blocks(self) -> Iterator[SampleBlock]:
        """Consecutive blocks without end, of the size that costs least."""
        while True:
            ready_end = max(self._batch_end, self._next_sample)
            if ready_end == self._next_sample:
                ready_end = self._sampler.batch_end(ready_end)
            yield self.next_block(ready_end - self._next_sample)

    def next_block(self, sample_count: int) -> SampleBlock:
        """The next samples; how they are split does not change them.

        Args:
            sample_count: Samples per channel wanted.

        Raises:
            ConfigurationError: the block would span two formats; end it where the format changes.
        """
        end_format = self._sampler.format_at(self._next_sample + sample_count - 1)
        if end_format != self.stream_format:
            raise ConfigurationError(
                f"{sample_count} samples from {self._next_sample} on span a change of the format"
            )
        frame = 4 * self.stream_format.channels
        parts: list[memoryview] = []
        wanted = sample_count * frame
        while wanted:
            if not self._made:
                self._make_batch()
            parts.append(self._made[:wanted])
            self._made = self._made[wanted:]
            wanted -= parts[-1].nbytes
        codes = parts[0] if len(parts) == 1 else b"".join(parts)
        first, self._next_sample = self._next_sample, self._next_sample + sample_count
        return SampleBlock(first_sample=first, channels=self.stream_format.channels, codes=codes)

    def _make_batch(self) -> None:
        batch = self._sampler.batch(self._batch_end)
        self._made = memoryview(batch.data).cast("B")
        self._batch_end += len(batch)

    def batch_up_to(self, sample: int) -> PulseBatch:
        """Pulses before `sample` that were not delivered yet."""
        end_stamp = sample * STAMP_SUBDIVISION
        rises = self._edges.rises_before((sample + 1) / self._true_rate_hz, self._pulses_given)
        pulses: list[Pulse] = []
        for rise_s in rises:
            stamp = round(rise_s * self._true_rate_hz * STAMP_SUBDIVISION)
            stamp = max(stamp, self._last_stamp + 1)
            if stamp >= end_stamp:
                break
            pulses.append(Pulse(stamp=stamp, index=self._pulses_given))
            self._pulses_given += 1
            self._last_stamp = stamp
        return PulseBatch(pulses=tuple(pulses), complete_to_stamp=end_stamp)

    def edges_up_to(self, sample: int) -> list[CounterEdge]:
        """Edges and frame markers before `sample` that were not delivered yet, in order."""
        end_count = sample * COUNTS_PER_SAMPLE
        end_s = (sample + 1) / self._true_rate_hz
        rises = self._edges.rises_before(end_s, self._rises_given)
        falls = self._edges.falls_before(end_s, self._falls_given)
        rising = self._counted(rises, EdgeKind.RISING, end_count)
        falling = self._counted(falls, EdgeKind.FALLING, end_count)
        self._rises_given += len(rising)
        self._falls_given += len(falling)
        pps = self._pps.edges_before(end_s, self._pps_given) if self._pps is not None else []
        seconds = self._counted(pps, EdgeKind.PPS, end_count)
        self._pps_given += len(seconds)
        edges = [*rising, *falling, *self._markers(sample), *seconds]
        return sorted(edges, key=lambda edge: edge.count)

    def _counted(self, times_s: list[float], kind: EdgeKind, end_count: int) -> list[CounterEdge]:
        counts = (int(time_s * self._true_rate_hz * COUNTS_PER_SAMPLE) for time_s in times_s)
        return [CounterEdge(count=count, kind=kind) for count in counts if count < end_count]

    def _markers(self, sample: int) -> list[CounterEdge]:
        markers = range(self._next_marker, sample, MARKER_INTERVAL_SAMPLES)
        self._next_marker += len(markers) * MARKER_INTERVAL_SAMPLES
        return [
            CounterEdge(count=marker * COUNTS_PER_SAMPLE, kind=EdgeKind.MARKER)
            for marker in markers
        ]


def steady_bench(  # noqa: PLR0913 -- one keyword for each word of the field
    *,
    meter_error_percent: float = 0.0,
    phases: int = 1,
    voltage_v: float = 220.0,
    current_a: float = 5.0,
    power_factor: float = 1.0,
    lagging: bool = True,
    frequency_hz: float = 50.0,
    voltage_harmonics: tuple[Harmonic, ...] = (),
    current_harmonics: tuple[Harmonic, ...] = (),
    constant_imp_per_kwh: float = 1200.0,
    pulse_kind: PulseKind = PulseKind.SMOOTHED,
    front_end: FrontEnd | None = None,
    seed: int = 1,
) -> SimulatedBench:
    """A bench with a steady load, for when nothing else matters.

    Args:
        meter_error_percent: Error of the meter under test, in %.
        phases: 1 or 3.
        voltage_v: RMS phase voltage of the fundamental, in V.
        current_a: RMS current of the fundamental, in A.
        power_factor: Displacement factor cos φ1; negative is export.
        lagging: Whether the current lags.
        frequency_hz: Mains frequency, in Hz.
        voltage_harmonics: Harmonics of the voltage.
        current_harmonics: Harmonics of the current.
        constant_imp_per_kwh: Meter constant, in imp/kWh.
        pulse_kind: What the meter's pulses count.
        front_end: The instrument's front end; None: `typical_front_end(phases)`.
        seed: Seed of everything random.
    """
    config = BenchConfig(
        mains=Mains(frequency_hz=frequency_hz, voltage_v=voltage_v, harmonics=voltage_harmonics),
        load=Load(
            current_a=current_a,
            power_factor=power_factor,
            lagging=lagging,
            harmonics=current_harmonics,
        ),
        meter=MeterUnderTest(
            constant_imp_per_kwh=constant_imp_per_kwh,
            error_percent=meter_error_percent,
            pulse_kind=pulse_kind,
        ),
        front_end=front_end or typical_front_end(phases),
    )
    return SimulatedBench(config, seed)
