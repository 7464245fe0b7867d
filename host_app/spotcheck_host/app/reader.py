"""The one thread beside the windows: it holds the instrument and the record, and emits values.

    connecting ──► watching ──► running a case ──► writing its papers ──► watching
        ▲              │               │
        └──── lost ◄───┴───────────────┘

Heavy imports happen here, so that the first window does not wait for them.
"""

import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spotcheck.errors import DeviceLostError, SpotcheckError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain
from spotcheck.reading import ErrorReading
from spotcheck.rule import load_rule
from spotcheck.verdict import CombinedError, Verdict
from spotcheck_host.app.live_picture import LivePicture, live_picture
from spotcheck_host.app.live_values import ErrorPoint
from spotcheck_wire import host_messages as wire

if TYPE_CHECKING:
    from spotcheck_calibration.correction_set import CorrectionSet
    from spotcheck_host.device_client import DeviceClient, DeviceEvent
    from spotcheck_host.procedure import Case, CaseResult
    from spotcheck_host.records import RecordStore

LIVE_INTERVAL_MS = 100
LIVE_POINTS = 640
RETRY_S = 1.0
_PATIENCE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """Where the instrument and the record are; made by the command line."""

    instrument: Callable[[], AbstractContextManager["DeviceClient"]]
    """Connects to the instrument, and lets go of it at the end."""
    open_store: Callable[[bytes], "RecordStore"]
    """Opens the record for an instrument with this correction set."""
    follow: Callable[["DeviceEvent", int], None]
    """Sees each event of a case with the sample rate, before it is acted upon."""
    now_ns: Callable[[], int]
    """UTC of the record."""
    out: Path
    """Folder of reports and bundles."""
    operator: str
    """The acting person."""
    case_prefix: str
    """What the names of cases begin with."""
    emulated: bool
    """Whether the hardware is simulated."""
    true_error_percent: float | None = None
    """The meter's true error, where a simulator knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The instrument answers."""

    device_id: str
    """Its serial number."""
    certificate: str
    """Certificate of its correction set."""
    phases: int
    """Phases that it is connected to."""
    sample_rate_hz: int
    """Samples per second."""
    demonstration: bool
    """Whether what it measures proves nothing."""
    note: str
    """What the instrument wants a person to know; may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingTaken:
    """A reading is in the record."""

    reading: ErrorReading
    """The reading."""
    combined: CombinedError
    """Mean of the readings of this case so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The procedure waits for an answer."""

    question: str
    """In English, as the record has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingPapers:
    """The verdict is in the record; report and bundle are being written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFinished:
    """A case is closed."""

    case_id: str
    """Its name in the record."""
    verdict: Verdict
    """The judgement."""
    combined: CombinedError | None
    """Mean error; None without readings."""
    files: dict[str, str]
    """Paths by `report_zh`, `report_en`, `plot` and `bundle`."""
    points: tuple[ErrorPoint, ...]
    """The error as it went, worked out again from the evidence pulse by pulse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something could not be done; the instrument is still there."""

    what: str
    """What went wrong and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentLost:
    """The instrument does not answer; it is tried again."""

    what: str
    """Why."""


