"""The bench's samples, stamps and faults against what was configured."""

import math
from dataclasses import replace

import numpy as np
import pytest

from spotcheck.errors import ConfigurationError
from spotcheck.samples import FULL_SCALE_CODE
from spotcheck_sim.bench import BenchConfig, EdgeKind, SimulatedBench, steady_bench
from spotcheck_sim.faults import BenchFault, with_fault
from spotcheck_sim.front_end import Channel, FrontEnd, typical_front_end
from spotcheck_sim.load import Load, LoadStep
from spotcheck_sim.mains import Mains, VoltageDip
from spotcheck_sim.meter_under_test import MeterUnderTest
from spotcheck_sim.waveform import Harmonic

RATE = 8000
U_GAIN = 600 / FULL_SCALE_CODE
I_GAIN = 150 / FULL_SCALE_CODE


def quiet(phases: int = 1, **changes: object) -> FrontEnd:
    return replace(typical_front_end(phases, noise_codes_rms=0.0), **changes)  # type: ignore[arg-type]


def codes_of(bench: SimulatedBench, samples: int) -> np.ndarray:
    block = bench.next_block(samples)
    return np.frombuffer(block.codes, dtype="<i4").reshape(samples, -1)


def phasor(codes: np.ndarray, frequency_hz: float, rate_hz: float = RATE) -> complex:
    """DFT of whole cycles at one frequency: the peak phasor."""
    turns = np.exp(-2j * math.pi * frequency_hz / rate_hz * np.arange(codes.size))
    return complex(2 * np.mean(codes * turns))


def test_rms_and_power_of_a_second_are_the_truth_within_quantisation() -> None:
    bench = steady_bench(
        phases=3,
        power_factor=0.7,
        voltage_harmonics=(Harmonic(order=3, fraction=0.05, phase_deg=40.0),),
        current_harmonics=(Harmonic(order=3, fraction=0.2, phase_deg=-15.0),),
        front_end=quiet(3),
    )
    codes = codes_of(bench, RATE).astype(float)
    third_w = 220 * 0.05 * 5 * 0.2 * math.cos(math.radians(55))
    for phase in range(3):
        u, i = codes[:, 2 * phase] * U_GAIN, codes[:, 2 * phase + 1] * I_GAIN
        # At 50 Hz 160 codes repeat, so that rounding averages out over 160 samples only.
        assert np.sqrt(np.mean(u**2)) == pytest.approx(220 * math.sqrt(1.0025), abs=U_GAIN / 5)
        assert np.sqrt(np.mean(i**2)) == pytest.approx(5 * math.sqrt(1.04), abs=I_GAIN / 5)
        power_w = 220 * 5 * 0.7 + third_w
        assert np.mean(u * i) == pytest.approx(power_w, abs=220 * I_GAIN / 5)
        assert bench.truth.phase_power_w[phase] == pytest.approx(power_w)


def test_every_sample_is_the_waveform_rounded() -> None:
    bench = steady_bench(power_factor=0.5, front_end=quiet())
    codes = codes_of(bench, 20_000)
    omega_t = 2 * math.pi * 50 * np.arange(20_000) / RATE
    assert np.max(np.abs(codes[:, 0] - 220 * math.sqrt(2) * np.cos(omega_t) / U_GAIN)) < 0.5001
    current = 5 * math.sqrt(2) * np.cos(omega_t - math.pi / 3)
    assert np.max(np.abs(codes[:, 1] - current / I_GAIN)) < 0.5001


def test_frequency_drift_shows_in_every_sample() -> None:
    mains = Mains(frequency_drift_hz_per_s=0.2, harmonics=(Harmonic(order=5, fraction=0.1),))
    bench = SimulatedBench(BenchConfig(mains=mains, front_end=quiet()), 1)
    codes = codes_of(bench, 50_000)
    t = np.arange(50_000) / RATE
    theta = 2 * math.pi * (50 * t + 0.1 * t**2)
    voltage = 220 * math.sqrt(2) * (np.cos(theta) + 0.1 * np.cos(5 * theta))
    assert np.max(np.abs(codes[:, 0] - voltage / U_GAIN)) < 0.501


