"""What must survive the daemon: the boot counter, and outcomes that no host has acknowledged.

Files are written beside, synced, and renamed into place, so that a kill at any moment leaves
either the old state or the new one.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from spotcheck.canonical_json import canonical_bytes
from spotcheck.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingOutcome:
    """An outcome on its way to the host."""

    request_id: str
    """Request that it answers."""
    kind: str
    """`reading` or `cannot judge`."""
    outcome_id: str
    """Its name."""
    body: dict[str, Any]
    """Its plain form."""
    evidence_sha256: str | None
    """Name of its evidence."""
    evidence: bytes | None
    """The evidence itself."""
    device_id: str
    """Serial number of the instrument."""
    boot: int
    """Boot in which it was measured."""
    correction_set_sha256: str
    """Digest of the correction set that was in use."""
    signature: bytes
    """The device's signature over all of this but the evidence, which its digest stands for."""


class Journal:
    """One folder of state."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, count this boot, and look what an earlier one left.

        Raises:
            ConfigurationError: the folder cannot be made or written.
        """
        self._folder = folder
        self._pending = folder / "pending"
        try:
            self._pending.mkdir(parents=True, exist_ok=True)
            self.boot = self._count_boot()
        except OSError as error:
            raise ConfigurationError(f"state_folder {folder}: {error.strerror}") from error
        # It is told at every start until a host has heard it.
        active, interrupted = folder / "active", folder / "interrupted"
        if active.exists():
            active.replace(interrupted)
        self.interrupted_request = interrupted.read_text("utf-8") if interrupted.exists() else None

    def begin(self, request_id: str) -> None:
        """A request is being worked on."""
        _write(self._folder / "active", request_id.encode())

    def told(self) -> None:
        """A host has heard of the request that was cut off."""
        (self._folder / "interrupted").unlink(missing_ok=True)

    def end(self) -> None:
        """No request is being worked on."""
        (self._folder / "active").unlink(missing_ok=True)

    def keep(self, outcome: PendingOutcome) -> None:
        """Keep an outcome until it is acknowledged."""
        name = _file_name(outcome.outcome_id)
        if outcome.evidence is not None:
            _write(self._pending / f"{name}.evidence", outcome.evidence)
        head = {
            "request_id": outcome.request_id,
            "kind": outcome.kind,
            "outcome_id": outcome.outcome_id,
            "body": outcome.body,
            "evidence_sha256": outcome.evidence_sha256,
            "device_id": outcome.device_id,
            "boot": outcome.boot,
            "correction_set_sha256": outcome.correction_set_sha256,
            "signature_hex": outcome.signature.hex(),
        }
        _write(self._pending / f"{name}.json", canonical_bytes(head))

    def acknowledged(self, outcome_id: str) -> None:
        """The host has stored an outcome."""
        name = _file_name(outcome_id)
        (self._pending / f"{name}.json").unlink(missing_ok=True)
        (self._pending / f"{name}.evidence").unlink(missing_ok=True)

    def pending(self) -> list[str]:
        """Names of the outcomes that were not acknowledged, oldest first."""
        files = sorted(self._pending.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [unquote(path.stem) for path in files]

    def load(self, outcome_id: str) -> PendingOutcome | None:
        """An outcome that was kept; None when it cannot be read, and is set aside."""
        path = self._pending / f"{_file_name(outcome_id)}.json"
        try:
            head = json.loads(path.read_bytes())
            evidence = path.with_suffix(".evidence")
            blob = evidence.read_bytes() if head["evidence_sha256"] else None
            signature = bytes.fromhex(head.pop("signature_hex"))
            return PendingOutcome(**head, evidence=blob, signature=signature)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, OSError):
            # Set aside, not deleted: a broken disk must not keep the instrument from starting.
            path.replace(path.with_suffix(".broken"))
            return None

    def _count_boot(self) -> int:
        path = self._folder / "boot"
        text = path.read_text("utf-8") if path.exists() else "0"
        if not text.isdecimal():
            raise ConfigurationError(f"{path} holds {text!r}, no number; restore or delete it")
        boot = int(text) + 1
        _write(path, str(boot).encode())
        return boot


def _file_name(outcome_id: str) -> str:
    return quote(outcome_id, safe="")


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(path.name + ".new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
