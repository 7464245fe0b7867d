"""Held against SciPy's Dolph–Chebyshev windows and against the sum that defines a response."""

import numpy as np
import pytest
from scipy.signal.windows import chebwin

from spotcheck_dsp.decimation_filter import (
    HALVING_TAPS,
    QUARTERING_BOXES,
    DecimationFilter,
    HalvingFilter,
    QuarteringFilter,
    halving_filter,
    quartering_filter,
)

HALVING = [HalvingFilter(taps=taps, band=0.05) for taps in HALVING_TAPS]
QUARTERING = [QuarteringFilter(boxes=boxes, band=0.01) for boxes in QUARTERING_BOXES]


@pytest.mark.parametrize("taps", HALVING_TAPS)
@pytest.mark.parametrize("band", [0.001, 0.02, 0.14])
def test_coefficients_are_those_of_scipy(taps: int, band: float) -> None:
    found = HalvingFilter(taps=taps, band=band)
    expected = chebwin(taps, -20 * np.log10(found.leakage))
    assert found.coefficients() == pytest.approx(expected / expected.sum(), abs=1e-12)


@pytest.mark.parametrize("found", [*HALVING, *QUARTERING])
def test_response_is_that_of_the_coefficients(found: DecimationFilter) -> None:
    frequency = np.linspace(0, 0.5, 41)
    places = np.arange(found.taps) - (found.taps - 1) / 2
    expected = np.cos(2 * np.pi * np.outer(frequency, places)) @ found.coefficients()
    assert found.response(frequency) == pytest.approx(expected, abs=1e-14)
    assert found.coefficients().sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("found", [*HALVING, *QUARTERING])
def test_nothing_that_folds_into_the_band_passes_above_the_leakage(
    found: HalvingFilter | QuarteringFilter,
) -> None:
    folds = np.arange(1, found.by // 2 + 1) / found.by
    folding = np.abs(folds[:, None] + np.linspace(-found.band, found.band, 1001)).ravel()
    largest = np.max(np.abs(found.response(folding)))
    assert largest <= found.leakage * (1 + 1e-9)
    assert largest >= found.leakage * (1 - 1e-9)


def test_the_shortest_filter_that_suffices_is_taken() -> None:
    assert [halving_filter(3400, rate, 1e-6).taps for rate in (200e3, 100e3, 50e3, 25e3)] == [
        7, 7, 9, 13,
    ]  # fmt: skip


def test_the_fewest_boxes_that_suffice_are_taken() -> None:
    assert [quartering_filter(80, rate, 1e-6).boxes for rate in (200e3, 50e3, 12.5e3, 10e3)] == [
        3, 3, 4, 5,
    ]  # fmt: skip


def test_a_band_too_wide_for_any_number_of_boxes_is_refused() -> None:
    with pytest.raises(ValueError, match="no filter of 5 boxes keeps 200 Hz clean at 9000 S/s"):
        quartering_filter(200, 9000, 1e-6)


@pytest.mark.parametrize(("boxes", "band"), [(2, 0.1), (6, 0.1), (3, 0.0), (3, 0.125), (3, np.nan)])
def test_boxes_and_bands_that_make_no_filter_are_refused(boxes: int, band: float) -> None:
    with pytest.raises(ValueError, match=r"boxes is|band is"):
        QuarteringFilter(boxes=boxes, band=band)


def test_a_band_too_wide_for_any_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="no filter of 13 taps keeps 4000 Hz clean at 20000 S/s"):
        halving_filter(4000, 20_000, 1e-6)


@pytest.mark.parametrize(("taps", "band"), [(6, 0.1), (3, 0.1), (7, 0.0), (7, 0.25), (7, np.nan)])
def test_sizes_and_bands_that_make_no_filter_are_refused(taps: int, band: float) -> None:
    with pytest.raises(ValueError, match=r"taps is|band is"):
        HalvingFilter(taps=taps, band=band)
