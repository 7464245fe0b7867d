"""The session on synthesised streams: what it says depends on the stream alone."""

from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from spotcheck.errors import CorrectionSetError, EvidenceError
from spotcheck.meter import MeterConstant, PulseOutput
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Method, Reason
from spotcheck.samples import SampleBlock
from spotcheck_calibration.components import components_of
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.session_messages import (
    MeasurementRequest,
    RangesChanged,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
    SessionProgress,
    State,
)

RATE = 8000
FAST = "12800 imp/kWh"
Codes = NDArray[np.int32]


class Bench:
    """A stream and its pulses, fed to a session piece by piece."""

    def __init__(self, synthesis: ModuleType, seconds: float, constant: str, **plant: Any) -> None:
        correction = synthesis.correction_set()
        self.plant = synthesis.Plant(**plant)
        self.meter = self.plant.meter(constant)
        self.codes: Codes = self.plant.codes(0, int(seconds * RATE), correction)
        self.pulses: tuple[Pulse, ...] = ()
        if self.plant.power_w > 1:
            self.pulses = self.plant.pulses(self.meter, 0.8, seconds, correction)
        self.session = MeasuringSession(
            stream=self.plant.stream, correction=correction, outcome_prefix="SC-1-7"
        )
        self.events: list[SessionEvent] = []

    def request(self, **changes: Any) -> MeasurementRequest:
        values: dict[str, Any] = {
            "request_id": "q-1", "start_sample": 0, "meter": self.meter, "minimum_pulses": 5,
            "minimum_duration_s": 1.0, "maximum_duration_s": 60.0, "readings": 2,
        }  # fmt: skip
        return MeasurementRequest(**(values | changes))

    def block(self, first: int, end: int) -> None:
        codes = self.codes[first:end]
        self.events += self.session.add_block(
            SampleBlock(first_sample=first, channels=codes.shape[1], codes=codes.tobytes())
        )

    def batch(self, first: int, end: int) -> None:
        """Pulses between two samples, and the promise that there are no others."""
        low, high = first * STAMP_SUBDIVISION, end * STAMP_SUBDIVISION
        pulses = tuple(pulse for pulse in self.pulses if low <= pulse.stamp < high)
        self.events += self.session.add_pulses(PulseBatch(pulses=pulses, complete_to_stamp=high))

    def feed(self, first: int, end: int, step: int = 800) -> None:
        for at in range(first, end, step):
            self.block(at, min(at + step, end))
            self.batch(at, min(at + step, end))

    @property
    def outcomes(self) -> list[SessionOutcome]:
        return [event for event in self.events if isinstance(event, SessionOutcome)]

    @property
    def only_outcome(self) -> CannotJudge:
        (event,) = self.outcomes
        assert isinstance(event.outcome, CannotJudge)
        return event.outcome

    @property
    def told(self) -> list[SessionEvent]:
        """Everything that goes on record."""
        return [event for event in self.events if not isinstance(event, SessionProgress)]


def started(synthesis: ModuleType, seconds: float = 4.0, **changes: Any) -> Bench:
    bench = Bench(synthesis, seconds, FAST)
    bench.session.start(bench.request(**changes))
    return bench


@cache
def in_tenths_of_a_second(synthesis: ModuleType) -> Bench:
    bench = started(synthesis)
    bench.feed(0, len(bench.codes))
    return bench


def test_readings_are_made_and_find_the_meters_error(synthesis: ModuleType) -> None:
    bench = in_tenths_of_a_second(synthesis)
    readings = [event.outcome for event in bench.outcomes]
    assert len(readings) == 2
    for number, reading in enumerate(readings, 1):
        assert isinstance(reading, ErrorReading)
        assert reading.reading_id == f"SC-1-7-{number}"
        assert abs(reading.error_percent - 0.8) < 1e-4
        assert reading.duration_s >= 1.0
        assert reading.pulses_used >= 5
    assert bench.told[-1] == SessionFinished(request_id="q-1", reason="complete")
    assert bench.session.is_idle
    assert bench.session.state is State.IDLE


