"""The bench of one test: source, meter, front end and clock, and the faults between them.

A simulated bench is a value that is built anew for each measurement, from one seed: so time may be
asked again, and the same test always sees the same samples.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from spotcheck.errors import ConfigurationError
from spotcheck.meter import Meter
from spotcheck_sim.bench import BenchConfig, BenchTruth, SimulatedBench
from spotcheck_sim.hil.instrument import (
    Instrument,
    MeasuredError,
    MeasurementOrder,
    NoMeasurement,
)
from spotcheck_sim.hil.report import Check, check_of
from spotcheck_sim.meter_registers import RegisterReading
from spotcheck_sim.plant_faults import PlantFault, with_plant_fault

LONGEST_S = 600.0


class Backend(StrEnum):
    """What the tests run on."""

    SIM = "sim"
    """Everything in this process, on the virtual clock."""
    EMU = "emu"
    """The front end's firmware under MicroPython, and the daemon as a process of its own."""
    HW = "hw"
    """An instrument at its address, on real meters."""


class Clock:
    """Stream time; nothing moves it but waiting and measuring."""

    def __init__(self) -> None:
        """Stand at the begin of the stream."""
        self.now_s = 0.0
        """Stream time, in s."""

    def wait(self, seconds: float) -> None:
        """Let stream time pass.

        Raises:
            ConfigurationError: the time is negative.
        """
        if seconds < 0:
            raise ConfigurationError(f"{seconds} s cannot be waited for")
        self.now_s += seconds


class HilBench:
    """Everything on the bench of one test."""

    def __init__(
        self,
        config: BenchConfig,
        nameplate: Meter,
        *,
        seed: int,
        backend: Backend,
        instrument: Instrument,
        test: str,
        keep: Callable[[Check], None],
    ) -> None:
        """Set up a bench that nothing has been asked of.

        Args:
            config: The simulated bench.
            nameplate: The meter as it is entered.
            seed: Seed of everything random.
            backend: What it runs on.
            instrument: What measures.
            test: Name of the test, for the report.
            keep: Takes each check for the report.
        """
        self.config = config
        self.nameplate = nameplate
        self.clock = Clock()
        self.backend = backend
        self._seed = seed
        self._instrument = instrument
        self._test = test
        self._keep = keep

    def change(self, **parts: Any) -> None:
        """Replace parts of the simulated bench (`spotcheck_sim.bench.BenchConfig`).

        Raises:
            ConfigurationError: the bench is real.
        """
        self._require_simulated("the bench is changed")
        self.config = replace(self.config, **parts)

    def fault(self, fault: PlantFault | str, *, at: float) -> None:
        """Let something go wrong.

        Args:
            fault: What: a `PlantFault` or its words.
            at: When, in s of stream time.

        Raises:
            ConfigurationError: the fault is not known, or the bench is real.
        """
        self._require_simulated("faults are made")
        try:
            kind = PlantFault(fault)
        except ValueError as error:
            known = ", ".join(known.value for known in PlantFault)
            raise ConfigurationError(f"fault {fault!r} is not known; known are {known}") from error
        self.config = with_plant_fault(self.config, kind, at_s=at, seed=self._seed)

    @property
    def truth(self) -> BenchTruth:
        """What is true of the bench as it is set up now.

        Raises:
            ConfigurationError: the bench is real.
        """
        self._require_simulated("the truth is known")
        return SimulatedBench(self.config, self._seed).truth

    def registers(self) -> RegisterReading:
        """What the simulated meter's registers and clock show now.

        Raises:
            ConfigurationError: the bench is real.
        """
        rate = self.config.front_end.true_sample_rate_hz
        nominal = self.config.front_end.stream_format.sample_rate_hz
        return self.truth.registers.at(self.clock.now_s * nominal / rate)

    def measure(
        self,
        *,
        minimum_pulses: int = 10,
        minimum_duration_s: float = 5.0,
        maximum_duration_s: float = LONGEST_S,
    ) -> MeasuredError | NoMeasurement:
        """Measure the meter from now on; the clock then stands at the measurement's end.

        Args:
            minimum_pulses: Pulses of the reading at least.
            minimum_duration_s: Time between first and last pulse at least, in s.
            maximum_duration_s: Stream time after which it ends with what there is, in s.
        """
        found = self._instrument.measure(
            MeasurementOrder(
                config=self.config,
                seed=self._seed,
                nameplate=self.nameplate,
                start_s=self.clock.now_s,
                minimum_pulses=minimum_pulses,
                minimum_duration_s=minimum_duration_s,
                maximum_duration_s=maximum_duration_s,
            )
        )
        self.clock.now_s = max(self.clock.now_s, found.end_s)
        return found

    def check(
        self, name: str, measured: MeasuredError | NoMeasurement, *, limit_percent: float
    ) -> Check:
        """Judge a measured error by a limit, and keep it for the report.

        Args:
            name: What is checked, in a table's words.
            measured: What `measure` gave.
            limit_percent: Limit of the error, ±, in %.

        Raises:
            AssertionError: nothing was measured; says why.
        """
        if isinstance(measured, NoMeasurement):
            raise AssertionError(f"{name}: {measured.reason} ({measured.detail})")  # noqa: TRY004
        truth = None if self.backend is Backend.HW else self.truth.error_percent
        check = check_of(
            measured, test=self._test, name=name, truth_percent=truth, limit_percent=limit_percent
        )
        self._keep(check)
        return check

    def _require_simulated(self, what: str) -> None:
        if self.backend is Backend.HW:
            raise ConfigurationError(
                f"{what} on a simulated bench only; on real hardware override the fixture "
                "that drives yours, or mark the test with needs_simulation"
            )


class Source:
    """Mains and load of a bench."""

    def __init__(self, bench: HilBench) -> None:
        """The source of a bench."""
        self._bench = bench

    def mains(self, **values: Any) -> None:
        """Set fields of `spotcheck_sim.mains.Mains`."""
        self._bench.change(mains=replace(self._bench.config.mains, **values))

    def load(self, **values: Any) -> None:
        """Set fields of `spotcheck_sim.load.Load`."""
        self._bench.change(load=replace(self._bench.config.load, **values))


class MeterOnBench:
    """The meter of a bench."""

    def __init__(self, bench: HilBench) -> None:
        """The meter of a bench."""
        self._bench = bench

    @property
    def nameplate(self) -> Meter:
        """The meter as it is entered."""
        return self._bench.nameplate

    @property
    def true_error_percent(self) -> float:
        """Its true error at the present load, in %; simulated benches only."""
        return self._bench.truth.error_percent

    def registers(self) -> RegisterReading:
        """What its registers and clock show now; simulated benches only."""
        return self._bench.registers()

    def set(self, **values: Any) -> None:
        """Set fields of `spotcheck_sim.meter_under_test.MeterUnderTest`."""
        self._bench.change(meter=replace(self._bench.config.meter, **values))


class FrontEndOnBench:
    """Optical head, clamps and converter of a bench."""

    def __init__(self, bench: HilBench) -> None:
        """The front end of a bench."""
        self._bench = bench

    def head(self, **values: Any) -> None:
        """Set fields of `spotcheck_sim.optics.OpticalHead`."""
        self._bench.change(optical_head=replace(self._bench.config.optical_head, **values))

    def light(self, light: Any) -> None:
        """Put the head into a light (`spotcheck_sim.head_light.HeadLight`), or the dark (None)."""
        self._bench.change(head_light=light)

    def gps(self, receiver: Any) -> None:
        """Connect a `spotcheck_sim.gps_receiver.GpsReceiver`, or none (None)."""
        self._bench.change(gps=receiver)
