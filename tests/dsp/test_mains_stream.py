"""The stream of codes against sums of sinusoids whose phasors are known in closed form."""

import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck_dsp.mains_stream import WAVEFORM_KERNELS, MainsStream, StreamStep

PEAK = float(1 << 22)
RMS = PEAK / np.sqrt(2)
Codes = NDArray[np.int32]
Array = NDArray[np.float64]


class Signal:
    """Six channels of a fundamental and harmonics with random phases, as codes."""

    def __init__(
        self, rate_hz: float, frequency_hz: float, seconds: float, levels: dict[int, float]
    ) -> None:
        rng = np.random.default_rng(round(rate_hz + 10 * frequency_hz))
        self.rate_hz, self.frequency_hz, self.levels = rate_hz, frequency_hz, levels
        self.phases = {h: rng.uniform(-np.pi, np.pi, 6) for h in levels}
        n = np.arange(round(rate_hz * seconds))
        self.values = np.zeros((len(n), 6))
        for order, level in levels.items():
            turn = 2 * np.pi * order * frequency_hz / rate_hz
            self.values += level * np.cos(turn * n[:, None] + self.phases[order])

    @property
    def codes(self) -> Codes:
        return np.rint(PEAK * self.values).astype(np.int32)

    def phasors(self, order: int, samples: Array) -> NDArray[np.complex128]:
        """RMS phasors of an order at instants, in codes: (n, 6)."""
        turn = 2 * np.pi * order * self.frequency_hz / self.rate_hz
        angle = turn * np.asarray(samples)[..., None] + self.phases[order]
        found: NDArray[np.complex128] = RMS * self.levels[order] * np.exp(1j * angle)
        return found


@lru_cache
def distorted(rate_hz: float, frequency_hz: float, seconds: float = 1.3) -> Signal:
    orders = [h for h in range(2, 51) if (h + 1) * frequency_hz < 0.4 * rate_hz]
    return Signal(rate_hz, frequency_hz, seconds, {1: 1.0} | {h: 0.05 / h**0.5 for h in orders})


def streamed(signal: Signal, **arguments: Any) -> StreamStep:
    stream = MainsStream(phases=3, sample_rate_hz=signal.rate_hz, **arguments)
    return stream.add(signal.codes)


@pytest.mark.parametrize("rate_hz", [4e3, 8e3, 25.6e3, 50e3])
@pytest.mark.parametrize("frequency_hz", [45.3, 50.0, 53.9])
def test_phasors_of_the_fundamental_are_met(rate_hz: float, frequency_hz: float) -> None:
    signal = distorted(rate_hz, frequency_hz)
    step = streamed(signal)
    assert len(step.instants) > 20
    # The first two still stand in a frame of the first, rough frequency.
    expected = signal.phasors(1, step.instants[2:])
    assert np.max(np.abs(step.phasors[2:] - expected)) < 0.5e-6 * RMS


@pytest.mark.parametrize(
    ("rate_hz", "frequency_hz"), [(10e3, 47.1), (10e3, 50.0), (50e3, 52.3), (200e3, 49.7)]
)
def test_harmonics_to_the_50th_are_within_0_05_ppm_of_the_fundamental(
    rate_hz: float, frequency_hz: float
) -> None:
    signal = distorted(rate_hz, frequency_hz)
    spectra = streamed(signal).spectra
    assert len(spectra) >= 3
    assert all(s.spectrum.orders == 50 for s in spectra)
    for found in spectra[1:]:
        middle = np.array((found.start_sample + found.end_sample) / 2)
        for order in signal.levels:
            expected = signal.phasors(order, middle)
            assert np.max(np.abs(found.spectrum.phasors[:, 10 * order] - expected)) < 5e-8 * RMS


def test_sixty_hertz_windows_hold_twelve_cycles() -> None:
    signal = distorted(10e3, 59.94)
    spectra = streamed(signal, cycles=12).spectra
    lengths = [s.end_sample - s.start_sample for s in spectra]
    assert lengths[1:] == pytest.approx([12 * 10e3 / 59.94] * len(lengths[1:]), rel=1e-9)
    middle = np.array((spectra[2].start_sample + spectra[2].end_sample) / 2)
    found = spectra[2].spectrum.phasors[:, 12 * 5]
    assert np.max(np.abs(found - signal.phasors(5, middle))) < 5e-8 * RMS