@pytest.mark.parametrize("drift", [0.0, 0.05])
def test_any_split_into_blocks_gives_the_same_bytes(drift: float) -> None:
    config = BenchConfig(
        mains=Mains(frequency_drift_hz_per_s=drift), front_end=typical_front_end(3)
    )
    whole = bytes(SimulatedBench(config, 5).next_block(30_000).codes)
    split = SimulatedBench(config, 5)
    sizes = [1, 799, 2, 800, 7999, 8000, 8001, 4398]
    blocks = [split.next_block(size) for size in sizes]
    assert b"".join(bytes(block.codes) for block in blocks) == whole
    assert [block.first_sample for block in blocks] == [0, *np.cumsum(sizes)[:-1]]
    free_running, gathered = SimulatedBench(config, 5).blocks(), b""
    while len(gathered) < len(whole):
        gathered += bytes(next(free_running).codes)
    assert gathered[: len(whole)] == whole


def test_same_seed_same_bytes_and_another_seed_others() -> None:
    config = BenchConfig(meter=MeterUnderTest(jitter_s=1e-4))
    first, again, other = (SimulatedBench(config, seed) for seed in (1, 1, 2))
    assert (
        first.batch_up_to(RATE * 60) == again.batch_up_to(RATE * 60) != other.batch_up_to(RATE * 60)
    )
    assert bytes(first.next_block(900).codes) == bytes(again.next_block(900).codes)
    assert bytes(first.next_block(900).codes) != bytes(other.next_block(900).codes)


def test_noise_is_gaussian_of_the_configured_rms_and_white() -> None:
    front_end = replace(quiet(), voltage=(Channel(gain_per_code=U_GAIN, noise_codes_rms=20.0),))
    config = BenchConfig(mains=Mains(voltage_v=0.0), load=Load(current_a=0), front_end=front_end)
    codes = codes_of(SimulatedBench(config, 3), 400_000)
    noise = codes[:, 0] / 20.0
    assert np.std(noise) == pytest.approx(1.0, rel=0.005)
    assert np.mean(noise**4) == pytest.approx(3.0, rel=0.02)
    assert abs(np.mean(noise[1:] * noise[:-1])) < 0.006
    assert not codes[:, 1].any()


def test_phase_error_and_skew_lag_as_configured() -> None:
    skewed = Channel(gain_per_code=I_GAIN, phase_error_rad=1e-3, skew_s=4e-6)
    harmonics = (Harmonic(order=5, fraction=0.5),)
    bench = steady_bench(
        frequency_hz=50.3,
        current_harmonics=harmonics,
        front_end=replace(quiet(), current=(skewed,)),
    )
    # 503 cycles of 50.3 Hz; no code repeats, so that rounding averages out.
    current = codes_of(bench, 10 * RATE)[:, 1]
    lag = (1e-3 / (100 * math.pi) + 4e-6) * 2 * math.pi * 50.3
    assert -np.angle(phasor(current, 50.3)) == pytest.approx(lag, abs=1e-8)
    assert -np.angle(phasor(current, 251.5)) == pytest.approx(5 * lag, abs=2e-8)


def test_offset_and_gain_show_as_configured() -> None:
    channel = Channel(gain_per_code=2 * U_GAIN, offset_codes=-137.25)
    bench = steady_bench(frequency_hz=50.3, front_end=replace(quiet(), voltage=(channel,)))
    codes = codes_of(bench, 10 * RATE)[:, 0]
    assert np.mean(codes) == pytest.approx(-137.25, abs=0.01)
    assert abs(phasor(codes, 50.3)) == pytest.approx(220 * math.sqrt(2) / U_GAIN / 2, abs=0.01)


