"""Recordings measured against closed forms: windows, long chains, skews, pulses, verdicts."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck.errors import RecordingError
from spotcheck.meter import AccuracyClass, Meter, MeterConstant, PulseOutput
from spotcheck.reading import Reason
from spotcheck.rule import load_rule
from spotcheck.verdict import Judgement
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.measure import _notes
from spotcheck_dsp.channel_alignment import REACH
from spotcheck_dsp.edge_window import DEFAULT_KERNEL, STOPBAND_KERNEL
from spotcheck_dsp.window_quantities import Edge, window_edges
from spotcheck_host import recorded_measurement
from spotcheck_host.measurement_summary import measurement_summary
from spotcheck_host.recorded_instrument import CorrectedRecording
from spotcheck_host.recorded_measurement import measure
from spotcheck_host.recorded_meter import (
    SCOPE_ALGORITHM,
    SCOPE_REFERENCE,
    NoRecordedError,
    RecordedError,
    conditions_of,
    judge_recorded,
    meter_error,
    stated_reference,
)
from spotcheck_host.recorded_window import Window, choose_window
from spotcheck_recording.recording import (
    Channel,
    Quantity,
    RecordingFacts,
    Segment,
    SourceChannel,
    StreamedRecording,
)

Array = NDArray[np.float64]
RATE = 10_000.0
FREQUENCY = 50.03
VOLTS, AMPERES, LAG = 220.0, 10.0, np.pi / 3
POWER_W = VOLTS * AMPERES * np.cos(LAG)


@dataclass
class Formula:
    """Rows of a recording that is never whole in memory."""

    start_s: float
    skews_s: tuple[float, ...]
    rate: float = RATE
    asked: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of rows that were read."""

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        self.asked.append((first_sample, end_sample))
        for first in range(first_sample, end_sample, 50_000):
            count = min(50_000, end_sample - first)
            t = self.start_s + (first + np.arange(count)) / self.rate
            columns = []
            for phase in range(len(self.skews_s) // 2):
                turn = 2 * np.pi * FREQUENCY
                shift = -2 * np.pi / 3 * phase
                tu, ti = t + self.skews_s[2 * phase], t + self.skews_s[2 * phase + 1]
                columns += [
                    np.sqrt(2) * VOLTS * np.cos(turn * tu + shift),
                    np.sqrt(2) * AMPERES * np.cos(turn * ti + shift - LAG),
                ]
            yield first, np.column_stack(columns)

    def close(self) -> None:
        pass


@dataclass
class Drifting(Formula):
    """The frequency falls steadily: a mains that no grid has, for the arithmetic's sake."""

    frequency_hz: float = 52.5
    drift_hz_per_s: float = -1.25

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        t = np.arange(first_sample, end_sample) / self.rate
        phase = 2 * np.pi * (self.frequency_hz + t * self.drift_hz_per_s / 2) * t
        yield first_sample, np.sqrt(2) * np.column_stack([220 * np.cos(phase), 10 * np.cos(phase)])


@dataclass
class Stepping(Formula):
    """From a time on, values are multiplied: a load that changes, or a mains that fails."""

    at_s: float = 5.0
    factors: tuple[float, float] = (1.0, 3.0)

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        for first, values in super().rows(first_sample, end_sample):
            late = (first + np.arange(len(values))) / self.rate >= self.at_s
            yield first, np.where(late[:, None], values * np.array(self.factors), values)


@dataclass
class Interharmonic(Formula):
    """A fifth of the current at 1.31 times the mains frequency."""

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        for first, values in super().rows(first_sample, end_sample):
            t = (first + np.arange(len(values))) / self.rate
            tone = 0.2 * AMPERES * np.sqrt(2) * np.cos(2 * np.pi * 1.31 * FREQUENCY * t)
            values[:, 1::2] += tone[:, None]
            yield first, values


@dataclass
class Spoiled(Formula):
    """One sample of the current is far off."""

    spoiled_sample: int = 0

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        for first, values in super().rows(first_sample, end_sample):
            values[first + np.arange(len(values)) == self.spoiled_sample, 1] += 1e6
            yield first, values


@dataclass
class Wandering(Formula):
    """The frequency swings by ±2 Hz within 10 s."""

    def rows(self, first_sample: int, end_sample: int) -> Iterator[tuple[int, Array]]:
        t = np.arange(first_sample, end_sample) / self.rate
        swing = 2 * np.pi / 10
        phase = 2 * np.pi * (50 * t - 2 / swing * np.cos(swing * t))
        yield first_sample, np.sqrt(2) * np.column_stack([220 * np.cos(phase), 10 * np.cos(phase)])


def recording(
    seconds: float, *, skews_s: tuple[float, ...] = (0.0, 0.0), start_s: float = 0.0,
    segments: tuple[Segment, ...] = (), formula: Formula | None = None,
) -> StreamedRecording:  # fmt: skip
    channels = []
    for number, skew_s in enumerate(skews_s):
        quantity = Quantity.CURRENT if number % 2 else Quantity.VOLTAGE
        source = SourceChannel(
            key=str(number), number=number + 1, unit="", phase_label="", quantity=quantity
        )
        channels.append(
            Channel(source=source, quantity=quantity, phase=number // 2 + 1, skew_s=skew_s)
        )
    whole = Segment(
        index=0, first_sample=0, sample_count=round(seconds * RATE), sample_rate_hz=RATE,
        start_s=start_s,
    )  # fmt: skip
    facts = RecordingFacts(
        path=Path("formula"), format_name="formula", channels=tuple(channels),
        segments=segments or (whole,), notes=(),
    )  # fmt: skip
    return StreamedRecording(facts, formula or Formula(start_s, skews_s))


def pulses(seconds: float, error_percent: float, constant: float = 3600.0) -> Array:
    """Times of a meter without any smoothing fault: it follows the mean power."""
    interval_s = 3.6e6 / constant / (POWER_W * (1 + error_percent / 100))
    return np.arange(0.1234, seconds, interval_s)


def meter(**changes: object) -> Meter:
    values: dict[str, object] = {
        "serial": "1",
        "accuracy_class": AccuracyClass.CLASS_1,
        "constant": MeterConstant.parse("3600"),
        "pulse_output": PulseOutput.UNKNOWN,
        "basic_current_a": Decimal(5),
    }
    return Meter(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.1, 0.2, 1.0, 3.9, 4.1, 33.3])
def test_a_window_of_any_length_gives_the_closed_form(seconds: float) -> None:
    source = recording(seconds)
    found = measure(source, choose_window(source, None, None)).quantities
    limit = 1e-4 if seconds < 0.2 else 1e-11
    assert found.power_w[0] == pytest.approx(POWER_W, rel=limit)
    assert found.rms_u_v[0] == pytest.approx(VOLTS, rel=limit)
    assert found.q1_var[0] == pytest.approx(VOLTS * AMPERES * np.sin(LAG), rel=limit)
    assert found.frequency_hz == pytest.approx(FREQUENCY, rel=limit)


@pytest.mark.parametrize("seconds", [1.0, 12.0])
def test_the_kernel_that_suits_the_signal_is_named(seconds: float) -> None:
    plain = recording(seconds)
    measured = measure(plain, choose_window(plain, None, None))
    assert measured.kernel is DEFAULT_KERNEL
    assert measured.unsteadiness is not None
    assert measured.unsteadiness.relative < 1e-9
    between = recording(seconds, formula=Interharmonic(0.0, (0.0, 0.0)))
    measured = measure(between, choose_window(between, None, None))
    assert measured.kernel is STOPBAND_KERNEL
    assert measured.quantities.power_w == pytest.approx([POWER_W], rel=1e-9)


@pytest.mark.parametrize("seconds", [1.0, 12.0])
def test_skews_between_channels_are_undone(seconds: float) -> None:
    skews = (-1e-6, 18e-6, 1.7e-6, -17e-6, 0.0, 20e-6)
    source = recording(seconds, skews_s=skews)
    found = measure(source, choose_window(source, None, None)).quantities
    assert found.power_w == pytest.approx([POWER_W] * 3, rel=1e-8)
    assert found.q1_var == pytest.approx([VOLTS * AMPERES * np.sin(LAG)] * 3, rel=1e-8)
    angles = np.degrees(np.angle(found.fundamental[::2]))
    assert angles == pytest.approx([0.0, -120.0, 120.0], abs=1e-6)


@pytest.mark.parametrize("error_percent", [-0.83, 0.0, 1.7])
@pytest.mark.parametrize("seconds", [3.0, 40.0])
def test_the_meters_error_comes_out_whole(error_percent: float, seconds: float) -> None:
    source = recording(seconds, start_s=0.0)
    window = choose_window(source, None, None)
    times = pulses(seconds, error_percent)
    measured = measure(source, window, pulses_s=times)
    result = meter_error(measured, meter(), stated_reference(None))
    assert isinstance(result, RecordedError)
    assert result.budget.error_percent == pytest.approx(error_percent, abs=1e-7)
    assert result.gate_error_percent == pytest.approx(error_percent, abs=1e-6)
    assert result.uncertainty_scope == SCOPE_ALGORITHM
    assert result.pulses_used + result.pulses_outside == len(times)
    assert result.pulses_outside <= 2


def test_long_and_short_windows_use_the_same_register() -> None:
    """The same pulses, once in one piece and once in many."""
    source = recording(30.0)
    times = pulses(3.5, -0.4)
    short = measure(source, choose_window(source, 0.0, 3.9), pulses_s=times)
    long = measure(source, choose_window(source, 0.0, None), pulses_s=times)
    assert len(short.pulses_s) == len(long.pulses_s)
    energies = [np.diff(m.energies.smoothed_j) for m in (short, long)]
    assert np.allclose(*energies, rtol=1e-9)
    ripples = [np.diff(m.energies.with_ripple_j) for m in (short, long)]
    assert np.allclose(*ripples, rtol=1e-9)


def test_pulses_are_in_the_recordings_time() -> None:
    source = recording(10.0, start_s=100.0)
    times = 100.0 + pulses(10.0, 0.5)
    result = meter_error(
        measure(source, choose_window(source, 102.0, 6.0), pulses_s=times),
        meter(),
        stated_reference(None),
    )
    assert isinstance(result, RecordedError)
    assert result.budget.error_percent == pytest.approx(0.5, abs=1e-7)
    assert result.pulses_outside > 3


def test_a_stated_reference_enters_the_uncertainty_and_allows_a_verdict() -> None:
    source = recording(70.0)
    measured = measure(
        source, choose_window(source, None, None), pulses_s=pulses(70.0, -0.83, 3600.0)
    )
    reference = stated_reference(0.2)
    result = meter_error(measured, meter(), reference)
    assert reference.may_be_judged
    assert isinstance(result, RecordedError)
    assert result.uncertainty_scope == SCOPE_REFERENCE
    budget = result.budget
    assert budget.expanded_uncertainty_percent == pytest.approx(0.2 * 0.98 * 0.9917, rel=2e-3)
    verdict = judge_recorded(
        load_rule("jjg596-2012"), meter(), result, conditions_of(measured.quantities)
    )
    assert verdict.judgement is Judgement.PASS


def test_too_short_a_recording_gets_no_verdict() -> None:
    source = recording(3.0)
    measured = measure(source, choose_window(source, None, None), pulses_s=pulses(3.0, 0.1))
    result = meter_error(measured, meter(), stated_reference(0.1))
    assert isinstance(result, RecordedError)
    verdict = judge_recorded(
        load_rule("jjg596-2012"), meter(), result, conditions_of(measured.quantities)
    )
    assert verdict.reason is Reason.TOO_FEW_PULSES


@pytest.mark.parametrize(
    ("times", "changes", "reason"),
    [
        (np.zeros(0), {}, Reason.NO_PULSES),
        (np.array([1.0, 2.0]), {}, Reason.TOO_FEW_PULSES),
        (np.array([50.0, 51.0, 52.0]), {}, Reason.NO_PULSES),
        (np.delete(pulses(9.0, 0.0)[:5], 3), {}, Reason.PULSES_IRREGULAR),
        (pulses(9.0, 0.0), {"constant": MeterConstant.parse("360")}, Reason.PULSES_IMPLAUSIBLE),
        (
            pulses(9.0, 0.0),
            {"constant": MeterConstant.parse("3600 imp/kvarh")},
            Reason.QUANTITY_NOT_SUPPORTED,
        ),
    ],
)
def test_what_cannot_be_judged_has_its_reason(
    times: Array, changes: dict[str, object], reason: Reason
) -> None:
    source = recording(10.0)
    measured = measure(source, choose_window(source, None, None), pulses_s=times)
    result = meter_error(measured, meter(**changes), stated_reference(None))
    assert isinstance(result, NoRecordedError)
    assert result.reason is reason
    assert result.detail
    assert result.cure


def two_rates() -> tuple[Segment, ...]:
    return (
        Segment(index=0, first_sample=0, sample_count=20_000, sample_rate_hz=RATE, start_s=0.0),
        Segment(index=1, first_sample=20_000, sample_count=50, sample_rate_hz=50.0, start_s=2.0),
    )


def test_the_longest_run_that_resolves_the_mains_is_the_default() -> None:
    window = choose_window(recording(0, segments=two_rates()), None, None)
    assert (window.first_sample, window.end_sample) == (0, 20_000)


@pytest.mark.parametrize(
    ("start_s", "duration_s", "words"),
    [
        (1.5, 1.0, "across a gap or a change of rate"),
        (9.0, None, "no samples at 9 s"),
        (0.5, 0.0, "no samples"),
        (-1.0, None, "no samples at -1 s"),
    ],
)
def test_windows_that_cannot_be_are_refused(
    start_s: float, duration_s: float | None, words: str
) -> None:
    with pytest.raises(RecordingError, match=words):
        choose_window(recording(0, segments=two_rates()), start_s, duration_s)


@pytest.mark.parametrize(("start_s", "duration_s"), [(0.5, 0.03), (2.0, None), (0.1, 0.001)])
def test_too_short_or_too_coarse_a_window_is_named(
    start_s: float, duration_s: float | None
) -> None:
    source = recording(0, segments=two_rates())
    window = choose_window(source, start_s, duration_s)
    with pytest.raises(RecordingError, match=r"formula, .* s to .* s: .* are too few"):
        measure(source, window)


def test_progress_ends_at_one() -> None:
    source = recording(9.0)
    told: list[float] = []
    measure(source, choose_window(source, None, None), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == 9


def test_a_window_says_its_times() -> None:
    window = Window(segment=two_rates()[1], first_sample=20_010, end_sample=20_035)
    assert window.start_s == pytest.approx(2.2)
    assert window.duration_s == pytest.approx(0.5)
    assert window.sample_at(np.array([2.2])) == pytest.approx([20_010])


@pytest.mark.parametrize("seconds", [1.0, 12.0])
@pytest.mark.parametrize("delay", [-20.0, 20.0, 333.3, -0.4])
@pytest.mark.parametrize("start_s", [None, 2.0])
def test_a_current_that_was_sampled_much_later_or_earlier_is_put_right(
    seconds: float, delay: float, start_s: float | None
) -> None:
    """With 20 samples the current was 24 A instead of 10 A when its end was made up."""
    source = recording(16.0 if start_s else seconds, skews_s=(0.0, delay / RATE))
    measured = measure(source, choose_window(source, start_s, seconds))
    found = measured.quantities
    assert found.rms_i_a == pytest.approx([AMPERES], rel=1e-8)
    assert found.power_w == pytest.approx([POWER_W], rel=1e-8)
    assert measured.unsteady == ()


def test_the_window_is_narrowed_where_not_every_channel_was_sampled() -> None:
    source = recording(3.0, skews_s=(12.3 / RATE, -20.0 / RATE))
    measured = measure(source, choose_window(source, None, None))
    window = measured.window
    assert (window.first_sample, window.end_sample) == (13, 30_000 - 20)
    summary = measurement_summary(measured, conditions_of(measured.quantities))
    assert summary["window_start_s"] == pytest.approx(13 / RATE)
    assert summary["window_s"] == pytest.approx((30_000 - 33) / RATE)


@pytest.mark.parametrize(
    ("delay", "noted"), [(20.0, "20 at its begin, 0 at its end"), (-0.4, ""), (0.0, "")]
)
def test_samples_that_are_left_out_are_noted(delay: float, noted: str) -> None:
    source = recording(3.0, skews_s=(0.0, delay / RATE))
    asked = choose_window(source, None, None)
    notes = _notes(source, measure(source, asked), asked)
    assert len(notes) == bool(noted)
    assert noted in "".join(notes)


def test_a_skew_below_a_sample_costs_one_sample_at_its_side() -> None:
    source = recording(3.0, skews_s=(0.0, 16e-6))
    window = measure(source, choose_window(source, None, None)).window
    assert (window.first_sample, window.end_sample) == (1, 30_000)


def test_a_narrower_segment_than_its_skews_is_refused() -> None:
    source = recording(0.05, skews_s=(0.0, 0.06))
    with pytest.raises(RecordingError, match="the skews of the channels, 600 samples, leave no"):
        measure(source, choose_window(source, None, None))


@pytest.mark.parametrize(
    ("skews_s", "before", "after"),
    [((0.0, 0.0), 0, 0), ((0.0, 2e-3), REACH + 20, REACH), ((0.0, -15e-6), REACH, REACH + 1)],
)
@pytest.mark.parametrize("seconds", [1.0, 6.0])
def test_only_what_the_window_is_interpolated_from_is_read_beyond_it(
    skews_s: tuple[float, ...], before: int, after: int, seconds: float
) -> None:
    formula = Formula(0.0, skews_s)
    source = recording(10.0, skews_s=skews_s, formula=formula)
    window = choose_window(source, 2.0, seconds)
    assert measure(source, window).window == window
    assert formula.asked == [(window.first_sample - before, window.end_sample + after)]


def test_without_skews_both_outermost_samples_of_the_window_count() -> None:
    """A value of a million there shows, one sample further it does not."""
    found = []
    for sample in (0, 999, 1000, 6999, 7000):
        source = recording(1.0, formula=Spoiled(0.0, (0.0, 0.0), spoiled_sample=sample))
        window = choose_window(source, 0.1, 0.6)
        found.append(float(measure(source, window).quantities.rms_i_a[0]))
    same, before, first, last, after = found
    assert (before, after) == (same, same)
    assert first != same
    assert last != same


def test_a_load_that_changes_between_pieces_is_no_distortion() -> None:
    source = recording(10.0, formula=Stepping(0.0, (0.0, 0.0), at_s=5.0))
    measured = measure(source, choose_window(source, None, None))
    phase = conditions_of(measured.quantities).phases[0]
    assert phase.thd_u_percent < 1e-3
    # The step itself falls between two pieces; the mean phasor would make 45 % of the levels.
    assert phase.thd_i_percent < 10


def test_a_mains_that_is_not_synchronous_has_no_distortion_over_many_pieces() -> None:
    source = recording(12.0, formula=Drifting(0.0, (0.0, 0.0), drift_hz_per_s=-0.3))
    measured = measure(source, choose_window(source, None, None))
    phase = conditions_of(measured.quantities).phases[0]
    assert max(phase.thd_u_percent, phase.thd_i_percent) < 1e-2


@pytest.mark.parametrize("seconds", [3.9, 9.0])
def test_pulses_near_the_ends_are_left_out_however_the_frequency_drifts(seconds: float) -> None:
    """The longest cycle is at the end; by the one in the middle, the register refused."""
    source = recording(seconds, formula=Drifting(0.0, (0.0, 0.0)))
    times = np.arange(0.0, seconds, 0.003)
    measured = measure(source, choose_window(source, None, None), pulses_s=times)
    assert len(measured.pulses_s) + measured.pulses_outside == len(times)
    cycle_s = 1 / (52.5 - 1.25 * seconds)
    assert times[-1] - measured.pulses_s[-1] == pytest.approx(2 * cycle_s, rel=0.1)


def test_only_the_first_and_the_last_piece_compute_a_windows_edge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And by no drift that is carried on to the other end of the window."""
    asked: list[tuple[int, int]] = []

    def spy(first_sample: int, end_sample: int, *others: Any) -> tuple[Edge, Edge]:
        asked.append((first_sample, end_sample))
        return window_edges(first_sample, end_sample, *others)

    monkeypatch.setattr(recorded_measurement, "window_edges", spy)
    source = recording(60.0, formula=Wandering(0.0, (0.0, 0.0)))
    measured = measure(source, choose_window(source, None, None))
    assert measured.quantities.power_w == pytest.approx([2200.0], rel=1e-6)
    margin = round(10 * RATE / 40 + 0.05 * RATE)
    first, last = (0, 10_000 + margin), (590_000 - margin, 600_000)
    # Once for the boxes, once for the stopband.
    assert asked == [first, first, last, last]


def test_what_is_wrong_with_one_piece_names_its_time() -> None:
    source = recording(10.0, formula=Stepping(0.0, (0.0, 0.0), at_s=6.0, factors=(0.0, 1.0)))
    with pytest.raises(RecordingError, match=r"^formula, 6 s to 7 s: there is no mains voltage"):
        measure(source, choose_window(source, None, None))


def test_later_segments_of_a_corrected_recording_begin_at_their_true_times() -> None:
    correction = demonstration_correction_set()
    factor = 1 + correction.sample_rate_relative_error.value
    segments = (
        Segment(index=0, first_sample=0, sample_count=20_000, sample_rate_hz=RATE, start_s=100.0),
        Segment(
            index=1, first_sample=20_000, sample_count=20_000, sample_rate_hz=RATE, start_s=5100.0
        ),
    )
    source = CorrectedRecording(recording(0, segments=segments), correction, None, "C100")
    first, second = source.segments
    assert factor != 1.0
    assert first.start_s == 100.0
    assert second.start_s == pytest.approx(100 + 5000 / factor, abs=1e-9)
    # A pulse that the instrument's clock put on a sample stays on it.
    window = Window(segment=second, first_sample=20_000, end_sample=40_000)
    pulse_s = source.true_times_s(np.array([5100.0 + 700 / RATE]))
    assert window.sample_at(pulse_s) == pytest.approx([20_700], abs=1e-5)
