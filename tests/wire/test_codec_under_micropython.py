"""The codec's file, run by both interpreters."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
WIRE = HERE.parents[1] / "device" / "spotcheck_wire"


def output_of(interpreter: Path | str) -> str:
    paths = {"MICROPYPATH": f"{WIRE}:.frozen", "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    if Path(interpreter).name != "micropython":
        paths["PYTHONPATH"] = str(WIRE)
    return subprocess.run(
        [interpreter, HERE / "codec_exercise.py"],
        env={**os.environ, **paths},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    ).stdout


@pytest.mark.processes
def test_micropython_makes_the_same_bytes_of_the_same_file() -> None:
    said = output_of(Path(sys.executable).parent / "micropython")
    assert said == output_of(sys.executable)
    assert said.count("frame ") == 29
    assert "accepted" not in said
