"""One measurement after another on one stream; sans-IO, and time is the stream's own.

    idle ── start ──► settling ──► waiting for a pulse ──► measuring ──► (next reading) ──► idle
                         │                  │                  │
                         └──────────────────┴──────────────────┴──► cannot judge ──► idle

It advances to the lower of two watermarks: samples received, and pulses vouched for.
"""

import numpy as np

from spotcheck.errors import EvidenceError
from spotcheck.evidence import (
    BYTES_PER_FLOAT,
    BYTES_PER_SUM,
    MOST_ORDERS,
    SUMS_PER_PHASE,
    Evidence,
    EvidenceHead,
)
from spotcheck.meter import Meter, MeteredQuantity
from spotcheck.ports import PulseBatch
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse, PulseTrain
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.components import component_bytes
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_calibration.evaluation import evaluate
from spotcheck_calibration.pulse_energy import FEWEST_PULSES
from spotcheck_device.component_history import ComponentHistory
from spotcheck_device.load_watch import LoadWatch
from spotcheck_device.session_messages import (
    MeasurementRequest,
    SessionEvent,
    SessionFinished,
    SessionOutcome,
    SessionProgress,
    State,
)
from spotcheck_device.slot_history import SlotHistory
from spotcheck_dsp.slot_sums import Slots

SLOT_S = 0.001
IDLE_MEMORY_S = 5.0
"""What is kept while nothing is measured, so that a request may name a sample just past."""
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