ReaderValue = (
    Connected
    | LivePicture
    | wire.Progress
    | ReadingTaken
    | Asked
    | WritingPapers
    | CaseFinished
    | Failed
    | InstrumentLost
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    meter: Meter
    rule_id: str


class InstrumentReader:
    """Runs the thread; its methods may be called from any other."""

    def __init__(self, workplace: Workplace, emit: Callable[[ReaderValue], None]) -> None:
        """Nothing is connected before `start`.

        Args:
            workplace: Instrument and record.
            emit: Takes each value, in this thread.
        """
        self._workplace = workplace
        self._emit = emit
        self._orders: queue.SimpleQueue[_Order] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._closing = threading.Event()
        self._newest_sample = 0
        self._readings: list[ErrorReading] = []
        self._thread = threading.Thread(target=self._run, name="instrument reader", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def start_case(self, meter: Meter, rule_id: str) -> None:
        """Verify a meter as soon as the instrument is there."""
        self._stop.clear()
        self._orders.put(_Order(meter=meter, rule_id=rule_id))

    def stop_case(self) -> None:
        """Give up the case that runs."""
        self._stop.set()

    def answer(self, yes: bool) -> None:
        """Answer what was asked."""
        self._answers.put(yes)

    def close(self, timeout_s: float = 10.0) -> None:
        """Let go of the instrument and end; a case that runs is given up."""
        self._stop.set()
        self._closing.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._workplace.instrument() as client:
                    self._serve(client)
            except (SpotcheckError, OSError) as error:
                self._emit(InstrumentLost(what=str(error)))
                self._closing.wait(RETRY_S)

    def _serve(self, client: "DeviceClient") -> None:
        from spotcheck_calibration.correction_set import parse_correction_set
        from spotcheck_host.procedure import close_interrupted_cases

        hello, correction = client.hello, parse_correction_set(client.correction_set)
        with self._workplace.open_store(client.correction_set) as store:
            self._emit(
                Connected(
                    device_id=hello.device_id,
                    certificate=correction.certificate,
                    phases=hello.phases,
                    sample_rate_hz=hello.sample_rate_hz,
                    demonstration=store.demonstration,
                    note=hello.note,
                )
            )
            for case_id in close_interrupted_cases(store):
                self._emit(Failed(what=f"{case_id} was cut off earlier; what was stored is kept"))
            client.watch_live(LIVE_INTERVAL_MS, LIVE_POINTS)
            while not self._closing.is_set():
                self._show(client.next_event(_PATIENCE_S), client, store)
                if not self._orders.empty():
                    self._verify(self._orders.get(), client, store)

    def _show(
        self, event: "DeviceEvent | None", client: "DeviceClient", store: "RecordStore"
    ) -> None:
        """What the device says while no case runs."""
        from spotcheck_host.device_client import ArrivedOutcome
        from spotcheck_host.procedure import keep_late_outcome

        if isinstance(event, wire.LiveView):
            self._newest_sample = event.sample
            self._emit(live_picture(event))
        elif isinstance(event, ArrivedOutcome):
            keep_late_outcome(store, client, event)
        elif isinstance(event, wire.Notice):
            self._emit(Failed(what=event.text))

    def _verify(self, order: _Order, client: "DeviceClient", store: "RecordStore") -> None:
        from spotcheck_calibration.correction_set import parse_correction_set
        from spotcheck_host.procedure import Case, PresentLoadProcedure

        workplace = self._workplace
        self._readings = []
        while not self._answers.empty():
            self._answers.get()
        case = Case(
            case_id=f"{workplace.case_prefix}-{len(store.cases()) + 1}",
            meter=order.meter,
            rule=load_rule(order.rule_id),
            operator=workplace.operator,
        )

        def expect(event: "DeviceEvent") -> None:
            workplace.follow(event, client.hello.sample_rate_hz)
            if isinstance(event, wire.LiveView):
                self._newest_sample = event.sample
                self._emit(live_picture(event))
            elif isinstance(event, wire.Progress):
                self._emit(event)
            if self._stop.is_set():
                self._stop.clear()
                client.stop(case.case_id)
            if self._closing.is_set():
                raise DeviceLostError("the window was closed")

        try:
            result = PresentLoadProcedure(
                case,
                client=client,
                store=store,
                expect=expect,
                observe=self._observe,
                ask=lambda question: self._ask(question, client, store),
                first_sample=lambda: self._newest_sample,
            ).run()
            self._finish(case, result, store, parse_correction_set(client.correction_set))
        except (SpotcheckError, OSError) as error:
            self._emit(Failed(what=str(error)))

    def _observe(self, event: "DeviceEvent") -> None:
        from spotcheck_calibration.budget import combine_readings
        from spotcheck_host.device_client import ArrivedOutcome

        if isinstance(event, ArrivedOutcome) and event.message.kind == wire.OUTCOME_READING:
            reading = from_plain(ErrorReading, event.message.body)
            self._readings.append(reading)
            combined = combine_readings(tuple(self._readings))
            self._emit(ReadingTaken(reading=reading, combined=combined))

    def _ask(self, question: str, client: "DeviceClient", store: "RecordStore") -> bool | None:
        """Wait for the person, and go on showing what is there."""
        self._emit(Asked(question=question))
        while not (self._stop.is_set() or self._closing.is_set()):
            if not self._answers.empty():
                return self._answers.get()
            self._show(client.next_event(_PATIENCE_S), client, store)
        return None

    def _finish(
        self, case: "Case", result: "CaseResult", store: "RecordStore", correction: "CorrectionSet"
    ) -> None:
        from spotcheck_host.case_papers import Circumstances, leave_papers

        workplace = self._workplace
        self._emit(WritingPapers())
        files: dict[str, str] = {}
        folder = workplace.out / case.case_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            circumstances = Circumstances(
                issued_utc_ns=workplace.now_ns(),
                emulated=workplace.emulated,
                true_error_percent=workplace.true_error_percent,
            )
            files = leave_papers(store, case, result, circumstances, folder)
        except (SpotcheckError, OSError) as error:
            self._emit(Failed(what=f"the verdict is in the record, but no report: {error}"))
        self._emit(
            CaseFinished(
                case_id=case.case_id,
                verdict=result.verdict,
                combined=result.combined,
                files=files,
                points=_points(result, correction),
            )
        )


def _points(result: "CaseResult", correction: "CorrectionSet") -> tuple[ErrorPoint, ...]:
    from spotcheck_host.running_error import running_error

    return tuple(
        ErrorPoint(
            time_s=point.duration_s,
            error_percent=point.error_percent,
            expanded_uncertainty_percent=point.expanded_uncertainty_percent,
        )
        for point in running_error(result.readings, result.evidence, correction)
    )
