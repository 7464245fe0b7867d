"""Components hang on the samples from the begin on, and on nothing else."""

import itertools
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import Components, component_bytes
from spotcheck_device.component_history import ComponentHistory

RATE = 8000
BEGIN = 4321


STREAM = StreamFormat(sample_rate_hz=RATE, phases=1, voltage_range="U", current_range="C")


def codes(synthesis: ModuleType, seconds: float = 4.0) -> NDArray[np.int32]:
    plant = synthesis.Plant(
        u={1: (220.0, 0.0)}, i={1: (10.0, -0.7), 7: (1.0, 0.4)}, frequency_hz=50.1
    )
    found: NDArray[np.int32] = plant.codes(0, int(seconds * RATE), synthesis.correction_set())
    return found


def taken(
    all_codes: NDArray[np.int32], cuts: list[int], first: int = 0, until: int | None = None
) -> Components:
    history = ComponentHistory(STREAM, 50.0, BEGIN)
    edges = [first, *cuts, until or len(all_codes)]
    for begin, end in itertools.pairwise(edges):
        history.add([(begin, all_codes[begin:end])])
    found = history.between(BEGIN, 24_000, 26_000)
    assert found is not None
    return found


def test_windows_carry_the_phasors_of_the_load(synthesis: ModuleType) -> None:
    found = taken(codes(synthesis), [])
    correction = synthesis.correction_set().currents[0]
    gain = correction.gain_a_per_code.value
    assert found.grid.orders == 50
    assert np.abs(found.phasors[:, 1, 0]) * gain == pytest.approx(10.0, rel=1e-6)
    assert np.abs(found.phasors[:, 1, 6]) * gain == pytest.approx(1.0, rel=1e-5)
    assert np.all(found.starts >= BEGIN)
    assert found.mean_hz(RATE * (1 + 120e-6), slice(0, None)) == pytest.approx(50.1, rel=1e-7)


@pytest.mark.parametrize("cuts", [[], [8000, 16_000], list(range(5000, 31_000, 777))])
def test_neither_cuts_nor_what_came_before_or_after_change_anything(
    synthesis: ModuleType, cuts: list[int]
) -> None:
    all_codes = codes(synthesis)
    whole = component_bytes(taken(all_codes, []))
    assert component_bytes(taken(all_codes, cuts)) == whole
    assert component_bytes(taken(all_codes, [], first=BEGIN)) == whole
    assert component_bytes(taken(all_codes, [], until=27_000)) == whole


def test_blocks_that_come_again_are_left(synthesis: ModuleType) -> None:
    all_codes = codes(synthesis)
    history = ComponentHistory(STREAM, 50.0, BEGIN)
    history.add([(0, all_codes[:20_000])])
    history.add([(12_000, all_codes[12_000:20_000]), (20_000, all_codes[20_000:])])
    found = history.between(BEGIN, 24_000, 26_000)
    assert found is not None
    assert component_bytes(found) == component_bytes(taken(all_codes, []))


def test_forgotten_windows_are_gone(synthesis: ModuleType) -> None:
    history = ComponentHistory(STREAM, 50.0, 0)
    history.add([(0, codes(synthesis))])
    history.forget_before(16_000)
    assert history.between(0, 14_000, 30_000) is None
    assert history.between(0, 20_000, 30_000) is not None


def test_sixty_hertz_instruments_take_twelve_cycles(synthesis: ModuleType) -> None:
    history = ComponentHistory(STREAM, 60.0, 0)
    history.add([(0, codes(synthesis))])
    found = history.between(0, 20_000, 26_000)
    assert found is not None
    assert found.grid.cycles == 12