def test_outcomes_number_on_from_an_earlier_session(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 0.1, FAST)
    session = MeasuringSession(
        stream=bench.plant.stream,
        correction=synthesis.correction_set(),
        outcome_prefix="SC-1-7",
        outcomes_before=41,
    )
    assert session.outcomes_given == 41
    session.start(bench.request())
    outcome, _ = session.stop()
    assert isinstance(outcome, SessionOutcome)
    assert isinstance(outcome.outcome, CannotJudge)
    assert outcome.outcome.outcome_id == "SC-1-7-42"
    assert session.outcomes_given == 42


def test_request_before_the_first_block_begins_where_the_stream_is_entered(
    synthesis: ModuleType,
) -> None:
    """Pulses of before are known to be complete, but there are no samples to go with them."""
    early, late = (Bench(synthesis, 6.0, FAST) for _ in range(2))
    early.session.start(early.request(readings=1))
    early.batch(0, 2 * RATE)
    early.feed(2 * RATE + 3, len(early.codes))
    late.batch(0, 2 * RATE)
    late.block(2 * RATE + 3, 2 * RATE + 20)
    late.session.start(late.request(readings=1))
    late.batch(2 * RATE, 2 * RATE + 20)
    late.feed(2 * RATE + 20, len(late.codes))
    assert early.told == late.told
    assert isinstance(early.outcomes[0].outcome, ErrorReading)


def test_readings_tile(synthesis: ModuleType) -> None:
    first, second = (event.outcome for event in in_tenths_of_a_second(synthesis).outcomes)
    assert isinstance(first, ErrorReading)
    assert isinstance(second, ErrorReading)
    assert first.last_stamp == second.first_stamp


def test_reading_ends_with_the_first_pulse_that_completes_it(synthesis: ModuleType) -> None:
    bench = in_tenths_of_a_second(synthesis)
    evidence = bench.outcomes[0].evidence
    assert evidence is not None
    pulses = evidence.head.pulses.pulses
    # The first pulse at least 0.15 s after the start, then as many as a second takes.
    eligible = [p for p in bench.pulses if p.sample >= 0.15 * RATE]
    wanted = [p for p in eligible if p.sample - eligible[0].sample < RATE]
    assert pulses == (*wanted, eligible[len(wanted)])


def test_evidence_keeps_its_margin_and_is_named_in_the_reading(synthesis: ModuleType) -> None:
    for event in in_tenths_of_a_second(synthesis).outcomes:
        assert event.evidence is not None
        assert isinstance(event.outcome, ErrorReading)
        assert event.outcome.evidence_sha256 == event.evidence.sha256
        head = event.evidence.head
        first = head.first_slot * head.slot_length
        slots = len(event.evidence.slot_sums) // event.evidence.slot_bytes
        end = first + slots * head.slot_length
        pulses = head.pulses.pulses
        assert pulses[0].sample - first >= 0.15 * RATE
        assert end - pulses[-1].sample >= 0.15 * RATE - 1


CUTS = st.lists(st.integers(1, 31_999), max_size=12)


def test_evidence_carries_the_components_of_its_time(synthesis: ModuleType) -> None:
    bench = in_tenths_of_a_second(synthesis)
    for event in bench.outcomes:
        assert event.evidence is not None
        found = components_of(event.evidence)
        assert found is not None
        pulses = event.evidence.head.pulses.pulses
        assert found.ends[0] > pulses[0].sample - 0.15 * RATE
        assert found.starts[-1] < pulses[-1].sample + 0.15 * RATE
        # What is known for certain ends 0.15 s before the last pulse at the latest.
        assert found.ends[-1] <= pulses[-1].sample - 0.14 * RATE
        assert isinstance(event.outcome, ErrorReading)
        truth = bench.plant.frequency_hz
        assert event.outcome.conditions.frequency_hz == pytest.approx(truth, rel=1e-7)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(CUTS, CUTS, st.randoms(use_true_random=False))
def test_any_split_and_any_interleaving_tell_the_same(
    synthesis: ModuleType, block_cuts: list[int], batch_cuts: list[int], order: Any
) -> None:
    expected = in_tenths_of_a_second(synthesis)
    bench = started(synthesis)
    ends = [sorted({*cuts, len(bench.codes)}) for cuts in (block_cuts, batch_cuts)]
    todo = [
        [(feed, start, end) for start, end in zip([0, *edges], edges, strict=False)]
        for feed, edges in zip((bench.block, bench.batch), ends, strict=True)
    ]
    while any(todo):
        feed, start, end = order.choice([queue for queue in todo if queue]).pop(0)
        feed(start, end)
    assert bench.told == expected.told


