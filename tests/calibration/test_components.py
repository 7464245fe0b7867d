"""Components against the closed forms of the synthesis: harmonics under a lag, phasors, bytes."""

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from spotcheck.errors import EvidenceError
from spotcheck.evidence import ComponentGrid, Evidence, parse_evidence
from spotcheck_calibration.components import Components, component_bytes, components_of
from spotcheck_calibration.corrected_load import CorrectedLoad
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_dsp.slot_sums import slot_sums_reference


def harsh(synthesis: ModuleType, frequency_hz: float = 50.0) -> Any:
    """Every order to the 50th, in and out of phase; order 5 as in IEC 62053."""
    rng = np.random.default_rng(50)
    u = {1: (220.0, 0.0), 5: (22.0, 0.2)}
    i = {1: (10.0, -0.5), 5: (4.0, 0.9)}
    for order in range(2, 51):
        if order != 5:
            u[order] = (2.2, rng.uniform(-3, 3))
            i[order] = (0.3, rng.uniform(-3, 3))
    return synthesis.Plant(u=u, i=i, frequency_hz=frequency_hz)


def with_skew(synthesis: ModuleType, skew_s: float) -> CorrectionSet:
    correction: CorrectionSet = synthesis.correction_set()
    current = replace(
        correction.currents[0],
        skew_s=synthesis.exact(skew_s),
        phase_lag_rad=synthesis.exact(0.0),
    )
    return replace(correction, currents=(current,))


def load_of(
    synthesis: ModuleType, plant: Any, correction: CorrectionSet, *, components: bool = True,
    slot_length: int = 1,
) -> CorrectedLoad:  # fmt: skip
    """Slots of one sample: what longer ones fold is not in question here."""
    return CorrectedLoad(
        slot_sums_reference(plant.codes(0, 2 * synthesis.RATE_HZ, correction), slot_length),
        first_slot=0,
        slot_length=slot_length,
        stream=plant.stream,
        correction=correction,
        components=plant.components(2.0, correction) if components else None,
    )


def power_error_ppm_of_s(load: CorrectedLoad, plant: Any) -> float:
    rms = [np.sqrt(sum(value[0] ** 2 for value in part.values())) for part in (plant.u, plant.i)]
    found = load.conditions(2000.0, 14_000.0).p_w
    return float(1e6 * abs(found - plant.power_w) / (rms[0] * rms[1]))


@pytest.mark.parametrize("skew_s", [-20e-6, -3e-6, 7e-6, 20e-6])
def test_skew_is_corrected_within_0_01_ppm_for_harmonics_to_the_50th(
    synthesis: ModuleType, skew_s: float
) -> None:
    plant, correction = harsh(synthesis), with_skew(synthesis, skew_s)
    assert power_error_ppm_of_s(load_of(synthesis, plant, correction), plant) < 0.01


def test_without_components_a_skew_is_right_for_the_fundamental_only(
    synthesis: ModuleType,
) -> None:
    plant, correction = harsh(synthesis), with_skew(synthesis, 20e-6)
    load = load_of(synthesis, plant, correction, components=False)
    assert power_error_ppm_of_s(load, plant) > 50


def test_slots_of_a_millisecond_leave_some_ppm_of_a_harsh_load(synthesis: ModuleType) -> None:
    plant, correction = harsh(synthesis), with_skew(synthesis, 20e-6)
    load = load_of(synthesis, plant, correction, slot_length=8)
    # Power around 1 kHz folds to a few hertz, which a short edge window does not smooth.
    assert 1 < power_error_ppm_of_s(load, plant) < 10


def test_phasors_are_free_of_what_folds_onto_slots(synthesis: ModuleType) -> None:
    plant, correction = harsh(synthesis, 50.3), synthesis.correction_set()
    found = load_of(synthesis, plant, correction).conditions(2000.0, 14_000.0)
    phase = found.phases[0]
    assert phase.i_phase_deg == pytest.approx(np.degrees(-0.5), abs=2e-5)
    assert phase.q1_var == pytest.approx(plant.q1_var, rel=1e-6)
    assert found.frequency_hz == pytest.approx(50.3, rel=1e-8)
    distortion = np.sqrt(sum(v[0] ** 2 for h, v in plant.i.items() if h > 1)) / 10.0
    assert phase.thd_i_percent == pytest.approx(100 * distortion, rel=1e-5)


