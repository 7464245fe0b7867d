"""Screenshots of every state of the window, in Chinese and English, from real verifications.

Bench and device run as processes, on virtual time where only the end is shown; what the reader
emits is kept and played into fresh windows up to the moment that a picture is to show.
"""

import argparse
import os
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from spotcheck.meter import Meter
from spotcheck_cli.scenario import Fault, Scenario
from spotcheck_cli.window import demonstration_workplace
from spotcheck_host.app.live_picture import LivePicture
from spotcheck_host.app.meter_entry import entry_of
from spotcheck_host.app.presenter import VerificationPresenter
from spotcheck_host.app.reader import InstrumentReader
from spotcheck_host.app.reader_values import (
    Asked,
    CaseFinished,
    Connected,
    InstrumentLost,
    ReaderValue,
    WritingPapers,
)
from spotcheck_host.app.screen import ThemeName
from spotcheck_host.app.views.main_window import MainWindow
from spotcheck_host.report_text import Language
from spotcheck_wire.host_messages import Progress

RULE = "jjg596-2012"
WAIT_S = 120.0
SIZE = (1600, 960)


class Deaf:
    """Commands of a played window go nowhere: what came of them is in the values."""

    def start_case(self, meter: Meter, rule_id: str) -> None:
        """The values that follow are those of a case."""

    def stop_case(self) -> None:
        """Nothing runs."""

    def answer(self, yes: bool) -> None:
        """The values that follow say what was answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One picture."""

    name: str
    """Begins the file's name."""
    scenario: Scenario
    """What the bench shows."""
    until: Callable[[Sequence[ReaderValue]], bool]
    """Whether the values played so far end in the state wanted."""
    theme: ThemeName = "dark"
    """Colours."""
    constant: str | None = None
    """What is typed as the constant."""
    after_s: float = 0.0
    """How long nothing has come since."""


def recorded_values(scenario: Scenario, folder: Path, *, real_time: bool) -> list[ReaderValue]:
    """What the reader emits from the connection to the verdict."""
    values: list[ReaderValue] = []
    looked, finished = threading.Event(), threading.Event()

    def emit(value: ReaderValue) -> None:
        values.append(value)
        if isinstance(value, LivePicture) and value.waveforms is not None:
            looked.set()
        if isinstance(value, Asked):
            reader.answer(False)
        if isinstance(value, CaseFinished):
            finished.set()

    reader = InstrumentReader(demonstration_workplace(scenario, folder, real_time=real_time), emit)
    reader.start()
    try:
        if not looked.wait(WAIT_S):
            raise RuntimeError(f"no picture came within {WAIT_S:.0f} s: {values[-3:]}")
        reader.start_case(scenario.meter(), RULE)
        if not finished.wait(WAIT_S):
            raise RuntimeError(f"no verdict came within {WAIT_S:.0f} s: {values[-3:]}")
    finally:
        reader.close()
    return values


def _last(values: Sequence[ReaderValue], kind: type[object]) -> bool:
    return bool(values) and isinstance(values[-1], kind)


def _progress(values: Sequence[ReaderValue], state: str, errors: int = 0) -> bool:
    """The device says this state, and so many times it has said an error."""
    last = values[-1] if values else None
    if not isinstance(last, Progress) or last.state != state:
        return False
    said = sum(isinstance(v, Progress) and v.error_percent is not None for v in values)
    return said >= errors


def _seen(values: Sequence[ReaderValue]) -> bool:
    last = values[-1] if values else None
    return isinstance(last, LivePicture) and last.conditions is not None


def steady_scenario() -> Scenario:
    """A three-phase meter that is good, at a steady load."""
    return Scenario(phases=3, power_factor="0.8L", seed=7)


