"""The daemon as a process, with the simulated bench, seen from its host links."""

import os
import threading
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from spotcheck.errors import DeviceLostError
from spotcheck.load import Conditions
from spotcheck.plain import from_plain
from spotcheck.pulses import STAMP_SUBDIVISION
from spotcheck.reading import Reason
from spotcheck.rule import ReadingPlan, load_rule
from spotcheck.verdict import Judgement
from spotcheck_cli.demo_instrument import SAMPLE_RATE_HZ as RATE
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.pairing import connected_device
from spotcheck_cli.processes import ChildProcess
from spotcheck_cli.rehearsal import connect, start_bench, start_device
from spotcheck_cli.scenario import Scenario
from spotcheck_device.device_trust import device_hosts
from spotcheck_device.replay import replay
from spotcheck_host.device_client import ArrivedOutcome, DeviceClient
from spotcheck_host.host_trust import open_host_trust
from spotcheck_host.keys import demonstration_key
from spotcheck_host.procedure import Attendance, Case, PresentLoadProcedure
from spotcheck_host.records import RecordStore
from spotcheck_wire import host_messages as wire

pytestmark = pytest.mark.processes

SCENARIO = Scenario(seed=5)
Connected = Callable[[str], DeviceClient]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[ChildProcess]:
    with start_bench(tmp_path, SCENARIO, real_time=False) as process:
        yield process


@pytest.fixture
def device(tmp_path: Path, bench: ChildProcess) -> Iterator[ChildProcess]:
    with start_device(tmp_path, demonstration_correction_set(), bench.addresses) as process:
        yield process


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def connected(clients: ExitStack, tmp_path: Path) -> Callable[[str], DeviceClient]:
    return lambda address: clients.enter_context(connect(tmp_path, address))


def plan() -> ReadingPlan:
    return load_rule("jjg596-2012").readings


def order(client: DeviceClient, request_id: str, start_sample: int = 0) -> None:
    client.start(
        request_id, SCENARIO.meter(), plan(),
        readings=1, start_sample=start_sample, maximum_duration_s=600.0,
    )  # fmt: skip


def wait_for(
    client: DeviceClient, wanted: Callable[[object], bool], within_s: float = 30.0
) -> object:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        event = client.next_event(1.0)
        if event is not None and wanted(event):
            return event
    raise AssertionError("what was waited for did not come")


def outcome(client: DeviceClient) -> ArrivedOutcome:
    event = wait_for(client, lambda e: isinstance(e, ArrivedOutcome))
    assert isinstance(event, ArrivedOutcome)
    return event


def test_outcome_comes_again_until_it_is_acknowledged(
    device: ChildProcess, connected: Connected
) -> None:
    client = connected(device.addresses["host"])
    order(client, "r/1")
    first, second = outcome(client), outcome(client)
    assert first.message == second.message
    assert first.evidence == second.evidence is not None
    client.acknowledge(first.message.outcome_id)
    time.sleep(0.5)
    while client.next_event(0.1) is not None:
        pass
    assert client.next_event(4.0) is None


