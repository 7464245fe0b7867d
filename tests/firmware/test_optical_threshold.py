"""The automatic threshold against simulated light whose edges are known.

Light is made at 10 kHz; the comparator sees every value of it against the threshold in force,
the logic every tenth, as on a board. Pulses are those of a meter's LED; what ambient light does
to them is the field's first complaint.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from optical_threshold import AUTOMATIC, OpticalThreshold

RATE_HZ = 10_000
PER_SAMPLE = 10
ACQUIRED_S = 3.0
"""From then on no edge may be missed or added."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """An LED of period and width on ambient light, in ADC codes and seconds."""

    seconds: float = 20.0
    ambient: float = 300.0
    led: float = 400.0
    period_s: float = 0.731
    width_s: float = 0.08
    flicker: float = 0.0
    """Peak to peak, at 100 Hz as a rectified sine."""
    mains_hz: float = 50.0
    drift_per_s: float = 0.0
    """Slope of a triangle of 2 s, so that light comes and goes."""
    noise: float = 0.0
    """Standard deviation of what the logic's samples and the comparator both see."""

    def led_is_on(self) -> NDArray[np.bool_]:
        time_s = np.arange(int(self.seconds * RATE_HZ)) / RATE_HZ
        return (time_s + 0.3) % self.period_s < self.width_s

    def light(self) -> NDArray[np.float64]:
        time_s = np.arange(int(self.seconds * RATE_HZ)) / RATE_HZ
        lamp = self.flicker * np.abs(np.sin(2 * np.pi * self.mains_hz * time_s))
        triangle = self.drift_per_s * (1 - np.abs(time_s % 4 - 2) + 1)
        noise = np.random.default_rng(8).normal(0.0, self.noise, len(time_s))
        return self.ambient + lamp + triangle + self.led * self.led_is_on() + noise


def seen_through(
    light: NDArray[np.float64], threshold: OpticalThreshold | None = None
) -> tuple[NDArray[np.bool_], OpticalThreshold]:
    """What the comparator says, and the logic behind it."""
    logic = threshold or OpticalThreshold()
    codes = np.clip(np.rint(light), 0, 4095).astype(int)
    is_on = np.zeros(len(codes), dtype=bool)
    for start in range(0, len(codes), PER_SAMPLE):
        logic.sample(int(codes[start]))
        if logic.threshold is not None:
            now = slice(start + 1, start + 1 + PER_SAMPLE)
            is_on[now] = codes[now] > logic.threshold
    return is_on, logic


def rises(is_on: NDArray[np.bool_], from_s: float = ACQUIRED_S) -> list[int]:
    edges = np.flatnonzero(is_on[1:] & ~is_on[:-1]) + 1
    return [int(edge) for edge in edges if edge >= from_s * RATE_HZ]


def assert_every_edge_is_seen(scene: Scene) -> OpticalThreshold:
    is_on, logic = seen_through(scene.light())
    true = rises(scene.led_is_on())
    assert len(true) > 10
    assert rises(is_on) == true
    return logic


@pytest.mark.parametrize("ambient", [0.0, 300.0, 2500.0, 3600.0])
def test_any_level_of_steady_light(ambient: float) -> None:
    logic = assert_every_edge_is_seen(Scene(ambient=ambient))
    assert logic.signal() == (ambient, 400, ambient + 200, 100)


@pytest.mark.parametrize("mains_hz", [49.5, 50.0, 50.5, 60.0])
def test_flicker_up_to_70_percent_of_the_leds_light(mains_hz: float) -> None:
    logic = assert_every_edge_is_seen(Scene(flicker=280.0, mains_hz=mains_hz))
    # (400 - 280) / (400 + 280), as the definition says.
    assert 16 <= logic.signal()[3] <= 21


def test_flicker_as_large_as_the_leds_light_is_told_by_the_quality() -> None:
    _, logic = seen_through(Scene(flicker=400.0).light())
    assert logic.signal()[3] <= 2


@pytest.mark.parametrize("drift", [-1200.0, 1200.0])
def test_ambient_that_drifts_by_three_times_the_leds_light_a_second(drift: float) -> None:
    assert_every_edge_is_seen(Scene(drift_per_s=drift, ambient=2800.0 if drift < 0 else 200.0))


