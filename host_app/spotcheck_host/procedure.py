"""Procedure "error at the present load": readings, their record, and the verdict.

    open case ─► order readings ─► store, acknowledge ─► do they agree? ─► combine ─► judge
                       ▲                                      │ no
                       └──────────── one more reading ◄───────┘

Every step is an event of the record before anything rests on it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from spotcheck.errors import (
    CorrectionSetError,
    DeviceLostError,
    ForgedResultError,
    RecordStoreFullError,
)
from spotcheck.evidence import Evidence, parse_evidence
from spotcheck.meter import Meter, MeteredQuantity
from spotcheck.plain import from_plain, to_plain
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import CURES, CannotJudge, ErrorReading, Reason
from spotcheck.rounding import measured_decimal
from spotcheck.rule import Rule
from spotcheck.samples import StreamFormat
from spotcheck.verdict import CombinedError, Verdict, cannot_judge, judge_readings
from spotcheck_calibration.budget import combine_readings
from spotcheck_calibration.correction_set import CorrectionSet, parse_correction_set
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient, DeviceEvent
from spotcheck_host.records import RecordStore
from spotcheck_wire import host_messages as wire

LONGEST_READING_S = 1200.0
SILENCE_S = 30.0
LOOK_S = 0.2
OBEY_S = 5.0
"""A device that does not end a measurement so long after it was told is not waited for."""
STOPPED = "stopped by the operator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One verification that is to be made."""

    case_id: str
    """Its name in the record."""
    meter: Meter
    """Nameplate of the meter under test."""
    rule: Rule
    """The rule to judge by."""
    operator: str
    """The acting person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What a verification came to."""

    case_id: str
    """The case."""
    verdict: Verdict
    """The judgement."""
    combined: CombinedError | None
    """Mean error; None without readings."""
    readings: tuple[ErrorReading, ...]
    """Readings that were averaged."""
    evidence: tuple[Evidence, ...]
    """Evidence of each."""
    obstacle: CannotJudge | None
    """Why no reading could be made."""
    stored: bool
    """Whether all of it is in the record."""


@dataclass(slots=True, kw_only=True)
class _Readings:
    """Readings as they come."""

    readings: list[ErrorReading] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    obstacle: CannotJudge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """What a procedure tells the program around it, and asks of it."""

    expect: Callable[[DeviceEvent], None] = lambda _: None
    """Sees each of the device's events before it is acted upon."""
    observe: Callable[[DeviceEvent], None] = lambda _: None
    """Sees it afterwards: an outcome is then stored and acknowledged."""
    averaged: Callable[[tuple[ErrorReading, ...]], None] = lambda _: None
    """Sees, after each reading, those that are averaged so far."""
    ask: Callable[[str], bool | None] = lambda _: None
    """Puts a yes-or-no question to the person; None when nobody answers."""
    wanted: Callable[[], bool] = lambda: True
    """Whether the person still wants the case; asked five times a second."""
    first_sample: Callable[[], int] = lambda: 0
    """Sample from which a measurement may begin when it is ordered; 0 begins with what the device
    still keeps."""


