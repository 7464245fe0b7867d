"""The doctor as a command: before the daemon, beside it, and with a configuration that is wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from spotcheck_cli.demo_instrument import demonstration_correction_set
from spotcheck_cli.main import app
from spotcheck_cli.rehearsal import connect, start_bench, start_device
from spotcheck_cli.scenario import Scenario

pytestmark = pytest.mark.processes


def examined(config: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    ran = CliRunner().invoke(app, ["device", "doctor", str(config), "--json"])
    summary = json.loads(ran.stdout)
    return ran.exit_code, {finding["check"]: finding for finding in summary["findings"]}


def test_doctor_finds_the_front_end_and_the_source_and_leaves_them_to_a_running_daemon(
    tmp_path: Path,
) -> None:
    correction = demonstration_correction_set()
    with start_bench(tmp_path, Scenario(seed=5), real_time=False) as bench:
        (tmp_path / "set.json").write_bytes(correction.to_bytes())
        (tmp_path / "state").mkdir(0o700)
        config = tmp_path / "before.toml"
        config.write_text(
            f"device_id = '{correction.instrument}'\nstate_folder = '{tmp_path}/state'\n"
            f"correction_set = '{tmp_path}/set.json'\n"
            f"samples = '{bench.addresses['samples']}'\npulses = '{bench.addresses['pulses']}'\n"
        )
        _, before = examined(config)
        # What was looked at serves the daemon all the same.
        with start_device(tmp_path, correction, bench.addresses) as device:
            _, beside = examined(config)
            with connect(tmp_path, device.addresses["host"]) as client:
                assert client.next_event(10.0) is not None
    assert beside["front-end"]["code"] == "front-end.left-alone"
    assert beside["samples"]["code"] == "samples.left-alone"
    # A bench without sensor and clamp memory says so, and stamps pulses all the same.
    assert before["front-end"]["code"] in ("front-end.good", "front-end.incomplete")
    assert before["front-end"]["facts"]["counter_hz"] > 0
    assert before["samples"]["code"] == "samples.good"
    assert before["samples"]["facts"]["current_range"] == "C100"
    assert before["configuration"]["outcome"] == before["state"]["outcome"] == "ok"


def test_wrong_configuration_is_a_finding_and_the_machine_is_examined_all_the_same(
    tmp_path: Path,
) -> None:
    config = tmp_path / "device.toml"
    config.write_text("device_id = 'SC-1'\npulse = '/dev/ttyACM0'\n")
    status, found = examined(config)
    assert status == 1
    assert "line 2: pulse is unknown; did you mean pulses?" in found["configuration"]["found"]
    assert found["kernels"]["code"] in ("kernels.good", "kernels.plain")


def test_table_is_shown_in_chinese_and_another_language_is_refused(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["device", "doctor", str(tmp_path / "none"), "--lang", "zh"])
    assert ran.exit_code == 1
    assert "配置文件" in ran.stdout
    assert CliRunner().invoke(app, ["device", "doctor", "x", "--lang", "fr"]).exit_code == 2