def shots() -> tuple[Shot, ...]:
    """Every state worth looking at."""
    steady = steady_scenario()
    single = Scenario(phases=1, seed=8)

    def fault(kind: Fault, **changes: object) -> Scenario:
        return replace(single, fault=kind, **changes)  # type: ignore[arg-type]

    reversed_clamp = fault(Fault.REVERSED_CLAMP)

    def ended(values: Sequence[ReaderValue]) -> bool:
        return _last(values, CaseFinished)

    return (
        Shot(name="connecting", scenario=steady, until=lambda values: True),
        Shot(name="ready", scenario=steady, until=_seen),
        Shot(name="ready-wrong-entry", scenario=steady, until=_seen, constant="12oo imp/kWh"),
        Shot(name="begun", scenario=steady, until=lambda v: _last(v, Progress)),
        Shot(name="waiting", scenario=replace(single, current_a=0.3),
             until=lambda v: _progress(v, "waiting for a pulse")),
        Shot(name="measuring", scenario=steady, until=lambda v: _progress(v, "measuring", 25)),
        Shot(name="writing", scenario=steady, until=lambda v: _last(v, WritingPapers)),
        Shot(name="pass", scenario=steady, until=ended),
        Shot(name="pass-light", scenario=steady, until=ended, theme="light"),
        Shot(name="pass-sunlight", scenario=steady, until=ended, theme="sunlight"),
        Shot(name="fail", scenario=replace(steady, meter_error_percent=1.62), until=ended),
        Shot(name="undecided", scenario=replace(single, meter_error_percent=1.05), until=ended),
        Shot(name="small-load", scenario=replace(single, current_a=0.3), until=_seen),
        Shot(name="no-pulses", scenario=fault(Fault.NO_PULSES), until=ended),
        Shot(name="overload", scenario=fault(Fault.OVERLOAD), until=lambda v: _last(v, LivePicture)
             and getattr(v[-1], "overload", False)),
        Shot(name="overload-verdict", scenario=fault(Fault.OVERLOAD), until=ended),
        Shot(name="no-voltage", scenario=fault(Fault.NO_VOLTAGE), until=ended),
        Shot(name="question", scenario=reversed_clamp, until=lambda v: _last(v, Asked)),
        Shot(name="negative-power", scenario=reversed_clamp, until=_seen),
        Shot(name="stale", scenario=steady, until=lambda v: _progress(v, "measuring", 10),
             after_s=7.0),
        Shot(name="lost", scenario=steady, until=ended),
    )  # fmt: skip


def played(shot: Shot, values: Sequence[ReaderValue], language: Language) -> MainWindow | None:
    """A window that has taken the values up to the shot's moment; None if it never comes."""
    now_s = 0.0
    entry = entry_of(shot.scenario.meter(), RULE)
    if shot.constant is not None:
        entry = replace(entry, constant=shot.constant)
    presenter = VerificationPresenter(
        Deaf(), lambda: now_s, entry=entry, language=language, theme=shot.theme
    )
    window = MainWindow(presenter)
    window.resize(*SIZE)
    taken: list[ReaderValue] = []
    started = False
    if shot.name != "connecting":
        for value in values:
            if not started and not isinstance(value, (Connected, LivePicture)):
                presenter.start()
                started = True
            presenter.take(value)
            taken.append(value)
            if shot.until(taken):
                break
        else:
            window.close()
            return None
    if shot.name == "lost":
        presenter.take(InstrumentLost(what="the device closed the connection"))
    now_s += shot.after_s
    window.refresh()
    return window


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", help="name of one state")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    cache: dict[Scenario, list[ReaderValue]] = {}
    for shot in shots():
        if arguments.only not in (None, shot.name):
            continue
        if shot.scenario not in cache:
            with tempfile.TemporaryDirectory() as folder:
                # On virtual time a measurement is over before it has said much on its way.
                real_time = shot.scenario == steady_scenario()
                cache[shot.scenario] = recorded_values(
                    shot.scenario, Path(folder), real_time=real_time
                )
        for language in ("zh", "en"):
            window = played(shot, cache[shot.scenario], language)
            if window is None:
                raise SystemExit(f"{shot.name}: its moment never came")
            window.show()
            application.processEvents()
            path = arguments.folder / f"{shot.name}-{language}.png"
            window.grab().save(str(path))
            window.close()
            print(path)


if __name__ == "__main__":
    main()
