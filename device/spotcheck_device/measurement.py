"""One request on one pulse input, from its start to its last reading; sans-IO.

    settling ──► waiting for a pulse ──► measuring ──► (next reading) ──► done
        │                  │                  │
        └──────────────────┴──────────────────┴──► cannot judge ──► done

It asks for what is due at the watermark and acts on it; time is the stream's own.
"""

from dataclasses import dataclass

import numpy as np

from spotcheck.evidence import (
    BYTES_PER_FLOAT,
    BYTES_PER_SUM,
    MOST_ORDERS,
    SUMS_PER_PHASE,
    Evidence,
    EvidenceHead,
)
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse, PulseTrain
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.samples import StreamFormat
from spotcheck_calibration.components import component_bytes
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import evaluate
from spotcheck_calibration.pulse_energy import FEWEST_PULSES
from spotcheck_device.component_history import ComponentHistory
from spotcheck_device.load_watch import LoadWatch
from spotcheck_device.pulse_history import PulseHistory
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
    SessionProgress,
    State,
)
from spotcheck_device.slot_history import SlotHistory

SLOT_S = 0.001
MARGIN_S = 0.15
"""Slots kept on either side of the pulses, for the edge window and the frequency."""
LARGEST_EVIDENCE_BYTES = 64 * 1024 * 1024
"""A reading ends with what there is before its evidence grows beyond what a link carries."""
MOST_WINDOWS_PER_S = 7
"""Of ten cycles at 70 Hz."""
SETTLING_S = 0.5
WATCH_S = 1.0
PATIENCE_INTERVALS = 20
"""Pulses are waited for as long as this many expected intervals, and never less than 10 s."""
SHORTEST_PATIENCE_S = 10.0


class OutcomeNames:
    """Names of outcomes, in the order in which they are given."""

    def __init__(self, prefix: str, given: int) -> None:
        """`given` outcomes of the prefix were named before."""
        self._prefix = prefix
        self.given = given

    @property
    def next(self) -> str:
        """The name of the next outcome, which is not given yet."""
        return f"{self._prefix}-{self.given + 1}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What all measurements of a stream look at."""

    stream: StreamFormat
    """Rate, phases and the ranges in use."""
    correction: CorrectionSet
    """The instrument's correction set."""
    slots: SlotHistory
    """Sums and newest codes, in these ranges."""
    pulses: PulseHistory
    """Pulses of all inputs, and PPS."""
    names: OutcomeNames
    """Names for outcomes."""

    def samples(self, seconds: float) -> int:
        """A time in samples."""
        return round(seconds * self.stream.sample_rate_hz)

    @property
    def earliest_sample(self) -> int:
        """First sample of the first slot that is still kept."""
        return self.slots.first_slot * self.slots.slot_length


