"""The power's pulsation at the stamps in closed form, and meters that count part of it."""

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from spotcheck.evidence import Evidence
from spotcheck.meter import PulseOutput
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Method, Reason
from spotcheck_calibration.components import Components, component_bytes
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.evaluation import evaluate

SECONDS = 4.0
HARSH_U = {1: (220.0, 0.0), 3: (8.0, 0.4), 5: (5.0, -1.0)}
HARSH_I = {1: (10.0, -0.6), 3: (2.0, 0.5), 5: (1.0, 1.0)}
LOADS: dict[str, dict[str, Any]] = {
    "PF 0.5L": {"i": {1: (10.0, -np.pi / 3)}},
    "harmonics, 50.4 Hz": {"u": HARSH_U, "i": HARSH_I, "frequency_hz": 50.4},
    "direct current and even harmonics": {"i": {0: (2.0, 0.0), 1: (7.0, -0.2), 2: (3.0, 1.0)}},
    "60.7 Hz": {"i": {1: (10.0, -1.2)}, "frequency_hz": 60.7},
}


def load_of(plant: Any, synthesis: ModuleType, *, components: bool = True) -> CorrectedLoad:
    correction = synthesis.correction_set()
    return CorrectedLoad(
        plant.slots(SECONDS, correction),
        first_slot=0,
        slot_length=synthesis.SLOT,
        stream=plant.stream,
        correction=correction,
        components=plant.components(SECONDS, correction) if components else None,
    )


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_ripple_at_any_instant_is_that_of_the_closed_form(
    synthesis: ModuleType, load: dict[str, Any]
) -> None:
    plant = synthesis.Plant(**load)
    corrected = load_of(plant, synthesis)
    samples = np.sort(np.random.default_rng(1).uniform(1500, 29_000, 300))
    found = corrected.pulsation(samples)
    assert found is not None
    t_s = samples / corrected.rate_hz
    true = plant.energy_j(t_s) - plant.power_w * t_s
    error = found.ripple.in_phase_j.sum(axis=1) - true
    # But for a constant: a line has one of its own.
    assert np.ptp(error) < 1e-6 * np.ptp(true)
    assert found.power_w == pytest.approx(plant.power_w, rel=1e-6)


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
def test_quadrature_is_the_ripple_a_quarter_of_each_period_later(
    synthesis: ModuleType, load: dict[str, Any]
) -> None:
    corrected = load_of(synthesis.Plant(**load), synthesis)
    samples = np.linspace(2000, 2500, 40)
    here = corrected.pulsation(samples)
    assert here is not None
    for column, order in enumerate(here.ripple.orders):
        quarter = np.pi / 2 / (order * here.ripple.angular_frequency_rad_s) * corrected.rate_hz
        before = corrected.pulsation(samples - quarter)
        assert before is not None
        size = np.max(np.hypot(here.ripple.in_phase_j, here.ripple.quadrature_j))
        late = before.ripple.in_phase_j[:, list(before.ripple.orders).index(order)]
        assert np.max(np.abs(here.ripple.quadrature_j[:, column] - late)) < 1e-5 * size


@pytest.mark.parametrize("drift_hz_per_s", [0.0, 0.5])
def test_phase_goes_on_beyond_the_last_window_as_the_mains_drift(drift_hz_per_s: float) -> None:
    rate_hz, cycles = 8000.0, 10

    def turns(t_s: float) -> float:
        return 50.03 * t_s + drift_hz_per_s * t_s**2 / 2

    edges = [brentq(lambda t, n=n: turns(t) - n, 0, 5) for n in range(0, 101, cycles)]
    edges_samples = np.array(edges) * rate_hz
    found = Components(
        cycles=cycles,
        starts=edges_samples[:-1],
        ends=edges_samples[1:],
        phasors=np.zeros((10, 2, 1), complex),
    )
    samples = np.linspace(0.3, edges[-1] + 0.37, 200) * rate_hz
    middles = (edges_samples[1:] + edges_samples[:-1]) / 2
    true = 2 * np.pi * np.array([turns(s / rate_hz) for s in samples])
    true -= 2 * np.pi * np.array([turns(s / rate_hz) for s in middles])[found.at(samples)]
    angle, rate = found.mains_phase(samples)
    # The mean frequency of a window is that at its middle: a steady drift is met exactly.
    assert np.max(np.abs(angle - true)) < 1e-9
    assert rate == pytest.approx(
        2 * np.pi * (50.03 + drift_hz_per_s * samples / rate_hz) / rate_hz, rel=1e-3
    )


