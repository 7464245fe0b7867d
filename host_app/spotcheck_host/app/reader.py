"""The one thread beside the windows: it holds the instrument and the record, and emits values.

    connecting ──► watching ──► running a case ──► writing its papers ──► watching
        ▲              │               │
        └──── lost ◄───┴───────────────┘

Heavy imports happen here, so that the first window does not wait for them.
"""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spotcheck.errors import LinkError, RecordError, SpotcheckError
from spotcheck.meter import Meter
from spotcheck.reading import ErrorReading
from spotcheck.rule import load_rule
from spotcheck_host.app.live_picture import live_picture
from spotcheck_host.app.live_values import ErrorPoint
from spotcheck_host.app.reader_values import (
    Asked,
    CannotWork,
    CaseAborted,
    CaseFinished,
    Connected,
    InstrumentLost,
    Noticed,
    ReaderValue,
    ReadingTaken,
    WritingPapers,
)
from spotcheck_wire import host_messages as wire

if TYPE_CHECKING:
    from spotcheck_calibration.correction_set import CorrectionSet
    from spotcheck_host.device_client import DeviceClient, DeviceEvent
    from spotcheck_host.procedure import Case, CaseResult
    from spotcheck_host.records import RecordStore

LIVE_INTERVAL_MS = 100
LIVE_POINTS = 640
RETRY_S = 1.0
RETRY_REFUSED_S = 5.0
CLOSING_S = 60.0
"""Longest wait for a case that is being recorded and closed when the window closes."""
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
    case_prefix: Callable[[], str]
    """What the name of the next case begins with."""
    emulated: bool
    """Whether the hardware is simulated."""
    true_error_percent: float | None = None
    """The meter's true error, where a simulator knows it."""


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
        self._thread = threading.Thread(target=self._run, name="instrument reader", daemon=True)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def start_case(self, meter: Meter, rule_id: str) -> None:
        """Verify a meter."""
        self._stop.clear()
        self._orders.put(_Order(meter=meter, rule_id=rule_id))

    def stop_case(self) -> None:
        """Give up the case that runs, or what the instrument does for nobody here."""
        self._stop.set()

    def answer(self, yes: bool) -> None:
        """Answer what was asked."""
        self._answers.put(yes)

    def close(self) -> None:
        """Let go of the instrument and end; a case that runs is given up, recorded and closed."""
        self._stop.set()
        self._closing.set()
        self._thread.join(CLOSING_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                with self._workplace.instrument() as client:
                    self._serve(client)
            except LinkError as error:
                self._retry(InstrumentLost(what=str(error)), RETRY_S)
            except (SpotcheckError, OSError) as error:
                self._retry(CannotWork(what=str(error)), RETRY_REFUSED_S)
            except Exception as error:  # noqa: BLE001 - a thread that dies in silence helps nobody
                self._retry(CannotWork(what=f"{type(error).__name__}: {error}"), RETRY_REFUSED_S)

    def _retry(self, value: InstrumentLost | CannotWork, after_s: float) -> None:
        """Tell why, and forget what was ordered of an instrument that is not there."""
        _emptied(self._orders)
        self._newest_sample = 0
        if not self._closing.is_set():
            self._emit(value)
            self._closing.wait(after_s)

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
                    emulated=self._workplace.emulated,
                    note=hello.note,
                )
            )
            cut_off = ", ".join(close_interrupted_cases(store))
            if cut_off:
                self._emit(Noticed(what=f"{cut_off} was cut off earlier; what was stored is kept"))
            client.watch_live(LIVE_INTERVAL_MS, LIVE_POINTS)
            self._stop.clear()
            while not self._closing.is_set():
                self._show(client.next_event(_PATIENCE_S), client, store)
                if not self._orders.empty():
                    # A stop that came after the order is the case's own to obey.
                    self._verify(self._orders.get(), client, store)
                elif self._stop.is_set():
                    # No case of this window runs: what runs was left behind by another.
                    self._stop.clear()
                    client.stop("")

    def _show(
        self, event: "DeviceEvent | None", client: "DeviceClient", store: "RecordStore"
    ) -> None:
        """What the device says while no case runs."""
        from spotcheck_host.device_client import ArrivedOutcome
        from spotcheck_host.procedure import keep_late_outcome

        if isinstance(event, wire.LiveView):
            self._see(event)
        elif isinstance(event, ArrivedOutcome):
            keep_late_outcome(store, client, event)
        elif isinstance(event, wire.Notice):
            self._emit(Noticed(what=event.text))

    def _see(self, view: wire.LiveView) -> None:
        self._newest_sample = view.sample
        self._emit(live_picture(view))

    def _is_wanted(self) -> bool:
        return not (self._stop.is_set() or self._closing.is_set())

    def _verify(self, order: _Order, client: "DeviceClient", store: "RecordStore") -> None:
        from spotcheck_calibration.correction_set import parse_correction_set
        from spotcheck_host.procedure import Attendance, Case, PresentLoadProcedure

        workplace = self._workplace
        _emptied(self._answers)
        case = Case(
            case_id=f"{workplace.case_prefix()}-{len(store.cases()) + 1}",
            meter=order.meter,
            rule=load_rule(order.rule_id),
            operator=workplace.operator,
        )

        def expect(event: "DeviceEvent") -> None:
            workplace.follow(event, client.hello.sample_rate_hz)
            if isinstance(event, wire.LiveView):
                self._see(event)
            elif isinstance(event, wire.Progress):
                self._emit(event)

        try:
            result = PresentLoadProcedure(
                case,
                client=client,
                store=store,
                attendance=Attendance(
                    expect=expect,
                    averaged=self._tell_averaged,
                    ask=lambda _: self._ask(client, store),
                    wanted=self._is_wanted,
                    first_sample=lambda: self._newest_sample,
                ),
            ).run()
        except RecordError as error:
            # The record must be opened anew before anything else is written to it.
            self._emit(CaseAborted(what=str(error)))
            raise
        except SpotcheckError as error:
            self._emit(CaseAborted(what=str(error)))
            return
        finally:
            self._stop.clear()
        self._finish(case, result, store, parse_correction_set(client.correction_set))
        self._catch_up(client, store)

    def _tell_averaged(self, readings: tuple[ErrorReading, ...]) -> None:
        from spotcheck_calibration.budget import combine_readings

        self._emit(ReadingTaken(readings=readings, combined=combine_readings(readings)))

    def _ask(self, client: "DeviceClient", store: "RecordStore") -> bool | None:
        """Wait for the person, and go on showing what is there."""
        self._emit(Asked())
        while self._is_wanted():
            if not self._answers.empty():
                return self._answers.get()
            self._show(client.next_event(_PATIENCE_S), client, store)
        return None

    def _catch_up(self, client: "DeviceClient", store: "RecordStore") -> None:
        """Of the pictures that came while papers were written only the last is shown."""
        latest = None
        deadline_s = time.monotonic() + 1.0
        while (event := client.next_event(0.0)) is not None and time.monotonic() < deadline_s:
            if isinstance(event, wire.LiveView):
                latest = event
            else:
                self._show(event, client, store)
        if latest is not None:
            self._see(latest)

    def _finish(
        self, case: "Case", result: "CaseResult", store: "RecordStore", correction: "CorrectionSet"
    ) -> None:
        from spotcheck_host.case_papers import Circumstances, leave_papers

        workplace = self._workplace
        self._emit(WritingPapers())
        files: dict[str, str] = {}
        points: tuple[ErrorPoint, ...] = ()
        folder = workplace.out / case.case_id
        try:
            folder.mkdir(parents=True, exist_ok=True)
            circumstances = Circumstances(
                issued_utc_ns=workplace.now_ns(),
                emulated=workplace.emulated,
                true_error_percent=workplace.true_error_percent,
            )
            files = leave_papers(store, case, result, circumstances, folder)
            points = _points(result, correction)
        except Exception as error:  # noqa: BLE001 - the verdict is shown whatever the typesetter does
            what = f"the verdict is in the record, but no report: {error}"
            self._emit(Noticed(what=what))
        self._emit(
            CaseFinished(
                case_id=case.case_id,
                verdict=result.verdict,
                combined=result.combined,
                files=files,
                points=points,
            )
        )


def _emptied(waiting: "queue.SimpleQueue[Any]") -> None:
    while not waiting.empty():
        waiting.get()


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