class Measurement:
    """Works on one request."""

    def __init__(self, request: MeasurementRequest, observed: Observed) -> None:
        """Begin at the sample that the request names, or as near to it as is still kept."""
        self.request = request
        self._readings_done = 0
        self._is_done = False
        self._observed = observed
        self._watch: LoadWatch | None = None
        self._taken: list[Pulse] = []
        self._begin_sample = self._reading_since = self._taken_to_stamp = 0
        self._begin(max(request.start_sample, observed.earliest_sample))

    @property
    def state(self) -> State:
        """What it is doing."""
        return State.IDLE if self._is_done else self._state

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come of it."""
        return self._is_done

    @property
    def needs_from_sample(self) -> int:
        """Slots before this sample are of no use to it any more."""
        if self._taken:
            return int(self._taken[0].sample) - 2 * self._observed.samples(MARGIN_S)
        return self._begin_sample - self._observed.samples(WATCH_S)

    def enter(self, observed: Observed) -> None:
        """Begin the reading anew where a stream is entered in its middle or in other ranges.

        The time that the reading has already taken counts on; waiting for a stream is none.
        """
        # Other slots are those of other ranges; the same ones have just got their first block.
        since = None if observed.slots is self._observed.slots else self._reading_since
        self._observed = observed
        self._begin(max(self._begin_sample, observed.earliest_sample))
        if since is not None:
            self._reading_since = since

    def add_newest_codes(self) -> None:
        """Demodulate the block that the slots have just taken."""
        self._components.add([self._observed.slots.newest_codes()])

    def due_at(self, watermark: int) -> int | None:
        """Sample of the next thing to be done, taking pulses as they come; None: not yet."""
        while True:
            ready_at = self._ready_at()
            if ready_at is not None and ready_at <= min(watermark, self._next_watch_sample):
                return ready_at
            # In stream time, pulses before the next look come before it.
            if ready_at is None and self._take_pulse_before(watermark):
                continue
            return self._next_watch_sample if self._next_watch_sample <= watermark else None

    def act(self, sample: int) -> list[SessionEvent]:
        """Do what `due_at` said is due at a sample."""
        ready_at = self._ready_at()
        if ready_at is not None and ready_at <= self._next_watch_sample:
            return self._finish_reading(sample)
        return self._look_at_load(sample)

    def give_up(self, sample: int, reason: Reason, detail: str) -> list[SessionEvent]:
        """End because no reading can be made."""
        outcome = CannotJudge(
            outcome_id=self._observed.names.next,
            reason=reason,
            detail=detail,
            at_sample=sample,
            conditions=self._watch.conditions() if self._watch else None,
        )
        return self._end([self._outcome(outcome, None)], reason.value)

    def reading_so_far(self) -> ErrorReading | None:
        """The error as it stands, for display; None while it cannot be told."""
        end_sample = self._observed.slots.end_sample
        limit = end_sample - self._observed.samples(MARGIN_S)
        pulses = [pulse for pulse in self._taken if pulse.sample < limit]
        if self._is_done or len(pulses) < FEWEST_PULSES:
            return None
        evidence = self._evidence(pulses, end_sample)
        outcome = evaluate(evidence, self._observed.correction, "so far")
        return outcome if isinstance(outcome, ErrorReading) else None

    def _begin(self, sample: int) -> None:
        """Components are demodulated from here on, however much of the stream came before."""
        observed = self._observed
        recent = observed.slots.recent_codes()
        first_known = recent[0][0] if recent else sample
        self._components = ComponentHistory(
            observed.stream, observed.correction.nominal_frequency_hz, max(sample, first_known)
        )
        self._components.add(recent)
        first_sample = sample + observed.samples(MARGIN_S)
        self._taken_to_stamp = first_sample * STAMP_SUBDIVISION - 1
        self._begin_reading(sample, None)

    def _begin_reading(self, sample: int, first_pulse: Pulse | None) -> None:
        self._begin_sample = self._reading_since = sample
        self._taken = [first_pulse] if first_pulse else []
        self._edges_wanted = 0
        self._watch = None
        if first_pulse is None:
            self._state = State.SETTLING
            self._next_watch_sample = sample + self._observed.samples(SETTLING_S)
        else:
            self._state = State.MEASURING
            self._next_watch_sample = sample + self._observed.samples(WATCH_S)

    def _take_pulse_before(self, watermark: int) -> bool:
        """Take the next pulse in order; false when none has come before the next look."""
        limit = min(watermark, self._next_watch_sample) * STAMP_SUBDIVISION
        pulse = self._observed.pulses.next_between(
            self.request.pulse_input, self._taken_to_stamp, limit
        )
        if pulse is None:
            return False
        self._taken.append(pulse)
        self._taken_to_stamp = pulse.stamp
        if self._state is State.WAITING_FOR_PULSE:
            self._state = State.MEASURING
        return True

    def _ready_at(self) -> int | None:
        """Sample at which the reading can be evaluated; None while it needs more pulses."""
        if len(self._taken) < max(self.request.minimum_pulses, self._edges_wanted):
            return None
        span = (self._taken[-1].stamp - self._taken[0].stamp) / STAMP_SUBDIVISION
        if span < self.request.minimum_duration_s * self._observed.stream.sample_rate_hz:
            return None
        margin = self._observed.samples(MARGIN_S) + self._observed.slots.slot_length
        return int(self._taken[-1].sample) + margin

    def _look_at_load(self, sample: int) -> list[SessionEvent]:
        """Once a second: is there a load that can be measured, and are pulses still coming?"""
        observed = self._observed
        since = sample - observed.samples(SETTLING_S if self._watch is None else WATCH_S)
        _, slots = observed.slots.between(since, sample)
        watch = self._watch = LoadWatch(
            slots,
            observed.slots.slot_length,
            observed.stream,
            observed.correction,
            self.request.meter,
        )
        obstacle = self._overload(sample) or watch.obstacle() or self._patience_lost(watch, sample)
        if obstacle:
            return self.give_up(sample, *obstacle)
        self._next_watch_sample = sample + observed.samples(WATCH_S)
        if self._state is State.SETTLING:
            self._state = State.MEASURING if self._taken else State.WAITING_FOR_PULSE
        events: list[SessionEvent] = [self._progress(watch, sample)]
        if self._is_out_of_time(sample):
            events += self._end_at_maximum(sample)
        return events

    def _is_out_of_time(self, sample: int) -> bool:
        longest_s = min(self.request.maximum_duration_s, self._longest_evidence_s)
        return sample - self._reading_since > self._observed.samples(longest_s)

    @property
    def _longest_evidence_s(self) -> float:
        phases = self._observed.stream.phases
        slot_bytes = phases * SUMS_PER_PHASE * BYTES_PER_SUM
        window_bytes = BYTES_PER_FLOAT * (2 + 4 * phases * MOST_ORDERS)
        per_second = slot_bytes / SLOT_S + window_bytes * MOST_WINDOWS_PER_S
        return LARGEST_EVIDENCE_BYTES / per_second

    def _end_at_maximum(self, sample: int) -> list[SessionEvent]:
        """Make a reading of what there is; pulses without their margin are left for the next."""
        margin = self._observed.samples(MARGIN_S) + self._observed.slots.slot_length
        self._taken = [pulse for pulse in self._taken if pulse.sample <= sample - margin]
        self._taken_to_stamp = (sample - margin) * STAMP_SUBDIVISION
        if len(self._taken) >= FEWEST_PULSES:
            return self._finish_reading(sample)
        reason = Reason.TOO_FEW_PULSES if self._taken else Reason.NO_PULSES
        allowed_s = self.request.maximum_duration_s
        detail = f"pulses: {len(self._taken)} in the {allowed_s:g} s allowed"
        return self.give_up(sample, reason, detail)

    def _overload(self, sample: int) -> tuple[Reason, str] | None:
        at = self._observed.slots.overloaded_between(self._begin_sample, sample)
        return None if at is None else (Reason.OVERLOAD, f"the converter clips at sample {at}")

    def _patience_lost(self, watch: LoadWatch, sample: int) -> tuple[Reason, str] | None:
        since = self._taken[-1].sample if self._taken else self._begin_sample
        waited_s = (sample - since) / self._observed.stream.sample_rate_hz
        patience_s = max(SHORTEST_PATIENCE_S, PATIENCE_INTERVALS * watch.pulse_interval_s)
        if waited_s < patience_s:
            return None
        detail = (
            f"pulses: {len(self._taken)}, none for {waited_s:.0f} s; with {watch.power_w:.0f} W "
            f"one is expected every {watch.pulse_interval_s:.3g} s"
        )
        return (Reason.TOO_FEW_PULSES if self._taken else Reason.NO_PULSES), detail

    def _progress(self, watch: LoadWatch, sample: int) -> SessionProgress:
        return SessionProgress(
            request_id=self.request.request_id,
            sample=sample,
            state=self._state,
            pulses=len(self._taken),
            power_w=watch.power_w,
            expected_wait_s=self._expected_wait_s(watch, sample),
        )

    def _expected_wait_s(self, watch: LoadWatch, sample: int) -> float:
        """Time until the reading will be complete at the present load."""
        rate = self._observed.stream.sample_rate_hz
        begun_s = (sample - self._taken[0].sample) / rate if self._taken else 0.0
        missing = self.request.minimum_pulses - len(self._taken)
        by_time_s = self.request.minimum_duration_s - begun_s
        return max(missing * watch.pulse_interval_s, by_time_s, 0.0)

    def _finish_reading(self, sample: int) -> list[SessionEvent]:
        if overload := self._overload(sample):
            return self.give_up(sample, *overload)
        evidence = self._evidence(self._taken, sample)
        outcome = evaluate(evidence, self._observed.correction, self._observed.names.next)
        if self._wants_more(outcome, sample):
            self._edges_wanted = len(self._taken) + 1
            return []
        events: list[SessionEvent] = [self._outcome(outcome, evidence)]
        self._readings_done += 1
        if isinstance(outcome, CannotJudge):
            return self._end(events, outcome.reason.value)
        if self._readings_done >= self.request.readings:
            return self._end(events, "complete")
        last = next(pulse for pulse in self._taken if pulse.stamp == outcome.last_stamp)
        # Edges after the last pulse were none of the meter's.
        self._begin_reading(int(last.sample), last)
        self._components.forget_before(int(last.sample) - self._observed.samples(WATCH_S))
        return events

    def _wants_more(self, outcome: ErrorReading | CannotJudge, sample: int) -> bool:
        """Whether edges that are no pulses left too little to judge, and there is time for more."""
        if self._is_out_of_time(sample):
            return False
        request = self.request
        if isinstance(outcome, CannotJudge):
            few = len(self._taken) < 2 * request.minimum_pulses
            return few and outcome.reason in (Reason.PULSES_IRREGULAR, Reason.TOO_FEW_PULSES)
        span = (outcome.last_stamp - outcome.first_stamp) / STAMP_SUBDIVISION
        wanted = request.minimum_duration_s * self._observed.stream.sample_rate_hz
        return outcome.pulses_used < request.minimum_pulses or span < wanted

    def _evidence(self, pulses: list[Pulse], now_sample: int) -> Evidence:
        observed = self._observed
        margin = observed.samples(MARGIN_S)
        first, last = int(pulses[0].sample), int(pulses[-1].sample)
        first_slot, slots = observed.slots.between(first - margin, last + margin)
        components = self._components.between(first - margin, last + margin, now_sample)
        return Evidence(
            head=EvidenceHead(
                stream=observed.stream,
                slot_length=observed.slots.slot_length,
                first_slot=first_slot,
                meter=self.request.meter,
                pulses=PulseTrain(pulses=tuple(pulses)),
                components=components.grid if components else None,
                pps_stamps=observed.pulses.pps_between(pulses[0].stamp, now_sample),
            ),
            slot_sums=np.ascontiguousarray(slots, "<i8").tobytes(),
            components=component_bytes(components) if components else b"",
        )

    def _end(self, events: list[SessionEvent], reason: str) -> list[SessionEvent]:
        events.append(SessionFinished(request_id=self.request.request_id, reason=reason))
        self._is_done = True
        return events

    def _outcome(
        self, outcome: ErrorReading | CannotJudge, evidence: Evidence | None
    ) -> SessionOutcome:
        self._observed.names.given += 1
        return SessionOutcome(
            request_id=self.request.request_id, outcome=outcome, evidence=evidence
        )
