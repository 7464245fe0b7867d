"""Files of keys and pairings: 0600, and whole at any moment, whenever the power goes."""

import os
import secrets
from pathlib import Path


def write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet, readable by its owner only.

    Raises:
        FileExistsError: it exists; nothing was changed.
        OSError: it cannot be written.
    """
    beside = _written_beside(path, data)
    try:
        # Unlike a rename, a link does not take the place of a file that is there.
        os.link(beside, path)
    finally:
        beside.unlink()
    _sync_folder(path.parent)


def write_over(path: Path, data: bytes) -> None:
    """Write a file, readable by its owner only, in place of what was there.

    Raises:
        OSError: it cannot be written; what was there is there still.
    """
    _written_beside(path, data).replace(path)
    _sync_folder(path.parent)


def _written_beside(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return beside


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
