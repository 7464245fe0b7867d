"""GPS receiver, clamp memory, and front ends that change in mid-stream."""

import math
from dataclasses import replace

import numpy as np
import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_sim.bench import BenchConfig, EdgeKind, SimulatedBench
from spotcheck_sim.clamp import Clamp
from spotcheck_sim.clamp_eeprom import ClampEeprom, EepromFaults
from spotcheck_sim.front_end import FrontEnd, typical_front_end
from spotcheck_sim.front_end_change import FrontEndChange
from spotcheck_sim.gps_receiver import GpsReceiver, PpsEdges, PpsOutage, PpsStep
from spotcheck_sim.load import Load
from spotcheck_sim.mains import Mains

RATE = 8000


def seconds(receiver: GpsReceiver, to_s: float) -> list[float]:
    return PpsEdges(receiver, np.random.SeedSequence(1)).edges_before(to_s)


def test_seconds_of_a_sound_receiver_are_the_true_ones() -> None:
    assert seconds(GpsReceiver(), 10.0) == list(range(10))


def test_jitter_of_the_receiver_is_gaussian_and_no_edge_is_lost() -> None:
    edges = np.array(seconds(GpsReceiver(jitter_s=1e-6), 2000.5))
    off = edges - np.round(edges)
    assert edges.size in (2000, 2001)
    assert np.std(off) == pytest.approx(1e-6, rel=0.06)


def test_outage_and_step_of_the_second() -> None:
    receiver = GpsReceiver(
        outages=(PpsOutage(start_s=3.0, duration_s=2.0),), step=PpsStep(at_s=7.0, step_s=-0.25)
    )
    assert seconds(receiver, 9.0) == [0, 1, 2, 5, 6, 6.75, 7.75, 8.75]


