"""The head's comparator in the light, against the level itself sampled every 10 µs."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from spotcheck.errors import ConfigurationError
from spotcheck_sim.bench import BenchConfig, EdgeKind, SimulatedBench
from spotcheck_sim.head_light import HeadLight, LitHeadEdges
from spotcheck_sim.load import Load
from spotcheck_sim.meter_under_test import MeterUnderTest
from spotcheck_sim.optics import OpticalHead

RATE = 8000
STEP_S = 1e-5


class EvenLed:
    """An LED that lights every 0.4 s for 0.1 s, from 0.23 s on."""

    def rises_before(self, time_s: float, first: int = 0) -> list[float]:
        times = [0.23 + 0.4 * k for k in range(first, first + round(time_s / 0.4) + 2)]
        return [time for time in times if time < time_s]

    def falls_before(self, time_s: float, first: int = 0) -> list[float]:
        return [time for time in (r + 0.1 for r in self.rises_before(time_s, first))
                if time < time_s]  # fmt: skip


def edges(light: HeadLight, to_s: float) -> tuple[list[float], list[float]]:
    lit = LitHeadEdges(light, EvenLed(), np.random.SeedSequence(1))
    return lit.rises_before(to_s), lit.falls_before(to_s)


def sampled(light: HeadLight, to_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Edges of the level by comparison at every step."""
    t = np.arange(0, to_s, STEP_S)
    lit = ((t - 0.23) % 0.4 < 0.1) & (t >= 0.23)
    level = (
        light.signal * lit + light.ambient + light.ambient_drift_per_s * t
        + light.flicker * np.cos(2 * math.pi * light.flicker_hz * t)
    )  # fmt: skip
    high = np.concatenate(([False], level >= light.threshold)).astype(int)
    change = np.diff(high)
    return t[change == 1], t[change == -1]


@pytest.mark.parametrize(
    "light",
    [
        HeadLight(),
        HeadLight(ambient=0.3, flicker=0.15),
        HeadLight(ambient=0.3, flicker=0.25),
        HeadLight(signal=0.3, flicker=0.25),
        HeadLight(signal=0.4, ambient=0.2, flicker=0.45),
        HeadLight(signal=0.55, ambient_drift_per_s=0.02),
        HeadLight(ambient_drift_per_s=0.03, flicker=0.1),
        HeadLight(ambient=0.6, ambient_drift_per_s=-0.05),
        HeadLight(signal=0.45, ambient_drift_per_s=0.01, flicker=0.02, flicker_hz=100.6),
    ],
)
def test_edges_are_those_of_the_level(light: HeadLight) -> None:
    to_s = 12.0
    rises, falls = edges(light, to_s)
    expected_rises, expected_falls = sampled(light, to_s)
    # Where the level only touches the threshold, a step may hide an edge.
    assert abs(len(rises) - expected_rises.size) <= 4
    if len(rises) == expected_rises.size:
        assert np.max(np.abs(rises - expected_rises), initial=0) < 20 * STEP_S
        assert np.max(np.abs(falls - expected_falls), initial=0) < 20 * STEP_S


def test_head_in_the_dark_passes_the_edges_as_they_are() -> None:
    rises, falls = edges(HeadLight(), 30.0)
    assert rises == EvenLed().rises_before(30.0)
    assert falls == EvenLed().falls_before(30.0)


@pytest.mark.parametrize(("flicker", "per_second"), [(0.19, 2.5), (0.21, 100.0)])
def test_flicker_beyond_the_margin_makes_false_edges(flicker: float, per_second: float) -> None:
    light = HeadLight(ambient=0.3, flicker=flicker)
    assert light.margin == pytest.approx(0.2)
    rises, _ = edges(light, 20.0)
    assert len(rises) / 20 == pytest.approx(per_second, rel=0.3)


def test_lamp_disturbs_only_while_it_burns() -> None:
    light = HeadLight(flicker=0.6, begin_s=5.0, end_s=7.5)
    rises, falls = edges(light, 30.0)
    false = [time for time in rises if time not in EvenLed().rises_before(30.0)]
    assert len(rises) > 200
    assert min(false) >= 5.0
    assert max(false) <= 7.5
    assert all(fall > rise for rise, fall in zip(rises, falls, strict=True))


def test_head_in_the_sun_sees_nothing_any_more() -> None:
    rises, falls = edges(HeadLight(ambient=0.6), 20.0)
    assert rises == [0.0]
    assert falls == []


def test_weak_and_noisy_signal_misses_as_many_pulses_as_the_normal_distribution_says() -> None:
    light = HeadLight(signal=0.55, signal_noise_rms=0.1)
    rises, _ = edges(light, 2000.0)
    seen = NormalDist().cdf(0.05 / 0.1)
    assert len(rises) / 5000 == pytest.approx(seen, abs=4 * math.sqrt(seen * (1 - seen) / 5000))


def test_bench_shows_a_weak_signal_as_missing_stamps_and_edges_alike() -> None:
    config = BenchConfig(
        meter=MeterUnderTest(constant_imp_per_kwh=6400.0),
        load=Load(current_a=10.0),
        head_light=HeadLight(signal=0.52, signal_noise_rms=0.1),
    )
    stamps = SimulatedBench(config, 3).batch_up_to(60 * RATE).pulses
    found = SimulatedBench(config, 3).edges_up_to(60 * RATE)
    rising = [edge.count for edge in found if edge.kind is EdgeKind.RISING]
    assert len(stamps) == len(rising) < 200
    assert np.allclose([p.sample for p in stamps], np.array(rising) / 3000, atol=1e-3)


def test_bouncing_contact_gives_further_edges_at_its_gap() -> None:
    head = OpticalHead(bounced_pulses=frozenset({2}), bounces=2, bounce_gap_s=1e-3)
    config = BenchConfig(optical_head=head)
    times = [p.sample / RATE for p in SimulatedBench(config, 1).batch_up_to(20 * RATE).pulses]
    assert np.diff(times)[2:4] == pytest.approx([1e-3, 1e-3], abs=1e-7)
    assert np.diff(times)[4] > 1.0


@pytest.mark.parametrize(
    "light",
    [
        {"threshold": 0.0},
        {"signal": -0.1},
        {"flicker": -1.0},
        {"flicker_hz": 0.0},
        {"ambient_drift_per_s": 1.0},
    ],
)
def test_light_that_cannot_be_is_refused(light: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError):
        HeadLight(**light)
