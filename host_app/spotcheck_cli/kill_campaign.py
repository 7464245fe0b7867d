"""Kills the daemon or the host of a running demonstration, and looks what the record kept."""

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LONGEST_WAIT_S = 120.0
LIKELIEST_KILL = 0.6
"""Of the time that an undisturbed demonstration takes from the daemon's start on: connecting,
measuring (about here) and writing the papers all fall into that span, however fast the machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KillTrial:
    """One kill and what was found after it."""

    victim: str
    """`host` or `device`."""
    after_s: float
    """When it was killed, after the daemon had been started."""
    acknowledged: int
    """Outcomes that the device had been told to be stored."""
    lost: tuple[str, ...]
    """Those of them that the record does not have."""
    next_start: str
    """What the next start said of it."""

    def __str__(self) -> str:
        return (
            f"{self.victim} killed after {self.after_s:.2f} s, {self.acknowledged} acknowledged, "
            f"{len(self.lost)} lost; next start: {self.next_start or 'nothing to say'}"
        )


def kill_and_look(out: Path, runs: int, seed: int) -> Iterator[KillTrial]:
    """Kill once for each run, then start again and compare.

    Args:
        out: Folder of the demonstration; its record grows from run to run.
        runs: How many kills.
        seed: Seed of victims and moments.
    """
    chance = random.Random(seed)  # noqa: S311 - moments of a trial, no secrets
    out.mkdir(parents=True, exist_ok=True)
    whole_s = _undisturbed_s(out, seed)
    for number in range(runs):
        victim = chance.choice(("host", "device"))
        after_s = whole_s * chance.triangular(0.0, 1.0, LIKELIEST_KILL)
        said = _run_and_kill(out, victim, after_s, seed + number)
        acknowledged = _acknowledged(said)
        again = _demo(out, seed + number)
        _, words = again.communicate(timeout=LONGEST_WAIT_S)
        kept = _kept(out)
        notes = [line.strip() for line in words.splitlines() if "cut off" in line]
        yield KillTrial(
            victim=victim,
            after_s=after_s,
            acknowledged=len(acknowledged),
            lost=tuple(sorted(acknowledged - kept)),
            next_start="; ".join(notes),
        )


def _demo(out: Path, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "spotcheck_cli", "demo", "--json", "--out", str(out)]
    return subprocess.Popen(
        [*command, "--seed", str(seed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "400", "NO_COLOR": "1"},
    )


def _undisturbed_s(out: Path, seed: int) -> float:
    """How long a demonstration takes from the daemon's start on."""
    process = _demo(out, seed)
    while process.poll() is None and not _daemons(process.pid):
        time.sleep(0.01)
    begun_s = time.monotonic()
    process.communicate(timeout=LONGEST_WAIT_S)
    return time.monotonic() - begun_s


def _run_and_kill(out: Path, victim: str, after_s: float, seed: int) -> str:
    process = _demo(out, seed)
    while process.poll() is None and not _daemons(process.pid):
        time.sleep(0.01)
    deadline_s = time.monotonic() + after_s
    while time.monotonic() < deadline_s and process.poll() is None:
        time.sleep(0.01)
    for pid in [process.pid] if victim == "host" else _daemons(process.pid):
        # It may have ended by itself just now: then there is nothing to kill.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    _, words = process.communicate(timeout=LONGEST_WAIT_S)
    return words


def _daemons(pid: int) -> list[int]:
    return [child for child in _children(pid) if b"device.toml" in _command_line(child)]


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in path.read_text("ascii").split()] if path.exists() else []


def _command_line(pid: int) -> bytes:
    path = Path(f"/proc/{pid}/cmdline")
    return path.read_bytes() if path.exists() else b""


def _acknowledged(words: str) -> set[str]:
    """Outcomes of which the host said that they are stored and acknowledged."""
    lines = (line.split() for line in words.splitlines() if "stored and acknowledged" in line)
    return {line[line.index("stored") - 1] for line in lines}


def _kept(out: Path) -> set[str]:
    database = sqlite3.connect(out / "records.sqlite")
    try:
        rows = database.execute("SELECT raw FROM event").fetchall()
    finally:
        database.close()
    values = [json.loads(raw)["body"].get("value") for (raw,) in rows]
    named = (value for value in values if isinstance(value, dict))
    return {str(value.get("reading_id", value.get("outcome_id"))) for value in named}
