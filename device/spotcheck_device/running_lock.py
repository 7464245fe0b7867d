"""One daemon to a state folder: two would give two results one name.

The lock ends with the process that holds it, however that one ends.
"""

import contextlib
import fcntl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from spotcheck.errors import ConfigurationError

LOCK_NAME = "in-use"
_LOOKS = 5
_LOOK_S = 0.05


@contextlib.contextmanager
def only_daemon_of(state_folder: Path) -> Iterator[None]:
    """Hold a state folder.

    Raises:
        ConfigurationError: another daemon holds it, or it cannot be made or written.
    """
    try:
        state_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = (state_folder / LOCK_NAME).open("w")
    except OSError as error:
        raise ConfigurationError(f"state_folder {state_folder}: {error.strerror}") from error
    with file:
        if not _locks(file):
            raise ConfigurationError(
                f"state_folder {state_folder}: another daemon is running with it; stop that one"
            )
        yield


def _locks(file: TextIO) -> bool:
    """Whether the lock was to be had; who only looks has it for a moment."""
    for _ in range(_LOOKS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK_S)
        else:
            return True
    return False


def daemon_is_running(state_folder: Path) -> bool:
    """Whether a daemon holds a state folder; False also where that cannot be seen."""
    try:
        with (state_folder / LOCK_NAME).open() as file:
            # Shared: two that look at the same time do not see each other.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