def test_bench_counts_seconds_on_the_counter_of_the_drifting_clock() -> None:
    front_end = replace(typical_front_end(), sample_clock_relative_error=20e-6)
    bench = SimulatedBench(BenchConfig(gps=GpsReceiver(), front_end=front_end), 1)
    found: list[int] = []
    for end in range(RATE // 2, 20 * RATE, RATE // 2):
        edges = bench.edges_up_to(end)
        assert [edge.count for edge in edges] == sorted(edge.count for edge in edges)
        found += [edge.count for edge in edges if edge.kind is EdgeKind.PPS]
    expected = [k * 24_000_480 for k in range(20)]
    assert all(0 <= true - count <= 1 for count, true in zip(found, expected, strict=True))


def test_bench_without_a_receiver_has_no_seconds() -> None:
    kinds = {edge.kind for edge in SimulatedBench(BenchConfig(), 1).edges_up_to(5 * RATE)}
    assert EdgeKind.PPS not in kinds


def fine(front_end: FrontEnd) -> FrontEnd:
    """The range that is ten times as fine."""
    (channel,) = front_end.current
    return replace(
        front_end,
        stream_format=replace(front_end.stream_format, current_range="15A"),
        current=(replace(channel, gain_per_code=channel.gain_per_code / 10),),
    )


def test_range_changes_at_its_sample_and_the_waveform_goes_on() -> None:
    coarse = typical_front_end(noise_codes_rms=0.0)
    change = FrontEndChange(at_sample=12_345, front_end=fine(coarse))
    config = BenchConfig(front_end=coarse, front_end_changes=(change,), load=Load(current_a=1.0))
    bench = SimulatedBench(config, 1)
    blocks = bench.blocks()
    codes, ranges = [], []
    while bench.next_sample < 30_000:
        ranges.append((bench.next_sample, bench.stream_format.current_range))
        codes.append(np.frombuffer(next(blocks).codes, "<i4").reshape(-1, 2)[:, 1])
    assert next(first for first, name in ranges if name == "15A") == 12_345
    joined = np.concatenate(codes)[:30_000]
    gain = 150 / (1 << 23) * np.where(np.arange(30_000) < 12_345, 1.0, 0.1)
    wave_a = math.sqrt(2) * np.cos(2 * math.pi * 50 * np.arange(30_000) / RATE)
    assert np.all(np.abs(joined * gain - wave_a) <= 0.5001 * gain)


def test_block_over_a_change_of_format_is_refused_and_over_a_turned_clamp_is_not() -> None:
    front_end = typical_front_end()
    turned = replace(
        front_end, current=(replace(front_end.current[0], gain_per_code=-150 / (1 << 23)),)
    )
    ranged = (FrontEndChange(at_sample=100, front_end=fine(front_end)),)
    clamped = (FrontEndChange(at_sample=100, front_end=turned),)
    with pytest.raises(ConfigurationError, match="change of the format"):
        SimulatedBench(BenchConfig(front_end_changes=ranged), 1).next_block(200)
    codes = SimulatedBench(BenchConfig(front_end_changes=clamped), 1).next_block(320).codes
    current = np.frombuffer(codes, "<i4").reshape(-1, 2)[:, 1].astype(float)
    assert abs(current[:100] @ current[160:260] + current[:100] @ current[:100]) < 1e-3 * (
        current[:100] @ current[:100]
    )


def test_swapped_clamps_carry_each_others_current() -> None:
    front_end = typical_front_end(3, noise_codes_rms=0.0)
    load = Load(current_a=10.0, phase_factors=(1.0, 0.5, 0.25))
    swapped = replace(front_end, clamp_phases=(1, 0, 2))

    def currents(built: FrontEnd) -> np.ndarray:
        bench = SimulatedBench(BenchConfig(mains=Mains(), load=load, front_end=built), 1)
        return np.frombuffer(bench.next_block(1600).codes, "<i4").reshape(-1, 6)[:, 1::2]

    assert np.array_equal(currents(swapped), currents(front_end)[:, [1, 0, 2]])


@pytest.mark.parametrize(
    "changes",
    [
        (FrontEndChange(at_sample=0, front_end=typical_front_end()),),
        (FrontEndChange(at_sample=9, front_end=typical_front_end(3)),),
        (FrontEndChange(at_sample=9, front_end=typical_front_end(sample_rate_hz=16_000)),),
    ],
)
def test_changes_that_cannot_be_are_refused(changes: tuple[FrontEndChange, ...]) -> None:
    with pytest.raises(ConfigurationError):
        SimulatedBench(BenchConfig(front_end_changes=changes), 1)


def test_memory_keeps_what_is_written_and_wraps_within_a_page() -> None:
    memory = ClampEeprom(b"", EepromFaults(), 1)
    assert memory.read(0, 4) == b"\xff" * 4
    memory.write(6, b"abc")
    assert memory.read(0, 9) == b"c" + b"\xff" * 5 + b"ab" + b"\xff"


@pytest.mark.parametrize("after", range(9))
def test_power_cut_leaves_the_bytes_before_it_and_the_old_ones_behind(after: int) -> None:
    memory = ClampEeprom(b"01234567", EepromFaults(power_cut_after_bytes=after), 1)
    if after < 8:
        with pytest.raises(OSError, match=r"power went|no device"):
            memory.write(0, b"abcdefgh")
    else:
        memory.write(0, b"abcdefgh")
    assert memory.with_power_again().read(0, 8) == b"abcdefgh"[:after] + b"01234567"[after:]


def test_lock_flipped_bits_and_absence() -> None:
    locked = ClampEeprom(b"x", EepromFaults(write_protected=True), 1)
    locked.write(0, b"y")
    assert locked.read(0, 1) == b"x"
    rotten = ClampEeprom(bytes(256), EepromFaults(flipped_bits=3), 5).read(0, 256)
    assert sum(value.bit_count() for value in rotten) == 3
    with pytest.raises(OSError, match="no device"):
        ClampEeprom(b"", EepromFaults(is_absent=True), 1).read(0, 1)
    with pytest.raises(ConfigurationError):
        ClampEeprom(bytes(257), EepromFaults(), 1)


def test_clamp_says_whether_its_memory_is_its_own() -> None:
    assert Clamp(serial="7", range_name="C5", memory_range_name="C5").tells_the_truth
    assert not Clamp(serial="7", range_name="C5", memory_range_name="C100").tells_the_truth
    with pytest.raises(ConfigurationError):
        Clamp(serial="", range_name="C5", memory_range_name="C5")