class PresentLoadProcedure:
    """Verifies one meter at the load that happens to be there."""

    def __init__(
        self, case: Case, *, client: DeviceClient, store: RecordStore, attendance: Attendance
    ) -> None:
        """Nothing is stored or ordered before `run`.

        Args:
            case: What is to be verified.
            client: The device.
            store: The record.
            attendance: The program and the person around it.
        """
        self._client = client
        self._store = store
        self._meter = case.meter
        self._rule = case.rule
        self._case_id = case.case_id
        self._operator = case.operator
        self._attendance = attendance
        self._requests = 0
        self._told_to_stop_at_s: float | None = None

    def run(self) -> CaseResult:
        """Measure and judge; every way in which it can fail is a named outcome."""
        taken = _Readings()
        try:
            try:
                self._open()
                self._measure(taken)
            except DeviceLostError as error:
                self._give_up(taken, Reason.DEVICE_LOST, str(error))
            except ForgedResultError as error:
                self._give_up(taken, Reason.RESULT_NOT_SIGNED, str(error))
            return self._judge(taken)
        except RecordStoreFullError:
            return self._store_is_full(taken)

    def _open(self) -> None:
        hello = self._client.hello
        self._store.append(
            self._case_id,
            "case_opened",
            {
                "meter": to_plain(self._meter),
                "rule_id": self._rule.id,
                "software": f"host {hello.software}",
                "operator": self._operator,
                "demonstration": self._store.demonstration,
            },
        )
        self._store.append(
            self._case_id,
            "device_connected",
            {
                "device_id": hello.device_id,
                "device_key_hex": self._client.device.public.hex(),
                "boot": hello.boot,
                "software": hello.software,
                "correction_set_sha256": hello.correction_set_sha256,
                "sample_rate_hz": hello.sample_rate_hz,
                "voltage_range": hello.voltage_range,
                "current_range": hello.current_range,
                "note": hello.note,
            },
            {hello.correction_set_sha256: self._client.correction_set},
        )

    def _measure(self, taken: _Readings) -> None:
        correction = parse_correction_set(self._client.correction_set)
        if correction.expired_on(self._client.hello.epoch_utc_ns):
            detail = f"{correction.certificate} was valid until {correction.valid_until}"
            self._give_up(taken, Reason.CALIBRATION_EXPIRED, detail)
            return
        if missing := _range_without_correction(correction, self._client.hello):
            self._give_up(taken, Reason.REFERENCE_NOT_CALIBRATED, missing)
            return
        constant = self._meter.constant
        if constant.quantity is not MeteredQuantity.ACTIVE_ENERGY:
            detail = f"pulses of {constant} count {constant.quantity.value}"
            self._give_up(taken, Reason.QUANTITY_NOT_SUPPORTED, detail)
            return
        if self._rule.smallest_current_a(self._meter) is None:
            accuracy_class = self._meter.accuracy_class.value
            detail = f"{self._rule.id} has no limit for class {accuracy_class}"
            self._give_up(taken, Reason.NO_LIMIT_AT_THIS_LOAD, detail)
            return
        plan = self._rule.readings
        self._order(taken, plan.minimum, self._attendance.first_sample())
        while taken.obstacle is None and not self._agree(taken.readings):
            if len(taken.readings) >= plan.maximum:
                detail = f"{len(taken.readings)} readings differ by more than the rule allows"
                self._give_up(taken, Reason.READINGS_DISAGREE, detail)
                return
            last = taken.readings[-1].last_stamp // STAMP_SUBDIVISION
            self._order(taken, 1, last)

    def _order(self, taken: _Readings, readings: int, start_sample: int) -> None:
        """Order readings and take what comes, until the device has finished."""
        if not self._attendance.wanted():
            self._give_up(taken, Reason.STOPPED, STOPPED)
            return
        self._requests += 1
        request_id = f"{self._case_id}/{self._requests}"
        self._client.start(
            request_id,
            self._meter,
            self._rule.readings,
            readings=readings,
            start_sample=start_sample,
            maximum_duration_s=LONGEST_READING_S,
        )
        self._told_to_stop_at_s = None
        wanted = len(taken.readings) + readings
        has_finished = False
        # An outcome that the link damaged comes again, behind the end of its measurement.
        while not has_finished or (taken.obstacle is None and len(taken.readings) < wanted):
            event = self._next_event(request_id)
            if event is None:
                self._give_up(taken, Reason.STOPPED, STOPPED)
                return
            self._attendance.expect(event)
            match event:
                case ArrivedOutcome():
                    self._take(event, request_id, taken)
                case wire.Notice():
                    body = {"code": event.code, "text": event.text}
                    self._store.append(self._case_id, "notice", body)
                case wire.Refused(reason=reason):
                    self._give_up(taken, Reason.REFUSED, reason)
            self._attendance.observe(event)
            if isinstance(event, wire.Refused):
                return
            has_finished |= isinstance(event, wire.Finished) and event.request_id == request_id
        if taken.obstacle and taken.obstacle.reason is Reason.NEGATIVE_POWER:
            self._ask_about_direction(taken, readings)

    def _next_event(self, request_id: str) -> DeviceEvent | None:
        """The next thing that the device says; None when it does not obey a stop in time."""
        begun_s = time.monotonic()
        # Over a slow line the evidence of a long reading takes longer than anybody may be silent.
        while time.monotonic() - max(begun_s, self._client.heard_at_s) < SILENCE_S:
            if not self._attendance.wanted() and self._told_to_stop_at_s is None:
                self._client.stop(request_id)
                self._told_to_stop_at_s = time.monotonic()
            told_at_s = self._told_to_stop_at_s
            if told_at_s is not None and time.monotonic() - told_at_s > OBEY_S:
                return None
            event = self._client.next_event(LOOK_S)
            if event is not None:
                return event
        raise DeviceLostError(f"the device has said nothing for {SILENCE_S:.0f} s")

    def _take(self, event: ArrivedOutcome, request_id: str, taken: _Readings) -> None:
        """Store an outcome, then acknowledge it; one from before goes to the case it belongs to."""
        late = event.message.request_id != request_id
        if _store_outcome(self._store, event, late=late) and not late:
            self._keep(event, taken)
        self._client.acknowledge(event.message.outcome_id)

    def _keep(self, event: ArrivedOutcome, taken: _Readings) -> None:
        if event.message.kind == wire.OUTCOME_READING and event.evidence is not None:
            taken.readings.append(from_plain(ErrorReading, event.message.body))
            taken.evidence.append(parse_evidence(event.evidence))
            self._attendance.averaged(tuple(self._averaged(taken.readings)))
        else:
            taken.obstacle = from_plain(CannotJudge, event.message.body)

    def _ask_about_direction(self, taken: _Readings, readings: int) -> None:
        """Negative power: only the person at the meter can tell export from a reversed clamp."""
        question = CURES[Reason.NEGATIVE_POWER]
        answer = self._attendance.ask(f"{question}. Has the clamp been turned?")
        said = {True: "the clamp was turned", False: "no", None: "nobody answered"}[answer]
        if not self._attendance.wanted():
            said = "stopped instead"
        self._store.append(self._case_id, "question_asked", {"question": question, "answer": said})
        if not self._attendance.wanted():
            self._give_up(taken, Reason.STOPPED, STOPPED)
            return
        if answer:
            taken.obstacle = None
            self._order(taken, readings, self._attendance.first_sample())

    def _agree(self, readings: list[ErrorReading]) -> bool:
        """Whether the last readings, as many as are averaged, differ by no more than allowed."""
        last = [measured_decimal(r.error_percent) for r in self._averaged(readings)]
        allowed = (
            self._rule.readings.largest_difference_to_class
            * self._meter.accuracy_class.index_percent
        )
        return max(last) - min(last) <= allowed

    def _averaged(self, readings: list[ErrorReading]) -> list[ErrorReading]:
        return readings[-self._rule.readings.minimum :]

    def _judge(self, taken: _Readings) -> CaseResult:
        combined = None
        averaged = tuple(self._averaged(taken.readings))
        if taken.obstacle is not None:
            verdict = cannot_judge(self._rule, taken.obstacle.reason, taken.obstacle.detail)
        else:
            combined = combine_readings(averaged)
            verdict = judge_readings(self._rule, self._meter, combined, averaged)
        self._store.append(
            self._case_id,
            "verdict",
            {"verdict": to_plain(verdict), "combined": to_plain(combined)},
        )
        evidence = tuple(taken.evidence[-len(averaged) :]) if averaged else ()
        return CaseResult(
            case_id=self._case_id,
            verdict=verdict,
            combined=combined,
            readings=averaged,
            evidence=evidence,
            obstacle=taken.obstacle,
            stored=True,
        )

    def _store_is_full(self, taken: _Readings) -> CaseResult:
        """The last words fit into the store's reserve; what was not stored is not acknowledged."""
        obstacle = self._own_obstacle(
            Reason.RECORD_STORE_FULL, "no space is left for the record; nothing more was stored"
        )
        verdict = cannot_judge(self._rule, obstacle.reason, obstacle.detail)
        stored = True
        try:
            self._store.append_with_reserve(
                self._case_id, "verdict", {"verdict": to_plain(verdict), "combined": None}
            )
        except RecordStoreFullError:
            stored = False
        return CaseResult(
            case_id=self._case_id,
            verdict=verdict,
            combined=None,
            readings=tuple(taken.readings),
            evidence=tuple(taken.evidence),
            obstacle=obstacle,
            stored=stored,
        )

    def _give_up(self, taken: _Readings, reason: Reason, detail: str) -> None:
        """The host itself finds that nothing can be judged."""
        taken.obstacle = self._own_obstacle(reason, detail)
        self._store.append(self._case_id, "outcome", _outcome_body(taken.obstacle))

    def _own_obstacle(self, reason: Reason, detail: str) -> CannotJudge:
        return CannotJudge(
            outcome_id=f"{self._case_id}-host",
            reason=reason,
            detail=detail,
            at_sample=None,
            conditions=None,
        )