def test_every_instant_belongs_to_the_nearest_window() -> None:
    found = Components(
        cycles=10,
        starts=np.array([100.0, 200.0, 300.0]),
        ends=np.array([200.0, 300.0, 400.0]),
        phasors=np.zeros((3, 2, 5), complex),
    )
    at = found.at(np.array([-50.0, 150.0, 199.0, 201.0, 350.0, 900.0]))
    assert at.tolist() == [0, 0, 0, 1, 2, 2]
    assert found.within(210.0, 320.0) == slice(1, 3)
    assert found.within(1000.0, 1100.0) == slice(2, 3)
    assert found.mean_hz(1000.0, slice(0, 3)) == pytest.approx(100.0)


def evidence_with(synthesis: ModuleType) -> tuple[Evidence, Components]:
    plant = harsh(synthesis)
    plain = plant.evidence(seconds=1.5)
    components = plant.components(1.5, synthesis.correction_set())
    head = replace(plain.head, components=components.grid)
    return replace(plain, head=head, components=component_bytes(components)), components


def test_components_go_through_evidence_bit_for_bit(synthesis: ModuleType) -> None:
    evidence, components = evidence_with(synthesis)
    read = parse_evidence(evidence.to_bytes())
    assert read == evidence
    again = components_of(read)
    assert again is not None
    assert again.cycles == components.cycles
    assert again.starts.tolist() == components.starts.tolist()
    assert again.ends.tolist() == components.ends.tolist()
    assert again.phasors.tolist() == components.phasors.tolist()


def test_evidence_without_components_is_written_as_version_1(synthesis: ModuleType) -> None:
    evidence = synthesis.Plant().evidence()
    assert evidence.to_bytes().startswith(b'{"format":"spotcheck-evidence-1"')
    assert components_of(evidence) is None


def test_components_cut_short_or_missing_are_refused(synthesis: ModuleType) -> None:
    evidence, _ = evidence_with(synthesis)
    data = evidence.to_bytes()
    with pytest.raises(EvidenceError, match="no whole number of"):
        parse_evidence(data[:-8])
    with pytest.raises(EvidenceError, match="no whole number of"):
        replace(evidence, components=b"")
    with pytest.raises(EvidenceError, match="no whole number of 0-byte windows"):
        replace(evidence, head=replace(evidence.head, components=None))
    with pytest.raises(EvidenceError, match="slots are not there"):
        parse_evidence(data[: data.index(b"\n") + 100])


@pytest.mark.parametrize("slots", [b"-1", b'"3"', b"null", b"true"])
def test_count_of_slots_that_is_none_is_refused(synthesis: ModuleType, slots: bytes) -> None:
    evidence, _ = evidence_with(synthesis)
    count = str(len(evidence.slot_sums) // evidence.slot_bytes).encode()
    altered = evidence.to_bytes().replace(b'"slots":' + count, b'"slots":' + slots)
    with pytest.raises(EvidenceError, match="slots"):
        parse_evidence(altered)


def test_window_of_components_has_the_size_that_its_grid_says(synthesis: ModuleType) -> None:
    evidence, components = evidence_with(synthesis)
    assert evidence.head.components == ComponentGrid(cycles=10, orders=50)
    assert evidence.window_bytes == 8 * (2 + 4 * 50)
    assert len(evidence.components) == evidence.window_bytes * len(components.starts)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: replace(c, phasors=c.phasors * np.nan), "not finite"),
        (lambda c: replace(c, ends=c.starts), "no length"),
        (lambda c: replace(c, starts=c.starts[::-1], ends=c.ends[::-1]), "overlap"),
        (lambda c: replace(c, starts=c.starts + 1e9, ends=c.ends + 1e9), "outside the slots"),
    ],
)
def test_components_that_cannot_be_are_refused(
    synthesis: ModuleType, change: Callable[[Components], Components], message: str
) -> None:
    evidence, components = evidence_with(synthesis)
    with pytest.raises(EvidenceError, match=message):
        components_of(replace(evidence, components=component_bytes(change(components))))


@pytest.mark.parametrize(("cycles", "orders"), [(0, 5), (-5, 5), (11, 5), (10, 0), (10, 51)])
def test_grid_that_no_device_makes_is_refused(cycles: int, orders: int) -> None:
    with pytest.raises(EvidenceError, match=r"cycles|orders"):
        ComponentGrid(cycles=cycles, orders=orders)


def test_instants_far_from_every_window_get_no_correction(synthesis: ModuleType) -> None:
    _, components = evidence_with(synthesis)
    ends = np.array([components.starts[0] - 1.0, components.ends[-1] + 1.0])
    assert components.near(ends).tolist() == [True, True]
    assert components.near(ends + np.array([-3000.0, 3000.0])).tolist() == [False, False]