class MeasuringSession:
    """Takes blocks and pulses of one stream, gives readings."""

    def __init__(
        self,
        *,
        stream: StreamFormat,
        correction: CorrectionSet,
        outcome_prefix: str,
        outcomes_before: int = 0,
    ) -> None:
        """A session that has seen nothing yet.

        Args:
            stream: What the stream looks like.
            correction: The instrument's correction set.
            outcome_prefix: What the names of outcomes begin with; unique for each boot.
            outcomes_before: Outcomes of that prefix that an earlier session gave; they number on.

        Raises:
            CorrectionSetError: a range of the stream was not calibrated.
        """
        for phase in range(1, stream.phases + 1):
            correction.voltage(phase, stream)
            correction.current(phase, stream)
        self.stream = stream
        self._correction = correction
        self._prefix = outcome_prefix
        self._outcomes = outcomes_before
        self._history = SlotHistory(stream, max(1, round(SLOT_S * stream.sample_rate_hz)))
        self._waiting_pulses: list[Pulse] = []
        self._complete_to_stamp = 0
        self._request: MeasurementRequest | None = None
        self._state = State.IDLE
        self._readings_done = 0
        self._taken: list[Pulse] = []
        self._edges_wanted = 0
        self._begin_sample = 0
        self._next_watch_sample = 0
        self._watch: LoadWatch | None = None
        self._components: ComponentHistory | None = None

    @property
    def state(self) -> State:
        """What the session is doing."""
        return self._state

    @property
    def is_idle(self) -> bool:
        """Whether no request is being worked on."""
        return self._request is None

    @property
    def outcomes_given(self) -> int:
        """Outcomes of its prefix so far, those before it included."""
        return self._outcomes

    @property
    def end_sample(self) -> int:
        """Sample up to which the session has complete slots."""
        return self._history.end_sample

    @property
    def slot_length(self) -> int:
        """Samples per slot."""
        return self._history.slot_length

    def recent_slots(self, seconds: float) -> tuple[int, Slots]:
        """Number of the first, and the newest slots as far as kept; a view until the next block."""
        return self._history.between(self.end_sample - self._samples(seconds), self.end_sample)

    def overloaded_within(self, seconds: float) -> bool:
        """Whether the converter clipped within the newest samples."""
        since = self.end_sample - self._samples(seconds)
        return self._history.overloaded_between(since, self.end_sample) is not None

    def start(self, request: MeasurementRequest) -> None:
        """Work on a request from the sample that it names.

        Raises:
            EvidenceError: another request is being worked on, or the meter does not fit.
        """
        if self._request is not None:
            raise EvidenceError(f"still measuring {self._request.request_id}; stop it first")
        if request.meter.phases != self.stream.phases:
            raise EvidenceError(
                f"the meter has {request.meter.phases} phases, "
                f"the instrument is connected to {self.stream.phases}"
            )
        if request.meter.constant.quantity is not MeteredQuantity.ACTIVE_ENERGY:
            raise EvidenceError(f"pulses of {request.meter.constant} count no active energy")
        self._request = request
        self._readings_done = 0
        self._begin_measurement(max(request.start_sample, self._earliest_sample))

    def stop(self) -> list[SessionEvent]:
        """Give up the request, by the host's wish."""
        return self.abort(Reason.STOPPED, "stopped by the operator")

    def abort(self, reason: Reason, detail: str) -> list[SessionEvent]:
        """Give up the request because no reading can be made."""
        if self._request is None:
            return []
        return self._give_up(self._request, self._history.end_sample, reason, detail)

    def add_block(self, block: SampleBlock) -> list[SessionEvent]:
        """Take the next samples.

        Raises:
            EvidenceError: a code is no 24-bit code.
        """
        is_first = self._history.is_empty
        missing = self._history.missing_before(block)
        events: list[SessionEvent] = []
        if missing > 0:
            events = self.abort(Reason.DATA_LOST, f"samples missing in the stream: {missing}")
        elif missing < 0:
            events = self.abort(Reason.SAMPLES_LOST, "the stream of samples has started anew")
            self._waiting_pulses, self._complete_to_stamp = [], 0
        if missing:
            self._history = SlotHistory(self.stream, self._history.slot_length)
        try:
            self._history.add(block)
        except ValueError as error:
            raise EvidenceError(f"block at sample {block.first_sample}: {error}") from error
        if is_first and self._request is not None:
            # The stream was entered in its middle: a request that came before begins there.
            self._begin_measurement(max(self._begin_sample, self._earliest_sample))
        elif self._components is not None:
            self._components.add([self._history.newest_codes()])
        if self._request is None:
            self._history.forget_before(block.end_sample - self._samples(IDLE_MEMORY_S))
        return events + self._advance()

    def add_pulses(self, batch: PulseBatch) -> list[SessionEvent]:
        """Take pulses and the promise that none before a stamp is still to come."""
        self._waiting_pulses.extend(batch.pulses)
        self._complete_to_stamp = max(self._complete_to_stamp, batch.complete_to_stamp)
        return self._advance()

    def reading_so_far(self) -> ErrorReading | None:
        """The error as it stands, for display; None while it cannot be told."""
        limit = self._history.end_sample - self._samples(MARGIN_S)
        pulses = [pulse for pulse in self._taken if pulse.sample < limit]
        if self._request is None or len(pulses) < FEWEST_PULSES:
            return None
        evidence = self._evidence(self._request.meter, pulses, self._history.end_sample)
        outcome = evaluate(evidence, self._correction, "so far")
        return outcome if isinstance(outcome, ErrorReading) else None

    def _advance(self) -> list[SessionEvent]:
        """Work through everything up to the lower watermark, event by event in stream time."""
        events: list[SessionEvent] = []
        watermark = min(self._history.end_sample, self._complete_to_stamp // STAMP_SUBDIVISION)
        while (request := self._request) is not None:
            ready_at = self._reading_ready_at(request)
            if ready_at is not None and ready_at <= min(watermark, self._next_watch_sample):
                events += self._finish_reading(request, ready_at)
            elif ready_at is None and self._take_pulse_before(watermark):
                continue  # in stream time, pulses before the next look come before it
            elif self._next_watch_sample <= watermark:
                events += self._look_at_load(request, self._next_watch_sample)
            else:
                break
        if self._request is None:
            self._waiting_pulses = [
                pulse
                for pulse in self._waiting_pulses
                if pulse.sample >= watermark - self._samples(IDLE_MEMORY_S)
            ]
        return events

    def _begin_measurement(self, sample: int) -> None:
        """Components are demodulated from here on, however much of the stream came before."""
        recent = self._history.recent_codes()
        first_known = recent[0][0] if recent else sample
        self._components = ComponentHistory(
            self.stream, self._correction.nominal_frequency_hz, max(sample, first_known)
        )
        self._components.add(recent)
        self._begin_reading(sample, None)

    def _begin_reading(self, sample: int, first_pulse: Pulse | None) -> None:
        self._begin_sample = sample
        self._taken = [first_pulse] if first_pulse else []
        self._edges_wanted = 0
        self._watch = None
        if first_pulse is None:
            self._state = State.SETTLING
            self._next_watch_sample = sample + self._samples(SETTLING_S)
        else:
            self._state = State.MEASURING
            self._next_watch_sample = sample + self._samples(WATCH_S)

    @property
    def _earliest_sample(self) -> int:
        return self._history.first_slot * self._history.slot_length

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.stream.sample_rate_hz)

    def _take_pulse_before(self, watermark: int) -> bool:
        """Take the next pulse in order; false when none has come before the next look."""
        limit = min(watermark, self._next_watch_sample) * STAMP_SUBDIVISION
        if not self._waiting_pulses or self._waiting_pulses[0].stamp >= limit:
            return False
        pulse = self._waiting_pulses.pop(0)
        if self._taken or pulse.sample >= self._begin_sample + self._samples(MARGIN_S):
            self._taken.append(pulse)
        if self._taken and self._state is State.WAITING_FOR_PULSE:
            self._state = State.MEASURING
        return True

    def _reading_ready_at(self, request: MeasurementRequest) -> int | None:
        """Sample at which the reading can be evaluated; None while it needs more pulses."""
        if len(self._taken) < max(request.minimum_pulses, self._edges_wanted):
            return None
        span = (self._taken[-1].stamp - self._taken[0].stamp) / STAMP_SUBDIVISION
        if span < request.minimum_duration_s * self.stream.sample_rate_hz:
            return None
        return int(self._taken[-1].sample) + self._samples(MARGIN_S) + self._history.slot_length

    def _look_at_load(self, request: MeasurementRequest, sample: int) -> list[SessionEvent]:
        """Once a second: is there a load that can be measured, and are pulses still coming?"""
        since = sample - self._samples(SETTLING_S if self._watch is None else WATCH_S)
        _, slots = self._history.between(since, sample)
        watch = self._watch = LoadWatch(
            slots, self._history.slot_length, self.stream, self._correction, request.meter
        )
        obstacle = self._overload(sample) or watch.obstacle() or self._patience_lost(watch, sample)
        if obstacle:
            return self._give_up(request, sample, *obstacle)
        self._next_watch_sample = sample + self._samples(WATCH_S)
        if self._state is State.SETTLING:
            self._state = State.MEASURING if self._taken else State.WAITING_FOR_PULSE
        events: list[SessionEvent] = [self._progress(request, watch, sample)]
        longest_s = min(request.maximum_duration_s, self._longest_evidence_s)
        if sample - self._begin_sample > self._samples(longest_s):
            events += self._end_at_maximum(request, sample)
        return events

    @property
    def _longest_evidence_s(self) -> float:
        slot_bytes = self.stream.phases * SUMS_PER_PHASE * BYTES_PER_SUM
        window_bytes = BYTES_PER_FLOAT * (2 + 4 * self.stream.phases * MOST_ORDERS)
        per_second = slot_bytes / SLOT_S + window_bytes * MOST_WINDOWS_PER_S
        return LARGEST_EVIDENCE_BYTES / per_second

    def _end_at_maximum(self, request: MeasurementRequest, sample: int) -> list[SessionEvent]:
        """Make a reading of what there is; pulses without their margin are left for the next."""
        complete = sample - self._samples(MARGIN_S) - self._history.slot_length
        late = [pulse for pulse in self._taken if pulse.sample > complete]
        self._taken = self._taken[: len(self._taken) - len(late)]
        self._waiting_pulses[:0] = late
        if len(self._taken) >= FEWEST_PULSES:
            return self._finish_reading(request, sample)
        reason = Reason.TOO_FEW_PULSES if self._taken else Reason.NO_PULSES
        detail = f"pulses: {len(self._taken)} in the {request.maximum_duration_s:g} s allowed"
        return self._give_up(request, sample, reason, detail)

    def _overload(self, sample: int) -> tuple[Reason, str] | None:
        at = self._history.overloaded_between(self._begin_sample, sample)
        return None if at is None else (Reason.OVERLOAD, f"the converter clips at sample {at}")

    def _patience_lost(self, watch: LoadWatch, sample: int) -> tuple[Reason, str] | None:
        since = self._taken[-1].sample if self._taken else self._begin_sample
        waited_s = (sample - since) / self.stream.sample_rate_hz
        patience_s = max(SHORTEST_PATIENCE_S, PATIENCE_INTERVALS * watch.pulse_interval_s)
        if waited_s < patience_s:
            return None
        detail = (
            f"pulses: {len(self._taken)}, none for {waited_s:.0f} s; with {watch.power_w:.0f} W "
            f"one is expected every {watch.pulse_interval_s:.3g} s"
        )
        return (Reason.TOO_FEW_PULSES if self._taken else Reason.NO_PULSES), detail

    def _progress(
        self, request: MeasurementRequest, watch: LoadWatch, sample: int
    ) -> SessionProgress:
        return SessionProgress(
            request_id=request.request_id,
            sample=sample,
            state=self._state,
            pulses=len(self._taken),
            power_w=watch.power_w,
            expected_wait_s=self._expected_wait_s(request, watch, sample),
        )

    def _expected_wait_s(self, request: MeasurementRequest, watch: LoadWatch, sample: int) -> float:
        """Time until the reading will be complete at the present load."""
        rate = self.stream.sample_rate_hz
        begun_s = (sample - self._taken[0].sample) / rate if self._taken else 0.0
        by_pulses_s = (request.minimum_pulses - len(self._taken)) * watch.pulse_interval_s
        by_time_s = request.minimum_duration_s - begun_s
        return max(by_pulses_s, by_time_s, 0.0)

    def _finish_reading(self, request: MeasurementRequest, sample: int) -> list[SessionEvent]:
        if overload := self._overload(sample):
            return self._give_up(request, sample, *overload)
        evidence = self._evidence(request.meter, self._taken, sample)
        outcome = evaluate(evidence, self._correction, self._next_outcome_id())
        if self._wants_more(request, outcome, sample):
            self._outcomes -= 1
            return []
        events: list[SessionEvent] = [_outcome(request, outcome, evidence)]
        self._readings_done += 1
        if isinstance(outcome, CannotJudge):
            return self._end(request, events, outcome.reason.value)
        if self._readings_done >= request.readings:
            return self._end(request, events, "complete")
        last = next(pulse for pulse in self._taken if pulse.stamp == outcome.last_stamp)
        # Edges after the last pulse were none of the meter's.
        self._begin_reading(int(last.sample), last)
        self._history.forget_before(int(last.sample) - 2 * self._samples(MARGIN_S))
        if self._components is not None:
            self._components.forget_before(int(last.sample) - self._samples(WATCH_S))
        return events

    def _wants_more(
        self, request: MeasurementRequest, outcome: ErrorReading | CannotJudge, sample: int
    ) -> bool:
        """Whether edges that are no pulses left too little to judge, and there is time for more."""
        longest_s = min(request.maximum_duration_s, self._longest_evidence_s)
        if sample - self._begin_sample > self._samples(longest_s):
            return False
        if isinstance(outcome, CannotJudge):
            few = len(self._taken) < 2 * request.minimum_pulses
            curable = outcome.reason in (Reason.PULSES_IRREGULAR, Reason.TOO_FEW_PULSES)
            if not (curable and few):
                return False
        elif (
            outcome.pulses_used >= request.minimum_pulses
            and (outcome.last_stamp - outcome.first_stamp) / STAMP_SUBDIVISION
            >= request.minimum_duration_s * self.stream.sample_rate_hz
        ):
            return False
        self._edges_wanted = len(self._taken) + 1
        return True

    def _evidence(self, meter: Meter, pulses: list[Pulse], now_sample: int) -> Evidence:
        margin = self._samples(MARGIN_S)
        first, last = int(pulses[0].sample), int(pulses[-1].sample)
        first_slot, slots = self._history.between(first - margin, last + margin)
        components = (
            self._components.between(first - margin, last + margin, now_sample)
            if self._components
            else None
        )
        return Evidence(
            head=EvidenceHead(
                stream=self.stream,
                slot_length=self._history.slot_length,
                first_slot=first_slot,
                meter=meter,
                pulses=PulseTrain(pulses=tuple(pulses)),
                components=components.grid if components else None,
            ),
            slot_sums=np.ascontiguousarray(slots, "<i8").tobytes(),
            components=component_bytes(components) if components else b"",
        )

    def _give_up(
        self, request: MeasurementRequest, sample: int, reason: Reason, detail: str
    ) -> list[SessionEvent]:
        outcome = CannotJudge(
            outcome_id=self._next_outcome_id(),
            reason=reason,
            detail=detail,
            at_sample=sample,
            conditions=self._watch.conditions() if self._watch else None,
        )
        return self._end(request, [_outcome(request, outcome, None)], reason.value)

    def _end(
        self, request: MeasurementRequest, events: list[SessionEvent], reason: str
    ) -> list[SessionEvent]:
        events.append(SessionFinished(request_id=request.request_id, reason=reason))
        self._request = self._components = None
        self._state = State.IDLE
        return events

    def _next_outcome_id(self) -> str:
        self._outcomes += 1
        return f"{self._prefix}-{self._outcomes}"


def _outcome(
    request: MeasurementRequest,
    outcome: ErrorReading | CannotJudge,
    evidence: Evidence | None,
) -> SessionOutcome:
    return SessionOutcome(request_id=request.request_id, outcome=outcome, evidence=evidence)
