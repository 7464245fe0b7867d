"""The live picture against the simulator's closed form."""

import cmath
import math
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck.load import Conditions
from spotcheck.plain import from_plain
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_cli.demo_instrument import (
    demonstration_correction_set,
    exact_front_end,
    stream_format,
)
from spotcheck_device.live_view import (
    NO_STREAM,
    WAITING,
    LiveViewer,
    RecentCodes,
    view_without_stream,
)
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_sim.bench import BenchConfig, SimulatedBench, steady_bench
from spotcheck_sim.load import Load, LoadStep
from spotcheck_sim.mains import Mains
from spotcheck_sim.meter_under_test import MeterUnderTest
from spotcheck_sim.waveform import Harmonic
from spotcheck_wire.host_messages import LiveView

RATE = 8000
CORRECTION = demonstration_correction_set()
STREAM = stream_format(3, "C100")
TRUE_RATE_HZ = RATE * (1 + CORRECTION.sample_rate_relative_error.value)
Floats = NDArray[np.float32]


@dataclass
class Device:
    """A session and a viewer on the stream of a bench."""

    bench: SimulatedBench
    stream: StreamFormat = STREAM
    session: MeasuringSession = field(init=False)
    viewer: LiveViewer = field(init=False)

    def __post_init__(self) -> None:
        self.session = MeasuringSession(
            stream=self.stream, correction=CORRECTION, outcome_prefix="SC-1-1"
        )
        self.viewer = LiveViewer(self.stream, CORRECTION)

    def take(self, seconds: float) -> None:
        for _ in range(round(10 * seconds)):
            block = self.bench.next_block(RATE // 10)
            self.session.add_block(block)
            self.viewer.add_block(block)

    def view(self, points: int = 400) -> LiveView:
        return self.viewer.picture(self.session, points)


def device(**plant: object) -> Device:
    front_end = exact_front_end(CORRECTION, STREAM)
    return Device(steady_bench(phases=3, front_end=front_end, **plant))  # type: ignore[arg-type]


def conditions(view: LiveView) -> Conditions:
    assert view.obstacle == ""
    return from_plain(Conditions, view.conditions)


def traces(view: LiveView) -> Floats:
    return np.frombuffer(view.traces, "<f4").reshape(-1, view.trace_points)


def harmonics(view: LiveView) -> Floats:
    return np.frombuffer(view.harmonics, "<f4").reshape(-1, view.harmonic_orders)


def first_phase_deg(view: LiveView, frequency_hz: float) -> float:
    """Phase of U1's fundamental at the first point, from whole cycles of the trace."""
    trace = traces(view)[0]
    cycle = TRUE_RATE_HZ / frequency_hz
    turns = np.exp(-2j * np.pi * np.arange(len(trace)) / cycle)[: round(2 * cycle)]
    return math.degrees(cmath.phase(np.sum(trace[: len(turns)] * turns)))


@pytest.mark.parametrize("frequency_hz", [45.0, 50.2, 60.0])
def test_quantities_are_the_simulators_truth(frequency_hz: float) -> None:
    # 0.5 s of an exact instrument: what is left is noise and the droop of the slots.
    plant = device(
        frequency_hz=frequency_hz,
        power_factor=0.5,
        current_a=20.0,
        voltage_harmonics=(Harmonic(order=3, fraction=0.05),),
        current_harmonics=(Harmonic(order=5, fraction=0.1, phase_deg=20.0),),
    )
    plant.take(1.0)
    view = plant.view()
    found, truth = conditions(view), plant.bench.truth
    assert (view.sample, view.state, view.overload) == (RATE, "idle", False)
    assert found.frequency_hz == pytest.approx(frequency_hz, abs=1e-3)
    powers = zip(truth.phase_power_w, truth.power.phase_reactive_power_var(), strict=True)
    for number, (phase, (p_w, q1_var)) in enumerate(zip(found.phases, powers, strict=True)):
        assert phase.u_v == pytest.approx(220 * math.sqrt(1 + 0.05**2), rel=2e-5)
        assert phase.i_a == pytest.approx(20 * math.sqrt(1 + 0.1**2), rel=2e-5)
        assert phase.p_w == pytest.approx(p_w, rel=5e-5)
        assert phase.q1_var == pytest.approx(q1_var, rel=5e-5)
        expected_deg = (-120.0 * number + 180) % 360 - 180
        assert phase.u_phase_deg == pytest.approx(expected_deg, abs=0.01)
        assert phase.thd_u_percent == pytest.approx(5.0, abs=0.02)
        assert phase.thd_i_percent == pytest.approx(10.0, abs=0.02)


def test_harmonic_levels_are_the_simulators_truth() -> None:
    voltage = (Harmonic(order=3, fraction=0.05), Harmonic(order=49, fraction=0.004))
    current = (Harmonic(order=2, fraction=0.01), Harmonic(order=7, fraction=0.2, phase_deg=90.0))
    plant = device(frequency_hz=50.2, voltage_harmonics=voltage, current_harmonics=current)
    plant.take(1.0)
    levels = harmonics(plant.view())
    assert levels.shape == (6, 50)
    for channel, (level, parts) in enumerate(3 * ((220.0, voltage), (5.0, current))):
        expected = np.zeros(50)
        expected[0] = level
        for part in parts:
            expected[part.order - 1] = level * part.fraction
        # Noise of 2.4 mV and 0.8 mA over the 640 samples of the window.
        assert np.max(np.abs(levels[channel] - expected)) < 8e-4


@pytest.mark.parametrize("frequency_hz", [45.0, 50.0, 50.3, 60.0])
@pytest.mark.parametrize("seconds", [0.7, 0.8, 1.1])
def test_traces_are_two_cycles_from_a_rising_zero_of_u1(
    frequency_hz: float, seconds: float
) -> None:
    # The third harmonic has no zero there: the fundamental decides.
    third = (Harmonic(order=3, fraction=0.1, phase_deg=50.0),)
    plant = device(frequency_hz=frequency_hz, voltage_harmonics=third)
    plant.take(seconds)
    view = plant.view()
    assert view.trace_interval_s == pytest.approx(1 / TRUE_RATE_HZ)
    assert view.trace_points * view.trace_interval_s == pytest.approx(
        2 / frequency_hz, abs=1.5 / RATE
    )
    # Half a sample, and what a cut cycle does to the sum over the trace.
    assert first_phase_deg(view, frequency_hz) == pytest.approx(-90.0, abs=1.6)


def test_traces_are_corrected_by_gain_and_offset() -> None:
    plant = device(power_factor=1.0)
    plant.take(1.0)
    found = traces(plant.view())[:, :-1]  # 320 points: two cycles
    assert np.sqrt(np.mean(found**2, axis=1)) == pytest.approx(3 * [220.0, 5.0], rel=1e-3)
    # Uncorrected: 16 mV and 3 mA for each number of the phase.
    assert np.max(np.abs(found.mean(axis=1))) < 1e-3


@pytest.mark.parametrize(("points", "stride"), [(16, 21), (160, 3), (320, 2), (321, 1), (2048, 1)])
def test_limit_of_points_is_kept_by_striding(points: int, stride: int) -> None:
    plant = device()
    plant.take(1.0)
    view, whole = plant.view(points), plant.view()
    assert view.trace_points <= points
    assert view.trace_interval_s == pytest.approx(stride / TRUE_RATE_HZ)
    assert np.array_equal(traces(view), traces(whole)[:, ::stride])


def test_overload_is_shown_for_a_second() -> None:
    config = BenchConfig(
        mains=Mains(),
        load=Load(current_a=200.0, steps=(LoadStep(at_s=1.0, current_factor=0.1),)),
        meter=MeterUnderTest(),
        front_end=exact_front_end(CORRECTION, STREAM),
    )
    plant = Device(SimulatedBench(config, 1))
    plant.take(1.8)
    assert plant.view().overload
    plant.take(0.3)
    assert not plant.view().overload


def test_no_voltage_is_said_and_waveforms_are_still_shown() -> None:
    plant = device(voltage_v=0.0)
    plant.take(1.0)
    view = plant.view()
    assert view.obstacle == "U1 is 0.0 V, U2 is 0.0 V, U3 is 0.0 V"
    assert (view.conditions, view.harmonic_orders, view.harmonics) == ({}, 0, b"")
    assert view.trace_points == 321
    assert np.sqrt(np.mean(traces(view)[1::2] ** 2)) == pytest.approx(5.0, rel=1e-2)


def test_signal_that_is_no_mains_is_named() -> None:
    plant = device(frequency_hz=400.0)
    plant.take(1.0)
    view = plant.view()
    assert view.obstacle == "no mains between 40 and 70 Hz in a voltage of 220.0 V"
    assert view.harmonic_orders == 0


def test_one_missing_lead_leaves_the_other_phases_to_see() -> None:
    whole = exact_front_end(CORRECTION, STREAM)
    voltage = (replace(whole.voltage[0], is_connected=False), *whole.voltage[1:])
    plant = Device(steady_bench(phases=3, front_end=replace(whole, voltage=voltage)))
    plant.take(1.0)
    view = plant.view()
    u_v = [phase.u_v for phase in conditions(view).phases]
    assert u_v == pytest.approx([0.0, 220.0, 220.0], abs=0.05)
    assert harmonics(view)[2, 0] == pytest.approx(220.0, rel=1e-4)


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_too_little_data_is_waited_for(seconds: float) -> None:
    plant = device()
    plant.take(seconds)
    view = plant.view()
    assert view.obstacle == WAITING
    assert (view.conditions, view.harmonic_orders) == ({}, 0)
    assert view.trace_points == min(321, round(seconds * RATE))


def test_lost_source_is_no_longer_shown() -> None:
    plant = device()
    plant.take(1.0)
    plant.viewer.lose_source()
    view = plant.view()
    assert view.obstacle == WAITING
    assert (view.conditions, view.trace_points, view.harmonic_orders) == ({}, 0, 0)
    plant.take(0.3)
    assert plant.view().obstacle == ""


def test_single_phase_has_two_channels() -> None:
    stream = stream_format(1, "C5")
    plant = Device(
        steady_bench(current_a=1.0, front_end=exact_front_end(CORRECTION, stream)), stream
    )
    plant.take(1.0)
    view = plant.view()
    assert len(traces(view)) == len(harmonics(view)) == 2
    assert conditions(view).phases[0].i_a == pytest.approx(1.0, rel=1e-4)


def test_view_without_a_stream_waits() -> None:
    view = view_without_stream()
    assert (view.state, view.obstacle, view.trace_points) == (NO_STREAM, WAITING, 0)


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 20))
def test_newest_codes_do_not_depend_on_how_the_stream_is_cut(lengths: list[int], kept: int) -> None:
    ends = [0, *np.cumsum(lengths).tolist()]
    codes = np.arange(2 * ends[-1], dtype="<i4").reshape(-1, 2)
    recent = RecentCodes(2, kept)
    for first, end in pairwise(ends):
        block = SampleBlock(first_sample=first, channels=2, codes=codes[first:end].tobytes())
        recent.add(block)
        assert np.array_equal(recent.newest(), codes[max(0, end - kept) : end])


def test_newest_codes_span_no_gap() -> None:
    recent = RecentCodes(2, 10)
    recent.add(SampleBlock(first_sample=0, channels=2, codes=bytes(32)))
    recent.add(SampleBlock(first_sample=5, channels=2, codes=b"\x01" * 16))
    assert np.array_equal(recent.newest(), np.full((2, 2), 0x01010101))