def progress(bench: Bench) -> list[SessionEvent]:
    return [event for event in bench.events if isinstance(event, SessionProgress)]


@pytest.mark.parametrize("late", [8000, 16_000, 30_000])
def test_start_in_the_past_tells_what_a_start_in_time_would_have(
    synthesis: ModuleType, late: int
) -> None:
    in_time, afterwards = (Bench(synthesis, 4.5, FAST) for _ in range(2))
    in_time.session.start(in_time.request(start_sample=4000))
    in_time.feed(0, 36_000)
    afterwards.feed(0, late - late % 800)
    assert afterwards.events == []
    afterwards.session.start(afterwards.request(start_sample=4000))
    afterwards.feed(late - late % 800, 36_000)
    assert len(in_time.outcomes) == 2
    assert afterwards.told == in_time.told


def test_start_in_the_future_waits_for_its_sample(synthesis: ModuleType) -> None:
    bench = started(synthesis, start_sample=12_000, readings=1)
    bench.feed(0, len(bench.codes))
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)
    assert event.outcome.first_stamp >= (12_000 + 0.15 * RATE) * STAMP_SUBDIVISION


def test_idle_session_says_nothing_and_forgets(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 4.0, FAST)
    bench.feed(0, 32_000)
    assert bench.events == []
    assert bench.session.reading_so_far("q-1") is None
    assert bench.session.end_sample == 32_000


