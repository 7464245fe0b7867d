"""All measurements on one stream, several at once on different pulse inputs; sans-IO.

Time is the stream's own: the session advances to the lowest watermark, of samples received and of
pulses vouched for, and does what is due in the order of stream time, whichever measurement it is
of. So its outcomes and their names do not depend on how the data arrived.
"""

from collections.abc import Callable
from dataclasses import replace

from spotcheck.errors import EvidenceError
from spotcheck.meter import MeteredQuantity
from spotcheck.ports import PulseBatch
from spotcheck.reading import ErrorReading, Reason
from spotcheck.samples import SampleBlock, StreamFormat
from spotcheck_calibration.correction_set import CorrectionSet
from spotcheck_device.measurement import SLOT_S, Measurement, Observed, OutcomeNames
from spotcheck_device.pulse_history import PulseHistory
from spotcheck_device.session_messages import (
    MeasurementRequest,
    RangesChanged,
    SessionEvent,
    State,
)
from spotcheck_device.slot_history import SlotHistory
from spotcheck_dsp.slot_sums import Slots

IDLE_MEMORY_S = 5.0
"""What is kept while nothing is measured, so that a request may name a sample just past."""


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
        _check_ranges(stream, correction)
        self._observed = Observed(
            stream=stream,
            correction=correction,
            slots=_slots_of(stream),
            pulses=PulseHistory(stream.sample_rate_hz),
            names=OutcomeNames(outcome_prefix, outcomes_before),
        )
        self._next_sample: int | None = None
        self._measurements: dict[int, Measurement] = {}

    @property
    def stream(self) -> StreamFormat:
        """What the stream looks like, with the ranges in use."""
        return self._observed.stream

    @property
    def state(self) -> State:
        """What the session is doing; of several measurements the furthest."""
        states = {measurement.state for measurement in self._measurements.values()}
        return max(states or {State.IDLE}, key=list(State).index)

    @property
    def is_idle(self) -> bool:
        """Whether no request is being worked on."""
        return not self._measurements

    @property
    def outcomes_given(self) -> int:
        """Outcomes of its prefix so far, those before it included."""
        return self._observed.names.given

    @property
    def end_sample(self) -> int:
        """Sample up to which the session has complete slots."""
        return self._observed.slots.end_sample

    @property
    def slot_length(self) -> int:
        """Samples per slot."""
        return self._observed.slots.slot_length

    @property
    def pps_stamps(self) -> tuple[int, ...]:
        """Marks of PPS that are kept (1/65536 samples)."""
        return self._observed.pulses.pps_stamps

    @property
    def requests(self) -> tuple[MeasurementRequest, ...]:
        """What is being worked on."""
        return tuple(running.request for running in self._measurements.values())

    def recent_slots(self, seconds: float) -> tuple[int, Slots]:
        """Number of the first, and the newest slots as far as kept; a view until the next block."""
        since = self.end_sample - self._observed.samples(seconds)
        return self._observed.slots.between(since, self.end_sample)

    def overloaded_within(self, seconds: float) -> bool:
        """Whether the converter clipped within the newest samples."""
        since = self.end_sample - self._observed.samples(seconds)
        return self._observed.slots.overloaded_between(since, self.end_sample) is not None

    def start(self, request: MeasurementRequest) -> None:
        """Work on a request from the sample that it names.

        Raises:
            EvidenceError: another request is being worked on at the same pulse input or under the
                same name, or the meter does not fit.
        """
        for which, running in self._measurements.items():
            name = running.request.request_id
            if which == request.pulse_input or name == request.request_id:
                raise EvidenceError(f"still measuring {name}; stop it first")
        if request.meter.phases != self.stream.phases:
            raise EvidenceError(
                f"the meter has {request.meter.phases} phases, "
                f"the instrument is connected to {self.stream.phases}"
            )
        if request.meter.constant.quantity is not MeteredQuantity.ACTIVE_ENERGY:
            raise EvidenceError(f"pulses of {request.meter.constant} count no active energy")
        # However much a running measurement keeps, a request reaches back no further.
        idle_memory = self._observed.samples(IDLE_MEMORY_S)
        oldest = (self.end_sample - idle_memory) // self.slot_length * self.slot_length
        begun = replace(request, start_sample=max(request.start_sample, oldest))
        self._measurements[request.pulse_input] = Measurement(begun, self._observed)

    def stop(self, request_id: str | None = None) -> list[SessionEvent]:
        """Give up a request by the host's wish, or all of them."""
        return self._give_up_where(
            lambda running: request_id in (None, running.request.request_id),
            Reason.STOPPED,
            "stopped by the operator",
        )

    def abort(
        self, reason: Reason, detail: str, pulse_input: int | None = None
    ) -> list[SessionEvent]:
        """Give up the request at a pulse input, or all, because no reading can be made."""
        return self._give_up_where(
            lambda running: pulse_input in (None, running.request.pulse_input), reason, detail
        )

    def add_block(self, block: SampleBlock) -> list[SessionEvent]:
        """Take the next samples.

        Raises:
            EvidenceError: a code is no 24-bit code.
        """
        is_first = self._observed.slots.is_empty
        # Asked of the stream, not of the slots: those of other ranges have not seen it yet.
        missing = 0 if self._next_sample is None else block.first_sample - self._next_sample
        events: list[SessionEvent] = []
        if missing > 0:
            events = self.abort(Reason.DATA_LOST, f"samples missing in the stream: {missing}")
            self._observed = replace(self._observed, slots=_slots_of(self.stream))
        elif missing < 0:
            events = self.abort(Reason.SAMPLES_LOST, "the stream of samples has started anew")
            self._observed = replace(
                self._observed,
                slots=_slots_of(self.stream),
                pulses=PulseHistory(self.stream.sample_rate_hz),
            )
        try:
            self._observed.slots.add(block)
        except ValueError as error:
            raise EvidenceError(f"block at sample {block.first_sample}: {error}") from error
        self._next_sample = block.end_sample
        for running in self._measurements.values():
            if is_first:
                # The stream was entered in its middle: a request that came before begins there.
                running.enter(self._observed)
            else:
                running.add_newest_codes()
        return events + self._advance()

    def add_pulses(self, batch: PulseBatch) -> list[SessionEvent]:
        """Take pulses of an input and the promise that none before a stamp is still to come."""
        self._observed.pulses.add(batch)
        return self._advance()

    def change_ranges(self, stream: StreamFormat) -> list[SessionEvent]:
        """The next block is in other ranges: readings begin anew there, measurements go on.

        Args:
            stream: The same rate and phases.

        Raises:
            CorrectionSetError: a range was not calibrated; nothing has changed.
            EvidenceError: rate or phases are others.
        """
        old = self.stream
        if (stream.sample_rate_hz, stream.phases) != (old.sample_rate_hz, old.phases):
            raise EvidenceError("rate and phases of a stream cannot change while it runs")
        _check_ranges(stream, self._observed.correction)
        has_begun = not self._observed.slots.is_empty
        self._observed = replace(self._observed, stream=stream, slots=_slots_of(stream))
        if not has_begun:
            for running in self._measurements.values():
                running.enter(self._observed)
        return [
            RangesChanged(request_id=running.request.request_id, stream=stream)
            for running in self._measurements.values()
        ]

    def reading_so_far(self, request_id: str) -> ErrorReading | None:
        """The error of a request as it stands, for display; None while it cannot be told."""
        for running in self._measurements.values():
            if running.request.request_id == request_id:
                return running.reading_so_far()
        return None

    def _advance(self) -> list[SessionEvent]:
        """Work through everything up to the lowest watermark, in the order of stream time."""
        events: list[SessionEvent] = []
        observed = self._observed
        while self._measurements:
            inputs = set(self._measurements)
            watermark = min(observed.slots.end_sample, observed.pulses.complete_to_sample(inputs))
            due = [(m.due_at(watermark), which) for which, m in self._measurements.items()]
            next_due = min(((at, which) for at, which in due if at is not None), default=None)
            if next_due is None:
                break
            at, which = next_due
            events += self._measurements[which].act(at)
            if self._measurements[which].is_done:
                del self._measurements[which]
        self._forget()
        return events

    def _forget(self) -> None:
        observed = self._observed
        needed = [running.needs_from_sample for running in self._measurements.values()]
        oldest = min([*needed, observed.slots.end_sample - observed.samples(IDLE_MEMORY_S)])
        observed.slots.forget_before(oldest)
        observed.pulses.forget_before(oldest)

    def _give_up_where(
        self, is_meant: Callable[[Measurement], bool], reason: Reason, detail: str
    ) -> list[SessionEvent]:
        events: list[SessionEvent] = []
        for which in sorted(self._measurements):
            running = self._measurements[which]
            if is_meant(running):
                events += running.give_up(self.end_sample, reason, detail)
                del self._measurements[which]
        return events


def _slots_of(stream: StreamFormat) -> SlotHistory:
    return SlotHistory(stream, max(1, round(SLOT_S * stream.sample_rate_hz)))


def _check_ranges(stream: StreamFormat, correction: CorrectionSet) -> None:
    for phase in range(1, stream.phases + 1):
        correction.voltage(phase, stream)
        correction.current(phase, stream)