def test_balanced_phases_do_not_pulsate(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(phases=3, i={1: (10.0, -1.0)})
    assert load_of(plant, synthesis).pulsation(np.array([3000.0, 9000.0])) is None


def test_nothing_is_said_without_components_near_every_stamp(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    stamps = np.array([3000.0, 9000.0])
    assert load_of(plant, synthesis, components=False).pulsation(stamps) is None
    correction = synthesis.correction_set()
    early = plant.components(1.0, correction)
    load = CorrectedLoad(
        plant.slots(SECONDS, correction), first_slot=0, slot_length=synthesis.SLOT,
        stream=plant.stream, correction=correction, components=early,
    )  # fmt: skip
    end, length = early.ends[-1], early.ends[-1] - early.starts[-1]
    assert load.pulsation(np.array([3000.0, end + 1.9 * length])) is not None
    assert load.pulsation(np.array([3000.0, end + 2.1 * length])) is None


class FilteredMeter:
    """Counts UI·cos φ and what a first-order filter leaves of UI·cos(2ωt − φ)."""

    def __init__(self, plant: Any, lag_deg: float, error_percent: float) -> None:
        (u_v, _), (i_a, phase) = plant.u[1], plant.i[1]
        self._plant, self._gain = plant, 1 + error_percent / 100
        self._lag, self._phi = np.radians(lag_deg), -phase
        self._size_j = np.cos(self._lag) * u_v * i_a / (2 * plant.omega)

    def counted_j(self, t_s: float) -> float:
        turned = 2 * self._plant.omega * t_s - self._phi - self._lag
        return float(self._gain * (self._plant.power_w * t_s + self._size_j * np.sin(turned)))

    def pulses(self, per_pulse_j: float, rate_hz: float) -> tuple[Pulse, ...]:
        stamps = []
        for number in range(1, 200):
            due_j = number * per_pulse_j
            about_s = due_j / (self._gain * self._plant.power_w)
            # The first crossing: power runs backwards where the power factor is low.
            grid = about_s + np.linspace(-0.03, 0.03, 1201)
            first = int(np.argmax([self.counted_j(t) >= due_j for t in grid]))
            at_s = brentq(lambda t, e=due_j: self.counted_j(t) - e, grid[first - 1], grid[first])
            stamps.append(round(at_s * rate_hz * STAMP_SUBDIVISION))
        return tuple(Pulse(stamp=stamp, index=n) for n, stamp in enumerate(stamps))


def evidence_of(
    synthesis: ModuleType, plant: Any, lag_deg: float, *, pulses: int, components: bool = True,
    declared: PulseOutput = PulseOutput.UNKNOWN,
) -> Evidence:  # fmt: skip
    """A meter of +0.7 % with so many pulses from 0.3 s on."""
    correction = synthesis.correction_set()
    plain = plant.evidence(constant="12800 imp/kWh", seconds=SECONDS, declared=declared)
    rate_hz = synthesis.RATE_HZ * (1 + correction.sample_rate_relative_error.value)
    per_pulse_j = float(plain.head.meter.constant.energy_per_pulse_j)
    train = FilteredMeter(plant, lag_deg, 0.7).pulses(per_pulse_j, rate_hz)
    late = tuple(pulse for pulse in train if pulse.sample > 0.3 * rate_hz)[:pulses]
    evidence: Evidence = synthesis.with_pulses(plain, late)
    if not components:
        return evidence
    found: Components = plant.components(SECONDS, correction)
    head = replace(evidence.head, components=found.grid)
    return replace(evidence, head=head, components=component_bytes(found))


@pytest.mark.parametrize("lag_deg", [0.0, 20.0, 45.0, 70.0, 90.0])
@pytest.mark.parametrize("pulses", [4, 7])
def test_error_of_a_meter_with_any_filter_is_found(
    synthesis: ModuleType, lag_deg: float, pulses: int
) -> None:
    plant = synthesis.Plant(i={1: (10.0, -np.arccos(0.25))}, frequency_hz=50.03)
    evidence = evidence_of(synthesis, plant, lag_deg, pulses=pulses)
    found = evaluate(evidence, synthesis.correction_set(), "r")
    assert isinstance(found, ErrorReading)
    assert found.method is Method.ANY_FILTER_LINE
    assert found.pulses_used == pulses
    # The ripple moves four pulses by 0.1 %; what is left is the energy's own error over slots.
    assert abs(found.error_percent - 0.7) < 5e-4
    kinds = {0.0: PulseOutput.PULSATING, 90.0: PulseOutput.SMOOTHED}
    assert found.pulse_output is kinds.get(lag_deg, PulseOutput.UNKNOWN)


def test_two_kinds_would_miss_a_meter_between_them(synthesis: ModuleType) -> None:
    # So that the test above cannot pass for another reason.
    plant = synthesis.Plant(i={1: (10.0, -np.arccos(0.25))}, frequency_hz=50.03)
    evidence = evidence_of(synthesis, plant, 45.0, pulses=4, components=False)
    found = evaluate(evidence, synthesis.correction_set(), "r")
    assert isinstance(found, ErrorReading)
    assert found.method is Method.LEAST_SQUARES_LINE
    assert abs(found.error_percent - 0.7) > 0.02


def test_three_pulses_leave_the_filter_open(synthesis: ModuleType) -> None:
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    evidence = evidence_of(synthesis, plant, 45.0, pulses=3)
    outcome = evaluate(evidence, synthesis.correction_set(), "r")
    assert isinstance(outcome, CannotJudge)
    assert outcome.reason is Reason.TOO_FEW_PULSES
    assert "at least 4 are needed" in outcome.detail


@pytest.mark.parametrize(
    ("lag_deg", "declared"), [(0.0, PulseOutput.PULSATING), (90.0, PulseOutput.SMOOTHED)]
)
def test_three_pulses_do_where_the_kind_is_declared(
    synthesis: ModuleType, lag_deg: float, declared: PulseOutput
) -> None:
    plant = synthesis.Plant(i={1: (10.0, -1.0)})
    evidence = evidence_of(synthesis, plant, lag_deg, pulses=3, declared=declared)
    found = evaluate(evidence, synthesis.correction_set(), "r")
    assert isinstance(found, ErrorReading)
    assert abs(found.error_percent - 0.7) < 1e-4
    assert found.pulse_output is declared
    assert "kind of pulse output" not in {line.name for line in found.budget}