def test_outcome_that_was_not_acknowledged_survives_a_killed_daemon(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    correction = demonstration_correction_set()
    with start_device(tmp_path, correction, bench.addresses) as device:
        client = connected(device.addresses["host"])
        order(client, "r/1")
        before = outcome(client)
        os.kill(device.pid, 9)
        with pytest.raises(DeviceLostError):
            wait_for(client, lambda e: False)
    with start_device(tmp_path, correction, bench.addresses) as device:
        client = connected(device.addresses["host"])
        assert client.hello.boot == 2
        after = outcome(client)
    assert after.message == before.message
    assert after.evidence == before.evidence


def test_next_boot_says_that_a_measurement_was_cut_off(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    correction = demonstration_correction_set()
    with start_device(tmp_path, correction, bench.addresses) as device:
        client = connected(device.addresses["host"])
        # So many readings that it still measures when it is killed.
        client.start(
            "case-1/1", SCENARIO.meter(), plan(),
            readings=50, start_sample=0, maximum_duration_s=600.0,
        )  # fmt: skip
        wait_for(client, lambda e: isinstance(e, wire.Progress))
        # The journal is written beside the stream: what is not on disk yet cannot be told.
        deadline_s = time.monotonic() + 10
        while not (tmp_path / "state" / "active").exists() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        os.kill(device.pid, 9)
    with start_device(tmp_path, correction, bench.addresses) as device:
        client = connected(device.addresses["host"])
        assert "case-1/1 was cut off" in client.hello.note


def test_second_order_while_measuring_is_refused_by_name(
    device: ChildProcess, connected: Connected
) -> None:
    client = connected(device.addresses["host"])
    order(client, "r/1")
    order(client, "r/2")
    refused = wait_for(client, lambda e: isinstance(e, wire.Refused))
    assert isinstance(refused, wire.Refused)
    assert refused.request_id == "r/2"
    assert "still measuring r/1" in refused.reason


def test_stopped_measurement_cannot_be_judged_and_says_so(
    device: ChildProcess, connected: Connected
) -> None:
    client = connected(device.addresses["host"])
    client.start(
        "r/1", SCENARIO.meter(), plan(), readings=50, start_sample=0, maximum_duration_s=600.0
    )
    client.stop("r/1")
    stopped = wait_for(
        client,
        lambda e: isinstance(e, ArrivedOutcome) and e.message.kind == wire.OUTCOME_CANNOT_JUDGE,
    )
    assert isinstance(stopped, ArrivedOutcome)
    assert stopped.message.body["reason"] == "stopped"


def test_front_end_that_was_never_plugged_in_is_named_and_the_stream_does_not_begin(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    sources = {**bench.addresses, "pulses": str(tmp_path / "no-such-port")}
    with start_device(tmp_path, demonstration_correction_set(), sources) as device:
        client = connected(device.addresses["host"])
        order(client, "r/1")
        found = outcome(client).message
    assert found.kind == wire.OUTCOME_CANNOT_JUDGE
    assert found.body["reason"] == "front end lost"
    assert found.body["at_sample"] == 0


def test_clamp_that_was_never_calibrated_gives_its_named_outcome(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    whole = demonstration_correction_set()
    other_clamp = tuple(entry for entry in whole.currents if entry.range_name == "C5")
    correction = replace(whole, currents=other_clamp)
    with (
        start_device(tmp_path, correction, bench.addresses) as device,
        RecordStore(
            tmp_path / "records.sqlite", demonstration_key(1, "t"), lambda: 0, demonstration=True
        ) as store,
    ):
        result = PresentLoadProcedure(
            Case(case_id="c", meter=SCENARIO.meter(), rule=load_rule("jjg596-2012"), operator="t"),
            client=connected(device.addresses["host"]),
            store=store,
            attendance=Attendance(),
        ).run()
    assert result.verdict.judgement is Judgement.CANNOT_JUDGE
    assert result.verdict.reason is Reason.REFERENCE_NOT_CALIBRATED
    assert "current 1 in range 'C100'" in result.verdict.explanation


def next_view(client: DeviceClient, from_sample: int = 0) -> wire.LiveView:
    view = wait_for(client, lambda e: isinstance(e, wire.LiveView) and e.sample > from_sample)
    assert isinstance(view, wire.LiveView)
    return view


def test_idle_device_shows_what_is_there_and_measures_from_there(
    device: ChildProcess, connected: Connected
) -> None:
    client = connected(device.addresses["host"])
    client.watch_live(100)
    first = next_view(client, RATE)
    assert (first.state, first.obstacle, first.overload) == ("idle", "", False)
    found = from_plain(Conditions, first.conditions)
    assert found.phases[0].u_v == pytest.approx(SCENARIO.voltage_v, rel=1e-3)
    newest = next_view(client, first.sample).sample
    order(client, "r/1", newest)
    reading = outcome(client).message
    assert reading.kind == wire.OUTCOME_READING
    assert reading.body["first_stamp"] >= newest * STAMP_SUBDIVISION  # type: ignore[operator]


def test_stream_rests_again_when_nobody_watches(
    device: ChildProcess, connected: Connected, tmp_path: Path
) -> None:
    with connect(tmp_path, device.addresses["host"]) as gone:
        gone.watch_live(50)
        last = next_view(gone, RATE).sample
    client = connected(device.addresses["host"])
    time.sleep(1.5)  # as much as six seconds of stream while somebody watches
    client.watch_live(50)
    seen = next_view(client).sample
    assert last <= seen <= last + 2.5 * RATE
    client.watch_live(0)
    while (event := client.next_event(0.5)) is not None:
        seen = event.sample if isinstance(event, wire.LiveView) else seen
    time.sleep(1.0)
    client.watch_live(50)
    assert next_view(client).sample <= seen + 2.5 * RATE


def run_on(folder: Path, bench: ChildProcess, seconds: float) -> int:
    """Let the bench run on for a device that is killed then; returns the sample that it reached."""
    with (
        start_device(folder, demonstration_correction_set(), bench.addresses) as device,
        connect(folder, device.addresses["host"]) as client,
    ):
        client.start(
            "before", SCENARIO.meter(), plan(),
            readings=50, start_sample=0, maximum_duration_s=600.0,
        )  # fmt: skip
        far = wait_for(client, lambda e: isinstance(e, wire.Progress) and e.sample > seconds * RATE)
        os.kill(device.pid, 9)
    assert isinstance(far, wire.Progress)
    return far.sample


def test_restarted_device_shows_a_bench_that_has_run_on(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    reached = run_on(tmp_path, bench, 60.0)
    with start_device(tmp_path, demonstration_correction_set(), bench.addresses) as device:
        client = connected(device.addresses["host"])
        client.watch_live(100)
        view = wait_for(
            client, lambda e: isinstance(e, wire.LiveView) and e.obstacle == "", within_s=15.0
        )
    assert isinstance(view, wire.LiveView)
    # The credit that found it reaches to 257 s; it was taken back before the bench got there.
    assert reached < view.sample < reached + 120 * RATE


def test_restarted_device_measures_on_a_bench_that_has_run_on(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    reached = run_on(tmp_path, bench, 60.0)
    records = tmp_path / "recordings"
    correction = demonstration_correction_set()
    with start_device(tmp_path, correction, bench.addresses, record=(records, "flac")) as device:
        client = connected(device.addresses["host"])
        order(client, "r/1")
        arrived = wait_for(
            client, lambda e: isinstance(e, ArrivedOutcome) and e.message.request_id == "r/1"
        )
        wait_for(client, lambda e: isinstance(e, wire.Finished))
    assert isinstance(arrived, ArrivedOutcome)
    found = arrived.message
    assert found.kind == wire.OUTCOME_READING, found.body
    first_stamp = found.body["first_stamp"]
    assert isinstance(first_stamp, int)
    assert first_stamp > reached * STAMP_SUBDIVISION
    assert replay(records / "r%2F1").is_same


def test_only_the_host_that_watches_gets_pictures(
    device: ChildProcess, connected: Connected
) -> None:
    watching, other = (connected(device.addresses["host"]) for _ in range(2))
    watching.watch_live(100, points=16)
    assert 0 < next_view(watching, RATE).trace_points <= 16
    order(other, "r/1", RATE)
    seen: list[object] = []
    wait_for(other, lambda e: bool(seen.append(e)) or isinstance(e, wire.Finished))
    assert not any(isinstance(event, wire.LiveView) for event in seen)


def test_whole_case_takes_no_notice_of_pictures(
    tmp_path: Path, device: ChildProcess, connected: Connected
) -> None:
    client = connected(device.addresses["host"])
    client.watch_live(50)
    observed: list[object] = []
    with RecordStore(
        tmp_path / "records.sqlite", demonstration_key(1, "t"), lambda: 0, demonstration=True
    ) as store:
        result = PresentLoadProcedure(
            Case(case_id="c", meter=SCENARIO.meter(), rule=load_rule("jjg596-2012"), operator="t"),
            client=client,
            store=store,
            attendance=Attendance(observe=observed.append),
        ).run()
        kinds = {event.kind for event in store.events("c")}
    assert result.verdict.judgement is not Judgement.CANNOT_JUDGE
    assert any(isinstance(event, wire.LiveView) for event in observed)
    assert "notice" not in kinds


def test_without_a_front_end_watching_does_not_begin_the_stream(
    tmp_path: Path, bench: ChildProcess, connected: Connected
) -> None:
    sources = {**bench.addresses, "pulses": str(tmp_path / "no-such-port")}
    with start_device(tmp_path, demonstration_correction_set(), sources) as device:
        client = connected(device.addresses["host"])
        client.watch_live(100)
        views = [next_view(client, -1) for _ in range(3)]
    assert {(view.sample, view.obstacle) for view in views} == {(0, "waiting for samples")}


def test_serial_host_link_gives_the_same_reading_as_tcp(tmp_path: Path, clients: ExitStack) -> None:
    outcomes = []
    for kind in ("tcp", "serial"):
        folder = tmp_path / kind
        folder.mkdir()
        with (
            start_bench(folder, SCENARIO, real_time=False) as bench,
            NullModem() as (device_end, host_end),
            start_device(
                folder, demonstration_correction_set(), bench.addresses, host_serial=device_end
            ) as device,
        ):
            if kind == "tcp":
                client = clients.enter_context(connect(folder, device.addresses["host"]))
            else:
                # Another computer, which has never seen this instrument: its cable pairs them.
                device_hosts(folder / "state").remove("rehearsal")
                laptop = open_host_trust(folder / "laptop", "laptop")
                client = clients.enter_context(connected_device(Path(host_end), laptop))
                said = f"paired over the cable with SC-DEMO-1 ({client.device.key_id})"
                wait_for(client, lambda e, said=said: isinstance(e, wire.Notice) and e.text == said)
            order(client, "r/1")
            outcomes.append(outcome(client))
    assert outcomes[0].message.body == outcomes[1].message.body
    assert outcomes[0].evidence == outcomes[1].evidence


class NullModem:
    """Two ptys, each passing on to the other what is written to it."""

    def __enter__(self) -> tuple[str, str]:
        pairs = [os.openpty(), os.openpty()]
        for _, slave in pairs:
            tty.setraw(slave)
        self._files = [file for pair in pairs for file in pair]
        (left, left_end), (right, right_end) = pairs
        for source, sink in ((left, right), (right, left)):
            threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()
        return os.ttyname(left_end), os.ttyname(right_end)

    @staticmethod
    def _pass_on(source: int, sink: int) -> None:
        try:
            while data := os.read(source, 4096):
                while data:
                    data = data[os.write(sink, data) :]
        except OSError:
            return

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            os.close(file)