def test_pulses_that_nobody_vouches_for_are_waited_for(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.block(0, 32_000)
    assert bench.events == []
    bench.batch(0, 32_000)
    assert bench.told == in_tenths_of_a_second(synthesis).told


def test_stop_gives_its_outcome_and_ends(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.feed(0, 8000)
    bench.events += bench.session.stop()
    assert bench.only_outcome.reason is Reason.STOPPED
    assert bench.only_outcome.at_sample == 8000
    assert bench.only_outcome.conditions is not None
    assert bench.told[-1] == SessionFinished(request_id="q-1", reason="stopped")
    assert bench.session.is_idle
    assert bench.session.stop() == []


def test_abort_names_its_reason_before_anything_was_seen(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.events += bench.session.abort(Reason.FRONT_END_LOST, "unplugged")
    assert bench.only_outcome.reason is Reason.FRONT_END_LOST
    assert bench.only_outcome.detail == "unplugged"
    assert bench.only_outcome.conditions is None
    assert bench.session.abort(Reason.FRONT_END_LOST, "again") == []


def test_names_of_outcomes_go_on_over_requests(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.events += bench.session.stop()
    bench.session.start(bench.request(request_id="q-2"))
    bench.events += bench.session.stop()
    names = [event.outcome.outcome_id for event in bench.outcomes]  # type: ignore[union-attr]
    assert names == ["SC-1-7-1", "SC-1-7-2"]
    assert [event.request_id for event in bench.outcomes] == ["q-1", "q-2"]


def test_second_start_is_refused(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    with pytest.raises(EvidenceError, match="still measuring q-1"):
        bench.session.start(bench.request())


def test_meter_of_other_phases_is_refused(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 0.1, FAST)
    meter = replace(bench.meter, phases=3)
    with pytest.raises(EvidenceError, match="3 phases, the instrument is connected to 1"):
        bench.session.start(bench.request(meter=meter))
    assert bench.session.is_idle


@pytest.mark.parametrize(
    "changes",
    [
        {"minimum_pulses": 2},
        {"readings": 0},
        {"minimum_duration_s": -1.0},
        {"minimum_duration_s": 61.0},
        {"maximum_duration_s": float("nan")},
    ],
)
def test_impossible_request_is_refused(synthesis: ModuleType, changes: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError):
        Bench(synthesis, 0.1, FAST).request(**changes)


def test_range_that_was_not_calibrated_is_refused(synthesis: ModuleType) -> None:
    stream = replace(synthesis.Plant().stream, current_range="C100")
    with pytest.raises(CorrectionSetError, match="'C100'"):
        MeasuringSession(stream=stream, correction=synthesis.correction_set(), outcome_prefix="x")


def test_clipping_while_measuring_is_overload(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.codes[5000, 1] = 2**23 - 1
    bench.feed(0, 32_000)
    assert bench.only_outcome.reason is Reason.OVERLOAD
    assert bench.only_outcome.detail == "the converter clips at sample 5000"
    assert bench.session.is_idle


@pytest.mark.parametrize("step", [80, 7777, 32_000])
def test_clipping_after_a_reading_does_not_touch_it_whatever_the_blocks(
    synthesis: ModuleType, step: int
) -> None:
    bench = started(synthesis, readings=1)
    bench.codes[31_000, 1] = 2**23 - 1
    bench.feed(0, 32_000, step)
    assert isinstance(bench.outcomes[0].outcome, ErrorReading)


def test_clipping_before_the_start_is_forgiven(synthesis: ModuleType) -> None:
    bench = started(synthesis, start_sample=8000, readings=1)
    bench.codes[4000, 1] = 2**23 - 1
    bench.feed(0, 32_000)
    assert isinstance(bench.outcomes[0].outcome, ErrorReading)


def test_missing_samples_end_the_measurement_and_the_next_one_works(
    synthesis: ModuleType,
) -> None:
    bench = started(synthesis, seconds=5.0)
    bench.feed(0, 8000)
    bench.block(8100, 8900)
    assert bench.only_outcome.reason is Reason.DATA_LOST
    assert bench.only_outcome.detail == "samples missing in the stream: 100"
    bench.batch(8000, 8900)
    bench.session.start(bench.request(request_id="q-2", start_sample=8900, readings=1))
    bench.feed(8900, 40_000)
    reading = bench.outcomes[1].outcome
    assert isinstance(reading, ErrorReading)
    assert abs(reading.error_percent - 0.8) < 1e-4


def test_stream_that_starts_anew_ends_the_measurement_and_the_next_one_works(
    synthesis: ModuleType,
) -> None:
    bench = started(synthesis, seconds=5.0)
    bench.feed(0, 8000)
    bench.block(0, 800)
    assert bench.only_outcome.reason is Reason.SAMPLES_LOST
    bench.batch(0, 800)
    bench.session.start(bench.request(request_id="q-2", start_sample=0, readings=1))
    bench.feed(800, 40_000)
    reading = bench.outcomes[1].outcome
    assert isinstance(reading, ErrorReading)
    assert abs(reading.error_percent - 0.8) < 1e-4


def test_lost_pulse_number_is_data_lost(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.pulses = (*bench.pulses[:6], *bench.pulses[7:])
    bench.feed(0, 32_000)
    assert bench.only_outcome.reason is Reason.DATA_LOST


@pytest.mark.parametrize(
    ("pulses", "reason"),
    [(0, Reason.NO_PULSES), (1, Reason.TOO_FEW_PULSES), (4, Reason.TOO_FEW_PULSES)],
)
def test_pulses_that_stop_coming_lose_the_patience(
    synthesis: ModuleType, pulses: int, reason: Reason
) -> None:
    bench = Bench(synthesis, 12.5, FAST)
    bench.pulses = tuple(p for p in bench.pulses if p.sample > 1200)[:pulses]
    bench.session.start(bench.request())
    bench.feed(0, len(bench.codes))
    assert bench.only_outcome.reason is reason
    assert bench.only_outcome.detail.startswith(f"pulses: {pulses}, none for 1")
    assert "W one is expected every 0.128 s" in bench.only_outcome.detail
    assert bench.only_outcome.conditions is not None
    at = bench.only_outcome.at_sample
    assert at is not None
    assert 10 * RATE <= at <= 12 * RATE


def test_maximum_duration_ends_a_reading_with_what_there_is(synthesis: ModuleType) -> None:
    # A pulse every 0.81 s: at 4.5 s, the first look past 4 s, five have come.
    bench = Bench(synthesis, 6.0, "2000 imp/kWh")
    bench.session.start(bench.request(minimum_pulses=10, maximum_duration_s=4.0, readings=1))
    bench.feed(0, 48_000)
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)
    assert event.outcome.pulses_used == 5
    assert abs(event.outcome.error_percent - 0.8) < 1e-4


def test_three_pulses_of_a_meter_of_unknown_kind_wait_for_a_fourth(synthesis: ModuleType) -> None:
    # Some filter of the pulse output explains any three pulses, and nothing is left to judge by.
    bench = Bench(synthesis, 6.0, FAST, i={1: (10.0, -1.0)})
    bench.session.start(bench.request(minimum_pulses=3, minimum_duration_s=0.0, readings=1))
    bench.feed(0, 48_000)
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)
    assert event.outcome.pulses_used == 4


@pytest.mark.parametrize("frequency_hz", [45.0, 50.03, 65.0])
@pytest.mark.parametrize("constant", ["8700 imp/kWh", "9300 imp/kWh", "10650 imp/kWh", FAST])
def test_every_reading_of_a_load_that_pulsates_holds_for_any_filter(
    synthesis: ModuleType, frequency_hz: float, constant: str
) -> None:
    # Wherever the last pulse lies against the last window that is known when it is evaluated.
    bench = Bench(synthesis, 9.0, constant, i={1: (10.0, -1.0)}, frequency_hz=frequency_hz)
    bench.session.start(bench.request(readings=3))
    bench.feed(0, 72_000)
    methods = [
        event.outcome.method for event in bench.outcomes if isinstance(event.outcome, ErrorReading)
    ]
    assert methods == [Method.ANY_FILTER_LINE] * 3


def test_three_pulses_of_a_declared_kind_make_a_reading(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 6.0, FAST, i={1: (10.0, -1.0)})
    meter = replace(bench.meter, pulse_output=PulseOutput.SMOOTHED)
    request = bench.request(meter=meter, minimum_pulses=3, minimum_duration_s=0.0, readings=1)
    bench.session.start(request)
    bench.feed(0, 48_000)
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)
    assert event.outcome.pulses_used == 3


def test_three_pulses_of_unknown_kind_are_too_few_when_the_time_is_up(
    synthesis: ModuleType,
) -> None:
    # A pulse every 1.36 s: at 4.5 s, the first look past 4 s, three have come.
    bench = Bench(synthesis, 6.0, "1200 imp/kWh")
    bench.session.start(bench.request(minimum_pulses=10, maximum_duration_s=4.0, readings=1))
    bench.feed(0, 48_000)
    assert bench.only_outcome.reason is Reason.TOO_FEW_PULSES
    assert "at least 4 are needed" in bench.only_outcome.detail


LOADS: list[tuple[dict[str, Any], Reason]] = [
    ({"u": {1: (0.0, 0.0)}}, Reason.OUTAGE),
    ({"i": {1: (10.0, np.pi)}}, Reason.NEGATIVE_POWER),
    ({"i": {1: (10.0, -1.55)}}, Reason.POWER_FACTOR_TOO_LOW),
]


@pytest.mark.parametrize(("load", "reason"), LOADS)
def test_load_that_cannot_be_measured_is_named_within_a_second(
    synthesis: ModuleType, load: dict[str, Any], reason: Reason
) -> None:
    bench = Bench(synthesis, 1.5, FAST, **load)
    bench.session.start(bench.request())
    bench.feed(0, len(bench.codes))
    assert bench.only_outcome.reason is reason
    assert bench.only_outcome.at_sample is not None
    assert bench.only_outcome.at_sample <= RATE


def test_progress_tells_state_power_and_wait_once_a_second(synthesis: ModuleType) -> None:
    bench = in_tenths_of_a_second(synthesis)
    told = progress(bench)
    assert isinstance(told[0], SessionProgress)
    assert told[0].sample == RATE // 2
    for event in told:
        assert isinstance(event, SessionProgress)
        assert event.power_w == pytest.approx(2200, rel=5e-3)
        assert event.expected_wait_s is not None
        assert 0 <= event.expected_wait_s <= 1.0
        assert event.state is State.MEASURING


def test_reading_so_far_is_the_error_as_it_stands(synthesis: ModuleType) -> None:
    bench = started(synthesis, minimum_pulses=20, readings=1)
    bench.feed(0, 3200)
    assert bench.session.reading_so_far("q-1") is None
    bench.feed(3200, 16_000)
    so_far = bench.session.reading_so_far("q-1")
    assert so_far is not None
    assert abs(so_far.error_percent - 0.8) < 1e-3
    bench.feed(16_000, 32_000)
    names = [event.outcome.reading_id for event in bench.outcomes]  # type: ignore[union-attr]
    assert names == ["SC-1-7-1"]


def test_pulses_count_though_both_sources_are_far_ahead(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 13.0, FAST)
    bench.session.start(bench.request())
    bench.batch(0, 104_000)
    bench.block(0, 104_000)
    assert [type(event.outcome).__name__ for event in bench.outcomes] == ["ErrorReading"] * 2


def test_progress_does_not_depend_on_the_split(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.block(0, 32_000)
    bench.batch(0, 32_000)
    assert progress(bench) == progress(in_tenths_of_a_second(synthesis))


@pytest.mark.parametrize("last_s", [4.30, 4.36, 4.42, 4.48, 4.4999])
@pytest.mark.parametrize("step", [80, 800, 48_000])
def test_maximum_duration_with_a_pulse_just_before_it(
    synthesis: ModuleType, last_s: float, step: int
) -> None:
    told = []
    for size in (step, 8000):
        bench = Bench(synthesis, 6.0, "1700 imp/kWh")
        bench.pulses = tuple(
            Pulse(stamp=int(time_s * RATE * 65536), index=number)
            for number, time_s in enumerate((0.5, 1.45, 2.4, 3.35, last_s))
        )
        request = bench.request(minimum_pulses=10, maximum_duration_s=4.0, readings=1)
        bench.session.start(request)
        bench.feed(0, 48_000, size)
        told.append(bench.told)
    assert told[0] == told[1]
    assert isinstance(told[0][0].outcome, ErrorReading)


@pytest.mark.parametrize("constant", ["0.01 m³/imp", "400 imp/kvarh"])
def test_meter_that_counts_no_active_energy_is_refused(
    synthesis: ModuleType, constant: str
) -> None:
    bench = Bench(synthesis, 1.5, FAST)
    meter = replace(bench.meter, constant=MeterConstant.parse(constant))
    with pytest.raises(EvidenceError, match="count no active energy"):
        bench.session.start(bench.request(meter=meter))


def with_stray_edge(bench: Bench, after: int, fraction: float) -> None:
    """Stray light between two pulses."""
    stamps = [pulse.stamp for pulse in bench.pulses]
    stamps.append(stamps[after] + int(fraction * (stamps[after + 1] - stamps[after])))
    bench.pulses = tuple(Pulse(stamp=s, index=n) for n, s in enumerate(sorted(stamps)))


@pytest.mark.parametrize("after", range(2, 12))
def test_stray_edge_neither_shortens_a_reading_nor_ends_it(
    synthesis: ModuleType, after: int
) -> None:
    bench = started(synthesis, minimum_pulses=8, minimum_duration_s=0.9, seconds=6.0)
    with_stray_edge(bench, after, 0.4)
    bench.feed(0, len(bench.codes))
    readings = [event.outcome for event in bench.outcomes]
    assert [r.pulses_rejected for r in readings if isinstance(r, ErrorReading)] in ([1, 0], [0, 1])
    for reading in readings:
        assert isinstance(reading, ErrorReading)
        assert reading.pulses_used >= 8
        assert reading.duration_s >= 0.9
        assert abs(reading.error_percent - 0.8) < reading.expanded_uncertainty_percent


def test_start_before_what_is_kept_of_the_codes_gives_components_of_their_own_time(
    synthesis: ModuleType,
) -> None:
    bench = Bench(synthesis, 18.0, "1200 imp/kWh")
    bench.session.start(bench.request(minimum_duration_s=60.0, maximum_duration_s=90.0))
    bench.feed(0, 12 * RATE)
    bench.events += bench.session.stop()
    bench.events.clear()
    bench.session.start(bench.request(minimum_pulses=3, readings=1))
    bench.feed(12 * RATE, len(bench.codes))
    (event,) = bench.outcomes
    assert event.evidence is not None
    found = components_of(event.evidence)
    assert found is not None
    u1 = np.angle(found.phasors[:, 0, 0])
    middles = (found.starts + found.ends) / 2 / (RATE * (1 + 120e-6))
    turned = np.exp(1j * (u1 - bench.plant.omega * middles))
    assert np.abs(turned - 1) == pytest.approx(np.zeros(len(turned)), abs=1e-4)


class TwoMeters(Bench):
    """A second meter of another error, on pulse input 2 of the same load."""

    def __init__(self, synthesis: ModuleType, seconds: float) -> None:
        super().__init__(synthesis, seconds, FAST)
        correction = synthesis.correction_set()
        self.others = self.plant.pulses(self.meter, -1.5, seconds, correction, phase=0.8)

    def batch(self, first: int, end: int) -> None:
        super().batch(first, end)
        low, high = first * STAMP_SUBDIVISION, end * STAMP_SUBDIVISION
        pulses = tuple(pulse for pulse in self.others if low <= pulse.stamp < high)
        batch = PulseBatch(pulses=pulses, complete_to_stamp=high, input=2)
        self.events += self.session.add_pulses(batch)

    def start_both(self) -> None:
        self.session.start(self.request())
        self.session.start(self.request(request_id="q-2", pulse_input=2, readings=3))

    def told_of(self, request_id: str) -> list[SessionEvent]:
        return [event for event in self.told if event.request_id == request_id]


def test_two_meters_on_one_load_are_measured_at_once(synthesis: ModuleType) -> None:
    bench = TwoMeters(synthesis, 4.5)
    bench.start_both()
    bench.feed(0, len(bench.codes))
    for request_id, count, error_percent in (("q-1", 2, 0.8), ("q-2", 3, -1.5)):
        *outcomes, finished = bench.told_of(request_id)
        assert len(outcomes) == count
        for event in outcomes:
            assert isinstance(event, SessionOutcome)
            assert isinstance(event.outcome, ErrorReading)
            assert abs(event.outcome.error_percent - error_percent) < 1e-4
        assert finished == SessionFinished(request_id=request_id, reason="complete")
    assert bench.session.is_idle


def test_a_meter_is_read_the_same_whether_another_is_measured_or_not(synthesis: ModuleType) -> None:
    alone, both = TwoMeters(synthesis, 4.5), TwoMeters(synthesis, 4.5)
    alone.session.start(alone.request())
    both.start_both()
    for bench in (alone, both):
        bench.feed(0, len(bench.codes))
    evidence = [
        [event.evidence for event in bench.told_of("q-1") if isinstance(event, SessionOutcome)]
        for bench in (alone, both)
    ]
    assert evidence[0] == evidence[1]


def test_names_of_two_measurements_follow_stream_time_whatever_the_split(
    synthesis: ModuleType,
) -> None:
    fine, coarse = TwoMeters(synthesis, 4.5), TwoMeters(synthesis, 4.5)
    for bench, step in ((fine, 97), (coarse, 9000)):
        bench.start_both()
        bench.feed(0, len(bench.codes), step)
    assert fine.told == coarse.told


def test_one_of_two_measurements_is_stopped_or_loses_its_input(synthesis: ModuleType) -> None:
    bench = TwoMeters(synthesis, 4.5)
    bench.start_both()
    bench.feed(0, 8000)
    bench.events += bench.session.stop("q-2")
    assert bench.told_of("q-2")[-1] == SessionFinished(request_id="q-2", reason="stopped")
    bench.session.start(bench.request(request_id="q-3", pulse_input=2, start_sample=8000))
    bench.events += bench.session.abort(Reason.DATA_LOST, "pulses lost", 2)
    assert bench.told_of("q-3")[-1] == SessionFinished(request_id="q-3", reason="data lost")
    bench.feed(8000, len(bench.codes))
    assert bench.told_of("q-1")[-1] == SessionFinished(request_id="q-1", reason="complete")


def test_same_name_on_another_input_is_refused(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    with pytest.raises(EvidenceError, match="still measuring q-1"):
        bench.session.start(bench.request(pulse_input=1))


def test_change_of_range_begins_the_reading_anew_and_finds_the_same_error(
    synthesis: ModuleType,
) -> None:
    """Behind sample 12,000 the current is sampled with half the gain per code."""
    bench = Bench(synthesis, 6.0, FAST)
    correction = synthesis.correction_set()
    halved = tuple(
        replace(
            c,
            range_name="C/2",
            gain_a_per_code=synthesis.exact(c.gain_a_per_code.value / 2),
            offset_codes=synthesis.exact(2 * c.offset_codes.value),
        )
        for c in correction.currents
    )
    both = replace(correction, currents=correction.currents + halved)
    bench.session = MeasuringSession(
        stream=bench.plant.stream, correction=both, outcome_prefix="SC-1-7"
    )
    bench.session.start(bench.request())
    bench.feed(0, 12_000)
    stream = replace(bench.plant.stream, current_range="C/2")
    (change,) = bench.session.change_ranges(stream)
    assert change == RangesChanged(request_id="q-1", stream=stream)
    bench.codes[12_000:, 1::2] *= 2
    bench.feed(12_000, len(bench.codes))
    first, second = (event.outcome for event in bench.outcomes)
    for reading in (first, second):
        assert isinstance(reading, ErrorReading)
        assert abs(reading.error_percent - 0.8) < 1e-4
        assert reading.duration_s >= 1.0
    assert isinstance(first, ErrorReading)
    ranges = {
        event.evidence.head.stream.current_range for event in bench.outcomes if event.evidence
    }
    # The first reading was complete before the change, or lies whole behind it.
    assert ranges <= {"C", "C/2"}
    assert bench.told[-1] == SessionFinished(request_id="q-1", reason="complete")


def test_range_that_was_not_calibrated_changes_nothing(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    bench.feed(0, 4000)
    with pytest.raises(CorrectionSetError, match="X"):
        bench.session.change_ranges(replace(bench.plant.stream, current_range="X"))
    bench.feed(4000, len(bench.codes))
    assert bench.told[-1] == SessionFinished(request_id="q-1", reason="complete")


def test_rate_cannot_change_in_mid_stream(synthesis: ModuleType) -> None:
    bench = started(synthesis)
    with pytest.raises(EvidenceError, match="cannot change"):
        bench.session.change_ranges(replace(bench.plant.stream, sample_rate_hz=4000))


def test_pps_of_the_time_before_and_of_the_reading_is_in_its_evidence(
    synthesis: ModuleType,
) -> None:
    bench = started(synthesis, readings=1)
    marks = tuple(n * RATE * STAMP_SUBDIVISION for n in range(4))
    batch = PulseBatch(pulses=(), complete_to_stamp=0, pps_stamps=marks)
    bench.events += bench.session.add_pulses(batch)
    bench.feed(0, len(bench.codes))
    (event,) = bench.outcomes
    assert event.evidence is not None
    ready_s = event.evidence.head.pulses.pulses[-1].sample / RATE + 0.15
    assert event.evidence.head.pps_stamps == marks[: int(ready_s) + 1]


@pytest.mark.parametrize("names_its_ranges_twice", [False, True])
def test_waiting_for_a_stream_takes_none_of_the_maximum_duration(
    synthesis: ModuleType, names_its_ranges_twice: bool
) -> None:
    """The stream is entered 4 s after its begin, by a request that allows 3 s."""
    bench = Bench(synthesis, 8.0, FAST)
    bench.session.start(bench.request(readings=1, maximum_duration_s=3.0))
    if names_its_ranges_twice:
        bench.session.change_ranges(bench.plant.stream)
    bench.feed(32_000, len(bench.codes))
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)


def test_change_of_range_does_not_begin_the_maximum_duration_anew(synthesis: ModuleType) -> None:
    bench = Bench(synthesis, 6.0, FAST)
    bench.session.start(bench.request(minimum_duration_s=2.0, maximum_duration_s=3.0))
    for at in range(0, 48_000, 8000):
        bench.feed(at, at + 8000)
        bench.session.change_ranges(bench.plant.stream)
    ends = [event.outcome for event in bench.outcomes]
    assert isinstance(ends[0], CannotJudge)
    assert ends[0].at_sample is not None
    assert ends[0].at_sample <= 5 * RATE


@pytest.mark.parametrize(
    ("lost", "reason"), [(800, Reason.DATA_LOST), (-12_000, Reason.SAMPLES_LOST)]
)
def test_stream_that_does_not_go_on_behind_a_change_of_range_ends_the_measurement(
    synthesis: ModuleType, lost: int, reason: Reason
) -> None:
    """A gap there is a gap, and a stream that starts anew leaves its old pulses behind."""
    bench = Bench(synthesis, 8.0, FAST)
    bench.session.start(bench.request(minimum_duration_s=5.0))
    bench.feed(0, 12_000)
    bench.session.change_ranges(bench.plant.stream)
    begin = 12_000 + lost
    bench.block(begin, begin + 800)
    assert bench.only_outcome.reason is reason
    bench.events.clear()
    bench.batch(begin, begin + 800)
    bench.session.start(bench.request(request_id="q-2", start_sample=begin, readings=1))
    bench.feed(begin + 800, begin + 32_000)
    (event,) = bench.outcomes
    assert isinstance(event.outcome, ErrorReading)
    assert abs(event.outcome.error_percent - 0.8) < 1e-4