def test_clock_error_moves_stamps_and_samples_together() -> None:
    fast = quiet(sample_clock_relative_error=1e-3)
    exact, shifted = steady_bench(front_end=quiet()), steady_bench(front_end=fast)
    stamps = [
        np.array([pulse.stamp for pulse in bench.batch_up_to(60 * RATE).pulses])
        for bench in (exact, shifted)
    ]
    shared = min(map(len, stamps))
    assert np.max(np.abs(stamps[1][:shared] - stamps[0][:shared] * 1.001)) < 2
    # 8008 samples of the fast clock are one second of the mains.
    codes = codes_of(shifted, 8008)[:, 0]
    assert abs(phasor(codes, 50, 8008)) == pytest.approx(220 * math.sqrt(2) / U_GAIN, rel=1e-7)
    assert shifted.truth.true_sample_rate_hz == pytest.approx(8008)


def test_load_step_and_dip_split_the_samples_where_they_happen() -> None:
    config = BenchConfig(
        load=Load(current_a=5, steps=(LoadStep(at_s=1.00006, current_factor=0.5),)),
        mains=Mains(dips=(VoltageDip(start_s=0.5, duration_s=0.1, residual_fraction=0.0),)),
        front_end=quiet(),
    )
    codes = codes_of(SimulatedBench(config, 1), 16_000)
    cycle = codes_of(steady_bench(front_end=quiet()), 16_000)
    assert np.array_equal(codes[:8001, 1], cycle[:8001, 1])
    assert np.max(np.abs(codes[8001:, 1] - cycle[8001:, 1] / 2)) <= 0.75
    assert not codes[4000:4800, 0].any()
    assert np.array_equal(codes[4800:, 0], cycle[4800:, 0])


def test_pulse_batches_are_complete_and_counted() -> None:
    bench = steady_bench(current_a=40.0)
    pulses, end = [], 0
    for _ in range(200):
        end += 1234
        batch = bench.batch_up_to(end)
        assert batch.complete_to_stamp == end << 16
        assert all(pulse.stamp < end << 16 for pulse in batch.pulses)
        pulses += batch.pulses
    assert [pulse.index for pulse in pulses] == list(range(len(pulses)))
    assert tuple(pulses) == steady_bench(current_a=40.0).batch_up_to(end).pulses


def test_stamps_stand_for_the_meters_energy() -> None:
    bench = steady_bench(meter_error_percent=0.8, current_a=20.0, constant_imp_per_kwh=3200)
    stamps = [pulse.stamp for pulse in bench.batch_up_to(RATE * 100).pulses]
    span_s = (stamps[-1] - stamps[0]) / 65536 / RATE
    true_j = 220 * 20 * span_s
    counted_j = (len(stamps) - 1) * 3.6e6 / 3200
    assert 100 * (counted_j / true_j - 1) == pytest.approx(0.8, abs=1e-7)
    assert bench.truth.error_percent == 0.8
    assert bench.truth.energy_j(1.0, 3.0) == pytest.approx(8800)


def test_truth_over_a_load_step_weighs_errors_by_energy() -> None:
    config = BenchConfig(
        load=Load(current_a=10, steps=(LoadStep(at_s=10.0, current_factor=3.0),)),
        meter=MeterUnderTest(error_percent=0.5),
    )
    truth = SimulatedBench(config, 1).truth
    assert truth.error_percent_between(2.0, 30.0) == pytest.approx(0.5)
    with pytest.raises(ConfigurationError, match="no energy"):
        truth.error_percent_between(2.0, 2.0)


def test_counter_edges_share_the_stamps_clock_and_come_in_order() -> None:
    front_end = quiet(sample_clock_relative_error=5e-5)
    bench, twin = (steady_bench(current_a=60.0, front_end=front_end) for _ in range(2))
    edges = [edge for end in range(0, 80_001, 800) for edge in bench.edges_up_to(end)]
    assert [edge.count for edge in edges] == sorted(edge.count for edge in edges)
    markers = [edge.count for edge in edges if edge.kind is EdgeKind.MARKER]
    assert markers == [number * 1024 * 3000 for number in range(len(markers))]
    assert len(markers) == math.ceil(80_000 / 1024)
    rising = [edge.count / 3000 for edge in edges if edge.kind is EdgeKind.RISING]
    stamped = [pulse.sample for pulse in twin.batch_up_to(80_000).pulses]
    assert rising == pytest.approx(stamped, abs=1 / 3000 + 1 / 65536)
    widths = [edge.count for edge in edges if edge.kind is EdgeKind.FALLING]
    assert (widths[0] / 3000 - rising[0]) / RATE == pytest.approx(0.030, rel=1e-4)


