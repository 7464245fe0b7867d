"""What the daemon recorded through all processes gives the live readings again."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from spotcheck.rule import load_rule
from spotcheck_cli.demo import run_demo
from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.rehearsal import connect, start_bench, start_device
from spotcheck_cli.scenario import Scenario
from spotcheck_host.device_client import DeviceEvent
from spotcheck_wire import host_messages as wire

pytestmark = pytest.mark.processes


def spotcheck(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "spotcheck_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def answer(*arguments: str) -> dict[str, Any]:
    done = spotcheck(*arguments)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_demonstration_is_recorded_replayed_and_measured(tmp_path: Path) -> None:
    demo = ("demo", "--seed", "5", "--json", "--out")
    plain = answer(*demo, str(tmp_path / "plain"))
    live = answer(*demo, str(tmp_path / "recorded"), "--record", "parquet")
    assert plain["recordings"] == []
    assert not (tmp_path / "plain" / "recordings").exists()
    # Whether anybody records is nowhere in the result.
    assert Path(plain["bundle"]).read_bytes() == Path(live["bundle"]).read_bytes()

    (folder,) = live["recordings"]
    replayed = answer("replay", folder, "--json")
    assert replayed["same_as_live"] is True
    assert [outcome["outcome"] for outcome in replayed["outcomes"]] == live["readings"]
    shown = spotcheck("replay", folder)
    assert (shown.returncode, shown.stdout.splitlines()[-1]) == (0, "the same as live")

    measured = answer(
        "measure", f"{folder}/waveforms.parquet", "--pulses", f"{folder}/pulses.csv",
        "--constant", "1200", "--correction", f"{folder}/correction-set.json",
        "--current-range", replayed["current_range"], "--json",
    )  # fmt: skip
    assert measured["meter"]["error_percent"] == pytest.approx(live["error_percent"], abs=0.002)

    (Path(folder) / "pulses.csv").unlink()
    refused = spotcheck("replay", folder)
    assert refused.returncode == 2
    assert "pulses.csv: No such file" in refused.stderr


def test_disk_that_takes_no_recording_costs_a_notice_and_no_reading(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    (tmp_path / "recordings" / "demo-5-1%2F1.partial").write_text("in the way")
    events: list[DeviceEvent] = []
    output = run_demo(
        Scenario(seed=5),
        rule_id="jjg596-2012",
        out=tmp_path,
        language="en",
        real_time=False,
        observe=events.append,
        ask=lambda question: None,
        tell=lambda text: None,
        record="csv",
    )
    notices = [event for event in events if isinstance(event, wire.Notice)]
    assert [notice.code for notice in notices] == ["recording-abandoned"]
    assert notices[0].text.startswith("demo-5-1/1 is not recorded: ")
    assert output.summary["verdict"] == "pass"
    assert output.summary["recordings"] == []


def test_recording_that_a_killed_device_left_is_not_taken_for_a_whole_one(tmp_path: Path) -> None:
    scenario, records = Scenario(seed=5), tmp_path / "recordings"
    with (
        start_bench(tmp_path, scenario, real_time=True) as bench,
        start_device(
            tmp_path, demonstration_correction_set(), bench.addresses, record=(records, "wav")
        ) as device,
        connect(tmp_path, device.addresses["host"]) as client,
    ):
        client.start(
            "case-1/1", scenario.meter(), load_rule("jjg596-2012").readings,
            readings=1, start_sample=0, maximum_duration_s=600.0,
        )  # fmt: skip
        deadline_s = time.monotonic() + 20.0
        while not list(records.glob("*/waveforms.wav")):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        os.kill(device.pid, 9)
    assert [path.name for path in records.iterdir()] == ["case-1%2F1.partial"]
    refused = spotcheck("replay", str(records / "case-1%2F1.partial"))
    assert refused.returncode == 2
    assert "give the folder of a finished recording" in refused.stderr
