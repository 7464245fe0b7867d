"""The recorder writes what a measurement is made of, and never harms the measurement."""

import asyncio
import resource
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from spotcheck.errors import ConfigurationError
from spotcheck.ports import PulseBatch
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck.samples import SampleBlock
from spotcheck_cli.demo_instrument import SAMPLE_RATE_HZ as RATE
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.in_process_bench import measure_in_process
from spotcheck_cli.scenario import Scenario
from spotcheck_device import recorder as module
from spotcheck_device import recording_folder
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.recorder import Recorder, folder_name
from spotcheck_device.recording_head import channel_scales
from spotcheck_device.replay import replay
from spotcheck_device.session_messages import MeasurementRequest, SessionEvent, SessionOutcome
from spotcheck_sim.bench import SimulatedBench

SCENARIO = Scenario(constant="6400", seed=3)
CORRECTION = demonstration_correction_set()
STEP = 777
"""Samples of a block: no whole number of slots."""


def request(name: str = "case-1/1", **changes: Any) -> MeasurementRequest:
    values: dict[str, Any] = {
        "request_id": name, "start_sample": 0, "meter": SCENARIO.meter(), "minimum_pulses": 5,
        "minimum_duration_s": 1.0, "maximum_duration_s": 60.0, "readings": 2,
    }  # fmt: skip
    return MeasurementRequest(**(values | changes))


class Instrument:
    """Bench, session and recorder, joined as the daemon joins them."""

    def __init__(self, folder: Path, record_format: str = "parquet", limit_mb: int = 0) -> None:
        self.folder = folder
        self.bench = SimulatedBench(SCENARIO.bench(CORRECTION), 3)
        self.session = MeasuringSession(
            stream=self.bench.stream_format, correction=CORRECTION, outcome_prefix="SC-1-7"
        )
        self.notices: list[tuple[str, str]] = []
        self.rooms = 0
        self.outcomes: list[SessionOutcome] = []
        self.recorder = Recorder(
            folder, record_format, CORRECTION, limit_mb=limit_mb,
            on_notice=lambda code, text: self.notices.append((code, text)), on_room=self._room,
        )  # fmt: skip
        self.recorder.attach(self.session, "SC-1-7")

    def _room(self) -> None:
        self.rooms += 1

    def start(self, order: MeasurementRequest) -> None:
        self.session.start(order)
        self.recorder.begin(order, 1_000_000_000)

    def take(self, events: list[SessionEvent]) -> None:
        self.recorder.take_events(events)
        self.outcomes += [event for event in events if isinstance(event, SessionOutcome)]

    def give(self, block: SampleBlock, batch: PulseBatch | None = None) -> None:
        events = self.session.add_block(block)
        self.recorder.add_block(block)
        self.take(events)
        if batch is not None:
            events = self.session.add_pulses(batch)
            self.recorder.add_pulses(batch)
            self.take(events)

    def step(self, samples: int = STEP) -> None:
        block = self.bench.next_block(samples)
        self.give(block, self.bench.batch_up_to(block.end_sample))

    async def finish(self) -> None:
        while not self.session.is_idle:
            self.step()
            await asyncio.sleep(0)

    @property
    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


