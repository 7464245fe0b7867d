"""The daemon as systemd starts it: ready, alive, stopped; its log; one to a state folder."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from spotcheck_cli.demo_instrument import demonstration_correction_set

pytestmark = pytest.mark.processes


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as heard:
        heard.bind(str(tmp_path / "notify"))
        heard.settimeout(20.0)
        yield heard


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "set.json").write_bytes(demonstration_correction_set().to_bytes())
    path = tmp_path / "device.toml"
    path.write_text(
        f"device_id = 'SC-DEMO-1'\nstate_folder = '{tmp_path}/state'\n"
        f"correction_set = '{tmp_path}/set.json'\nsamples = '127.0.0.1:9'\n"
        f"pulses = '{tmp_path}/none'\n",
        "utf-8",
    )
    return path


def device(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "spotcheck_cli", "device", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_daemon_is_ready_feeds_the_watchdog_and_stops_when_it_is_told(
    manager: socket.socket, config: Path
) -> None:
    with device(
        "run", str(config), NOTIFY_SOCKET=str(manager.getsockname()), WATCHDOG_USEC="1500000"
    ) as daemon:
        ready = manager.recv(4096).decode().splitlines()
        fed = manager.recv(4096).decode().splitlines()
        # The old spelling still starts the daemon, and this folder has one already.
        with device(str(config), "--until-input-closes") as second:
            output, errors = second.communicate(timeout=30)
            assert (second.returncode, output) == (2, "")
            assert "another daemon is running with it" in errors
        daemon.send_signal(signal.SIGTERM)
        output, errors = daemon.communicate(timeout=30)
    assert ready == ["READY=1", "STATUS=boot 1, no samples, pulse front end missing"]
    assert fed[0] == "WATCHDOG=1"
    assert daemon.returncode == 0
    log = [json.loads(line) for line in errors.splitlines()]
    assert [line["event"] for line in log] == ["device-boot", "device-serves", "device-stops"]
    assert log[1]["host"] == json.loads(output)["host"]


def test_failure_to_start_is_the_last_line_of_the_log(config: Path, tmp_path: Path) -> None:
    (tmp_path / "set.json").write_text("{}")
    with device("run", str(config)) as daemon:
        _, errors = daemon.communicate(timeout=30)
    line = json.loads(errors.splitlines()[0])
    assert daemon.returncode == 2
    assert (line["event"], line["level"]) == ("device-failed", "error")
    assert "set.json" in line["text"]
    assert re.fullmatch(r"correction_set\.py:\d+", line["where"])


def test_daemon_that_a_watchdog_aborts_says_where_it_was(config: Path) -> None:
    with device("run", str(config)) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        daemon.send_signal(signal.SIGABRT)
        _, errors = daemon.communicate(timeout=30)
    assert daemon.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in errors
    assert "device_commands.py" in errors