def _range_without_correction(correction: CorrectionSet, hello: wire.DeviceHello) -> str | None:
    """Which range in use was never calibrated, in a sentence; None if all were."""
    stream = StreamFormat(
        sample_rate_hz=hello.sample_rate_hz,
        phases=hello.phases,
        voltage_range=hello.voltage_range,
        current_range=hello.current_range,
    )
    try:
        for phase in range(1, stream.phases + 1):
            correction.voltage(phase, stream)
            correction.current(phase, stream)
    except CorrectionSetError as error:
        return str(error)
    return None


def keep_late_outcome(store: RecordStore, client: DeviceClient, event: ArrivedOutcome) -> None:
    """Store an outcome that comes while no case runs, in the case it belongs to; acknowledge it."""
    _store_outcome(store, event, late=True)
    client.acknowledge(event.message.outcome_id)


def _store_outcome(store: RecordStore, event: ArrivedOutcome, *, late: bool) -> bool:
    """Store an outcome unless the record has it; whether it was new."""
    message = event.message
    if store.has_outcome(message.outcome_id):
        return False
    blobs = {}
    if event.evidence is not None and message.evidence_sha256 is not None:
        blobs[message.evidence_sha256] = event.evidence
    case_id = message.request_id.partition("/")[0]
    body = {
        "kind": message.kind,
        "value": message.body,
        "late": late,
        "device": {
            "device_id": message.device_id,
            "boot": message.boot,
            "request_id": message.request_id,
            "evidence_sha256": message.evidence_sha256,
            "correction_set_sha256": message.correction_set_sha256,
            "public_hex": event.device_key.hex(),
            "signature_hex": message.signature.hex(),
        },
    }
    store.append(case_id, "outcome", body, blobs)
    return True


def close_interrupted_cases(store: RecordStore) -> tuple[str, ...]:
    """Record for each case that was left open that the program ended in its midst.

    Returns:
        The cases; what was acknowledged before is in the record and stays.
    """
    for case_id in store.recovery.open_cases:
        readings = sum(event.kind == "outcome" for event in store.events(case_id))
        what = f"the program ended in its midst; {readings} outcomes are kept"
        if case_id not in store.recovery.interrupted_cases:
            store.append(case_id, "case_interrupted", {"what": what})
        store.append(case_id, "case_closed", {"verdict": "none"})
    return store.recovery.open_cases


def _outcome_body(obstacle: CannotJudge) -> dict[str, object]:
    return {"kind": wire.OUTCOME_CANNOT_JUDGE, "value": to_plain(obstacle), "late": False}
