"""Corrected quantities of a synthesised instrument with large known errors."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spotcheck.errors import CorrectionSetError
from spotcheck.load import Conditions
from spotcheck_calibration.corrected_load import CorrectedLoad

PF = {"1": 0.0, "0.5L": np.pi / 3, "0.8C": -np.arccos(0.8), "0.25L": np.arccos(0.25)}
HARMONICS_U = {3: (8.0, 0.4), 5: (5.0, -1.0)}
HARMONICS_I = {3: (2.0, 0.5), 5: (1.0, 1.0)}


def corrected(plant: Any, synthesis: ModuleType, seconds: float = 2.0) -> CorrectedLoad:
    correction = synthesis.correction_set()
    return CorrectedLoad(
        plant.slots(seconds, correction),
        first_slot=0,
        slot_length=synthesis.SLOT,
        stream=plant.stream,
        correction=correction,
    )


def conditions(plant: Any, synthesis: ModuleType) -> Conditions:
    return corrected(plant, synthesis).conditions(2000.3, 13_500.7)


def sinusoidal(synthesis: ModuleType, lag: float, **rest: Any) -> Any:
    return synthesis.Plant(i={1: (10.0, -lag)}, **rest)


def distorted(synthesis: ModuleType, lag: float, **rest: Any) -> Any:
    return synthesis.Plant(
        u={1: (220.0, 0.0), **HARMONICS_U}, i={1: (10.0, -lag), **HARMONICS_I}, **rest
    )


def angle_between(one_deg: float, other_deg: float) -> float:
    return abs((one_deg - other_deg + 180) % 360 - 180)


@pytest.mark.parametrize("frequency_hz", [45.0, 49.5, 50.37, 60.0])
@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("lag", PF.values(), ids=PF)
def test_sinusoidal_load_is_measured_to_a_few_parts_in_a_hundred_million(
    synthesis: ModuleType, lag: float, phases: int, frequency_hz: float
) -> None:
    # The instrument errs by per cent in gain, 12 mrad in phase, 9 µs in skew, 4500 codes of offset
    # and 120 ppm in rate. What is left is the rounding to codes.
    plant = sinusoidal(synthesis, lag, phases=phases, frequency_hz=frequency_hz)
    found = conditions(plant, synthesis)
    assert len(found.phases) == phases
    assert abs(found.frequency_hz - frequency_hz) < 1e-8
    assert abs(found.p_w - plant.power_w) < 2e-8 * phases * 2200
    for phase, shift in zip(found.phases, synthesis.SHIFTS_RAD, strict=False):
        assert abs(phase.p_w - 2200 * np.cos(lag)) < 2e-8 * 2200
        assert abs(phase.q1_var - 2200 * np.sin(lag)) < 2e-7 * 2200
        assert abs(phase.u_v / 220 - 1) < 1e-8
        assert abs(phase.i_a / 10 - 1) < 1e-8
        assert angle_between(phase.u_phase_deg, np.degrees(shift)) < 1e-5
        assert angle_between(phase.i_phase_deg, np.degrees(shift - lag)) < 1e-5
        # √(U²−U₁²): 1e-8 of U² is a hundredth of a percent of distortion.
        assert phase.thd_u_percent < 0.08
        assert phase.thd_i_percent < 0.08
    assert found.power_instability_percent < 1e-4


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("lag", [0.0, np.pi / 3, -np.arccos(0.8)])
def test_distorted_load_is_measured_to_a_few_ppm(
    synthesis: ModuleType, lag: float, phases: int
) -> None:
    # A lag acts on a harmonic as a delay to first order only: 12 mrad at phase 3 leave ~5 ppm.
    plant = distorted(synthesis, lag, phases=phases, frequency_hz=49.5)
    found = conditions(plant, synthesis)
    u_v = np.sqrt(220**2 + 8**2 + 5**2)
    i_a = np.sqrt(10**2 + 2**2 + 1**2)
    assert abs(found.p_w - plant.power_w) < 4e-6 * phases * u_v * i_a
    assert abs(found.s_va / (phases * u_v * i_a) - 1) < 1e-7
    assert found.power_factor == pytest.approx(plant.power_w / (phases * u_v * i_a), abs=5e-6)
    for phase in found.phases:
        assert abs(phase.q1_var - plant.q1_var) < 2e-7 * 2200
        assert abs(phase.thd_u_percent - 100 * np.sqrt(8**2 + 5**2) / 220) < 1e-4
        assert abs(phase.thd_i_percent - 100 * np.sqrt(2**2 + 1**2) / 10) < 1e-4


@pytest.mark.parametrize(
    ("lag", "sign"), [(np.pi / 3, 1), (-np.pi / 4, -1)], ids=["inductive", "capacitive"]
)
def test_inductive_import_has_positive_reactive_power_and_a_lagging_angle(
    synthesis: ModuleType, lag: float, sign: int
) -> None:
    found = conditions(sinusoidal(synthesis, lag), synthesis)
    assert np.sign(found.q1_var) == sign
    assert np.sign(found.phases[0].i_phase_deg) == -sign
    assert found.load_point.lead.value == ("L" if sign > 0 else "C")


def test_reversed_clamp_has_negative_power(synthesis: ModuleType) -> None:
    found = conditions(sinusoidal(synthesis, np.pi), synthesis)
    assert abs(found.p_w + 2200) < 1e-4


@pytest.mark.parametrize(
    ("channel", "entry", "change", "power_ratio"),
    [
        ("voltages", "gain_v_per_code", 1e-3, 1.001),
        ("currents", "gain_a_per_code", 1e-3, 1.001),
        # At PF 0.5L: P·cos β + Q·sin β for 1 mrad, and for 1 µs at 50 Hz.
        ("currents", "phase_lag_rad", 1e-3, np.cos(1e-3) + np.sqrt(3) * np.sin(1e-3)),
        ("currents", "skew_s", 1e-6, 1 + np.sqrt(3) * np.sin(np.pi * 1e-4)),
    ],
)
def test_each_correction_acts_with_its_size_and_sign(
    synthesis: ModuleType, channel: str, entry: str, change: float, power_ratio: float
) -> None:
    plant = sinusoidal(synthesis, np.pi / 3)
    correction = synthesis.correction_set()
    slots = plant.slots(1.0, correction)
    old = getattr(getattr(correction, channel)[0], entry)
    value = old.value * (1 + change) if "gain" in entry else old.value + change
    altered = replace(getattr(correction, channel)[0], **{entry: synthesis.exact(value)})
    load = CorrectedLoad(
        slots,
        first_slot=0,
        slot_length=synthesis.SLOT,
        stream=plant.stream,
        correction=replace(correction, **{channel: (altered,)}),
    )  # fmt: skip
    assert load.conditions(1000.0, 7000.0).p_w / 1100 == pytest.approx(power_ratio, abs=2e-7)


def test_energy_scales_with_the_true_sample_rate(synthesis: ModuleType) -> None:
    plant = sinusoidal(synthesis, 0.0)
    load = corrected(plant, synthesis)
    first, last = 1000.0, 15_000.0
    energy = np.diff(load.energy_j(np.array([first, last])))[0]
    assert energy == pytest.approx(2200 * (last - first) / (8000 * (1 + 120e-6)), rel=2e-8)
    assert load.rate_hz == pytest.approx(8000.96)


@pytest.mark.parametrize("phases", [1, 3])
def test_energy_with_ripple_is_the_instantaneous_energy(synthesis: ModuleType, phases: int) -> None:
    plant = sinusoidal(synthesis, np.pi / 3, phases=phases)
    load = corrected(plant, synthesis)
    samples = np.random.default_rng(1).uniform(400, 15_000, 500)
    true = plant.energy_j(samples / load.rate_hz)
    found = load.energy_with_ripple_j(samples)
    # One constant apart: the register starts at sample −½. The mean is corrected for a lag β, the
    # ripple S/2ω keeps it as a shift of its phase: β·S/2ω is left of it (here 5 mrad per number
    # of the phase; 17 mJ of 3.5 J at phase 1).
    left_j = sum(0.005 * p for p in range(1, phases + 1)) * 2200 / (2 * plant.omega)
    assert np.max(np.abs(found - true - np.mean(found - true))) < left_j + 2e-6 * 2200 * phases
    swing = np.ptp(true - plant.power_w * samples / load.rate_hz)
    assert (swing > 6.9) if phases == 1 else (swing < 1e-9)


def test_a_step_of_load_shows_as_instability(synthesis: ModuleType) -> None:
    correction = synthesis.correction_set()
    small, large = synthesis.Plant(i={1: (5.0, 0.0)}), synthesis.Plant(i={1: (15.0, 0.0)})
    slots = small.slots(4.0, correction)
    slots[2000:] = large.slots(4.0, correction)[2000:]
    load = CorrectedLoad(
        slots, first_slot=0, slot_length=8, stream=small.stream, correction=correction
    )
    # Half the time 1100 W, half 3300 W: the deviation is half of the mean, but for n−1.
    assert load.conditions(1000.0, 31_000.0).power_instability_percent == pytest.approx(50, rel=0.1)


def test_position_of_the_slots_does_not_matter(synthesis: ModuleType) -> None:
    plant = sinusoidal(synthesis, np.pi / 3)
    correction = synthesis.correction_set()
    slots = plant.slots(1.0, correction)
    found = [
        CorrectedLoad(
            slots, first_slot=first, slot_length=8, stream=plant.stream, correction=correction
        )
        .conditions(8.0 * first + 1000, 8.0 * first + 7000)
        .p_w
        for first in (0, 10_000_000)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_range_that_was_not_calibrated_is_refused(synthesis: ModuleType) -> None:
    plant = synthesis.Plant()
    for name in ("voltage_range", "current_range"):
        with pytest.raises(CorrectionSetError, match="TEST-1 has no correction of"):
            CorrectedLoad(
                np.zeros((1000, 1, 6), np.int64),
                first_slot=0,
                slot_length=8,
                stream=replace(plant.stream, **{name: "other"}),
                correction=synthesis.correction_set(),
            )
