"""What the device recorded gives its outcomes again, to the byte, in every format."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console

from spotcheck.canonical_json import canonical_bytes, parse_canonical
from spotcheck.errors import RecordingError
from spotcheck.meter import Meter
from spotcheck.plain import from_plain
from spotcheck.pulses import STAMP_SUBDIVISION, Pulse
from spotcheck.reading import CannotJudge, ErrorReading, Reason
from spotcheck_cli.demo_instrument import SAMPLE_RATE_HZ as RATE
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.main import measure_again
from spotcheck_cli.measure import MeasureOptions, run_measure
from spotcheck_cli.replay import print_replay, replay_summary
from spotcheck_cli.scenario import Fault, Scenario
from spotcheck_device.measurement import MARGIN_S
from spotcheck_device.measuring_session import MeasuringSession
from spotcheck_device.recorder import Recorder
from spotcheck_device.recording_head import (
    HEAD_FILE,
    WAVEFORM_FILES,
    RecordingHead,
    outcome_plain,
    recording_bytes,
)
from spotcheck_device.replay import replay
from spotcheck_device.session_messages import MeasurementRequest, SessionEvent, SessionOutcome
from spotcheck_recording.pulses_file import read_pulse_times
from spotcheck_recording.writers import WRITABLE
from spotcheck_sim.bench import SimulatedBench

CORRECTION = demonstration_correction_set()
ONE_PHASE = Scenario(constant="6400", seed=3)
THREE_PHASES = Scenario(constant="6400", seed=4, phases=3, power_factor="0.5L")
every_format = pytest.mark.parametrize("kind", WRITABLE)


class Recorded:
    """A session that is recorded, fed step by step, and what it came to."""

    def __init__(self, folder: Path, kind: str, scenario: Scenario = ONE_PHASE) -> None:
        self.folder = folder / "case-1%2F1"
        self.scenario = scenario
        self.bench = SimulatedBench(scenario.bench(CORRECTION), scenario.seed)
        self.session = MeasuringSession(
            stream=self.bench.stream_format, correction=CORRECTION, outcome_prefix="SC-1-7"
        )
        self.notices: list[str] = []
        self.recorder = Recorder(
            folder, kind, CORRECTION,
            on_notice=lambda code, text: self.notices.append(text), on_room=lambda: None,
        )  # fmt: skip
        self.recorder.attach(self.session, "SC-1-7")
        self.live: list[SessionOutcome] = []

    def request(self, **changes: Any) -> MeasurementRequest:
        meter: Meter = self.scenario.meter()
        values: dict[str, Any] = {
            "request_id": "case-1/1", "start_sample": 0, "meter": meter, "minimum_pulses": 5,
            "minimum_duration_s": 1.0, "maximum_duration_s": 60.0, "readings": 2,
        }  # fmt: skip
        return MeasurementRequest(**(values | changes))

    def start(self, **changes: Any) -> None:
        order = self.request(**changes)
        self.session.start(order)
        self.recorder.begin(order, 1_767_225_600_000_000_000)
        self.live.clear()

    def take(self, events: list[SessionEvent]) -> None:
        self.recorder.take_events(events)
        self.live += [event for event in events if isinstance(event, SessionOutcome)]

    def step(self, samples: int = 1024, *, until: int | None = None) -> None:
        """A block, and pulses that are complete up to its end, or only to an earlier sample."""
        block = self.bench.next_block(samples)
        events = self.session.add_block(block)
        self.recorder.add_block(block)
        self.take(events)
        batch = self.bench.batch_up_to(block.end_sample if until is None else until)
        events = self.session.add_pulses(batch)
        self.recorder.add_pulses(batch)
        self.take(events)

    def feed(self, seconds: float) -> None:
        for _ in range(round(seconds * RATE / 1024)):
            self.step()

    def finish(self) -> None:
        while not self.session.is_idle:
            self.step()

    async def finish_long(self) -> None:
        """As a source does that can wait for the disk."""
        while not self.session.is_idle:
            self.step()
            while self.recorder.is_behind:
                await asyncio.sleep(0.001)


def run(recorded: Recorded, work: Callable[[], Awaitable[None] | None]) -> Recorded:
    async def main() -> None:
        writing = asyncio.ensure_future(recorded.recorder.run())
        if (working := work()) is not None:
            await working
        await recorded.recorder.settle(20.0)
        writing.cancel()

    asyncio.run(main())
    assert recorded.notices == []
    return recorded


def record(folder: Path, kind: str, scenario: Scenario = ONE_PHASE, **changes: Any) -> Recorded:
    recorded = Recorded(folder, kind, scenario)

    def work() -> None:
        recorded.start(**changes)
        recorded.finish()

    return run(recorded, work)


def plain(recorded: Recorded) -> bytes:
    return canonical_bytes([outcome_plain(event) for event in recorded.live])


def replayed_as_live(recorded: Recorded) -> bool:
    result = replay(recorded.folder)
    head: Any = parse_canonical((recorded.folder / HEAD_FILE).read_bytes())
    assert canonical_bytes(head["outcomes"]) == plain(recorded)
    assert result.outcomes == tuple(event.outcome for event in recorded.live)
    return result.is_same


@every_format
@pytest.mark.parametrize("scenario", [ONE_PHASE, THREE_PHASES], ids=["1ph", "3ph"])
def test_recording_gives_the_live_outcomes_again(
    tmp_path: Path, kind: str, scenario: Scenario
) -> None:
    recorded = record(tmp_path, kind, scenario)
    assert len(recorded.live) == 2
    assert all(isinstance(event.outcome, ErrorReading) for event in recorded.live)
    assert replayed_as_live(recorded)


@every_format
def test_measurement_within_a_long_stream_is_replayed_with_its_names(
    tmp_path: Path, kind: str
) -> None:
    """The session holds samples as slots only when it begins, and has given outcomes before."""
    recorded = Recorded(tmp_path, kind)

    def work() -> None:
        recorded.start(request_id="before", readings=1)
        recorded.finish()
        recorded.feed(7.0)
        recorded.step(123)  # no whole slot
        recorded.start(start_sample=recorded.session.end_sample - 3 * RATE)
        recorded.finish()

    run(recorded, work)
    outcomes = [event.outcome for event in recorded.live]
    names = [outcome.reading_id for outcome in outcomes if isinstance(outcome, ErrorReading)]
    assert names == ["SC-1-7-2", "SC-1-7-3"]
    assert replayed_as_live(recorded)


def test_reading_that_begins_with_the_oldest_slot_kept_is_replayed(tmp_path: Path) -> None:
    """The sums of a slot reach back to the sample before it."""
    twin = SimulatedBench(ONE_PHASE.bench(CORRECTION), ONE_PHASE.seed)
    pulses: tuple[Pulse, ...] = twin.batch_up_to(10 * RATE).pulses
    pulse = next(pulse for pulse in pulses if pulse.sample > 3 * RATE)
    begin = int(pulse.sample) - round(MARGIN_S * RATE)
    recorded = Recorded(tmp_path, "parquet")

    def work() -> None:
        while recorded.session.end_sample < begin // 8 * 8 + 5 * RATE:
            recorded.step(8)
        oldest, _ = recorded.session.recent_slots(1e3)
        assert oldest == begin // 8
        recorded.start(start_sample=begin)
        recorded.finish()

    run(recorded, work)
    first = recorded.live[0].evidence
    assert first is not None
    assert first.head.first_slot == begin // 8
    assert replayed_as_live(recorded)


def test_request_for_the_future_is_replayed(tmp_path: Path) -> None:
    assert replayed_as_live(record(tmp_path, "wav", start_sample=20_001))


@pytest.mark.parametrize("fault", [Fault.NO_LOAD, Fault.NO_PULSES, Fault.OVERLOAD])
def test_what_cannot_be_judged_is_replayed_too(tmp_path: Path, fault: Fault) -> None:
    recorded = record(tmp_path, "flac" if fault is not Fault.OVERLOAD else "csv",
                      replace(ONE_PHASE, fault=fault))  # fmt: skip
    assert isinstance(recorded.live[-1].outcome, CannotJudge)
    assert replayed_as_live(recorded)


@pytest.mark.parametrize("how", ["stop", "front end lost", "gap", "stream anew"])
def test_measurement_that_was_cut_off_is_replayed(tmp_path: Path, how: str) -> None:
    recorded = Recorded(tmp_path, "comtrade")

    def work() -> None:
        recorded.start(readings=50)
        recorded.feed(2.5)
        recorded.step(until=recorded.session.end_sample - 100)  # pulses lag behind
        if how == "stop":
            recorded.take(recorded.session.stop())
        elif how == "front end lost":
            recorded.take(recorded.session.abort(Reason.FRONT_END_LOST, "unplugged"))
        elif how == "gap":
            recorded.bench.next_block(10)
            recorded.step()
        else:
            recorded.bench = SimulatedBench(recorded.scenario.bench(CORRECTION), 3)
            recorded.step()

    run(recorded, work)
    last = recorded.live[-1].outcome
    assert isinstance(last, CannotJudge)
    assert last.reason.value == {
        "stop": "stopped", "front end lost": how, "gap": "data lost", "stream anew": "samples lost",
    }[how]  # fmt: skip
    assert replayed_as_live(recorded)


def test_stream_that_began_anew_is_recorded_from_there(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, "parquet")

    def work() -> None:
        recorded.feed(8.0)
        recorded.bench = SimulatedBench(recorded.scenario.bench(CORRECTION), 3)
        recorded.feed(1.0)
        recorded.start()
        recorded.finish()

    run(recorded, work)
    assert replayed_as_live(recorded)


@every_format
def test_flipped_byte_is_found_in_each_file(tmp_path: Path, kind: str) -> None:
    folder = record(tmp_path, kind, readings=1).folder
    files = sorted(folder.iterdir())
    assert {path.name for path in files} >= {*WAVEFORM_FILES[kind], "pulses.csv", "batches.csv"}
    for path in files:
        whole = path.read_bytes()
        for place in (0, len(whole) // 3, len(whole) - 1):
            altered = bytearray(whole)
            altered[place] ^= 1
            path.write_bytes(altered)
            with pytest.raises(RecordingError, match=rf"{path.name}: .*; copy the whole folder"):
                replay(folder)
        path.write_bytes(whole[:-7])
        with pytest.raises(RecordingError, match=rf"{path.name}: "):
            replay(folder)
        path.unlink()
        with pytest.raises(RecordingError, match=rf"{path.name}: No such file"):
            replay(folder)
        path.write_bytes(whole)
    assert replay(folder).is_same


def test_other_correction_set_is_refused(tmp_path: Path) -> None:
    folder = record(tmp_path, "parquet", readings=1).folder
    other = replace(CORRECTION, certificate="another")
    (folder / "correction-set.json").write_bytes(other.to_bytes())
    with pytest.raises(RecordingError, match=r"correction-set\.json: is not the file"):
        replay(folder)


def rewritten(folder: Path, change: Callable[[Any, RecordingHead], RecordingHead]) -> None:
    """Write recording.json anew, as somebody would who knows the format."""
    path = folder / HEAD_FILE
    found: Any = parse_canonical(path.read_bytes())
    head = change(found["outcomes"], from_plain(RecordingHead, found["recording"]))
    path.write_bytes(recording_bytes(head, found["outcomes"]))


def test_differences_are_named_and_end_the_command_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path, "parquet").folder

    def change(outcomes: Any, head: RecordingHead) -> RecordingHead:
        outcomes[0]["body"]["error_percent"] = (0.25).hex()
        outcomes[0]["body"]["budget"].pop()
        outcomes[1]["evidence_sha256"] = "0" * 64
        return head

    rewritten(folder, change)
    result = replay(folder)
    assert not result.is_same
    text = "\n".join(result.differences)
    assert "outcome 1, body.error_percent: live 0.25, now -0.8" in text
    assert "outcome 1, body.budget: live" in text
    assert f"outcome 2, evidence_sha256: live {'0' * 64}, now" in text
    with pytest.raises(typer.Exit) as ended:
        measure_again(folder)
    assert ended.value.exit_code == 1
    assert "not the same as live:" in capsys.readouterr().out


def test_command_ends_with_2_for_what_is_no_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        measure_again(tmp_path)
    assert ended.value.exit_code == 2
    assert "give the folder of a finished recording" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda head: replace(head, pulses=replace(head.pulses, name="../pulses.csv")), "no such"),
        (lambda head: replace(head, record_format="wav"), "has no such files"),
        (lambda head: replace(head, end_sample=head.end_sample + 1), "holds other codes"),
        (lambda head: replace(head, codes_sha256="0" * 64), "holds other codes"),
    ],
)
def test_recording_that_contradicts_itself_is_refused(
    tmp_path: Path, change: Callable[[RecordingHead], RecordingHead], message: str
) -> None:
    folder = record(tmp_path, "parquet", readings=1).folder
    rewritten(folder, lambda outcomes, head: change(head))
    with pytest.raises(RecordingError, match=message):
        replay(folder)


@every_format
def test_pulse_times_stand_on_the_waveforms_own_time(tmp_path: Path, kind: str) -> None:
    recorded = Recorded(tmp_path, kind)

    def work() -> None:
        recorded.feed(8.0)
        recorded.start(start_sample=recorded.session.end_sample, readings=1)
        recorded.finish()

    folder = run(recorded, work).folder
    times_s = read_pulse_times(folder / "pulses.csv").times_s
    head = replay(folder).head
    origin_s = 0.0 if kind in ("csv", "parquet") else head.first_sample / RATE
    reading = recorded.live[0].outcome
    assert isinstance(reading, ErrorReading)
    assert head.first_sample > 0
    first_s = reading.first_stamp / STAMP_SUBDIVISION / RATE - origin_s
    assert any(abs(times_s - first_s) < 1e-9)


@every_format
@pytest.mark.parametrize("scenario", [ONE_PHASE, THREE_PHASES], ids=["1ph", "3ph"])
def test_measure_finds_the_live_error_in_a_recording(
    tmp_path: Path, kind: str, scenario: Scenario
) -> None:
    recorded = Recorded(tmp_path, kind, scenario)

    async def work() -> None:
        recorded.feed(6.0)
        recorded.start(
            start_sample=recorded.session.end_sample, readings=1, minimum_duration_s=12.0
        )
        await recorded.finish_long()

    folder = run(recorded, work).folder
    live = recorded.live[0].outcome
    assert isinstance(live, ErrorReading)
    head = replay(folder).head
    summary = run_measure(
        MeasureOptions(
            path=folder / head.waveforms[0].name,
            pulses=folder / "pulses.csv",
            constant=scenario.constant,
            correction=folder / "correction-set.json",
            current_range=head.stream.current_range,
        ),
        Console(quiet=True),
    )
    meter = summary["meter"]
    assert meter["error_percent"] == pytest.approx(live.error_percent, abs=0.002)


def test_result_is_printed_and_summed_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = record(tmp_path, "flac").folder
    result = replay(folder)
    print_replay(Console(), result)
    printed = capsys.readouterr().out
    assert "SC-1-7-1  −0.8" in printed
    assert printed.endswith("the same as live\n")
    summary = replay_summary(folder, result)
    assert (summary["same_as_live"], summary["current_range"]) == (True, "C100")
    assert [outcome["outcome"] for outcome in summary["outcomes"]] == ["SC-1-7-1", "SC-1-7-2"]