def run(instrument: Instrument, work: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        writing = asyncio.ensure_future(instrument.recorder.run())
        try:
            await work()
            await instrument.recorder.settle(10.0)
            assert not writing.done()
        finally:
            writing.cancel()

    asyncio.run(main())


def unharmed(instrument: Instrument, order: MeasurementRequest) -> bool:
    """Whether the outcomes are those of a session that nobody records."""
    bench = SimulatedBench(SCENARIO.bench(CORRECTION), 3)
    alone = measure_in_process(bench, CORRECTION, order)
    assert len(alone) == len(instrument.outcomes) == order.readings
    return all(
        one.evidence == other.evidence
        and isinstance(one.outcome, ErrorReading)
        and isinstance(other.outcome, ErrorReading)
        and one.outcome.error_percent == other.outcome.error_percent
        for one, other in zip(alone, instrument.outcomes, strict=True)
    )


def test_measurement_is_recorded_under_its_name(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request())
        instrument.step()
        while not instrument.names:
            await asyncio.sleep(0.01)
        assert instrument.names == ["case-1%2F1.partial"]
        await instrument.finish()

    run(instrument, work)
    assert instrument.names == ["case-1%2F1"]
    assert sorted(path.name for path in (tmp_path / "case-1%2F1").iterdir()) == [
        "batches.csv", "correction-set.json", "pulses.csv", "recording.json", "waveforms.parquet",
    ]  # fmt: skip
    assert instrument.notices == []


def test_name_of_a_request_cannot_leave_its_folder() -> None:
    assert folder_name("../a b/é.partial") == "%2E%2E%2Fa%20b%2F%C3%A9%2Epartial"
    assert folder_name(".") == "%2E"
    assert folder_name("") == "%"


def test_second_request_of_a_name_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        for _ in range(2):
            instrument.start(request(start_sample=instrument.session.end_sample, readings=1))
            await instrument.finish()

    run(instrument, work)
    assert instrument.names == ["case-1%2F1", "case-1%2F1.2"]
    assert replay(tmp_path / "case-1%2F1.2").is_same


def test_current_that_appears_late_was_taken_earlier() -> None:
    stream = SimulatedBench(SCENARIO.bench(CORRECTION), 3).stream_format
    u, i = channel_scales(CORRECTION, stream)
    found = CORRECTION.current(1, stream)
    assert (u.name, u.unit, u.skew_s, i.name, i.unit) == ("u1", "V", 0.0, "i1", "A")
    late_s = found.skew_s.value + found.phase_lag_rad.value / (2 * np.pi * 50)
    assert i.skew_s == pytest.approx(-late_s, rel=1e-12)
    assert (i.gain_per_code, i.offset_codes) == (
        found.gain_a_per_code.value, found.offset_codes.value,
    )  # fmt: skip


class _HungWriter:
    """A disk that takes nothing until it is released."""

    released = threading.Event()

    def append(self, codes: NDArray[np.int32]) -> None:
        assert self.released.wait(20.0)

    def close(self) -> None:
        """Nothing was written."""


@pytest.fixture
def hung_disk(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    _HungWriter.released = threading.Event()
    monkeypatch.setattr(recording_folder, "open_writer", lambda path, **_: _HungWriter())
    return _HungWriter.released


def test_disk_too_slow_costs_the_recording_and_not_the_measurement(
    tmp_path: Path, hung_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALL_S", 60.0)  # the machine may be slow
    instrument = Instrument(tmp_path)
    order = request(minimum_duration_s=12.0)

    async def work() -> None:
        instrument.start(order)
        waited = 0
        while not instrument.session.is_idle:
            instrument.step()
            await asyncio.sleep(0)
            waited = max(waited, instrument.recorder._waiting_samples)
        assert RATE * module.LONGEST_QUEUE_S < waited + STEP < RATE * 16
        hung_disk.set()

    run(instrument, work)
    text = "case-1/1 is not recorded: the disk is too slow"
    assert instrument.notices == [("recording-abandoned", text)]
    assert instrument.names == []
    assert unharmed(instrument, order)
    assert instrument.rooms == 1


def test_hung_disk_does_not_keep_a_source_waiting(
    tmp_path: Path, hung_disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALL_S", 0.1)
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request())
        while not instrument.recorder.is_behind:
            instrument.step()
        while instrument.recorder.is_behind:
            await asyncio.sleep(0.01)  # the source waits, the stream stands
        hung_disk.set()
        await instrument.finish()

    run(instrument, work)
    assert [text for _, text in instrument.notices] == [
        "case-1/1 is not recorded: the disk has hung for 0.1 s"
    ]
    assert instrument.rooms == 1
    assert instrument.names == []
    assert unharmed(instrument, request())


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """The system refuses to write files beyond a size, as it refuses on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", ["csv", "parquet", "comtrade", "wav", "flac"])
def test_full_disk_costs_the_recording_and_not_the_measurement(tmp_path: Path, kind: str) -> None:
    instrument = Instrument(tmp_path, kind)

    async def work() -> None:
        instrument.start(request())
        await instrument.finish()
        await instrument.recorder.settle(10.0)

    with largest_file(20_000):
        run(instrument, work)
    ((code, text),) = instrument.notices
    assert code == "recording-abandoned"
    assert text.startswith("case-1/1 is not recorded: ")
    assert instrument.names == []
    assert unharmed(instrument, request())


def test_measurement_after_a_full_disk_is_recorded_again(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        with largest_file(20_000):
            instrument.start(request("a"))
            await instrument.finish()
            await instrument.recorder.settle(10.0)
        instrument.start(request("b", start_sample=instrument.session.end_sample))
        await instrument.finish()

    run(instrument, work)
    assert len(instrument.notices) == 1
    assert instrument.names == ["b"]
    assert replay(tmp_path / "b").is_same


def test_request_that_reaches_back_further_than_is_kept_is_recorded_from_there(
    tmp_path: Path,
) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request("long", minimum_duration_s=9.0, readings=1))
        await instrument.finish()
        instrument.start(request("back", minimum_duration_s=1.0, readings=1))
        await instrument.finish()

    run(instrument, work)
    assert instrument.notices == []
    assert instrument.names == ["back", "long"]
    assert replay(tmp_path / "back").is_same


def test_meters_that_are_measured_at_once_are_not_recorded_and_it_says_so(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request("one", readings=1))
        instrument.start(request("other", readings=1, pulse_input=1))
        instrument.take(instrument.session.stop())

    run(instrument, work)
    assert [text for _, text in instrument.notices] == [
        "one is not recorded: another measurement has begun",
        "other is not recorded: several meters are measured at once",
    ]
    assert instrument.names == []


def test_measurement_that_runs_at_the_end_leaves_nothing(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request())
        for _ in range(5):
            instrument.step()
            await asyncio.sleep(0.02)

    run(instrument, work)
    assert (instrument.names, instrument.notices) == ([], [])


def test_measurement_without_samples_is_not_recorded(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)

    async def work() -> None:
        instrument.start(request())
        instrument.take(instrument.session.abort(Reason.FRONT_END_LOST, "gone"))

    run(instrument, work)
    assert instrument.notices == [
        ("recording-abandoned", "case-1/1 is not recorded: no samples came")
    ]
    (event,) = instrument.outcomes
    assert isinstance(event.outcome, CannotJudge)


def test_memory_is_bounded_while_idle_and_while_measuring(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path)
    memory = instrument.recorder._memory

    async def work() -> None:
        for _ in range(int(12 * RATE / STEP)):
            instrument.step()
        instrument.start(request(start_sample=instrument.session.end_sample, readings=4))
        await instrument.finish()

    run(instrument, work)
    held = memory.blocks[-1].end_sample - memory.blocks[0].first_sample
    assert 5 * RATE < held <= 5 * RATE + 16 + STEP
    assert len(memory.batches) <= held // STEP + 2
    assert instrument.recorder._waiting_samples == 0


def test_folder_that_cannot_be_made_is_named_with_its_key(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigurationError, match=r"^record_folder .*file/records: Not a directory"):
        Instrument(tmp_path / "file" / "records")


def test_recordings_beyond_the_limit_make_room_for_the_new_one(tmp_path: Path) -> None:
    instrument = Instrument(tmp_path, limit_mb=1)
    old = tmp_path / "old"
    old.mkdir()
    (old / "waveforms.flac").write_bytes(bytes(1_100_000))
    (old / "recording.json").write_bytes(b"{}")

    async def work() -> None:
        instrument.start(request("new", readings=1))
        await instrument.finish()

    run(instrument, work)
    assert instrument.names == ["new"]
    assert replay(tmp_path / "new").is_same