def pulses_with(fault: BenchFault) -> list[float]:
    bench = SimulatedBench(with_fault(BenchConfig(), fault), 1)
    return [pulse.sample for pulse in bench.batch_up_to(RATE * 60).pulses]


def test_pulse_faults_do_what_they_say() -> None:
    healthy = [p.sample for p in SimulatedBench(BenchConfig(), 1).batch_up_to(RATE * 60).pulses]
    assert pulses_with(BenchFault.NO_PULSES) == []
    assert pulses_with(BenchFault.ONE_PULSE) == healthy[:1]
    assert pulses_with(BenchFault.NO_VOLTAGE) == pulses_with(BenchFault.NO_CLAMP) == healthy
    assert pulses_with(BenchFault.NO_LOAD) == []
    assert pulses_with(BenchFault.MISSED_PULSE) == healthy[:5] + healthy[6:]
    doubled = pulses_with(BenchFault.DOUBLE_PULSE)
    assert doubled[:6] == healthy[:6]
    assert doubled[6] == pytest.approx(healthy[5] + 0.05 * RATE, abs=1e-4)
    assert doubled[7:] == healthy[6:]


def rms_with(fault: BenchFault, first: int) -> tuple[float, float, float]:
    config = with_fault(BenchConfig(front_end=quiet()), fault)
    codes = codes_of(SimulatedBench(config, 1), 64_000)[first : first + 1600].astype(float)
    u, i = codes[:, 0] * U_GAIN, codes[:, 1] * I_GAIN
    return float(np.sqrt(np.mean(u**2))), float(np.sqrt(np.mean(i**2))), float(np.mean(u * i))


def test_signal_faults_do_what_they_say() -> None:
    assert rms_with(BenchFault.NO_VOLTAGE, 0) == pytest.approx((0, 5, 0), abs=1e-5)
    assert rms_with(BenchFault.NO_CLAMP, 0) == pytest.approx((220, 0, 0), abs=1e-5)
    assert rms_with(BenchFault.NO_LOAD, 0) == pytest.approx((220, 0, 0), abs=1e-5)
    assert rms_with(BenchFault.REVERSED_CLAMP, 0) == pytest.approx((220, 5, -1100), abs=1e-3)
    assert rms_with(BenchFault.VOLTAGE_DIP, 38_400) == pytest.approx((220, 5, 1100), abs=1e-3)
    assert rms_with(BenchFault.VOLTAGE_DIP, 40_000) == pytest.approx((88, 5, 440), abs=1e-3)
    assert rms_with(BenchFault.VOLTAGE_DIP, 48_000) == pytest.approx((220, 5, 1100), abs=1e-3)
    assert rms_with(BenchFault.VOLTAGE_LOST, 60_000) == pytest.approx((0, 5, 0), abs=1e-5)


def test_overload_is_clipped_to_full_scale_and_nothing_else_reaches_it() -> None:
    overloaded = SimulatedBench(with_fault(BenchConfig(), BenchFault.OVERLOAD), 1)
    codes = codes_of(overloaded, 8000)
    assert codes[:, 1].max() == FULL_SCALE_CODE
    assert codes[:, 1].min() == -FULL_SCALE_CODE
    assert np.abs(codes[:, 0]).max() < FULL_SCALE_CODE


def test_fault_free_pulses_stop_when_voltage_is_lost() -> None:
    assert max(pulses_with(BenchFault.VOLTAGE_LOST)) < 5 * RATE


def test_channels_must_match_the_phases() -> None:
    with pytest.raises(ConfigurationError, match="do not make 3 phases"):
        FrontEnd(
            stream_format=typical_front_end(3).stream_format,
            voltage=(Channel(gain_per_code=1.0),),
            current=(Channel(gain_per_code=1.0),),
        )
