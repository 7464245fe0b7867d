"""The daemon's journal, killed, cut off and starved of disk at every step of its writing.

A process of its own writes; it dies at the n-th file operation, or in the midst of a write when a
limit of the system's cuts it off after so many bytes. Then the journal is opened anew: what was
said to be kept must be there whole, and what was not must be there whole or not at all.
"""

import contextlib
import hashlib
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from spotcheck.errors import SpotcheckError
from spotcheck_cli.fault_matrix.finding import Finding, correct, named, wrong
from spotcheck_device.journal import Journal, PendingOutcome

BEGUN, KEPT, TAKING, TAKEN, ENDED = b"b", b"k", b"t", b"a", b"e"
_FILE_OPERATIONS = ("open", "os.rename", "os.remove", "os.mkdir", "os.listdir")
_EVIDENCE = bytes(range(256)) * 40


class JournalFault(StrEnum):
    """What happens to the process that writes."""

    KILLED = "killed"
    POWER_CUT = "power cut mid-write"
    DISK_FULL = "disk full"
    TORN = "file found torn"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTrial:
    """A fault at a step of the journal's writing."""

    fault: JournalFault
    """What happens."""
    at: int
    """File operation before which the process is killed, from 0, or bytes of a file after which
    the disk takes no more; bytes that are left of a torn file."""
    file: str = ""
    """For a torn file: which."""


def outcome() -> PendingOutcome:
    """The outcome that is kept in every trial."""
    return PendingOutcome(
        request_id="case/1",
        kind="reading",
        outcome_id="SC-1-1-1",
        body={"words": "a" * 3000},
        evidence_sha256=hashlib.sha256(_EVIDENCE).hexdigest(),
        evidence=_EVIDENCE,
        device_id="SC-1",
        boot=1,
        correction_set_sha256=hashlib.sha256(b"").hexdigest(),
        signature=bytes(range(64)),
    )


def run_journal(trial: JournalTrial) -> Finding:
    """Write with the fault, open anew, and look."""
    with tempfile.TemporaryDirectory(prefix="spotcheck-journal-") as name:
        folder = Path(name) / "state"
        done = _written(folder, trial)
        if trial.fault is JournalFault.TORN:
            path = folder / trial.file
            path.write_bytes(path.read_bytes()[: trial.at])
        try:
            journal = Journal(folder)
            read = [journal.load(name) for name in journal.pending()]
            found = [kept for kept in read if kept is not None]
        except SpotcheckError as error:
            return named(type(error).__name__)
        return _of_torn(found) if trial.fault is JournalFault.TORN else _judged(done, found)


def _of_torn(found: list[PendingOutcome]) -> Finding:
    """What a broken disk did: set aside, or sent and refused by the digest that the host checks."""
    if not found:
        return named("set aside as broken")
    evidence = found[0].evidence or b""
    if hashlib.sha256(evidence).hexdigest() != found[0].evidence_sha256:
        return named("evidence-missing")
    return correct("kept") if found == [outcome()] else wrong("half an outcome was found")


def _judged(done: bytes, found: list[PendingOutcome]) -> Finding:
    if found not in ([], [outcome()]):
        return wrong("half an outcome was found")
    if KEPT in done and TAKING not in done and not found:
        return wrong("an outcome that was kept is gone")
    if TAKEN in done and found:
        return wrong("an acknowledged outcome came back")
    if ENDED in done:
        return correct("done")
    return correct("kept") if found else correct("not kept, and never said to be")


def _written(folder: Path, trial: JournalTrial) -> bytes:
    """What a process said that it did before the fault struck."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _write_and_exit(folder, trial, lambda word: os.write(writer, word))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        done = pipe.read()
    os.waitpid(pid, 0)
    return done


def _write_and_exit(folder: Path, trial: JournalTrial, say: Callable[[bytes], object]) -> None:
    """The child: never returns."""
    status = 1
    try:
        _arm(trial)
        journal = Journal(folder)
        with contextlib.suppress(OSError):  # the daemon tells a full disk and goes on
            journal.begin("case/1")
            say(BEGUN)
        with contextlib.suppress(OSError):
            journal.keep(outcome())
            say(KEPT)
        if trial.fault is not JournalFault.TORN:
            say(TAKING)
            journal.acknowledged(outcome().outcome_id)
            say(TAKEN)
            journal.end("case/1")
            say(ENDED)
        status = 0
    except SpotcheckError:
        status = 2
    finally:
        os._exit(status)


def _arm(trial: JournalTrial) -> None:
    if trial.fault is JournalFault.KILLED:
        left = trial.at

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in _FILE_OPERATIONS:
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
    elif trial.fault in (JournalFault.POWER_CUT, JournalFault.DISK_FULL):
        is_cut = trial.fault is JournalFault.POWER_CUT
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if is_cut else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (trial.at, trial.at))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
