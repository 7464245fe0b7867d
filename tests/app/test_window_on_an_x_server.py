"""A real window on an X server without a screen (Xvfb), through a whole verification."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader

SCRIPT = Path(__file__).with_name("real_window.py")


@pytest.fixture
def display() -> Iterator[str]:
    """The name of an X server's display; the server picks a free one and says which."""
    server = shutil.which("Xvfb")
    if server is None:
        pytest.fail("Xvfb is not installed; run: make setup")
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [server, "-displayfd", str(writing), "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
        pass_fds=(writing,),
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    with os.fdopen(reading) as said:
        number = said.readline().strip()
    assert number, "Xvfb did not start"
    yield f":{number}"
    process.terminate()
    process.wait(10)


@pytest.mark.processes
def test_a_whole_verification_in_a_real_window(display: str, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "QT_QPA_PLATFORM"}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        env=environment | {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["platform"] == "xcb"
    assert result["messages"] == []
    assert result["barred"]
    error_percent = float(result["error"].removesuffix(" %").replace("−", "-"))
    assert abs(error_percent - -0.83) < 0.05
    assert result["judgement"] == ["PASS", "合格"]
    text = PdfReader(result["report"]).pages[0].extract_text()
    assert "app-11-1" in text