def test_rate_that_does_not_carry_50_orders_gives_those_that_it_carries() -> None:
    found = streamed(distorted(4e3, 50.0)).spectra[-1].spectrum
    assert found.orders == 31
    assert found.phasors.shape == (6, 320)


def test_windows_follow_each_other_without_gaps() -> None:
    spectra = streamed(distorted(10e3, 49.7, 3.0)).spectra
    assert len(spectra) > 10
    for one, following in itertools.pairwise(spectra):
        assert one.end_sample == following.start_sample


@pytest.mark.parametrize("rate_hz", [10e3, 50e3])
def test_result_does_not_depend_on_how_the_stream_was_cut(rate_hz: float) -> None:
    signal = distorted(rate_hz, 50.3)
    whole = streamed(signal)
    rng = np.random.default_rng(7)
    cuts = np.sort(rng.integers(0, len(signal.codes), 60))
    stream = MainsStream(phases=3, sample_rate_hz=rate_hz)
    steps = [stream.add(block) for block in np.split(signal.codes, cuts)]
    assert np.concatenate([s.instants for s in steps]).tolist() == whole.instants.tolist()
    assert np.concatenate([s.phasors for s in steps]).tolist() == whole.phasors.tolist()
    spectra = [found for s in steps for found in s.spectra]
    assert len(spectra) == len(whole.spectra)
    for one, other in zip(spectra, whole.spectra, strict=True):
        assert one.spectrum.phasors.tolist() == other.spectrum.phasors.tolist()


@pytest.mark.parametrize("kernel", WAVEFORM_KERNELS)
def test_every_kernel_meets_the_truth(kernel: str) -> None:
    signal = distorted(50e3, 50.3, 1.2)
    step = streamed(signal, kernel=kernel)
    assert np.max(np.abs(step.phasors[2:] - signal.phasors(1, step.instants[2:]))) < 5e-7 * RMS
    last = step.spectra[-1]
    middle = np.array((last.start_sample + last.end_sample) / 2)
    assert np.max(np.abs(last.spectrum.phasors[:, 70] - signal.phasors(7, middle))) < 5e-8 * RMS


def test_one_phase_gives_what_it_gives_among_three() -> None:
    signal = distorted(10e3, 50.3)
    alone = MainsStream(phases=1, sample_rate_hz=10e3)
    step = alone.add(np.ascontiguousarray(signal.codes[:, :2]))
    assert step.phasors.tolist() == streamed(signal).phasors[:, :2].tolist()


def test_drift_is_followed() -> None:
    rate_hz, drift = 10e3, 0.5
    t = np.arange(30_000) / rate_hz
    angle = 2 * np.pi * (49.5 * t + drift * t**2 / 2)
    values = np.column_stack([np.cos(angle), 0.5 * np.cos(angle - 0.3) + 0.1 * np.cos(5 * angle)])
    stream = MainsStream(phases=1, sample_rate_hz=rate_hz)
    step = stream.add(np.rint(PEAK * values).astype(np.int32))
    at = step.instants[-1] / rate_hz
    assert stream.frequency_hz == pytest.approx(49.5 + drift * at, abs=2e-6)
    assert stream.drift_hz_per_s == pytest.approx(drift, abs=1e-4)
    spectra = step.spectra
    fifth = [abs(s.spectrum.phasors[1, 50]) / abs(s.spectrum.phasors[1, 10]) for s in spectra[4:]]
    assert fifth == pytest.approx([0.2] * len(fifth), rel=1e-6)


def test_supraharmonics_do_not_fold_onto_harmonics() -> None:
    levels = {1: 1.0, 5: 0.1}
    signal = Signal(200e3, 50.0, 1.2, levels)
    n = np.arange(len(signal.values))
    rng = np.random.default_rng(3)
    for frequency_hz in (6_300.0, 10_250.0, 22_750.0, 25_050.0, 49_950.0, 52_300.0, 79_000.0):
        turn = 2 * np.pi * frequency_hz / 200e3
        signal.values += 0.01 * np.cos(turn * n[:, None] + rng.uniform(0, 6, 6))
    found = streamed(signal).spectra[-1].spectrum.phasors / RMS
    silent = [10 * h for h in range(2, 51) if h != 5]
    assert np.max(np.abs(found[:, silent])) < 5e-8