def test_drift_and_flicker_together() -> None:
    assert_every_edge_is_seen(Scene(drift_per_s=600.0, flicker=120.0))


@pytest.mark.parametrize("ambient", [100.0, 3000.0])
def test_misaligned_head_of_3_percent_of_the_range(ambient: float) -> None:
    logic = assert_every_edge_is_seen(Scene(led=120.0, ambient=ambient, noise=4.0))
    _, swing, _, quality = logic.signal()
    # About 4 sigma of noise at each of four ends.
    assert 120 <= swing <= 120 + 40
    assert 60 <= quality <= 85


def test_head_of_1_percent_of_the_range_in_steady_light() -> None:
    assert_every_edge_is_seen(Scene(led=41.0))


@pytest.mark.parametrize(("period_s", "width_s"), [(0.05, 0.002), (0.1, 0.03), (12.0, 0.08)])
def test_short_fast_and_rare_pulses(period_s: float, width_s: float) -> None:
    assert_every_edge_is_seen(
        Scene(period_s=period_s, width_s=width_s, seconds=20.0 if period_s < 1 else 150.0)
    )


def test_light_that_comes_on_in_one_step_costs_two_seconds() -> None:
    scene = Scene(seconds=30.0)
    light = scene.light()
    step = int(10.2 * RATE_HZ)
    light[step:] += 1000.0
    is_on, _ = seen_through(light)
    true = rises(scene.led_is_on())
    seen = rises(is_on)
    assert [edge for edge in seen if edge < step] == [edge for edge in true if edge < step]
    after = step + int(2.1 * RATE_HZ)
    assert [edge for edge in seen if edge >= after] == [edge for edge in true if edge >= after]
    # The step is one false pulse, never a train of them.
    assert len([edge for edge in seen if step <= edge < after]) == 1


def test_lamp_that_is_switched_on_costs_its_first_flicker_only() -> None:
    scene = Scene(seconds=20.0)
    light = scene.light()
    step = int(10.05 * RATE_HZ)
    light[step:] += Scene(flicker=280.0).light()[step:] - Scene().light()[step:]
    is_on, _ = seen_through(light)
    after = step + int(0.1 * RATE_HZ)
    assert [edge for edge in rises(is_on) if edge >= after] == [
        edge for edge in rises(scene.led_is_on()) if edge >= after
    ]


def test_light_that_goes_out_costs_nothing() -> None:
    scene = Scene(ambient=200.0)
    light = scene.light()
    light[: int(10.2 * RATE_HZ)] += 1500.0
    is_on, _ = seen_through(light)
    missed = set(rises(scene.led_is_on())) ^ set(rises(is_on))
    assert len(missed) <= 1


def test_head_that_slips_is_found_again_and_the_quality_falls() -> None:
    strong, weak = Scene(led=1600.0, seconds=40.0), Scene(led=200.0, seconds=40.0)
    light = strong.light()
    slips = 15 * RATE_HZ
    light[slips:] = weak.light()[slips:]
    is_on, logic = seen_through(light)
    # The gap learned halves every 5 s without a pulse: 800 codes become fewer than 200 in 15 s.
    found = slips + 16 * RATE_HZ
    assert [edge for edge in rises(is_on) if edge >= found] == [
        edge for edge in rises(strong.led_is_on()) if edge >= found
    ]
    assert logic.signal()[1] == 200


def test_nothing_but_noise_gives_no_pulse() -> None:
    is_on, logic = seen_through(Scene(led=0.0, noise=4.0).light())
    assert rises(is_on, 0.1) == []
    assert logic.signal()[1:] == (0, logic.threshold, 0)


def test_threshold_set_by_hand_holds_until_it_is_automatic_again() -> None:
    scene = Scene(seconds=5.0)
    logic = OpticalThreshold()
    logic.set_level(1234)
    seen_through(scene.light(), logic)
    assert logic.threshold == 1234
    logic.set_level(AUTOMATIC)
    assert logic.threshold != 1234
    _, logic = seen_through(scene.light(), logic)
    assert logic.threshold == 500


def test_before_any_light_nothing_is_claimed() -> None:
    logic = OpticalThreshold()
    logic.set_level(AUTOMATIC)
    assert not logic.has_samples
    assert logic.signal() == (0, 0, 0, 0)
