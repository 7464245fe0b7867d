"""The unit is one that systemd understands, and shuts the daemon in as far as the unit says."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "device" / "systemd"
UNIT = FOLDER / "spotcheck-device.service"
LARGEST_EXPOSURE = 1.5

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="needs Debian's systemd package"
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, starting a program that is here: only the board has the real one."""
    text = UNIT.read_text("utf-8")
    path = tmp_path / UNIT.name
    path.write_text(text.replace("/opt/spotcheck/bin/spotcheck", sys.executable), "utf-8")
    assert path.read_text("utf-8") != text
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False
    )


def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    found = analyze("verify", str(unit))
    assert (found.returncode, found.stderr) == (0, "")


def test_systemd_says_so_when_a_line_is_wrong(unit: Path) -> None:
    unit.write_text(unit.read_text("utf-8").replace("WatchdogSec=20", "WatchdogSec=soon"), "utf-8")
    assert "Failed to parse sec value" in analyze("verify", str(unit)).stderr


def test_exposure_stays_at_what_the_daemon_needs(unit: Path) -> None:
    found = analyze(
        "security", "--offline=true", f"--threshold={10 * LARGEST_EXPOSURE:.0f}", str(unit)
    )
    assert found.returncode == 0, found.stdout
    match = re.search(r"Overall exposure level for \S+: ([\d.]+)", found.stdout)
    assert match is not None, found.stdout + found.stderr
    assert float(match[1]) <= LARGEST_EXPOSURE


def test_unit_starts_the_command_that_there_is_with_the_sample_that_is_installed() -> None:
    text = UNIT.read_text("utf-8")
    assert "spotcheck device run /etc/spotcheck/device.toml" in text
    sample = (FOLDER / "spotcheck-device.toml").read_text("utf-8")
    assert 'state_folder = "/var/lib/spotcheck"' in sample
    assert "StateDirectory=spotcheck\n" in text