def test_outage_is_left_and_the_mains_are_found_again() -> None:
    signal = distorted(10e3, 50.2, 4.0)
    codes = signal.codes
    codes[12_000:22_000] = 0
    stream = MainsStream(phases=3, sample_rate_hz=10e3)
    before = stream.add(codes[:11_000])
    assert stream.frequency_hz == pytest.approx(50.2, abs=1e-5)
    stream.add(codes[11_000:16_000])
    assert stream.frequency_hz is None
    after = stream.add(codes[16_000:])
    assert len(before.spectra) >= 3
    assert stream.frequency_hz == pytest.approx(50.2, abs=1e-5)
    # A second after the return, its transient has left the fit of the frequency.
    late = after.instants > 34_000
    expected = signal.phasors(1, after.instants[late])
    assert np.max(np.abs(after.phasors[late] - expected)) < 1e-6 * RMS


@pytest.mark.parametrize("seed", range(4))
def test_mains_that_come_and_go_are_followed_alike_however_the_stream_is_cut(seed: int) -> None:
    """Bursts, silences, square waves and frequencies beyond the limits, one after the other."""
    rng = np.random.default_rng(seed)
    pieces = []
    for _ in range(24):
        n = np.arange(rng.integers(500, 6000))
        tone = np.cos(2 * np.pi * rng.choice([20.0, 44.0, 50.0, 61.0, 90.0]) * n / 10e3)
        shape = rng.choice(3)
        pieces.append((tone, np.sign(tone), np.zeros(len(n)))[shape] * rng.uniform(0.01, 1))
    wave = np.concatenate(pieces) + rng.normal(0, 1e-4, sum(map(len, pieces)))
    codes = np.rint(PEAK * np.column_stack([wave, 0.5 * wave])).astype(np.int32)
    whole = MainsStream(phases=1, sample_rate_hz=10e3).add(codes)
    stream = MainsStream(phases=1, sample_rate_hz=10e3)
    cuts = np.sort(rng.integers(0, len(codes), 200))
    steps = [stream.add(block) for block in np.split(codes, cuts)]
    instants = np.concatenate([step.instants for step in steps])
    assert instants.tolist() == whole.instants.tolist()
    starts = [found.start_sample for step in steps for found in step.spectra]
    assert starts == [found.start_sample for found in whole.spectra]


def test_silence_gives_nothing() -> None:
    stream = MainsStream(phases=1, sample_rate_hz=10e3)
    step = stream.add(np.zeros((20_000, 2), np.int32))
    assert len(step.instants) == 0
    assert step.spectra == ()
    assert stream.frequency_hz is None
    assert stream.drift_hz_per_s is None


def test_spectra_are_left_out_where_they_are_not_wanted() -> None:
    step = streamed(distorted(10e3, 50.0), with_spectra=False)
    assert len(step.instants) > 20
    assert step.spectra == ()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"phases": 0}, "phases is 0"),
        ({"phases": 5}, "phases is 5"),
        ({"sample_rate_hz": 0.0}, "sample_rate_hz is 0"),
        ({"sample_rate_hz": 3_999.0}, "sample_rate_hz is 3999"),
        ({"sample_rate_hz": 200_001.0}, "sample_rate_hz is"),
        ({"sample_rate_hz": np.nan}, "sample_rate_hz is nan"),
        ({"cycles": 11}, "cycles is 11"),
        ({"reference_phase": 2}, "reference_phase is 2; there are 1 phases"),
        ({"kernel": "abacus"}, "kernel is 'abacus'"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MainsStream(**{"phases": 1, "sample_rate_hz": 10e3} | arguments)


@pytest.mark.parametrize(
    "codes",
    [np.zeros((4, 4), np.int32), np.zeros((4, 2)), np.zeros(4, np.int32)],
)
def test_codes_of_another_shape_or_type_are_refused(codes: Any) -> None:
    with pytest.raises(ValueError, match="expected int32"):
        MainsStream(phases=1, sample_rate_hz=10e3).add(codes)


def test_code_beyond_24_bits_is_refused() -> None:
    codes = np.zeros((10, 2), np.int32)
    codes[3, 1] = (1 << 23) + 1
    with pytest.raises(ValueError, match="beyond ±2²³"):
        MainsStream(phases=1, sample_rate_hz=10e3).add(codes)
