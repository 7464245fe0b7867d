"""The reader thread with real processes: `--connect`, a lost instrument, its keys."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spotcheck.errors import ConfigurationError, KeyRefusedError
from spotcheck.reading import Reason
from spotcheck.verdict import Judgement
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.processes import ChildProcess
from spotcheck_cli.rehearsal import pair_rehearsal, start_bench, start_device
from spotcheck_cli.scenario import Scenario
from spotcheck_cli.window import checked_address, connected_workplace
from spotcheck_host.app.live_picture import LivePicture
from spotcheck_host.app.reader import InstrumentReader, Workplace
from spotcheck_host.app.reader_values import (
    CannotWork,
    CaseFinished,
    Connected,
    InstrumentLost,
    ReaderValue,
    ReadingTaken,
)
from spotcheck_host.case_list import list_cases
from spotcheck_host.keys import demonstration_key
from spotcheck_host.records import RecordStore
from spotcheck_wire.host_messages import Progress

SCENARIO = Scenario(seed=21)


class Listener:
    """Keeps what a reader emits, and waits for a kind of it."""

    def __init__(self) -> None:
        self.values: list[ReaderValue] = []
        self._changed = threading.Condition()

    def __call__(self, value: ReaderValue) -> None:
        with self._changed:
            self.values.append(value)
            self._changed.notify_all()

    def wait(self, true: Callable[[list[ReaderValue]], Any], timeout_s: float = 60.0) -> Any:
        with self._changed:
            assert self._changed.wait_for(lambda: true(self.values), timeout_s), self.values[-5:]
            return true(self.values)

    def latest(self, kind: type[Any], count: int = 1) -> Any:
        def found(values: list[ReaderValue]) -> Any:
            of_kind = [value for value in values if isinstance(value, kind)]
            return of_kind[-1] if len(of_kind) >= count else None

        return self.wait(found)


def workplace(address: str, tmp_path: Path) -> Workplace:
    """The workplace of a computer that is paired with the device of `instrument`."""
    out = tmp_path / "records"
    pair_rehearsal(tmp_path / "instrument", demonstration_correction_set().instrument, out)
    return connected_workplace(address, out, None, "Li")


@pytest.fixture
def device(tmp_path: Path) -> Iterator[str]:
    """The address of a daemon on a simulated bench."""
    folder = tmp_path / "instrument"
    folder.mkdir()
    with (
        start_bench(folder, SCENARIO, real_time=False) as bench,
        start_device(folder, demonstration_correction_set(), bench.addresses) as daemon,
    ):
        yield daemon.addresses["host"]


@pytest.mark.processes
def test_a_running_instrument_is_watched_and_used(device: str, tmp_path: Path) -> None:
    out = tmp_path / "records"
    listener = Listener()
    reader = InstrumentReader(workplace(device, tmp_path), listener)
    reader.start()
    try:
        connected = listener.latest(Connected)
        assert (connected.phases, connected.demonstration) == (1, True)
        first = listener.latest(LivePicture)
        later = listener.latest(LivePicture, 6)
        assert later.sample > first.sample
        assert later.conditions.p_w == pytest.approx(2200, rel=0.01)
        reader.start_case(SCENARIO.meter(), "jjg596-2012")
        finished = listener.latest(CaseFinished)
        assert finished.verdict.judgement is Judgement.PASS
        assert Path(finished.files["report_zh"]).exists()
        taken = next(value for value in listener.values if isinstance(value, ReadingTaken))
        begun = taken.readings[0].first_stamp
        # It begins with what the person saw, not with the oldest samples that the device keeps.
        assert begun >> 16 >= first.sample
    finally:
        reader.close()
    ((case_id, lines),) = list_cases(out / "demonstration.sqlite")
    assert case_id == finished.case_id
    assert any("pass" in line for line in lines)


@pytest.mark.processes
def test_a_lost_instrument_is_told_and_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "instrument"
    folder.mkdir()
    correction = demonstration_correction_set()
    listener = Listener()
    with start_bench(folder, SCENARIO, real_time=True) as bench:
        with start_device(folder, correction, bench.addresses) as daemon:
            address = daemon.addresses["host"]
            reader = InstrumentReader(workplace(address, tmp_path), listener)
            reader.start()
            listener.latest(LivePicture)
        listener.latest(InstrumentLost)
        config = folder / "device.toml"
        config.write_text(config.read_text("utf-8") + f'host_listen = "{address}"\n', "utf-8")
        again = ChildProcess(
            "device", ["device", str(config), "--until-input-closes"], folder / "again.log"
        )
        try:
            listener.latest(Connected, 2)
        finally:
            begun_s = time.monotonic()
            reader.close()
            assert time.monotonic() - begun_s < 5
            again.close()


@pytest.mark.processes
@pytest.mark.parametrize("closing", [False, True])
def test_a_case_that_is_stopped_or_left_is_recorded_as_stopped(
    tmp_path: Path, closing: bool
) -> None:
    folder, out = tmp_path / "instrument", tmp_path / "records"
    folder.mkdir()
    listener = Listener()
    with (
        start_bench(folder, SCENARIO, real_time=True) as bench,
        start_device(folder, demonstration_correction_set(), bench.addresses) as daemon,
    ):
        address = daemon.addresses["host"]
        reader = InstrumentReader(workplace(address, tmp_path), listener)
        reader.start()
        try:
            listener.latest(LivePicture)
            reader.start_case(SCENARIO.meter(), "jjg596-2012")
            listener.latest(Progress)
            if not closing:
                reader.stop_case()
                finished = listener.latest(CaseFinished)
                assert finished.verdict.reason is Reason.STOPPED
                count = sum(isinstance(value, LivePicture) for value in listener.values)
                listener.latest(LivePicture, count + 3)  # it goes on showing what is there
        finally:
            reader.close()
    ((_, lines),) = list_cases(out / "demonstration.sqlite")
    assert any("stopped" in line for line in lines)
    with RecordStore(
        out / "demonstration.sqlite", demonstration_key(0, "Li"), time.time_ns, True
    ) as store:
        assert store.recovery.open_cases == ()


@pytest.mark.processes
def test_a_stop_that_follows_at_once_is_not_lost(device: str, tmp_path: Path) -> None:
    listener = Listener()
    reader = InstrumentReader(workplace(device, tmp_path), listener)
    reader.start()
    try:
        listener.latest(LivePicture)
        reader.start_case(SCENARIO.meter(), "jjg596-2012")
        reader.stop_case()
        assert listener.latest(CaseFinished).verdict.reason is Reason.STOPPED
    finally:
        reader.close()


@pytest.mark.processes
def test_a_second_window_in_a_folder_is_refused(device: str, tmp_path: Path) -> None:
    first, second = Listener(), Listener()
    readers = [
        InstrumentReader(workplace(device, tmp_path), listener) for listener in (first, second)
    ]
    try:
        readers[0].start()
        first.latest(Connected)
        readers[1].start()
        assert "another Spotcheck is running" in second.latest(CannotWork).what
    finally:
        for reader in readers:
            reader.close()


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    connected_workplace("127.0.0.1:1", tmp_path, None, "Li")
    key = (tmp_path / "operator.key").read_bytes()
    connected_workplace("127.0.0.1:1", tmp_path, None, "Li")
    assert (tmp_path / "operator.key").read_bytes() == key
    (tmp_path / "operator.key").chmod(0o644)
    with pytest.raises(KeyRefusedError, match="can be read by others"):
        connected_workplace("127.0.0.1:1", tmp_path, None, "Li")


def test_a_named_key_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such key"):
        connected_workplace("127.0.0.1:1", tmp_path, tmp_path / "none", "Li")


@pytest.mark.parametrize("address", ["", "host", ":80", "host:", "host:99999", "host:x"])
def test_addresses_that_are_none_are_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="is no address"):
        checked_address(address)


def test_addresses_of_both_kinds_are_told_apart() -> None:
    assert checked_address("box:4711") == ("box", 4711)
    assert checked_address("/dev/ttyUSB0") == Path("/dev/ttyUSB0")
